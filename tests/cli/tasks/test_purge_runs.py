"""Only what is older than the retention is deleted, on real storage."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.tasks import purge_runs as steps
from core.envelope import read_envelope
from core.errors import LeaseLost
from core.event_fields import digest
from core.identity import run_key
from core.lineage_model import RunRef
from core.naming import event_name
from parser import process_history as histories
from pipeline.run import process_run
from storage.details_table import DetailsRow
from tests.support.events import body, dataset, event
from tests.support.fixtures import Sparklin
from tests.support.universe import Universe

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=100)


def failed(ended: datetime) -> bytes:
    """The history of a process whose only run failed."""
    return histories.encode(histories.with_failure(histories.History(), RunRef(ended, ended, "run", "")))


def gone(universe: Universe) -> DetailsRow:
    """A process that is not in the catalogue, and whose only run failed long ago."""
    return DetailsRow(f"sparklin://{universe.name}/gone#t", failed(LONG_AGO))


def a_write(event_type: str = "COMPLETE", run: str = "run-1") -> bytes:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    return body(event(event_type, run=run, inputs=[dataset("s", ["x"])], outputs=[written]))


def store(universe: Universe, whole: bytes, received: datetime) -> None:
    """Keep an event as if it had been received then."""
    own = universe.own(whole)
    universe.services.events.put(read_envelope(own), digest(own), own, received)


def process(universe: Universe, run: str = "run-1") -> None:
    process_run(key(universe, run), universe.services)


def key(universe: Universe, run: str = "run-1") -> str:
    return run_key(universe.run_id(run))


def kept(universe: Universe, run: str = "run-1") -> int:
    """How many events of a run are stored."""
    return len(universe.services.events.names(key(universe, run)))


def rows(universe: Universe) -> int:
    """How many rows of the run are left in its hours."""
    found = universe.services.events.rows(LONG_AGO - timedelta(hours=3), LONG_AGO)
    return sum(row.run_key == key(universe) for row in found)


def detail(universe: Universe, name: str) -> DetailsRow | None:
    """What is kept of a process."""
    return universe.services.details.read(name)


def purge(sparklin: Sparklin, *options: str) -> Mapping[str, Any]:
    code, shown = sparklin("purge", "--older-than", "60", *options)
    assert code == 0
    return shown  # type: ignore[no-any-return]


def test_without_apply_nothing_is_deleted(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write(), LONG_AGO)
    process(universe)
    shown = purge(sparklin)
    assert (shown["applied"], shown["others"], shown["runs"] >= 1) == (False, None, True)
    assert kept(universe) == 1


def test_old_runs_are_deleted_and_their_process_stays(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write("START"), LONG_AGO - timedelta(hours=2))
    store(universe, a_write(), LONG_AGO)
    process(universe)
    (process_name,) = universe.services.run_records.get(key(universe))
    before = detail(universe, process_name)
    assert before
    purge(sparklin, "--apply")
    assert kept(universe) == 0
    assert rows(universe) == 0
    assert universe.services.run_records.get(key(universe)) == frozenset()
    assert list(universe.processes()) == ["nb → t"]
    assert detail(universe, process_name) == before


def test_a_process_gets_new_runs_after_a_purge(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write(), LONG_AGO)
    process(universe)
    purge(sparklin, "--apply")
    (before,) = universe.entities_of_processes()
    written = dataset("t", ["a", "b"], {"b": [("s2", "y")]})
    universe.deliver(body(event(run="new", inputs=[dataset("s2", ["y"])], outputs=[written])))
    (after,) = universe.entities_of_processes()
    assert after["guid"] == before["guid"]
    ((name, shown),) = universe.processes().items()
    assert name == "nb → t"
    assert [input_name.rstrip("/").split("/")[-2] for input_name in shown["inputs"]] == ["s", "s2"]


def test_a_run_is_deleted_completely_or_not_at_all(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write("START"), LONG_AGO)
    store(universe, a_write(), NOW)
    process(universe)
    purge(sparklin, "--apply")
    assert kept(universe) == 2


def test_an_event_that_was_uploaded_by_hand_today_keeps_its_run(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write("START"), LONG_AGO)
    own = universe.own(a_write())
    name = event_name(read_envelope(own), digest(own)).blob
    universe.services.clients.container("openlineage").upload_blob(name, own)
    process(universe)
    purge(sparklin, "--apply")
    assert kept(universe) == 2


def test_a_dry_run_counts_the_same_events_as_the_purge(universe: Universe, sparklin: Sparklin) -> None:
    for received in (LONG_AGO - timedelta(hours=2), LONG_AGO):
        store(universe, a_write("START"), received)
    store(universe, a_write(), LONG_AGO)
    process(universe)
    shown, done = purge(sparklin), purge(sparklin, "--apply")
    assert (shown["runs"], shown["events"]) == (done["runs"], done["events"])
    assert kept(universe) == 0


def test_unprocessed_runs_stay_unless_unprocessed_is_given(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write(), LONG_AGO)
    universe.services.dead_letters.put(key(universe), "reason", "remedy", {}, LONG_AGO)
    assert purge(sparklin, "--apply")["keptUnprocessed"] >= 1
    assert kept(universe) == 1
    purge(sparklin, "--apply", "--unprocessed")
    assert kept(universe) == 0
    assert list(universe.services.dead_letters.names(key(universe))) == []


def test_old_dead_letters_without_events_are_deleted(universe: Universe, sparklin: Sparklin) -> None:
    """As a message leaves them that is no pointer to a run, and a lifecycle rule that deletes blobs."""
    letters = universe.services.dead_letters
    old = letters.put(universe.name, "reason", "remedy", {}, LONG_AGO)
    new = letters.put(universe.name, "reason", "remedy", {}, NOW)
    assert purge(sparklin, "--apply")["others"]["letters"] >= 1
    assert list(letters.names(run_key(universe.name))) == [new], old


def test_the_next_purge_deletes_what_an_interrupted_one_left(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write(), LONG_AGO)
    (stored,) = universe.services.events.names(key(universe))
    universe.services.clients.container("openlineage").delete_blob(stored.name.blob)
    purge(sparklin, "--apply")
    assert rows(universe) == 0


def test_rows_of_removed_processes_are_deleted(universe: Universe, sparklin: Sparklin) -> None:
    store(universe, a_write(), LONG_AGO)
    process(universe)
    (name,) = universe.services.run_records.get(key(universe))
    store(universe, a_write("FAIL"), LONG_AGO)
    process(universe)
    assert universe.services.details.read(name)
    purge(sparklin, "--apply")
    assert universe.services.details.read(name) is None


@pytest.mark.parametrize("marks", [{"dirty": True}, {"process_guid": "guid"}, {"history": failed(NOW)}])
def test_rows_that_the_app_still_needs_stay(universe: Universe, sparklin: Sparklin, marks: Mapping[str, Any]) -> None:
    """A process to be uploaded, one that the catalogue shows, and a failure that must still retract its run."""
    row = universe.services.details.write(replace(gone(universe), **marks))
    purge(sparklin, "--apply")
    assert detail(universe, row.qualified_name) == row
    universe.services.details.delete(row)


def test_rows_of_processes_that_show_nothing_are_deleted(universe: Universe, sparklin: Sparklin) -> None:
    row = universe.services.details.write(gone(universe))
    assert purge(sparklin, "--apply")["others"]["processes"] >= 1
    assert detail(universe, row.qualified_name) is None


def test_blobs_without_a_row_are_deleted_and_those_of_rows_stay(universe: Universe, sparklin: Sparklin) -> None:
    """Azurite dates blobs by its own clock: what the command must not delete is new, or in use."""
    row = universe.services.details.write(replace(gone(universe), dirty=True, history=b"h" * 100_000))
    blobs = universe.services.clients.container("lineage-details")
    new = f"LineageDetails/{universe.name}/history-0-0.gz"
    blobs.upload_blob(new, b"")
    purge(sparklin, "--apply")
    assert detail(universe, row.qualified_name) == row
    assert blobs.get_blob_client(new).exists()
    universe.services.details.delete(row)


def test_locks_that_are_held_stay(universe: Universe) -> None:
    later, locks, mine = datetime.now(UTC) + timedelta(minutes=1), universe.services.locks, universe.name
    with locks.hold([mine], wait_seconds=5):
        locks.purge(later)
        with pytest.raises(LeaseLost), locks.hold([mine], wait_seconds=0):
            pass
    assert locks.purge(later) >= 1
    with locks.hold([mine], wait_seconds=0):
        pass


@pytest.mark.usefixtures("sparklin")
def test_a_retention_shorter_than_the_app_looks_back_is_refused() -> None:
    result = CliRunner().invoke(app, ["purge", "--local", "--older-than", "10"])
    assert result.exit_code == 2
    assert "at least 31" in result.stderr


def test_a_row_whose_history_is_not_ours_stays_and_stops_nothing(universe: Universe, sparklin: Sparklin) -> None:
    odd = universe.services.details.write(DetailsRow(f"sparklin://{universe.name}/odd#t", b"\x00no JSON"))
    store(universe, a_write(), LONG_AGO)
    process(universe)
    assert purge(sparklin, "--apply")["applied"]
    assert universe.services.details.read(odd.qualified_name) == odd
    universe.services.details.delete(odd)


HOUR = LONG_AGO.replace(minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("before", "is_old"), [(HOUR + timedelta(hours=1), True), (HOUR + timedelta(seconds=1), True), (HOUR, False)]
)
def test_a_run_of_the_hour_in_which_the_retention_ends_stays(
    universe: Universe, before: datetime, is_old: bool
) -> None:
    store(universe, a_write(), LONG_AGO)
    stored = universe.services.events.rows_of(universe.services.events.names(key(universe)))

    found = steps._old_run(key(universe), tuple(stored), before, universe.services)

    assert found == (steps.OldRun(key(universe), tuple(stored), 1, processed=False) if is_old else None)


@pytest.mark.parametrize(
    ("marks", "is_gone"),
    [
        ({}, True),
        ({"dirty": True}, False),
        ({"process_guid": "guid"}, False),
        ({"history": failed(LONG_AGO + timedelta(days=2))}, False),
        ({"history": failed(LONG_AGO + timedelta(days=1))}, False),
        ({"history": b"\x00no JSON"}, False),
        ({"history": histories.encode(histories.History())}, True),
    ],
)
def test_what_of_a_process_is_gone(universe: Universe, marks: Mapping[str, Any], is_gone: bool) -> None:
    assert steps._is_gone(replace(gone(universe), **marks), LONG_AGO + timedelta(days=1)) is is_gone


def test_a_process_that_changed_meanwhile_stays(universe: Universe) -> None:
    details = universe.services.details
    before = details.write(gone(universe))
    now = details.write(replace(before, dirty=True))

    assert steps._delete_process(before, universe.services) is False
    assert details.read(now.qualified_name) == now
    assert steps._delete_process(now, universe.services) is True
    assert details.read(now.qualified_name) is None


@pytest.mark.parametrize(
    ("time", "has_events", "is_deleted"),
    [
        (LONG_AGO - timedelta(seconds=1), False, True),
        (LONG_AGO, False, False),
        (LONG_AGO - timedelta(seconds=1), True, False),
    ],
)
def test_only_old_dead_letters_without_events_are_orphans(
    universe: Universe, time: datetime, has_events: bool, is_deleted: bool
) -> None:
    letters = universe.services.dead_letters
    if has_events:
        store(universe, a_write(), LONG_AGO)
    letters.put(key(universe), "reason", "remedy", {}, time)
    (name,) = letters.names(key(universe))

    assert steps._delete_orphan(name, LONG_AGO, universe.services) is is_deleted
    assert list(letters.names(key(universe))) == ([] if is_deleted else [name])
    letters.delete(name)
    assert steps._delete_orphan(name, LONG_AGO, universe.services) is False


def test_facts_and_users_of_names_are_forgotten_with_the_runs_that_wrote_them(universe: Universe) -> None:
    services, name = universe.services, universe.name
    services.facts.put(name, "run", {"topic": "a fact"})
    services.onelake_names.note_use(name, "run")

    steps.delete_rest(LONG_AGO, services)
    assert (len(services.facts.facts(name, "topic", "topic")), list(services.onelake_names.users(name))) == (1, ["run"])
    steps.delete_rest(datetime.now(UTC) + timedelta(minutes=1), services)
    assert (services.facts.facts(name, "topic", "topic"), list(services.onelake_names.users(name))) == ((), [])
