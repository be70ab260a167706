"""Many rows of a table at once: those of a partition are read by one query and written in one transaction.

A few rows are mostly in different partitions: this is one request for each, several at a time. Thousands need far fewer
requests, and less of the SDK's time for each.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity

from core.threads import in_threads

_Item = TypeVar("_Item")

_AT_ONCE = 8
# Azure allows 15 comparisons in a query, one of them for the partition, and 100 rows or 4 MiB in a transaction.
_ROWS_A_QUERY = 14
_ROWS_A_TRANSACTION = 100
# Below that the SDK needs longer for a transaction than for its rows one by one.
_WORTH_A_TRANSACTION = 8
_DELETED_TOGETHER = 1000

# An operation of a transaction, as the SDK takes it.
Operation = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Mapping[str, Any]]


def read_rows(table: TableClient, keys: Iterable[tuple[str, str]]) -> list[TableEntity]:
    """The rows that exist for these partition and row keys, which contain only hex digits and dashes.

    :raises AzureError: as the SDK does.
    """
    groups = _by_partition(dict.fromkeys(keys), lambda key: key[0])
    chunks = [chunk for group in groups for chunk in _chunks(group, _ROWS_A_QUERY)]
    return [row for rows in in_threads(lambda chunk: _read(table, chunk), chunks, _AT_ONCE) for row in rows]


def transactions(
    items: Iterable[_Item], partition: Callable[[_Item], str], least: int | None = None
) -> list[list[_Item]]:
    """The items in groups to be written in one transaction each; a group of one is to be written by itself.

    Fewer than ``least`` of a partition are groups of one each; the default takes the SDK the least time.
    """
    worth = _WORTH_A_TRANSACTION if least is None else least
    chunks: list[list[_Item]] = []
    for group in _by_partition(items, partition):
        chunks += _chunks(group, _ROWS_A_TRANSACTION if len(group) >= worth else 1)
    return chunks


def written_at_once(table: TableClient, operations: Sequence[Operation], refused: int) -> bool:
    """Write rows of one partition in a transaction; False if a row is refused with this status, and none is written.

    :raises AzureError: as the SDK does for everything else.
    """
    try:
        table.submit_transaction(operations)
    except HttpResponseError as error:
        if error.status_code != refused:
            raise
        return False
    return True


def delete_rows(table: TableClient, keys: Iterable[tuple[str, str]]) -> None:
    """Delete the rows of these partition and row keys; those that are gone already are no error.

    :raises AzureError: as the SDK does; some may be left.
    """
    for group in transactions(dict.fromkeys(keys), lambda key: key[0]):
        if not _are_deleted_at_once(table, group):
            for partition, row in group:
                table.delete_entity(partition, row)


def delete_old_rows(table: TableClient, query: str, before: datetime) -> int:
    """Delete the rows that match a query and were written before a time; returns how many.

    :raises AzureError: as the SDK does; some may be left.
    """
    count = 0
    rows = table.query_entities(
        f"{query} and Timestamp lt @before", parameters={"before": before}, select=["PartitionKey", "RowKey"]
    )
    keys = ((str(row["PartitionKey"]), str(row["RowKey"])) for row in rows)
    while some := list(islice(keys, _DELETED_TOGETHER)):
        delete_rows(table, some)
        count += len(some)
    return count


def _are_deleted_at_once(table: TableClient, keys: Sequence[tuple[str, str]]) -> bool:
    """Delete rows of one partition in a transaction; False for a single one, and if some of them are missing."""
    operations: list[Operation] = [("delete", {"PartitionKey": partition, "RowKey": row}) for partition, row in keys]
    return len(keys) > 1 and written_at_once(table, operations, refused=404)


def _by_partition(items: Iterable[_Item], partition: Callable[[_Item], str]) -> list[list[_Item]]:
    groups: defaultdict[str, list[_Item]] = defaultdict(list)
    for item in items:
        groups[partition(item)].append(item)
    return list(groups.values())


def _chunks(items: Sequence[_Item], most: int) -> list[list[_Item]]:
    return [list(items[at : at + most]) for at in range(0, len(items), most)]


def _read(table: TableClient, keys: Sequence[tuple[str, str]]) -> list[TableEntity]:
    partition, row = keys[0]
    if len(keys) == 1:
        try:
            return [table.get_entity(partition, row)]
        except ResourceNotFoundError:
            return []
    rows = " or ".join(f"RowKey eq '{row}'" for _, row in keys)
    return list(table.query_entities(f"PartitionKey eq '{partition}' and ({rows})"))
