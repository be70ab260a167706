"""Rows of any size, many at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from benchmarks.counting import BLOB, TABLE, counted
from core.errors import StorageUnavailable
from storage.clients import DETAILS, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, Version
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


def test_only_partitions_that_begin_with_a_digit_are_listed(rows: LargeRows) -> None:
    for number, partition in enumerate(("0f", "10", "1f", "20", "f0")):
        rows.put(Key(partition, "a"), {"number": number}, None)
    found = {digit: [values["number"] for values, _ in rows.all(digit=digit)] for digit in ("", "0", "1", "3", "f")}
    assert found == {"": [0, 1, 2, 3, 4], "0": [0], "1": [1, 2], "3": [], "f": [4]}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_write_that_comes_too_late_leaves_no_blob(is_new: bool, rows: LargeRows) -> None:
    old = rows.put(key(1), {"data": LARGE}, None)
    new = rows.put(key(1), {"data": LARGE + b"!"}, old)
    with pytest.raises(Conflict):
        rows.put(key(1), {"data": LARGE + b"?"}, None if is_new else old)
    assert rows.get(key(1)) == ({"data": LARGE + b"!"}, new)
    assert list(rows.unused_blobs(datetime.now(UTC) + timedelta(minutes=1))) == []
    rows.delete(key(1), new)
    assert list(rows._blobs.before(datetime.now(UTC) + timedelta(minutes=1))) == []


def test_a_row_that_is_too_small_for_a_blob_is_written_alone(rows: LargeRows) -> None:
    written = rows.put_small([(key(1), {"n": 1}, None)])
    assert written is not None
    assert rows.get(key(1)) == ({"n": 1}, written[0])
    rows.put_small([(key(1), {"n": 2}, written[0])])
    found = rows.get(key(1))
    assert found is not None
    assert found[0] == {"n": 2}


def test_rows_of_a_partition_are_written_together(rows: LargeRows) -> None:
    first = rows.put(Key("00", "a"), {"n": 1, "old": True}, None)
    written = rows.put_small(
        [(Key("00", "a"), {"n": 2}, first), (Key("00", "b"), {"n": 3}, None), (Key("00", "c"), {"n": 4}, None)]
    )
    assert written is not None
    found = rows.get_many([Key("00", "a"), Key("00", "b"), Key("00", "c"), Key("00", "d")])
    assert found == {
        Key("00", row): ({"n": number}, version) for row, number, version in zip("abc", (2, 3, 4), written, strict=True)
    }


@pytest.mark.parametrize("together", [False, True], ids=["alone", "with another row"])
@pytest.mark.parametrize(
    ("there", "known", "value"),
    [
        (["new"], None, 1),
        (["read", "changed"], "read", 1),
        ([], "read", 1),
        (["read"], "read", "x" * 20_000),
        ([], None, "x" * 20_000),
        (["large"], "large", 1),
    ],
    ids=["exists", "changed", "deleted", "large", "new and large", "was large"],
)
def test_of_rows_that_are_too_large_or_changed_none_is_written(
    there: list[str], known: str | None, value: object, together: bool, rows: LargeRows
) -> None:
    one, other = Key("00", "a"), Key("00", "b")
    versions: dict[str | None, Version] = {}
    for name in there or ["read"]:
        versions[name] = rows.put(one, {"name": name, "data": LARGE if name == "large" else b""}, versions.get("read"))
    if not there:
        rows.delete(one, versions["read"])
    before = rows.get(one)
    added: list[tuple[Key, dict[str, object], Version | None]] = [(one, {"value": value}, versions.get(known))]
    assert rows.put_small([*added, (other, {"value": 2}, None)] if together else added) is None
    assert (rows.get(one), rows.get(other)) == (before, None)


@pytest.mark.parametrize("names", [["a", "a"], ["a/b"]], ids=["one twice", "forbidden"])
def test_rows_that_storage_refuses_for_another_reason_are_a_fault(names: list[str], rows: LargeRows) -> None:
    with pytest.raises(StorageUnavailable):
        rows.put_small([(Key("00", name), {"n": 1}, None) for name in names])


@pytest.mark.parametrize("version", [None, Version("*")])
def test_a_row_that_storage_refuses_for_another_reason_is_a_fault(version: Version | None, rows: LargeRows) -> None:
    with pytest.raises(StorageUnavailable):
        rows.put(Key("00", "a/b"), {"n": 1}, version)
