"""What a run wrote: read from its events, kept with the run, and never a reason to write or upload anything again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.event_model import Written
from core.lineage_model import Lineage, RunRef
from parser import process_history as histories
from parser import repeated_runs
from parser.lineage import LineageRules, derive
from parser.merge import merge
from parser.process_history import KEPT_RUNS, History
from parser.repeated_runs import Repeats
from storage.row_limits import MAX_UNITS
from tests.support.events import dataset, run_event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def output(**statistics: Any) -> dict[str, Any]:
    facets = {"outputFacets": {"outputStatistics": statistics}} if statistics else {}
    return {**dataset("t", ["a"], {"a": [("s", "x")]}), **facets}


@pytest.mark.parametrize(
    ("facet", "written"),
    [
        ({"rowCount": 3, "size": 959, "fileCount": 1}, Written(3, 959, 1)),
        ({"rowCount": 3}, Written(3)),
        ({"rowCount": 0, "size": 400, "fileCount": 1}, Written(0, 400, 1)),
        ({"rowCount": 0, "size": 0, "fileCount": 0}, Written(0, 0, 0)),
        # A count of rows without bytes: Spark did not count the bytes.
        ({"rowCount": 5, "size": 0, "fileCount": 2}, Written(5, None, 2)),
        # What agents up to 1.37 send where they know nothing.
        ({"rowCount": 0, "size": 0}, None),
        ({"rowCount": -1, "size": "9", "fileCount": True}, None),
        ({"rowCount": 2**70}, None),
        ({}, None),
    ],
)
def test_counts_are_read_from_the_facet(facet: dict[str, Any], written: Written | None) -> None:
    run = merge([run_event("START", outputs=[output()]), run_event(outputs=[output(**facet)])])
    assert run.ref_of(run.outputs[0].dataset.id).written == written


def test_the_end_of_a_run_is_believed() -> None:
    events = [("COMPLETE", {"rowCount": 3, "size": 9, "fileCount": 1}), ("RUNNING", {"rowCount": 1}), ("START", {})]
    run = merge([run_event(kind, outputs=[output(**facet)]) for kind, facet in events])
    assert run.outputs[0].written == Written(3, 9, 1)


def ref(number: int, written: Written | None = None) -> RunRef:
    ended = NOON + timedelta(minutes=number)
    return RunRef(ended, ended - timedelta(seconds=30), f"{number:08}-0000-4000-8000-000000000000", "a" * 36, written)


def a_lineage() -> Lineage:
    (found,) = derive(merge([run_event(inputs=[dataset("s", ["x"])], outputs=[output()])]), LineageRules()).lineages
    return found


def test_counts_are_kept_with_the_run_and_change_nothing() -> None:
    bare = histories.with_run(History(), a_lineage(), ref(1))
    counted = histories.with_run(History(), a_lineage(), ref(1, Written(3, 9, 1)))
    assert counted == bare
    assert histories.decode(histories.encode(counted)).contributions[0].runs[0].written == Written(3, 9, 1)


def test_histories_of_earlier_versions_are_read() -> None:
    earlier = histories.encode(histories.with_run(History(), a_lineage(), ref(1))).replace(b',"written":null', b"")
    assert b"written" not in earlier
    assert histories.decode(earlier).contributions[0].runs == (ref(1),)


def test_repeated_runs_with_counts_fit_next_to_a_history() -> None:
    repeats = Repeats("m" * 64, "f" * 64, NOON)
    for number in range(KEPT_RUNS + 1):
        repeats = repeats.with_run(ref(number, Written(2**63 - 1, 2**63 - 1, 2**63 - 1)))
    assert len(repeated_runs.encode(repeats)) < MAX_UNITS
    assert repeated_runs.decode(repeated_runs.encode(repeats)).runs[0].written
