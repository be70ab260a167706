"""Rows of any size, many at a time."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from benchmarks.counting import BLOB, TABLE, counted
from storage.clients import DETAILS, StorageClients
from storage.rows import Key, LargeRows
from tests.storage.runs import new_run

LARGE = b"." * 100_000


@pytest.fixture
def rows(storage_clients: StorageClients) -> Iterator[LargeRows]:
    """Rows in a table that no other test uses."""
    name = f"rows{new_run().replace('-', '')}"
    yield LargeRows(storage_clients.tables.create_table(name), storage_clients.container(DETAILS))
    storage_clients.tables.delete_table(name)


@pytest.fixture
def kinds(storage_clients: StorageClients) -> dict[str, str]:
    """What answers at which address."""
    return {urlsplit(storage_clients.blobs.url).netloc: BLOB, urlsplit(storage_clients.tables.url).netloc: TABLE}


def key(number: int) -> Key:
    return Key(f"{number % 7:02}", f"{number:04}")


def test_all_rows_take_one_listing_and_reads_of_what_is_in_blobs(rows: LargeRows, kinds: dict[str, str]) -> None:
    for number in range(30):
        rows.put(key(number), {"number": number, "data": LARGE if number < 3 else b""}, None)
    with counted(kinds) as requests:
        found = {values["number"]: values["data"] for values, _ in rows.all()}
    assert found == {number: LARGE if number < 3 else b"" for number in range(30)}
    assert requests == {"table query": 1, "blob read": 3}


def test_blobs_of_rows_that_nobody_asked_for_are_not_read(rows: LargeRows, kinds: dict[str, str]) -> None:
    for number in range(4):
        rows.put(key(number), {"number": number, "data": LARGE}, None)
    with counted(kinds) as requests:
        found = [values["number"] for values, _ in rows.all(lambda values: values["number"] == 2)]
    assert found == [2]
    assert requests == {"table query": 1, "blob read": 1}


def test_a_row_that_changes_while_it_is_listed_is_read_again(rows: LargeRows) -> None:
    versions = [rows.put(key(number), {"data": LARGE}, None) for number in range(40)]
    listing = rows.all()
    next(listing)
    rows.put(key(39), {"data": LARGE + b"!"}, versions[39])
    rest = [values["data"] for values, _ in listing]
    assert len(rest) == 39
    assert rest.count(LARGE + b"!") == 1
