"""Table rows of any size: what exceeds Azure's limits for a row is in blobs (``overflow_blobs``).

A property has at most 30,000 UTF-16 units or 60,000 bytes, a row 800 KB; Azure's own limits are a little higher and
hard to count.

Order: the new blobs, the row (with its ETag), then the old blobs are deleted. A crash in between leaves an unused
blob, never a row that points at nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, UpdateMode
from azure.storage.blob import ContainerClient

from core.errors import StorageUnavailable
from core.threads import stream_in_threads
from storage.batches import Operation, read_rows
from storage.faults import Conflict, storage_faults
from storage.overflow_blobs import OVERFLOW, OverflowBlobs, blobs_of
from storage.row_limits import is_large
from storage.text import clean

log = logging.getLogger(__name__)

_KEYS = ("PartitionKey", "RowKey", OVERFLOW)
_READS = 5
_AT_ONCE = 8

Value = Any


@dataclass(frozen=True, slots=True)
class Key:
    """Partition and row key: hex digits and dashes only, so nothing is escaped."""

    partition: str
    row: str


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a row as it was read or written: its ETag and the blobs it points at.

    ``written`` is when, by the clock of storage; None for a row that was not read. Versions are equal without it.
    """

    etag: str
    blobs: tuple[str, ...] = ()
    written: datetime | None = field(default=None, compare=False)


class MissingBlob(StorageUnavailable):
    """A row points at a blob that somebody else has deleted."""


class LargeRows:
    """Rows of one table whose values may be of any size: texts, bytes, bools, numbers and times."""

    def __init__(self, table: TableClient, overflow: ContainerClient) -> None:
        self._table = table
        self._blobs = OverflowBlobs(table.table_name, overflow)

    def get(self, key: Key) -> tuple[dict[str, Value], Version] | None:
        """A row's values with its version; None if there is no such row.

        :raises MissingBlob: a part of it is gone.
        :raises StorageUnavailable: if storage does not answer.
        """
        with storage_faults("read a row"):
            for _ in range(_READS):
                try:
                    entity = self._table.get_entity(key.partition, key.row)
                except ResourceNotFoundError:
                    return None
                try:
                    return self._resolved(entity)
                except ResourceNotFoundError:
                    continue  # Another worker has replaced the row since: read it again.
        raise MissingBlob(f"row {key.row} points at a blob that is not there")

    def get_small(self, key: Key, names: Iterable[str]) -> tuple[dict[str, Value], Version] | None:
        """Some values of a row, which must be too small for a blob; None if there is no such row.

        The version is good for ``put_property`` only.

        :raises StorageUnavailable: if storage does not answer.
        """
        with storage_faults("read a row"):
            try:
                entity = self._table.get_entity(key.partition, key.row, select=["PartitionKey", "RowKey", *names])
            except ResourceNotFoundError:
                return None
        values = {name: value for name, value in entity.items() if name not in _KEYS}
        return values, Version(str(entity.metadata["etag"]))

    def put_property(self, key: Key, name: str, value: Value, version: Version) -> None:
        """Write one value of a row, which must be too small for a blob, and leave the others as they are.

        :raises Conflict: there is another version of the row by now, or none.
        :raises StorageUnavailable: it may not be written.
        """
        with storage_faults("write a row"):
            self._write(_cleaned(key, {name: value}), version, UpdateMode.MERGE)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, tuple[dict[str, Value], Version] | None]:
        """The values and version of each row that exists; None for a row with a missing part.

        :raises StorageUnavailable: if storage does not answer.
        """
        wanted = list(dict.fromkeys(keys))
        with storage_faults("read rows"):
            rows = read_rows(self._table, ((key.partition, key.row) for key in wanted))
            found = {Key(row["PartitionKey"], row["RowKey"]): row for row in rows}
            return {key: self._whole(found[key]) for key in wanted if key in found}

    def all(
        self, is_wanted: Callable[[Mapping[str, Value]], bool] = bool, digit: str = ""
    ) -> Iterator[tuple[dict[str, Value], Version]]:
        """All rows, from one listing; those with a missing part are logged and left out.

        ``is_wanted`` is called before a row's blobs are read; values in blobs are pointers then. ``digit`` lists
        only the partitions that begin with a hexadecimal digit.

        :raises StorageUnavailable: also during the iteration.
        """
        with storage_faults("list rows"):
            query, span = "PartitionKey ge @first and PartitionKey lt @last", {"first": digit, "last": f"{digit}g"}
            listed = self._table.query_entities(query, parameters=span) if digit else self._table.list_entities()
            wanted = (entity for entity in listed if is_wanted(entity))
            for row in stream_in_threads(self._whole, wanted, _AT_ONCE):
                if row:
                    yield row

    def _whole(self, entity: TableEntity) -> tuple[dict[str, Value], Version] | None:
        """A row of a listing; None if a part of it is gone."""
        try:
            return self._resolved(entity)
        except ResourceNotFoundError:
            log.debug("a row changed while it was listed")
        try:
            return self.get(Key(entity["PartitionKey"], entity["RowKey"]))
        except MissingBlob as error:
            log.error("skipped a row: %s", error.reason)
            return None

    def put(self, key: Key, values: Mapping[str, Value], version: Version | None) -> Version:
        """Write a whole row: a new one if ``version`` is None, else in place of that version.

        :raises Conflict: there is another version of the row by now.
        :raises StorageUnavailable: it may not be written.
        """
        with storage_faults("write a row"):
            entity = self._blobs.move(_cleaned(key, values))
            blobs = blobs_of(entity)
            try:
                etag = self._write(entity, version)
            except Conflict:
                self._discard_unused(key, blobs)
                raise
            self._blobs.delete(set(version.blobs if version else ()) - set(blobs))
            return Version(etag, blobs)

    def put_small(self, rows: Sequence[tuple[Key, Mapping[str, Value], Version | None]]) -> list[Version] | None:
        """Write rows of one partition, all or none: their versions, or None if it was not done.

        It is not done if one of them is, or was, too large for a row, or has another version by now.

        :raises StorageUnavailable: they may not be written.
        """
        entities = [(_cleaned(key, values), version) for key, values, version in rows]
        if any(is_large(entity) or (version and version.blobs) for entity, version in entities):
            return None
        with storage_faults("write rows"):
            try:
                if len(entities) == 1:
                    return [Version(self._write(*entities[0]))]
                written = self._table.submit_transaction([_operation(entity, version) for entity, version in entities])
            except Conflict:
                return None
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    return None
                raise
        return [Version(str(each["etag"])) for each in written]

    def delete(self, key: Key, version: Version) -> None:
        """Delete this version of a row.

        :raises Conflict: there is another version by now, or none.
        :raises StorageUnavailable: it may not be deleted.
        """
        with storage_faults("delete a row"):
            try:
                # The SDK accepts that a row is missing, which is as good.
                self._table.delete_entity(
                    key.partition, key.row, etag=version.etag, match_condition=MatchConditions.IfNotModified
                )
            except HttpResponseError as error:
                raise _conflict(key, error) from error
            self._blobs.delete(version.blobs)

    def unused_blobs(self, before: datetime) -> Iterator[str]:
        """Blobs of this table, written before a time (UTC), at which no row points: crashed workers left them.

        :raises StorageUnavailable: if storage does not answer, also during the iteration.
        """
        with storage_faults("look for unused blobs"):
            used: set[str] = set()
            for entity in self._table.list_entities(select=[OVERFLOW]):
                used.update(blobs_of(entity))
            yield from (blob for blob in self._blobs.before(before) if blob not in used)

    def discard(self, blobs: Iterable[str]) -> None:
        """Delete blobs that nothing points at."""
        self._blobs.delete(blobs)

    def _write(self, entity: dict[str, Value], version: Version | None, mode: UpdateMode = UpdateMode.REPLACE) -> str:
        try:
            if version is None:
                return str(self._table.create_entity(entity)["etag"])
            written = self._table.update_entity(
                entity, mode=mode, etag=version.etag, match_condition=MatchConditions.IfNotModified
            )
            return str(written["etag"])
        except HttpResponseError as error:
            raise _conflict(Key(entity["PartitionKey"], entity["RowKey"]), error) from error

    def _resolved(self, entity: TableEntity) -> tuple[dict[str, Value], Version]:
        values = {name: value for name, value in entity.items() if name not in _KEYS}
        values.update(self._blobs.read(entity))
        return values, Version(str(entity.metadata["etag"]), blobs_of(entity), entity.metadata["timestamp"])

    def _discard_unused(self, key: Key, blobs: Iterable[str]) -> None:
        """Delete the blobs of a write that was refused, unless it succeeded and only its answer was lost."""
        written = tuple(blobs)
        if not written:
            return
        try:
            used = blobs_of(self._table.get_entity(key.partition, key.row, select=[OVERFLOW]))
        except ResourceNotFoundError:
            used = ()
        self._blobs.delete(blob for blob in written if blob not in used)


def _cleaned(key: Key, values: Mapping[str, Value]) -> dict[str, Value]:
    entity = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    return {**entity, "PartitionKey": key.partition, "RowKey": key.row}


def _operation(entity: Mapping[str, Value], version: Version | None) -> Operation:
    if version is None:
        return "create", entity
    condition = {"etag": version.etag, "match_condition": MatchConditions.IfNotModified}
    return "update", entity, {"mode": UpdateMode.REPLACE, **condition}


def _conflict(key: Key, error: HttpResponseError) -> Exception:
    """Conflict if the row is not the expected version, else the error itself."""
    if isinstance(error, ResourceExistsError | ResourceNotFoundError) or error.status_code == 412:
        return Conflict(f"row {key.row} was changed by another worker")
    return error
