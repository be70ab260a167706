"""The stored events: blobs in container ``openlineage``, and a row each in table EventMetadata.

An event is kept when its blob is written. The row goes first, so there is no blob without a row; a row without a
blob belongs to an event whose sender was answered 503. The blob's metadata name the hour and shard of its row: the
same event sent again in another hour finds its blob there, and its new row becomes a ``Duplicate``.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby, islice
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from core import naming
from core.errors import StorageUnavailable
from core.event_model import Envelope
from core.naming import EventName
from core.threads import in_threads, stream_in_threads
from storage.clients import EVENTS, StorageClients
from storage.event_content import compressed, expanded, plain
from storage.event_rows import EventRow, RowKeys, Status, new_entity, status_entity
from storage.event_table import EventTable
from storage.faults import storage_faults
from storage.request_budget import budget
from storage.stored_event import StoredEvent, partition_of_row, stored_events

log = logging.getLogger(__name__)

_AT_ONCE = 8
# For how long after the budget of a put its row is not changed: the clocks of machines differ.
_PUT_MARGIN = timedelta(minutes=10)


class Put(Enum):
    """What ``EventStore.put`` did; either way the event is on disk."""

    STORED = "stored"
    ALREADY = "already there"


class EventStore:
    """Puts, lists and reads events, and keeps their rows. Safe to share between threads.

    ``budget_seconds`` limits ``put`` as a whole, because Spark waits for it. With ``compresses``, bodies are
    compressed. Both forms can always be read.
    """

    def __init__(self, clients: StorageClients, budget_seconds: float = 4.0, *, compresses: bool = False) -> None:
        self._blobs = clients.container(EVENTS)
        self._table = EventTable(clients)
        self._budget_seconds = budget_seconds
        self._compresses = compresses

    def put(self, envelope: Envelope, digest: str, body: bytes, received: datetime) -> Put:
        """Keep an event: its row, then its blob.

        :raises StorageUnavailable: it may not be stored; to put it again is safe.
        """
        name = naming.event_name(envelope, digest)
        row = new_entity(envelope, name, received)
        blob = self._blobs.get_blob_client(name.blob)
        metadata = {"hour": naming.hour(received), "shard": naming.shard(name.run_key)}
        content, form = compressed(body) if self._compresses else plain(body)
        with budget(self._budget_seconds):
            with storage_faults("keep an event"):
                is_new_row = self._table.put(row)
                try:
                    blob.upload_blob(content, overwrite=False, content_settings=form, metadata=metadata)
                except ResourceExistsError:
                    pass
                else:
                    return Put.STORED
            if is_new_row:
                self._settle_repeated(row, blob)
        return Put.ALREADY

    def names(self, run_key: str) -> tuple[StoredEvent, ...]:
        """All stored events of a run, in the order of their names; that is the order of their times.

        :raises StorageUnavailable: the listing failed.
        """
        with storage_faults("list the events of a run"):
            blobs = self._blobs.list_blobs(name_starts_with=naming.run_folder(run_key), include=["metadata"])
            return tuple(stored_events(blobs))

    def partition_of(self, event: EventName) -> str | None:
        """The partition of an event's row; "" for a blob that the receiver did not write, None for one that is gone.

        :raises StorageUnavailable: it cannot be read.
        """
        with storage_faults("look at an event"):
            try:
                return partition_of_row(self._blobs.get_blob_client(event.blob).get_blob_properties().metadata)
            except ResourceNotFoundError:
                return None

    def rows_of_run(self, run_key: str, hours: Iterable[str]) -> list[EventRow]:
        """The rows of a run in these hours of receipt, by key; of each its keys, status and path only.

        :raises StorageUnavailable: they cannot be read.
        """
        with storage_faults("read the rows of a run"):
            found = in_threads(lambda hour: self._table.of_run(run_key, hour), sorted(hours), _AT_ONCE)
            return [row for rows in found for row in rows]

    def bodies(self, events: Iterable[StoredEvent]) -> Iterator[tuple[StoredEvent, bytes]]:
        """The bodies of events, in their order, without those that were deleted in between.

        :raises StorageUnavailable: one of them could not be read.
        """
        for event, body in stream_in_threads(lambda event: (event, self._body(event)), events, _AT_ONCE):
            if body is not None:
                yield event, body

    def mark(
        self, events: Iterable[StoredEvent], status: Status, message: str = "", retry_count: int | None = None
    ) -> None:
        """Set the status of the events' rows; events without a row are skipped.

        :raises StorageUnavailable: some of the rows may not be set.
        """
        keys = dict.fromkeys((event.partition, event.name.row_key) for event in events if event.partition)
        with storage_faults("set the status of events"):
            self._table.merge_all(status_entity(*key, status, message, retry_count) for key in keys)

    def mark_unchanged(self, rows: Iterable[EventRow], status: Status, message: str) -> None:
        """Set the status of those rows that nobody has changed since they were read, and count a retry.

        :raises StorageUnavailable: some of the rows may not be set.
        """
        with storage_faults("set the status of events"):
            for row in rows:
                change = status_entity(row.partition, row.row_key, status, message, row.retry_count + 1)
                self._table.merge_unchanged(row, change)

    def rows(
        self, since: datetime, until: datetime, statuses: Iterable[Status] = (), behind: RowKeys | None = None
    ) -> Iterator[EventRow]:
        """The rows of events received from the hour of ``since`` to that of ``until``; without statuses, all.

        They come by key: the hours from the oldest, and the rows of a run and hour together. With ``behind``, a key
        within these hours, only the rows after it.

        :raises StorageUnavailable: also during the iteration.
        """
        with storage_faults("read the rows of events"):
            yield from self._table.received(since, until, statuses, behind)

    def rows_of(self, events: Iterable[StoredEvent]) -> list[EventRow]:
        """The rows of stored events, by time of receipt; those that are missing are left out.

        :raises StorageUnavailable: if storage does not answer.
        """
        keys = [(event.partition, event.name.row_key) for event in events if event.partition]
        with storage_faults("read the rows of events"):
            return sorted(self._table.read(keys), key=lambda row: (row.received, row.row_key))

    def runs(self) -> Iterator[tuple[str, tuple[StoredEvent, ...]]]:
        """The keys of all runs in alphabetical order, each with its stored events as ``names`` lists them.

        One request lists thousands of blobs, so an event that is stored meanwhile may be missing.

        :raises StorageUnavailable: also during the iteration.
        """
        with storage_faults("list the events"):
            blobs = self._blobs.list_blobs(name_starts_with=naming.FOLDER, include=["metadata"])
            for run_key, some in groupby(blobs, lambda blob: naming.folder_of(blob.name)):
                yield run_key, tuple(stored_events(some))

    def sample(self, limit: int) -> list[StoredEvent]:
        """The first ``limit`` stored events that the receiver wrote, in the order of their runs.

        :raises StorageUnavailable: storage does not answer.
        """
        with storage_faults("list the events"):
            blobs = self._blobs.list_blobs(name_starts_with=naming.FOLDER, include=["metadata"], results_per_page=limit)
            return list(islice((event for event in stored_events(blobs) if event.partition), limit))

    def without_row(self, events: Sequence[StoredEvent]) -> list[StoredEvent]:
        """Those of these stored events whose row was lost: a row is written before its blob, and deleted after it.

        :raises StorageUnavailable: storage does not answer.
        """
        known = {(row.partition, row.row_key) for row in self.rows_of(events)}
        lacking = [event for event in events if (event.partition, event.name.row_key) not in known]
        return [event for event in lacking if self.partition_of(event.name) is not None]

    def restore_rows(self, rows: Iterable[tuple[StoredEvent, Envelope]]) -> int:
        """Write rows of stored events, as they were before a worker read the events; returns how many were missing.

        :raises StorageUnavailable: some may not be written.
        :raises ValueError: a blob does not say which hour the event was received in.
        """
        entities = []
        for event, envelope in rows:
            if event.received_about is None:
                raise ValueError(f"blob {event.name.blob} is not one that the receiver stored")
            entities.append(new_entity(envelope, event.name, event.received_about))
        with storage_faults("write the rows of events"):
            return self._table.create_all(entities)

    def settle_rows(self, run_key: str, rows: Iterable[EventRow], now: datetime) -> tuple[EventRow, ...]:
        """The rows of a run that belong to a stored event; the others are corrected.

        A row in another hour than its event's becomes a ``Duplicate``; a row without an event is deleted, but only when
        no ``put`` can still be about to store that event, for any settings.

        :raises StorageUnavailable: if storage does not answer.
        """
        latest = now - timedelta(seconds=self._budget_seconds) - _PUT_MARGIN
        partitions = {event.name.digest: event.partition for event in self.names(run_key)}
        settled = []
        for row in rows:
            partition = partitions.get(row.digest)
            if partition is None:
                if row.received < latest:
                    self._delete_row(row)
            elif partition and partition != row.partition:
                self._merge_status(row.partition, row.row_key, Status.DUPLICATE)
            else:
                settled.append(row)
        return tuple(settled)

    def delete(self, events: Iterable[StoredEvent]) -> None:
        """Delete events for good: blob, then row.

        :raises StorageUnavailable: some of them may be left.
        """
        some = list(events)
        with storage_faults("delete events"):
            in_threads(self._delete_blob, some, _AT_ONCE)
        self.delete_rows(RowKeys(event.partition, event.name.row_key) for event in some if event.partition)

    def rows_before(self, time: datetime) -> Iterator[EventRow]:
        """The rows of events received before the hour of ``time``, the oldest hours first.

        :raises StorageUnavailable: if storage does not answer, also during the iteration.
        """
        with storage_faults("read the rows of events"):
            yield from self._table.received_before(time)

    def delete_rows(self, rows: Iterable[RowKeys]) -> None:
        """Delete rows whose events are gone; those that are gone as well are no error.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("delete rows"):
            self._table.delete(rows)

    def _settle_repeated(self, row: Mapping[str, Any], blob: BlobClient) -> None:
        """Mark the row just written if the event has one in another hour. If that fails, the sweep does it."""
        try:
            with storage_faults("look at an event that was sent again"):
                partition = partition_of_row(blob.get_blob_properties().metadata)
            if partition and partition != row["PartitionKey"]:
                self._merge_status(row["PartitionKey"], row["RowKey"], Status.DUPLICATE)
        except StorageUnavailable as error:
            log.warning("row %s of a repeated event stays as it is: %s", row["RowKey"], error.reason)

    def _body(self, event: StoredEvent) -> bytes | None:
        with storage_faults("read an event"):
            try:
                return expanded(self._blobs.download_blob(event.name.blob).readall())
            except ResourceNotFoundError:
                return None

    def _delete_blob(self, event: StoredEvent) -> None:
        try:
            self._blobs.delete_blob(event.name.blob)
        except ResourceNotFoundError:
            log.debug("the event %s is gone already", event.name.blob)

    def _merge_status(self, partition: str, row_key: str, status: Status) -> None:
        with storage_faults("set the status of an event"):
            self._table.merge(status_entity(partition, row_key, status, "", None))

    def _delete_row(self, row: EventRow) -> None:
        """Delete a row without a blob, unless its event has been sent again since it was read."""
        log.warning("an event of run %s was not stored; its sender was answered 503", row.run_key)
        with storage_faults("delete a row"):
            self._table.delete_unchanged(row)
