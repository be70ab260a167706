"""Finds the stored events of a run by their rows instead of a list of blobs, which costs as much as a write.

The rows of a run are in one partition of EventMetadata for each hour in which its events were received. The record of
the run names these hours. They are noted by the worker that gets the notification of an event, before it reads the
rows; so of two workers at least the later one finds the events of both. The receiver writes nothing for it.

The blob is the truth. A row that no worker has processed may belong to an event that was never stored, or is just being
stored, so its blob is looked up. If the hours of a run are not known, as in a store of an earlier version, the blobs
are listed once, and the hours noted. They are listed each time for a run with very many hours, or with a blob that the
receiver did not write. Events without a notification are found by the sweep, which lists blobs.
"""

from collections.abc import Iterable, Mapping

from core.naming import CONTAINER, EventName, parse_blob_name
from core.threads import in_threads
from storage.event_rows import EventRow, Status
from storage.event_store import EventStore
from storage.run_records import RunRecord, RunRecords
from storage.stored_event import StoredEvent

#: The most hours of receipt of a run whose events are found by their rows.
MOST_HOURS = 8
#: The most blobs that are looked up one by one; more are listed.
MOST_ASKED = 8
#: In place of an hour: the blobs of this run must be listed.
MANY = "*"
_AT_ONCE = 8


class RunEvents:
    """Finds the stored events of runs."""

    def __init__(self, events: EventStore, records: RunRecords) -> None:
        self._events = events
        self._records = records

    def of_run(self, run_key: str) -> tuple[StoredEvent, ...]:
        """All stored events of a run, in the order of their times, from the list of its blobs.

        :raises StorageUnavailable: they cannot be listed.
        """
        record = self._records.read(run_key)  # Before the list: an event that is stored in between changes it.
        stored = self._events.names(run_key)
        hours = {event.partition[:10] or MANY for event in stored}
        self._records.note_hours(run_key, record, {MANY} if len(hours | record.hours) > MOST_HOURS else hours)
        return stored

    def of_event(self, event: EventName) -> tuple[StoredEvent, ...]:
        """The stored events of the run of a reported event, in the order of their times.

        They contain every event that was reported before this call.

        :raises StorageUnavailable: they cannot be found.
        """
        record = self._records.read(event.run_key)
        is_first = event.event_type == "START" and record == RunRecord()
        if not (record.hours or is_first) or MANY in record.hours:
            return self.of_run(event.run_key)
        rows = self._rows(event.run_key, record.hours)
        if any(row.digest == event.digest and row.status is not Status.RECEIVED for row in rows):
            return self._stored(event.run_key, rows, {})
        partition = self._events.partition_of(event)
        hours = self._noted(event, partition, is_first=is_first) if partition else frozenset()
        if not partition or not hours or MANY in hours:
            return self.of_run(event.run_key)
        if hours != record.hours:
            rows = self._rows(event.run_key, hours)
        return self._stored(event.run_key, rows, {event: partition})

    def _noted(self, event: EventName, partition: str, *, is_first: bool) -> frozenset[str]:
        """All hours of the run, including that of this event."""
        hours = self._records.note_hour(event.run_key, partition[:10], is_first=is_first)
        return hours if len(hours) <= MOST_HOURS else frozenset({MANY})

    def _rows(self, run_key: str, hours: Iterable[str]) -> list[EventRow]:
        return [row for row in self._events.rows_of_run(run_key, hours) if row.status is not Status.DUPLICATE]

    def _stored(
        self, run_key: str, rows: Iterable[EventRow], known: Mapping[EventName, str]
    ) -> tuple[StoredEvent, ...]:
        """The known events and those of rows with a blob; those of all blobs if there are many or unusual rows."""
        named = [(row, parse_blob_name(row.file_path.removeprefix(f"{CONTAINER}/"))) for row in rows]
        new = [name for row, name in named if name and row.status is Status.RECEIVED and name not in known]
        if len(new) > MOST_ASKED or not all(name for _, name in named):
            return self.of_run(run_key)
        # An event that a worker has marked is stored, and its row is the one that its blob names.
        found = {name: row.partition for row, name in named if name and row.status is not Status.RECEIVED}
        for name, partition in zip(new, in_threads(self._events.partition_of, new, _AT_ONCE), strict=True):
            if partition is not None:
                found[name] = partition
        found.update(known)
        return tuple(StoredEvent(name, found[name]) for name in sorted(found, key=lambda name: name.blob))
