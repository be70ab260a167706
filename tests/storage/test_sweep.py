"""Lost notifications are found, hours without any are closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.naming import event_name
from storage.clients import EVENTS, StorageClients
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.sweep import Sweep, SweepLimits
from tests.storage.runs import new_event, new_run

AFTER = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

_days = iter(range(1, 1000))


@pytest.fixture
def start() -> datetime:
    """The beginning of an hour that no other test uses."""
    return datetime(2030, 1, 1, 12, tzinfo=UTC) + next(_days) * timedelta(days=1)


@pytest.fixture
def store(storage_clients: StorageClients) -> EventStore:
    """The store on Azurite."""
    return EventStore(storage_clients, budget_seconds=20)


@pytest.fixture
def sweep(storage_clients: StorageClients, store: EventStore) -> Sweep:
    """A sweep for received events, under its own task."""
    task = "test" + "".join(letter for letter in new_run() if letter.isalpha())
    return Sweep(storage_clients, store, task, [Status.RECEIVED])


def found(sweep: Sweep, since: datetime, now: datetime) -> list[str]:
    """The runs that the sweep finds."""
    return [run.run_key for batch in sweep.waiting(since, now, AFTER) for run in batch]


def test_what_waits_for_long_is_found_until_it_is_processed(store: EventStore, sweep: Sweep, start: datetime) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    assert found(sweep, start, start + 9 * MINUTE) == []
    assert found(sweep, start, start + 11 * MINUTE) == [envelope.run_key]
    assert found(sweep, start, start + 3 * HOUR) == [envelope.run_key]
    store.mark(store.names(envelope.run_key), Status.PROCESSED)
    assert found(sweep, start, start + 3 * HOUR) == []


def test_events_of_one_run_are_one_finding(store: EventStore, sweep: Sweep, start: datetime) -> None:
    runs = sorted(new_run() for _ in range(3))
    for run in runs * 2:
        store.put(*new_event("RUNNING", run=run, minute=float(len(store.names(run)))), start)
    waiting = [run for batch in sweep.waiting(start, start + HOUR, AFTER) for run in batch]
    assert sorted(run.run_key for run in waiting) == runs
    assert {len(run.rows) for run in waiting} == {2}


def test_an_hour_is_closed_once_nothing_waits_and_it_is_long_over(
    store: EventStore, sweep: Sweep, start: datetime
) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    found(sweep, start, start + 2 * HOUR)
    assert start in sweep.open_hours(start, start + 2 * HOUR)
    store.mark(store.names(envelope.run_key), Status.IGNORED)
    found(sweep, start, start + HOUR + 9 * MINUTE)
    assert sweep.open_hours(start, start + HOUR) == (start, start + HOUR)
    found(sweep, start, start + HOUR + 11 * MINUTE)
    assert sweep.open_hours(start, start + HOUR) == (start + HOUR,)


def test_a_closed_hour_that_is_opened_again_is_read_again(store: EventStore, sweep: Sweep, start: datetime) -> None:
    envelope, digest, body = new_event()
    found(sweep, start, start + 2 * HOUR)
    store.put(envelope, digest, body, start)
    assert found(sweep, start, start + 3 * HOUR) == []
    sweep.reopen([start, start, start + HOUR])
    assert found(sweep, start, start + 3 * HOUR) == [envelope.run_key]


def test_an_hour_is_closed_for_one_task_only(
    storage_clients: StorageClients, store: EventStore, sweep: Sweep, start: datetime
) -> None:
    found(sweep, start, start + 2 * HOUR)
    other = Sweep(storage_clients, store, "another" + new_run()[:8], [Status.WAITING])
    assert start not in sweep.open_hours(start, start + 2 * HOUR)
    assert start in other.open_hours(start, start + 2 * HOUR)


def test_a_repeated_event_whose_row_stayed_behind_does_not_wait(
    store: EventStore, sweep: Sweep, start: datetime, storage_clients: StorageClients
) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    store.mark(store.names(envelope.run_key), Status.PROCESSED)
    store.put(envelope, digest, body, start + HOUR)
    for row in store.rows(start + HOUR, start + HOUR):
        table = storage_clients.table("EventMetadata")
        table.update_entity({"PartitionKey": row.partition, "RowKey": row.row_key, "Status": "Received"})
    assert found(sweep, start, start + 2 * HOUR) == []
    assert [row.status for row in store.rows(start + HOUR, start + HOUR)] == [Status.DUPLICATE]


def test_a_row_whose_event_was_never_stored_is_deleted(
    store: EventStore, sweep: Sweep, start: datetime, storage_clients: StorageClients
) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    storage_clients.container(EVENTS).delete_blob(event_name(envelope, digest).blob)
    assert found(sweep, start, start + HOUR) == []
    assert list(store.rows(start, start)) == []


def test_a_sweep_between_the_row_and_the_blob_of_an_event_leaves_the_row(
    store: EventStore, sweep: Sweep, start: datetime, storage_clients: StorageClients
) -> None:
    """However soon the settings let the sweep come."""
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    storage_clients.container(EVENTS).delete_blob(event_name(envelope, digest).blob)
    assert list(sweep.waiting(start, start + 2 * MINUTE, timedelta())) == [()]
    assert [row.run_key for row in store.rows(start, start)] == [envelope.run_key]
    store.put(envelope, digest, body, start)
    assert found(sweep, start, start + HOUR) == [envelope.run_key]


def test_a_row_that_is_renewed_by_a_repetition_stays(store: EventStore, start: datetime) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, start)
    before = list(store.rows(start, start))
    store.delete(())
    store.put(envelope, digest, body, start + MINUTE)
    store._delete_row(before[0])
    assert len(list(store.rows(start, start))) == 1


def waiting_runs(store: EventStore, start: datetime, hours: int = 1, each: int = 3) -> set[str]:
    """Runs of which one event is stored, so many in each hour."""
    events = [(new_event(), start + number % hours * HOUR) for number in range(hours * each)]
    for event, received in events:
        store.put(*event, received)
    return {envelope.run_key for (envelope, _, _), _ in events}


def round_of(sweep: Sweep, start: datetime) -> list[str]:
    """The runs found by a sweep that stops after each batch."""
    found = sweep.waiting(start, start + 4 * HOUR, AFTER, SweepLimits(runs=1))
    return [run.run_key for batch in found for run in batch]


@pytest.mark.parametrize("limits", [SweepLimits(runs=1), SweepLimits(seconds=0)])
def test_a_sweep_stops_at_its_limit_and_the_next_one_continues(
    store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch, limits: SweepLimits
) -> None:
    monkeypatch.setattr("storage.sweep.BATCH", 2)
    runs = waiting_runs(store, start, hours=2)
    span = start, start + 4 * HOUR, AFTER
    rounds = [[run.run_key for batch in sweep.waiting(*span, limits) for run in batch] for _ in range(4)]
    assert [len(each) for each in rounds] == [2, 1, 2, 1]
    assert {run for each in rounds for run in each} == runs


def test_what_waits_before_the_position_is_found_in_the_next_round(
    store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sweep.BATCH", 1)
    runs = waiting_runs(store, start)
    first = round_of(sweep, start)
    rest = [run for _ in range(3) for run in round_of(sweep, start)]
    assert {*first, *rest} == runs
    assert round_of(sweep, start) == first


def test_an_hour_that_was_read_in_part_is_not_closed(
    store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sweep.BATCH", 1)
    waiting_runs(store, start)
    for _ in range(3):
        round_of(sweep, start)
    assert round_of(sweep, start) == []
    assert start in sweep.open_hours(start, start + HOUR)


def test_a_batch_of_a_sweep_that_is_killed_is_found_again(
    storage_clients: StorageClients, store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sweep.BATCH", 1)
    runs = waiting_runs(store, start)
    killed = next(sweep.waiting(start, start + 4 * HOUR, AFTER))
    assert {*found(sweep, start, start + 4 * HOUR)} == runs > {run.run_key for run in killed}


def test_two_sweeps_at_once_leave_nothing_out(
    store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stops early while the other continues: the remaining position hides nothing from the next round."""
    monkeypatch.setattr("storage.sweep.BATCH", 1)
    runs = waiting_runs(store, start, hours=2)
    other = sweep.waiting(start, start + 4 * HOUR, AFTER)
    both = [run.run_key for run in next(other)]
    both += round_of(sweep, start)
    both += [run.run_key for batch in other for run in batch]
    assert set(both) == runs
    rest = [run for _ in range(2 * len(runs)) for run in round_of(sweep, start)]
    assert set(rest) == runs


def test_what_waits_is_given_out_before_all_of_it_is_read(
    store: EventStore, sweep: Sweep, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sweep.BATCH", 2)
    waiting_runs(store, start)
    asked: list[str] = []
    settle = EventStore.settle_rows

    def settled(store: EventStore, run_key: str, rows: Any, now: datetime) -> Any:
        asked.append(run_key)
        return settle(store, run_key, rows, now)

    monkeypatch.setattr(EventStore, "settle_rows", settled)
    assert len(next(sweep.waiting(start, start + HOUR, AFTER))) == len(asked) == 2
