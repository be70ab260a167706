"""Stored events: kept once, found by run, with a row that shows their progress."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from core import naming
from core.envelope import read_envelope
from core.naming import event_name
from storage.clients import EVENT_METADATA, EVENTS, StorageClients
from storage.event_rows import EventRow, RowKeys, Status
from storage.event_store import EventStore, Put
from storage.events_of_run import EventsOfRun
from tests.storage.runs import NOON, new_event, new_run
from tests.support.processes import PATIENCE

HOUR = timedelta(hours=1)

HOSTILE = [
    "\x00\x01\x1f",
    "a/b\\c#d?e",
    "it's; drop table' or PartitionKey ne '",
    '"<&>]]>',
    "😀" * 2500,
    "half \ud800 pair",
    "x" * 10_000,
    "../../secrets",
    "%2e%2e%2f\u202e\ufffe\uffff",
]


@pytest.fixture
def store(storage_clients: StorageClients) -> EventStore:
    """The store on Azurite, with time for a busy machine."""
    return EventStore(storage_clients, budget_seconds=PATIENCE)


def rows_of(store: EventStore, run_key: str) -> list[EventRow]:
    """The rows of a run received around noon."""
    return [row for row in store.rows(NOON - 3 * HOUR, NOON + 3 * HOUR) if row.run_key == run_key]


@pytest.fixture
def compressing(storage_clients: StorageClients) -> EventStore:
    """The same, with compression."""
    return EventStore(storage_clients, budget_seconds=PATIENCE, compresses=True)


def body_of(store: EventStore, run_key: str) -> bytes:
    """The body of a run's only event."""
    ((_, body),) = store.bodies(store.names(run_key))
    return body


def test_a_compressed_event_is_read_whatever_the_setting_is(
    store: EventStore, compressing: EventStore, storage_clients: StorageClients
) -> None:
    envelope, digest, body = new_event()
    assert compressing.put(envelope, digest, body, NOON) is Put.STORED
    blob = storage_clients.container(EVENTS).get_blob_client(event_name(envelope, digest).blob)
    form = blob.get_blob_properties().content_settings
    assert (form.content_type, form.content_encoding) == ("application/json", "gzip")
    assert [body_of(each, envelope.run_key) for each in (store, compressing)] == [body, body]


def test_an_event_is_one_in_both_forms(store: EventStore, compressing: EventStore) -> None:
    envelope, digest, body = new_event()
    puts = [each.put(envelope, digest, body, NOON) for each in (store, compressing, store)]
    assert puts == [Put.STORED, Put.ALREADY, Put.ALREADY]
    assert body_of(compressing, envelope.run_key) == body


@pytest.mark.parametrize(
    "content",
    [b"\x1f\x8b", b"\x1f\x8b\x08" + b"x" * 40, gzip.compress(b"{}", mtime=0)[:-3]],
    ids=["only the first bytes", "no gzip", "cut"],
)
def test_a_blob_that_cannot_be_expanded_is_left_unchanged(
    store: EventStore, storage_clients: StorageClients, content: bytes
) -> None:
    envelope, digest, _ = new_event()
    storage_clients.container(EVENTS).upload_blob(event_name(envelope, digest).blob, content)
    assert body_of(store, envelope.run_key) == content


def test_an_event_is_a_blob_and_a_row(store: EventStore, storage_clients: StorageClients) -> None:
    envelope, digest, body = new_event()
    assert store.put(envelope, digest, body, NOON) is Put.STORED
    name = event_name(envelope, digest)
    blob = storage_clients.container(EVENTS).get_blob_client(name.blob)
    assert blob.download_blob().readall() == body
    assert blob.get_blob_properties().metadata == {"hour": "2024013112", "shard": naming.shard(envelope.run_key)}
    row = storage_clients.table(EVENT_METADATA).get_entity(naming.partition_key(NOON, envelope.run_key), name.row_key)
    assert {key: row[key] for key in ("Status", "RetryCount", "FilePath", "isArchived", "Message", "EventType")} == {
        "Status": "Received",
        "RetryCount": 0,
        "FilePath": f"openlineage/{name.blob}",
        "isArchived": False,
        "Message": "",
        "EventType": "COMPLETE",
    }


def test_the_same_event_again_changes_nothing(store: EventStore) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, NOON)
    store.mark(store.names(envelope.run_key), Status.PROCESSED)
    assert store.put(envelope, digest, body, NOON + timedelta(minutes=5)) is Put.ALREADY
    assert [row.status for row in rows_of(store, envelope.run_key)] == [Status.PROCESSED]
    assert len(store.names(envelope.run_key)) == 1


def test_the_same_event_in_another_hour_is_a_duplicate(store: EventStore) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, NOON)
    assert store.put(envelope, digest, body, NOON + HOUR) is Put.ALREADY
    assert [row.status for row in rows_of(store, envelope.run_key)] == [Status.RECEIVED, Status.DUPLICATE]


def test_many_senders_of_one_event_leave_one(store: EventStore) -> None:
    envelope, digest, body = new_event()
    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(lambda _: store.put(envelope, digest, body, NOON), range(24)))
    assert done.count(Put.STORED) == 1
    assert len(store.names(envelope.run_key)) == len(rows_of(store, envelope.run_key)) == 1


def test_a_row_without_its_event_is_completed_when_the_event_comes_again(
    store: EventStore, storage_clients: StorageClients
) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, NOON)
    storage_clients.container(EVENTS).delete_blob(event_name(envelope, digest).blob)
    assert store.put(envelope, digest, body, NOON) is Put.STORED
    assert [row.status for row in rows_of(store, envelope.run_key)] == [Status.RECEIVED]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_stored_and_found(store: EventStore, text: str) -> None:
    salted = f"{text}{new_run()}"
    escaped = salted.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    envelope, digest, body = new_event(run=escaped, job_name=escaped, job_namespace=escaped)
    assert store.put(envelope, digest, body, NOON) is Put.STORED
    assert [found for _, found in store.bodies(store.names(envelope.run_key))] == [body]
    (row,) = rows_of(store, envelope.run_key)
    assert len(row.job_name) <= 1001
    store.mark(store.names(envelope.run_key), Status.IGNORED, escaped)
    assert rows_of(store, envelope.run_key)[0].status is Status.IGNORED


@pytest.mark.parametrize("time", ["0001-01-02T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59-23:00"])
def test_events_of_any_time_are_stored(store: EventStore, time: str) -> None:
    _, _, body = new_event()
    changed = body.replace(b"2024-05-01T12:00:00+00:00", time.encode())
    envelope = read_envelope(changed)
    store.put(envelope, "0" * 16, changed, NOON)
    assert [event.name.time for event in store.names(envelope.run_key)] == [envelope.time]


@pytest.mark.exhaustive
def test_a_large_body_is_stored(store: EventStore) -> None:
    envelope, digest, body = new_event()
    large = body + b" " * 70_000_000
    assert store.put(envelope, digest, large, NOON) is Put.STORED
    assert store.put(envelope, digest, large, NOON) is Put.ALREADY
    ((_, found),) = store.bodies(store.names(envelope.run_key))
    assert found == large


def test_names_are_those_of_one_run_in_the_order_of_time(store: EventStore) -> None:
    run = new_run()
    for minute in (2, 0, 1):
        store.put(*new_event("RUNNING", run=run, minute=minute), NOON)
    store.put(*new_event(), NOON)
    names = store.names(run)
    assert [event.name.time.minute for event in names] == [0, 1, 2]
    assert {event.name.run_key for event in names} == {run}


def test_foreign_blobs_in_a_runs_folder_are_skipped(store: EventStore, storage_clients: StorageClients) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, NOON)
    storage_clients.container(EVENTS).upload_blob(f"runs/{envelope.run_key}/notes.txt", b"hello")
    assert len(store.names(envelope.run_key)) == 1


def test_an_event_put_there_by_hand_is_read_but_has_no_row(store: EventStore, storage_clients: StorageClients) -> None:
    envelope, digest, body = new_event()
    storage_clients.container(EVENTS).upload_blob(event_name(envelope, digest).blob, body)
    (event,) = store.names(envelope.run_key)
    assert event.partition == ""
    store.mark([event], Status.PROCESSED)
    assert list(store.bodies([event])) == [(event, body)]


def test_bodies_come_in_order_without_those_deleted_in_between(store: EventStore) -> None:
    run = new_run()
    for minute in range(40):
        store.put(*new_event("RUNNING", run=run, minute=minute), NOON)
    names = store.names(run)
    store.delete(names[10:20])
    found = [event for event, _ in store.bodies(names)]
    assert found == [*names[:10], *names[20:]]
    assert len(rows_of(store, run)) == 30


def test_marking_reaches_rows_of_several_hours_and_skips_missing_ones(
    store: EventStore, storage_clients: StorageClients
) -> None:
    run = new_run()
    for minute in range(120):
        store.put(*new_event("RUNNING", run=run, minute=minute), NOON + (HOUR if minute % 2 else 0 * HOUR))
    names = store.names(run)
    storage_clients.table(EVENT_METADATA).delete_entity(names[0].partition, names[0].name.row_key)
    store.mark([*names, names[5]], Status.RETRYING, "busy", retry_count=3)
    rows = rows_of(store, run)
    assert len(rows) == 119
    assert {(row.status, row.message, row.retry_count) for row in rows} == {(Status.RETRYING, "busy", 3)}
    store.mark(names, Status.PROCESSED)
    assert {(row.status, row.message, row.retry_count) for row in rows_of(store, run)} == {(Status.PROCESSED, "", 3)}


def test_a_transaction_of_a_hundred_rows(store: EventStore) -> None:
    run = new_run()
    with ThreadPoolExecutor(8) as pool:
        events = [new_event("RUNNING", run=run, minute=minute) for minute in range(205)]
        list(pool.map(lambda event: store.put(event[0], event[1], event[2], NOON), events))
    store.mark(store.names(run), Status.PROCESSED)
    assert [row.status for row in rows_of(store, run)] == [Status.PROCESSED] * 205


def test_rows_by_status_and_hour(store: EventStore) -> None:
    envelope, digest, body = new_event()
    store.put(envelope, digest, body, NOON)

    def found(since: int, until: int, *statuses: Status) -> bool:
        rows = store.rows(NOON + since * HOUR, NOON + until * HOUR, statuses)
        return envelope.run_key in {row.run_key for row in rows}

    assert found(0, 0)
    assert found(-1, 1, Status.WAITING, Status.RECEIVED)
    assert not found(-1, 1, Status.WAITING, Status.PROCESSED)
    assert not found(1, 2)
    assert not found(-2, -1)


def test_a_row_that_lost_its_columns_counts_as_received(store: EventStore, storage_clients: StorageClients) -> None:
    run = new_run()
    key = {"PartitionKey": naming.partition_key(NOON, run), "RowKey": f"{run}|0123456789abcdef"}
    storage_clients.table(EVENT_METADATA).create_entity({**key, "Status": "Whatever"})
    (row,) = rows_of(store, run)
    assert (row.status, row.retry_count, row.digest) == (Status.RECEIVED, 0, "0123456789abcdef")


def test_deleted_events_leave_neither_blob_nor_row(store: EventStore) -> None:
    run = new_run()
    deleted, kept = new_event(run=run), new_event("START", run=run)
    for each in (deleted, kept):
        store.put(*each, NOON)
    (gone,) = [event for event in store.names(deleted[0].run_key) if event.name.digest == deleted[1]]
    store.delete([gone])
    store.delete([gone])
    assert [event.name.digest for event in store.names(deleted[0].run_key)] == [kept[1]]
    assert [row.digest for row in rows_of(store, deleted[0].run_key)] == [kept[1]]


def test_rows_before_an_hour_are_those_of_earlier_hours(store: EventStore) -> None:
    run = new_run()
    earlier, later = new_event(run=run), new_event("START", run=run)
    store.put(*earlier, NOON - HOUR)
    store.put(*later, NOON)
    found = [row.digest for row in store.rows_before(NOON) if row.run_key == earlier[0].run_key]
    assert found == [earlier[1]]


def test_rows_that_changed_since_they_were_read_are_left_alone(store: EventStore) -> None:
    run = new_run()
    for each in (new_event(run=run), new_event("START", run=run)):
        store.put(*each, NOON)
    run_key = each[0].run_key
    rows = rows_of(store, run_key)
    store.mark([event for event in store.names(run_key) if event.name.digest == rows[0].digest], Status.PROCESSED)
    store.mark_unchanged(rows, Status.RETRYING, "swept up")
    assert [(row.status, row.message, row.retry_count) for row in rows_of(store, run_key)] == [
        (Status.PROCESSED, "", 0),
        (Status.RETRYING, "swept up", 1),
    ]


def test_rows_that_were_deleted_since_they_were_read_stay_away(store: EventStore) -> None:
    sent = new_event()
    store.put(*sent, NOON)
    events = store.names(sent[0].run_key)
    rows = store.rows_of(events)
    store.delete(events)
    store.mark_unchanged(rows, Status.RETRYING, "swept up")
    store.mark(events, Status.RETRYING)
    store.settle_rows(sent[0].run_key, rows, NOON + 24 * HOUR)
    assert store.rows_of(events) == []


def test_rows_of_events_come_by_time_of_receipt_without_missing_ones(store: EventStore) -> None:
    run = new_run()
    first, second = new_event("START", run=run), new_event(run=run)
    store.put(*second, NOON - HOUR)
    store.put(*first, NOON)
    events = store.names(first[0].run_key)
    assert [row.digest for row in store.rows_of(events)] == [second[1], first[1]]
    store.delete_rows(
        [RowKeys(event.partition, event.name.row_key) for event in events if event.name.digest == first[1]]
    )
    assert [row.digest for row in store.rows_of(events)] == [second[1]]


def test_runs_are_listed_with_their_events(store: EventStore) -> None:
    start, other = new_event("START"), new_event()
    complete = new_event("COMPLETE", run=start[0].run_id)
    for envelope, digest, body in (complete, other, start):
        store.put(envelope, digest, body, NOON)
    listed = dict(store.runs())
    assert list(listed) == sorted(listed)
    for run in (start[0].run_key, other[0].run_key):
        assert listed[run] == store.names(run) != ()


def test_rows_are_restored_where_they_are_missing(store: EventStore, storage_clients: StorageClients) -> None:
    run = new_run()
    events = [new_event("START", run=run, minute=number) for number in range(3)]
    for envelope, digest, body in events:
        store.put(envelope, digest, body, NOON)
    stored = store.names(run)
    envelopes = {digest: envelope for envelope, digest, _ in events}
    table = storage_clients.table(EVENT_METADATA)
    wanted = [(event, envelopes[event.name.digest]) for event in stored]

    for lost, restored in ((3, 3), (1, 1), (0, 0)):
        for event in stored[:lost]:
            table.delete_entity(event.partition, event.name.row_key)
        store.mark(stored, Status.PROCESSED)
        assert store.restore_rows(wanted) == restored
        assert [row.status for row in store.rows_of(stored)].count(Status.RECEIVED) == restored
        assert len(rows_of(store, run)) == 3


def test_a_restored_row_has_the_time_of_its_blob(store: EventStore, storage_clients: StorageClients) -> None:
    envelope, digest, text = new_event()
    store.put(envelope, digest, text, NOON)
    (stored,) = store.names(envelope.run_key)
    storage_clients.table(EVENT_METADATA).delete_entity(stored.partition, stored.name.row_key)

    store.restore_rows([(replace(stored, modified=NOON + timedelta(seconds=2)), envelope)])

    (row,) = store.rows_of([stored])
    assert row.received == NOON + timedelta(seconds=2)


def test_the_events_of_one_run_are_read_once_and_new_ones_are_found(
    store: EventStore, storage_clients: StorageClients
) -> None:
    run = new_run()
    first, second = new_event("START", run=run), new_event("COMPLETE", run=run, minute=1)
    store.put(*first, NOON)
    ours = EventsOfRun(storage_clients, store.names(run))
    store.put(*second, NOON)

    listed = ours.names(run)
    assert [event.name.event_type for event in listed] == ["START"]
    assert [body for _, body in ours.bodies(listed)] == [first[2]]
    later = ours.names(run)
    assert later == store.names(run) != listed
    assert list(ours.bodies(later)) == list(store.bodies(later))

    storage_clients.container(EVENTS).delete_blob(later[0].name.blob)
    assert list(ours.bodies(later)) == [
        (event, body) for event, (_, _, body) in zip(later, (first, second), strict=True)
    ]


def test_a_blob_that_somebody_else_put_there_gets_no_row(store: EventStore, storage_clients: StorageClients) -> None:
    envelope, digest, body = new_event()
    storage_clients.container(EVENTS).upload_blob(event_name(envelope, digest).blob, body)
    (stored,) = store.names(envelope.run_key)
    with pytest.raises(ValueError, match="is not one that the receiver stored"):
        store.restore_rows([(stored, envelope)])
    assert rows_of(store, envelope.run_key) == []
