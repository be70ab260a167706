"""Rows of processes: of any size, changed only by who read them last, never pointing at nothing."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import StorageUnavailable
from storage.clients import DETAILS, LINEAGE_DETAILS, StorageClients
from storage.details_table import Conflict, DetailsRow, DetailsTable
from tests.storage.runs import new_run

UPLOADED = datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
LARGE: dict[str, str | bool] = {"input_tables": "ä😀" * 30_000, "isdelta": True, "output_table": "t"}


@pytest.fixture
def table(storage_clients: StorageClients) -> DetailsTable:
    """The table on Azurite."""
    return DetailsTable(storage_clients)


@pytest.fixture
def name() -> str:
    """The qualified name of a process that no other test has."""
    return f"sparklin://prod/app#{new_run()}"


@pytest.fixture
def blobs(storage_clients: StorageClients, name: str) -> Callable[[], int]:
    """Counts the overflow blobs of the process."""

    def count() -> int:
        prefix = f"{LINEAGE_DETAILS}/{row_key(name)}/"
        return len(list(storage_clients.container(DETAILS).list_blob_names(name_starts_with=prefix)))

    return count


def row_key(name: str) -> str:
    """RowKey of a process."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def test_a_row_is_read_as_it_was_written(table: DetailsTable, name: str) -> None:
    written = table.write(
        DetailsRow(name, b"\x00history", "fp", UPLOADED, True, "guid", {"input_tables": "[]", "isdelta": False})
    )
    assert table.read(name) == written


def test_there_is_no_row_before_it_is_written(table: DetailsTable, name: str) -> None:
    assert table.read(name) is None


def test_a_replaced_row_keeps_nothing_of_the_old(table: DetailsTable, name: str) -> None:
    old = table.write(DetailsRow(name, b"1", "fp", UPLOADED, columns={"input_tables": "a", "joinconditions": "b"}))
    new = table.write(replace(old, uploaded=None, columns={"input_tables": "c"}))
    assert table.read(name) == new
    assert new.uploaded is None


@pytest.mark.parametrize("size", [0, 1, 59_999, 60_000, 60_001, 3_000_000])
def test_histories_of_any_size(table: DetailsTable, name: str, size: int) -> None:
    written = table.write(DetailsRow(name, bytes(range(256)) * (size // 256) + b"x" * (size % 256)))
    assert table.read(name) == written


@pytest.mark.parametrize(
    "text", ["x" * 29_999, "x" * 30_000, "x" * 30_001, "😀" * 15_000, "😀" * 15_001, "ä" * 400_000]
)
def test_columns_of_any_size(table: DetailsTable, name: str, text: str, blobs: Callable[[], int]) -> None:
    written = table.write(DetailsRow(name, columns={"input_columns": text, "isglobal": True}))
    assert table.read(name) == written
    assert blobs() == (1 if len(text.encode("utf-16-le")) > 60_000 else 0)


def test_many_columns_that_fit_alone_but_not_together(table: DetailsTable, name: str, blobs: Callable[[], int]) -> None:
    columns: dict[str, str | bool] = {f"column_{number}": "x" * 29_000 for number in range(20)}
    written = table.write(DetailsRow(name, b"h" * 60_000, columns=columns))
    assert table.read(name) == written
    assert 0 < blobs() < 10


def test_old_overflow_is_cleaned_up(table: DetailsTable, name: str, blobs: Callable[[], int]) -> None:
    row = table.write(DetailsRow(name, b"h" * 100_000, columns=LARGE))
    for number in range(3):
        row = table.write(replace(row, history=bytes([number]) * 100_000))
    assert blobs() == 2
    row = table.write(replace(row, history=b"", columns={}))
    assert blobs() == 0


def test_a_write_that_lost_leaves_no_overflow_and_harms_none(
    table: DetailsTable, name: str, blobs: Callable[[], int]
) -> None:
    first = table.write(DetailsRow(name, b"1" * 100_000))
    second = table.write(replace(first, history=b"2" * 100_000))
    with pytest.raises(Conflict):
        table.write(replace(first, history=b"3" * 100_000))
    with pytest.raises(Conflict):
        table.write(DetailsRow(name, b"4" * 100_000))
    assert table.read(name) == second
    assert blobs() == 1


def test_a_deleted_row_conflicts_with_late_writers(table: DetailsTable, name: str, blobs: Callable[[], int]) -> None:
    row = table.write(DetailsRow(name, b"1" * 100_000))
    table.delete(row)
    assert table.read(name) is None
    assert blobs() == 0
    with pytest.raises(Conflict):
        table.write(row)


def test_only_the_version_that_was_read_is_deleted(table: DetailsTable, name: str) -> None:
    old = table.write(DetailsRow(name, b"1"))
    table.write(replace(old, history=b"2"))
    with pytest.raises(Conflict):
        table.delete(old)
    table.delete(DetailsRow(name))
    assert table.read(name) is not None


def test_a_pointer_to_a_missing_blob_is_an_error(
    table: DetailsTable, name: str, storage_clients: StorageClients
) -> None:
    row = table.write(DetailsRow(name, b"1" * 100_000))
    assert row.version
    storage_clients.container(DETAILS).delete_blob(row.version.blobs[0])
    with pytest.raises(StorageUnavailable, match="points at a blob"):
        table.read(name)
    assert name not in {row.qualified_name for row in table.all()}


def test_the_head_of_a_row_is_read_without_its_history_and_its_repeats_are_replaced(
    table: DetailsTable, name: str
) -> None:
    assert table.read_head(name) is None
    row = DetailsRow(name, b"h" * 100_000, "f", UPLOADED, True, "g", LARGE, repeats="r", referred=b"names")
    written = table.write(row)
    head = table.read_head(name)
    assert head is not None
    assert replace(head, version=None) == DetailsRow(name, b"", "f", UPLOADED, True, "g", repeats="r")
    table.note_repeats(head, "more")
    read = table.read(name)
    assert read is not None
    assert replace(read, version=None) == replace(row, repeats="more")
    for late in (head, written):
        with pytest.raises(Conflict):
            table.note_repeats(late, "other")
    with pytest.raises(ValueError, match="no such row"):
        table.note_repeats(row, "other")
    assert table.read(name) == read


def test_rows_are_chosen_by_their_names(table: DetailsTable, name: str) -> None:
    for each in (name, f"{name} other"):
        table.write(DetailsRow(each, columns=LARGE))
    assert [row.qualified_name for row in table.all(lambda found: found == name)] == [name]


def test_columns_cannot_have_names_of_our_own_columns(table: DetailsTable, name: str) -> None:
    with pytest.raises(ValueError, match="history"):
        table.write(DetailsRow(name, columns={"history": "x"}))


@pytest.mark.exhaustive
def test_writers_at_once_lose_no_change_and_readers_see_whole_rows(
    table: DetailsTable, name: str, blobs: Callable[[], int]
) -> None:
    """Each of eight writers adds its bytes five times to a history that overflows."""
    table.write(DetailsRow(name, b"." * 70_000))

    def add(letter: bytes) -> None:
        for _ in range(5):
            while True:
                row = table.read(name)
                assert row
                try:
                    table.write(replace(row, history=row.history + letter))
                except Conflict:
                    continue
                break

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, (bytes([letter]) for letter in b"abcdefgh")))
    row = table.read(name)
    assert row
    assert sorted(row.history[70_000:]) == sorted(b"abcdefgh" * 5)
    assert blobs() == 1


@pytest.mark.parametrize(
    "strange", ["\x00\x1f", "a/b\\c#d?e%", "'quoted' \"twice\"", "n" * 10_000, "😀", "half \ud800"]
)
def test_strange_names_are_keys_like_others(table: DetailsTable, name: str, strange: str) -> None:
    written = table.write(DetailsRow(name + strange, b"1"))
    assert table.read(name + strange) == written
    assert table.read(name) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.binary(max_size=500), text=st.text(max_size=200), flag=st.booleans())
def test_any_history_and_nearly_any_text_can_be_read_back(
    table: DetailsTable, history: bytes, text: str, flag: bool
) -> None:
    name = f"sparklin://prod/app#{new_run()}"
    table.write(DetailsRow(name, history, columns={"input_tables": text, "isdelta": flag}))
    row = table.read(name)
    assert row
    assert row.history == history
    assert row.columns["isdelta"] is flag
    assert len(str(row.columns["input_tables"])) == len(text)


def test_all_rows_are_listed(table: DetailsTable, name: str) -> None:
    written = {table.write(DetailsRow(f"{name}{number}")).qualified_name for number in range(3)}
    assert written <= {row.qualified_name for row in table.all()}
