"""Which versions have written a store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cli.checks.check import State
from cli.checks.storage import check_storage, look_at_storage
from core.storage_connection import StorageConnection
from core.version import VERSION
from storage.clients import EVENT_METADATA, StorageClients
from storage.store_versions import StoreVersion, StoreVersions

DAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def clients(storage_clients: StorageClients) -> Iterator[StorageClients]:
    """Storage without a recorded version."""
    table = storage_clients.table(EVENT_METADATA)
    yield storage_clients
    for row in table.query_entities("PartitionKey eq 'version'"):
        table.delete_entity(row)


def checked(connection: StorageConnection) -> tuple[State, str]:
    """What `sparklin doctor` reports about the version."""
    (check,) = (each for each in check_storage(look_at_storage(connection)) if each.name == "version of the store")
    return check.state, check.found


def test_a_version_is_noted_with_its_first_and_last_day(clients: StorageClients) -> None:
    for name, days in (("0.1.0", 0), ("0.1.0", 3), ("0.2.0", 3), ("0.2.0", 9)):
        StoreVersions(clients).note(name, DAY + timedelta(days=days))
    assert StoreVersions(clients).all() == (
        StoreVersion("0.1.0", DAY, DAY + timedelta(days=3)),
        StoreVersion("0.2.0", DAY + timedelta(days=3), DAY + timedelta(days=9)),
    )


def test_it_is_written_once_a_day(clients: StorageClients) -> None:
    versions = StoreVersions(clients)
    versions.note("0.1.0", DAY)
    clients.table(EVENT_METADATA).delete_entity("version", "0.1.0")
    versions.note("0.1.0", DAY + timedelta(hours=11))
    assert versions.all() == ()


def test_doctor_says_which_version_wrote_the_store(
    storage_connection: StorageConnection, clients: StorageClients
) -> None:
    assert checked(storage_connection)[0] is State.SKIPPED
    StoreVersions(clients).note("0.0.1", DAY)
    state, text = checked(storage_connection)
    assert (state, "version 0.0.1 has written it since 2026-05-01" in text) == (State.NOTE, True)
    StoreVersions(clients).note(VERSION, DAY + timedelta(days=2))
    assert checked(storage_connection) == (
        State.OK,
        f"version {VERSION} has written it since 2026-05-03; 0.0.1 until 2026-05-01",
    )
