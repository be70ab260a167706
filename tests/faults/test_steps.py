"""A worker is killed (SIGKILL) between any two steps, and another one takes over the event."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.settings import Settings
from core.storage_connection import StorageConnection
from local.data_map.server import running
from local.stack.parts import ROOT
from pipeline.services import build
from tests.faults.host import STEPS
from tests.faults.worker import Case, Work
from tests.support.catalogue import twice
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.exhaustive

#: What a retry takes in addition, which happens only if a worker fails.
OF_RETRIES = ("enqueue a retry", "note a retry")
#: What only the timer does; see tests/faults/test_storm.py.
OF_THE_TIMER = ("mark what is swept up",)
#: What happens where the first event of a run is a START; the other cases have a COMPLETE only.
OF_A_START = ("look at an event", "note the hour of an event", "read the rows of a run")
#: Steps that occur several times: what is recorded, what is about to be uploaded, what was uploaded.
REPEATED = {
    "write the row of a process": 3,
    "announce or record created assets": 2,
    "find the events of a run": 2,
    "read the rows of a run": 2,
}


def cases() -> list[Case]:
    """Before and behind each step, and behind the further times of those that come several times."""
    steps = [step for step in STEPS if step not in OF_THE_TIMER]
    before = [_case(step, 1, after=False) for step in steps]
    behind = [_case(step, times, after=True) for step in steps for times in range(1, REPEATED.get(step, 1) + 1)]
    return [*before, *behind]


def _case(step: str, times: int, after: bool) -> Case:
    name = f"steps-{uuid.uuid4().hex[:12]}"
    written = dataset(f"{name}/t", ["a"], {"a": [(f"{name}/s", "x")]})
    types = ("START", "COMPLETE") if step in OF_A_START else ("COMPLETE",)
    sent = [body(event(each, inputs=[dataset(f"{name}/s", ["x"])], outputs=[written])).decode() for each in types]
    return Case(name, sent, step, after, times, step in OF_RETRIES)


def test_a_worker_that_is_killed_at_any_step_loses_and_doubles_nothing(
    storage_connection: StorageConnection, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with running() as url:
        work = Work(storage_connection.connection_string, url, str(tmp_path / "journal"), cases())
        file = tmp_path / "work.json"
        file.write_bytes(msgspec.json.encode(work))
        command = [sys.executable, "-m", "tests.faults.worker", str(file)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
        assert ended.returncode == 0, ended.stderr
        services = build(Settings(lineage_storage=storage_connection, purview_endpoint=url, purview_auth="none"))
        for case in work.cases:
            universe = Universe(case.universe, services)
            where = (case.step, case.after, case.times)
            statuses = universe.statuses([sent.encode() for sent in case.events])
            assert (where, statuses) == (where, ["Processed"] * len(case.events))
            ((name, shown),) = universe.processes().items()
            assert (where, name, len(shown["inputs"])) == (where, "nb → t", 1)
        assert twice(url) == []
        services.catalog.close()
    killed = [json.loads(line)["killed"] for line in (tmp_path / "journal").read_text().splitlines()]
    assert len(killed) == len(work.cases)
    record_property("figure", f"steps: {len(killed)} workers killed between steps, lost events = 0, assets twice = 0")
