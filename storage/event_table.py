"""Reads, writes and deletes the rows of table EventMetadata; ``event_store`` describes their meaning."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import UpdateMode

from core import naming
from storage.batches import Operation, delete_rows, read_rows, transactions, written_at_once
from storage.clients import EVENT_METADATA, StorageClients
from storage.event_rows import EventRow, RowKeys, Status, read_row

log = logging.getLogger(__name__)

_OF_RUN = ("PartitionKey", "RowKey", "Status", "FilePath")


class EventTable:
    """The table. Safe to share between threads. All methods raise what the SDK raises."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(EVENT_METADATA)

    def of_run(self, run_key: str, hour: str) -> list[EventRow]:
        """The rows of a run in one hour of receipt, by key; of each its keys, status and path only."""
        query = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last"
        # The brace is the character after the bar.
        span = {"first": f"{run_key}|", "last": f"{run_key}}}"}
        return list(self._query(query, {**span, "partition": f"{hour}-{naming.shard(run_key)}"}, _OF_RUN))

    def received(
        self, since: datetime, until: datetime, statuses: Iterable[Status], behind: RowKeys | None
    ) -> Iterator[EventRow]:
        """The rows from the hour of ``since`` to that of ``until``, by key; ``behind`` as in ``EventStore.rows``."""
        parameters: dict[str, Any] = {"first": f"{naming.hour(since)}-", "last": f"{naming.hour(until)}-99"}
        query = "PartitionKey ge @first and PartitionKey le @last"
        if behind:
            parameters.update(first=behind.partition, row=behind.row)
            query += " and ( PartitionKey gt @first or RowKey gt @row )"
        wanted = list(statuses)
        if wanted:
            # The SDK finds parameters between blanks only.
            query += " and ( " + " or ".join(f"Status eq @status{i}" for i in range(len(wanted))) + " )"
            parameters.update({f"status{i}": status.value for i, status in enumerate(wanted)})
        return self._query(query, parameters)

    def received_before(self, time: datetime) -> Iterator[EventRow]:
        """The rows of the hours before that of ``time``, by key."""
        return self._query("PartitionKey lt @first", {"first": naming.hour(time)})

    def read(self, keys: Iterable[tuple[str, str]]) -> list[EventRow]:
        """The rows of these partition and row keys, without those that do not exist."""
        return [read_row(entity) for entity in read_rows(self._table, keys)]

    def create(self, row: Mapping[str, Any]) -> bool:
        """Write a row; False if there is one."""
        try:
            self._table.create_entity(row)
        except ResourceExistsError:
            return False
        return True

    def create_all(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write rows; returns how many. Existing rows stay as they are."""
        count = 0
        for some in transactions(rows, _partition, least=2):
            operations: list[Operation] = [("create", row) for row in some]
            if len(some) > 1 and written_at_once(self._table, operations, refused=409):
                count += len(some)
            else:
                count += sum(map(self.create, some))
        return count

    def put(self, row: Mapping[str, Any]) -> bool:
        """Write the row of a new event; False if it was there, with its time of receipt renewed.

        The renewal keeps ``EventStore.settle_rows`` from deleting the row of an event that is just being sent again.
        """
        is_new = self.create(row)
        if not is_new:
            renewal = {key: row[key] for key in ("PartitionKey", "RowKey", "Received")}
            self._table.update_entity(renewal, mode=UpdateMode.MERGE)
        return is_new

    def merge_all(self, changes: Iterable[Mapping[str, Any]]) -> None:
        """Change rows, those of a partition at once; one by one if some of them are missing."""
        for some in transactions(changes, _partition, least=1):
            operations: list[Operation] = [("update", change, {"mode": UpdateMode.MERGE}) for change in some]
            if not written_at_once(self._table, operations, refused=404):
                for change in some:
                    self.merge(change)

    def merge(self, change: Mapping[str, Any]) -> None:
        """Change a row; one that is missing is skipped."""
        try:
            self._table.update_entity(change, mode=UpdateMode.MERGE)
        except ResourceNotFoundError:
            log.debug("no row %s in partition %s", change["RowKey"], change["PartitionKey"])

    def merge_unchanged(self, row: EventRow, change: Mapping[str, Any]) -> None:
        """Change a row, unless somebody has changed or deleted it since it was read."""
        with _skipping_changed_rows():
            self._table.update_entity(
                change, mode=UpdateMode.MERGE, etag=row.etag, match_condition=MatchConditions.IfNotModified
            )

    def delete_unchanged(self, row: EventRow) -> None:
        """Delete a row, unless somebody has changed or deleted it since it was read."""
        with _skipping_changed_rows():
            self._table.delete_entity(
                row.partition, row.row_key, etag=row.etag, match_condition=MatchConditions.IfNotModified
            )

    def delete(self, rows: Iterable[RowKeys]) -> None:
        """Delete rows; those that are gone already are no error."""
        delete_rows(self._table, rows)

    def _query(self, query: str, parameters: Mapping[str, Any], columns: Sequence[str] = ()) -> Iterator[EventRow]:
        """The rows that match; only these columns if some are given."""
        selected = list(columns) or None
        yield from map(read_row, self._table.query_entities(query, parameters=dict(parameters), select=selected))


def _partition(row: Mapping[str, Any]) -> str:
    return str(row["PartitionKey"])


@contextmanager
def _skipping_changed_rows() -> Iterator[None]:
    try:
        yield
    except HttpResponseError as error:
        if error.status_code not in (404, 412):
            raise
