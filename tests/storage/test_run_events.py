"""The stored events of a run are found by their rows, and by a list of blobs where these are not enough."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from benchmarks.counting import BLOB, TABLE, counted
from core.naming import EventName, event_name
from storage.clients import EVENTS, StorageClients
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.run_events import MANY, MOST_ASKED, MOST_HOURS, RunEvents
from storage.run_records import RunRecords
from tests.storage.runs import new_event, new_run

HOUR = timedelta(hours=1)
START = datetime(2031, 3, 1, 10, 30, tzinfo=UTC)

Count = Callable[[Callable[[], object]], int]


@pytest.fixture
def store(storage_clients: StorageClients) -> EventStore:
    return EventStore(storage_clients, budget_seconds=20)


@pytest.fixture
def records(storage_clients: StorageClients) -> RunRecords:
    return RunRecords(storage_clients)


@pytest.fixture
def found(store: EventStore, records: RunRecords) -> RunEvents:
    return RunEvents(store, records)


@pytest.fixture
def lists(storage_clients: StorageClients) -> Count:
    """How many blob listings some work takes."""
    services = {urlsplit(storage_clients.blobs.url).netloc: BLOB, urlsplit(storage_clients.tables.url).netloc: TABLE}

    def count(work: Callable[[], object]) -> int:
        with counted(services) as requests:
            work()
        return requests["blob list"]

    return count


def put(store: EventStore, run: str, event_type: str, received: datetime = START, minute: float = 0) -> EventName:
    envelope, digest, body = new_event(event_type, run=run, minute=minute)
    store.put(envelope, digest, body, received)
    return event_name(envelope, digest)


def names(found: RunEvents, event: EventName) -> list[EventName]:
    return [stored.name for stored in found.of_event(event)]


def test_a_run_that_begins_with_its_start_is_never_listed(store: EventStore, found: RunEvents, lists: Count) -> None:
    run = new_run()
    seen: list[list[EventName]] = []
    sent: list[EventName] = []
    for number, event_type in enumerate(("START", "RUNNING", "COMPLETE")):
        sent.append(put(store, run, event_type, START + number * HOUR, minute=number))
        assert lists(lambda: seen.append(names(found, sent[-1]))) == 0
    assert seen == [sent[:1], sent[:2], sent]


def test_what_is_found_is_what_a_list_of_the_blobs_shows(store: EventStore, found: RunEvents) -> None:
    run = new_run()
    sent = [put(store, run, "RUNNING", START + number % 3 * HOUR, minute=number) for number in range(5)]
    start = put(store, run, "START", START - HOUR)
    found.of_event(start)
    for event in sent:
        found.of_event(event)
    assert found.of_event(start) == store.names(run)


@pytest.mark.parametrize("event_type", ["RUNNING", "COMPLETE"])
def test_an_unknown_run_is_listed_once(store: EventStore, found: RunEvents, lists: Count, event_type: str) -> None:
    """As one whose first events an earlier version processed."""
    run = new_run()
    start, later = put(store, run, "START"), put(store, run, event_type, START + HOUR, minute=1)
    assert lists(lambda: found.of_event(later)) == 1
    seen: list[list[EventName]] = []
    assert lists(lambda: seen.append(names(found, later))) == 0
    assert seen == [[start, later]]


def test_a_start_of_a_run_that_an_earlier_version_processed_finds_the_other_events(
    store: EventStore, records: RunRecords, found: RunEvents
) -> None:
    run = new_run()
    complete = put(store, run, "COMPLETE", START, minute=1)
    records.add(run, ["sparklin://prod/app#sink"])
    start = put(store, run, "START", START + 2 * HOUR)
    assert names(found, start) == [start, complete]


def test_an_event_that_comes_later_in_a_known_hour_is_found_before_its_notification(
    store: EventStore, found: RunEvents
) -> None:
    run = new_run()
    start = put(store, run, "START")
    found.of_event(start)
    complete = put(store, run, "COMPLETE", minute=1)
    assert names(found, start) == [start, complete]


def test_the_later_of_two_workers_with_events_of_different_hours_finds_both(
    store: EventStore, records: RunRecords, found: RunEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    found.of_event(put(store, run, "START"))
    first, second = (put(store, run, "RUNNING", START + hour * HOUR, minute=hour) for hour in (1, 2))
    note = RunRecords.note_hour
    seen: list[list[EventName]] = []

    def overtaken(records: RunRecords, run_key: str, hour: str, *, is_first: bool) -> frozenset[str]:
        if not seen:
            seen.append([])
            seen[0] = names(found, second)
        return note(records, run_key, hour, is_first=is_first)

    monkeypatch.setattr(RunRecords, "note_hour", overtaken)
    assert {first, second} <= {*names(found, first)}
    assert first not in seen[0]


def test_a_row_without_a_blob_is_no_event(store: EventStore, found: RunEvents, storage_clients: StorageClients) -> None:
    """Its sender received 503, or it is being stored right now."""
    run = new_run()
    start, complete = put(store, run, "START"), put(store, run, "COMPLETE", minute=1)
    storage_clients.container(EVENTS).delete_blob(complete.blob)
    assert names(found, start) == [start]


def test_a_repeated_event_is_stored_once_with_the_row_that_counts(store: EventStore, found: RunEvents) -> None:
    run = new_run()
    start = put(store, run, "START")
    put(store, run, "START", START + HOUR)
    for _ in range(2):
        assert found.of_event(start) == store.names(run)


def test_an_event_whose_first_row_stayed_without_a_blob_keeps_the_row_of_its_blob(
    store: EventStore, found: RunEvents, storage_clients: StorageClients
) -> None:
    run = new_run()
    start = put(store, run, "START")
    storage_clients.container(EVENTS).delete_blob(start.blob)
    put(store, run, "START", START + HOUR)
    assert found.of_event(start) == store.names(run)
    later = put(store, run, "RUNNING", minute=1)
    assert found.of_event(later) == store.names(run)


def test_a_blob_that_somebody_else_put_there_is_found(
    store: EventStore, records: RunRecords, found: RunEvents, storage_clients: StorageClients
) -> None:
    run = new_run()
    start = put(store, run, "START")
    found.of_event(start)
    envelope, digest, body = new_event("COMPLETE", run=run, minute=1)
    foreign = event_name(envelope, digest)
    storage_clients.container(EVENTS).upload_blob(foreign.blob, body)
    assert names(found, foreign) == [start, foreign]
    assert MANY in records.read(run).hours
    assert names(found, start) == [start, foreign]


def test_a_run_of_very_many_hours_is_listed(
    store: EventStore, records: RunRecords, found: RunEvents, lists: Count
) -> None:
    run = new_run()
    found.of_event(put(store, run, "START"))
    sent = [put(store, run, "RUNNING", START + n * HOUR, minute=n) for n in range(1, MOST_HOURS + 1)]
    assert [lists(lambda event=event: found.of_event(event)) for event in sent] == [0] * (MOST_HOURS - 1) + [1]  # type: ignore[misc]
    assert found.of_event(sent[0]) == store.names(run)
    assert MANY in records.read(run).hours


def test_very_many_new_events_are_listed_instead_of_asked_for_one_by_one(
    store: EventStore, found: RunEvents, lists: Count
) -> None:
    run = new_run()
    start = put(store, run, "START")
    for number in range(MOST_ASKED + 1):
        put(store, run, "RUNNING", minute=number + 1)
    seen: list[object] = []
    assert lists(lambda: seen.append(found.of_event(start))) == 1
    assert seen == [store.names(run)]
    store.mark(store.names(run), Status.WAITING)
    assert lists(lambda: seen.append(found.of_event(start))) == 0
    assert seen[1] == seen[0]


def test_hours_are_noted_only_if_nothing_changed_while_the_blobs_were_listed(
    store: EventStore, records: RunRecords, found: RunEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a list from before an event of another hour could hide that event."""
    run = new_run()
    complete = put(store, run, "COMPLETE", minute=5)
    listed = EventStore.names

    def overtaken(store: EventStore, run_key: str) -> object:
        result = listed(store, run_key)
        records.add(run_key, ["sparklin://prod/app#sink"])
        return result

    with monkeypatch.context() as patch:
        patch.setattr(EventStore, "names", overtaken)
        found.of_event(complete)
    assert records.read(run).hours == frozenset()
    found.of_event(complete)
    assert records.read(run).hours == {"2031030110"}
