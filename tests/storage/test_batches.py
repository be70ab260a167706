"""Rows in transactions: which go together, and what happens if one is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableClient

from storage.batches import delete_old_rows, delete_rows, read_rows, transactions, written_at_once
from storage.clients import StorageClients
from tests.storage.runs import new_run

Keys = list[tuple[str, str]]


@pytest.fixture
def table(storage_clients: StorageClients) -> Iterator[TableClient]:
    """A table that no other test uses."""
    name = f"batches{new_run().replace('-', '')}"
    yield storage_clients.tables.create_table(name)
    storage_clients.tables.delete_table(name)


def keys(partition: str, *numbers: int) -> Keys:
    return [(partition, f"{number:03}") for number in numbers]


def add(table: TableClient, wanted: Keys) -> None:
    for partition, row in wanted:
        table.create_entity({"PartitionKey": partition, "RowKey": row})


def left(table: TableClient) -> Keys:
    return sorted((row["PartitionKey"], row["RowKey"]) for row in table.list_entities())


@pytest.mark.parametrize(
    ("items", "least", "sizes"),
    [
        ("", None, []),
        ("a", None, [1]),
        ("a" * 7, None, [1] * 7),
        ("a" * 8, None, [8]),
        ("ab" * 8, None, [8, 8]),
        ("a" * 100, None, [100]),
        ("a" * 101, None, [100, 1]),
        ("aab", 1, [2, 1]),
        ("aab", 2, [2, 1]),
        ("aab", 3, [1, 1, 1]),
    ],
    ids=lambda value: f"{len(value)}" if isinstance(value, str) else None,
)
def test_items_of_a_partition_go_together_if_it_is_worth_it(items: str, least: int | None, sizes: list[int]) -> None:
    groups = transactions(items, lambda item: item, least)
    assert [len(group) for group in groups] == sizes
    assert all(len(set(group)) == 1 for group in groups)


@pytest.mark.parametrize("number", [0, 1, 2, 14, 15, 30])
def test_rows_that_exist_are_read(number: int, table: TableClient) -> None:
    add(table, [*keys("a", *range(0, 40, 2)), *keys("b", 1)])
    asked = [*keys("a", *range(number)), *keys("b", 1), *keys("c", 1), *keys("a", *range(number))]
    found = sorted((row["PartitionKey"], row["RowKey"]) for row in read_rows(table, asked))
    assert found == [*keys("a", *range(0, number, 2)), *keys("b", 1)]


@pytest.mark.parametrize("missing", [(), (3,)], ids=["all there", "one gone"])
@pytest.mark.parametrize("number", [1, 2, 8, 12])
def test_rows_are_deleted_and_others_stay(number: int, missing: tuple[int, ...], table: TableClient) -> None:
    there = [*keys("a", *range(20)), *keys("b", 0, 1)]
    add(table, [key for key in there if key not in keys("a", *missing)])
    gone = [*keys("a", *range(number)), *keys("b", 0), *keys("b", 0)]
    delete_rows(table, gone)
    assert left(table) == [key for key in there if key not in {*gone, *keys("a", *missing)}]


def test_old_rows_of_a_query_are_deleted_and_counted(table: TableClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.batches._DELETED_TOGETHER", 4)
    add(table, [*keys("a", *range(10)), *keys("b", 1)])
    hour = timedelta(hours=1)
    assert delete_old_rows(table, "PartitionKey eq 'a'", datetime.now(UTC) - hour) == 0
    assert delete_old_rows(table, "PartitionKey eq 'a'", datetime.now(UTC) + hour) == 10
    assert left(table) == keys("b", 1)


def test_of_a_transaction_all_rows_are_written_or_none(table: TableClient) -> None:
    add(table, keys("a", 1))

    def creates(*numbers: int) -> list[tuple[str, dict[str, str]]]:
        return [("create", {"PartitionKey": "a", "RowKey": row}) for _, row in keys("a", *numbers)]

    assert written_at_once(table, creates(0, 1, 2), refused=409) is False
    assert left(table) == keys("a", 1)
    with pytest.raises(HttpResponseError):
        written_at_once(table, creates(0, 1, 2), refused=404)
    assert written_at_once(table, creates(2, 3), refused=409) is True
    assert left(table) == keys("a", 1, 2, 3)
