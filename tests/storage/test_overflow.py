"""Blobs of large rows: those in use stay, and those that crashed workers left are deleted once they are old."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.clients import CREATED_ASSETS, DETAILS, LINEAGE_DETAILS, RUN_PROCESSES, StorageClients
from storage.details_table import DetailsRow, DetailsTable
from storage.overflow import purge_overflow
from storage.rows import Key, LargeRows
from tests.storage.runs import new_run

LARGE = b"h" * 100_000


def soon() -> datetime:
    """A time by which everything that is stored now is old."""
    return datetime.now(UTC) + timedelta(minutes=1)


def left_behind(clients: StorageClients, table: str) -> str:
    """A blob that no row refers to."""
    name = f"{table}/{new_run()}/history-0-0.gz"
    clients.container(DETAILS).upload_blob(name, LARGE)
    return name


def is_stored(clients: StorageClients, blob: str) -> bool:
    return clients.container(DETAILS).get_blob_client(blob).exists()


def test_blobs_in_use_stay_however_old_they_are(storage_clients: StorageClients) -> None:
    table = DetailsTable(storage_clients)
    row = table.write(DetailsRow(f"sparklin://prod/app#{new_run()}", LARGE, columns={"input_tables": "x" * 40_000}))
    assert row.version
    assert len(row.version.blobs) == 2
    purge_overflow(storage_clients, soon())
    assert table.read(row.qualified_name) == row


@pytest.mark.parametrize("name", [LINEAGE_DETAILS, RUN_PROCESSES, CREATED_ASSETS])
def test_blobs_of_a_table_at_which_no_row_points_are_deleted_and_counted(
    storage_clients: StorageClients, name: str
) -> None:
    blob = left_behind(storage_clients, name)
    assert purge_overflow(storage_clients, soon()) >= 1
    assert not is_stored(storage_clients, blob)


def test_new_blobs_stay_as_their_row_may_still_be_written(storage_clients: StorageClients) -> None:
    blob = left_behind(storage_clients, LINEAGE_DETAILS)
    purge_overflow(storage_clients, datetime.now(UTC) - timedelta(hours=1))
    assert is_stored(storage_clients, blob)


def test_blobs_of_another_table_are_not_touched(storage_clients: StorageClients) -> None:
    """Tables have their blobs in one container, each under its own name."""
    one = LargeRows(storage_clients.table(LINEAGE_DETAILS), storage_clients.container(DETAILS))
    other = LargeRows(storage_clients.table(CREATED_ASSETS), storage_clients.container(DETAILS))
    key = Key("00", new_run())
    version = other.put(key, {"assets": LARGE}, None)
    assert not set(version.blobs) & set(one.unused_blobs(soon()))
    other.delete(key, version)
