"""Runs that are recorded again from their events, and processes that are uploaded again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.tasks.rebuild_store import (
    PublishedProcess,
    RecordedRun,
    _has_not_ended_for_long,
    count_processes,
    publish_processes,
    record_runs,
)
from core.envelope import read_envelope
from core.event_fields import digest
from core.identity import run_key
from core.naming import EventName, event_name, partition_key
from pipeline.services import Services
from storage.clients import EVENTS
from storage.event_rows import RowKeys
from storage.stored_event import StoredEvent
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

RUN = "01a204f9-ced0-75cb-96b6-56e74817518a"


def a_write(event_type: str = "COMPLETE", run: str = "run-1", sink: str = "t") -> bytes:
    written = dataset(sink, ["a"], {"a": [("s", "x")]})
    return body(event(event_type, run=run, inputs=[dataset("s", ["x"])], outputs=[written]))


def an_event(event_type: str, received: float | None, modified: float = 0) -> StoredEvent:
    """An event that was received, None by nobody, and modified this many hours ago."""
    now = datetime.now(UTC)
    partition = "" if received is None else partition_key(now - timedelta(hours=received), RUN)
    return StoredEvent(EventName(RUN, now, event_type, "0" * 16), partition, now - timedelta(hours=modified))


@pytest.mark.parametrize(
    ("events", "is_settled"),
    [
        ([an_event("START", 48)], True),
        ([an_event("START", 26), an_event("RUNNING", 48)], True),
        ([an_event("START", 48), an_event("COMPLETE", 48)], False),
        ([an_event("FAIL", 48)], False),
        ([an_event("ABORT", 48)], False),
        ([an_event("START", 22)], False),
        ([an_event("START", 48), an_event("RUNNING", 22)], False),
        # Without an hour of receipt, the time of its blob counts.
        ([an_event("START", None, modified=26)], True),
        ([an_event("START", None, modified=23)], False),
        ([an_event("START", 22, modified=48)], False),
        ([an_event("START", 48, modified=1)], True),
    ],
)
def test_a_run_without_an_end_counts_as_ended_after_a_day(
    events: list[StoredEvent], is_settled: bool, services: Services
) -> None:
    assert _has_not_ended_for_long(tuple(events), services) is is_settled


def key(universe: Universe, run: str = "run-1") -> str:
    return run_key(universe.run_id(run))


def recorded(universe: Universe, run: str = "run-1", *, dry_run: bool = False) -> RecordedRun:
    """What became of a run of the universe."""
    (found,) = (each for each in record_runs(universe.services, dry_run=dry_run) if each.run_key == key(universe, run))
    return found


def lose_rows(universe: Universe, *types: str) -> None:
    """Delete the rows of the run's events of these types."""
    events = universe.services.events
    rows = events.rows_of(events.names(key(universe)))
    events.delete_rows(RowKeys(row.partition, row.row_key) for row in rows if row.event_type in types)


@pytest.mark.parametrize("lost", [(), ("START",), ("START", "COMPLETE")])
def test_lost_rows_are_counted_and_written(universe: Universe, lost: tuple[str, ...]) -> None:
    both = [a_write("START"), a_write()]
    universe.deliver_all(both)
    lose_rows(universe, *lost)
    statuses = ["no row" if each in lost else "Processed" for each in ("START", "COMPLETE")]

    assert recorded(universe, dry_run=True) == RecordedRun(key(universe), 2, len(lost))
    assert universe.statuses(both) == statuses
    assert recorded(universe) == RecordedRun(key(universe), 2, len(lost))
    assert universe.statuses(both) == ["Processed"] * 2


def test_a_run_is_recorded_without_an_upload(universe: Universe) -> None:
    universe.post(a_write())

    assert recorded(universe) == RecordedRun(key(universe), 1, 0)
    assert universe.processes() == {}
    (name,) = universe.services.run_records.get(key(universe))
    row = universe.services.details.read(name)
    assert row
    assert row.process_guid == ""


def test_a_processed_run_of_which_the_process_was_lost_is_recorded_again(universe: Universe, drawn: str) -> None:
    details = universe.services.details
    lost = details.read(drawn)
    assert lost
    details.delete(lost)

    assert recorded(universe) == RecordedRun(key(universe), 1, 0)
    assert details.read(drawn)


def test_an_event_that_the_receiver_did_not_store_gets_no_row(universe: Universe) -> None:
    own = universe.own(a_write())
    blob = event_name(read_envelope(own), digest(own)).blob
    universe.services.clients.container(EVENTS).upload_blob(blob, own)

    assert recorded(universe, dry_run=True) == RecordedRun(key(universe), 1, 0)
    assert recorded(universe) == RecordedRun(key(universe), 1, 0)


def test_an_event_that_cannot_be_read_does_not_hide_the_others(universe: Universe) -> None:
    universe.post(a_write("START"))
    universe.post(a_write())
    start, _ = universe.services.events.names(key(universe))
    blob = universe.services.clients.container(EVENTS).get_blob_client(start.name.blob)
    blob.upload_blob(b"{half", overwrite=True, metadata=blob.get_blob_properties().metadata)
    lose_rows(universe, "START", "COMPLETE")

    assert recorded(universe) == RecordedRun(key(universe), 2, 1)


def test_a_run_that_has_not_ended_for_long_is_settled(universe: Universe, services: Services) -> None:
    own = universe.own(a_write("START"))
    services.events.put(read_envelope(own), digest(own), own, datetime.now(UTC) - timedelta(days=3))
    universe.post(a_write("START", run="open"))

    recorded(universe)

    assert len(services.run_records.get(key(universe))) == 1
    assert services.run_records.get(key(universe, "open")) == frozenset()


@pytest.fixture
def drawn(universe: Universe) -> Iterator[str]:
    """The name of a process of the universe that is in the catalogue."""
    universe.deliver(a_write())
    (name,) = universe.services.run_records.get(key(universe))
    yield name
    row = universe.services.details.read(name)
    assert row
    universe.services.details.delete(row)


def test_the_failure_of_a_run_is_reported_with_its_rows(universe: Universe, drawn: str) -> None:
    lose_rows(universe, "COMPLETE")
    spoil(drawn, universe.services, history="{half")

    found = recorded(universe)

    assert (found.run_key, found.events, found.rows, "history" in found.failure) == (key(universe), 1, 1, True), found


def counted(name: str, universe: Universe) -> PublishedProcess:
    (found,) = (each for each in count_processes(universe.services) if each.name == name)
    return found


def published(name: str, universe: Universe, *, force: bool = False) -> PublishedProcess:
    (found,) = (each for each in publish_processes(universe.services, force=force) if each.name == name)
    return found


def spoil(name: str, services: Services, **changes: object) -> None:
    row = services.details.read(name)
    assert row
    services.details.write(replace(row, **changes))  # type: ignore[arg-type]


def test_only_what_differs_from_its_last_upload_is_uploaded_unless_all_is(universe: Universe, drawn: str) -> None:
    assert published(drawn, universe) == PublishedProcess(drawn, uploaded=False)
    assert counted(drawn, universe) == PublishedProcess(drawn, uploaded=True)
    assert published(drawn, universe, force=True) == PublishedProcess(drawn, uploaded=True)
    spoil(drawn, universe.services, fingerprint="another", dirty=True)
    assert published(drawn, universe) == PublishedProcess(drawn, uploaded=True)


def test_a_process_that_shows_nothing_is_not_uploaded_again(universe: Universe, drawn: str) -> None:
    universe.deliver(a_write("FAIL"))

    assert counted(drawn, universe) == PublishedProcess(drawn, uploaded=False)
    assert published(drawn, universe, force=True) == PublishedProcess(drawn, uploaded=False)
    assert universe.processes() == {}


@pytest.mark.parametrize(
    ("status", "parts"),
    [(400, (". ", "sparklin preview")), (503, ("503",))],
)
@pytest.mark.parametrize("force", [True, False])
def test_a_failure_is_reported_with_its_process(
    universe: Universe, drawn: str, status: int, parts: tuple[str, ...], force: bool
) -> None:
    spoil(drawn, universe.services, fingerprint="another", dirty=True)
    universe.fail(count=100, path="entity/bulk", status=status)

    found = published(drawn, universe, force=force)

    assert (found.name, found.uploaded) == (drawn, False)
    assert [part for part in parts if part not in found.failure] == [], found
