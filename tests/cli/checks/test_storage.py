"""What the checks of storage report, and how to repair it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cli.checks import storage
from cli.checks.check import Check, State
from cli.checks.storage import StorageLook, _repair, check_storage, look_at_storage
from core.storage_connection import StorageConnection
from core.version import VERSION
from storage.clients import (
    CONTAINERS,
    EVENT_METADATA,
    LINEAGE_DETAILS,
    RETRY_QUEUE,
    TABLES,
    StorageClients,
    connect,
    provision,
    provision_tables,
)
from storage.event_store import EventStore
from storage.poison_queues import BLOB_POISON_QUEUE, put_poison
from storage.store_versions import StoreVersions
from tests.storage.runs import NOON, new_event
from tests.support.storage_accounts import StorageAccounts

ALL = (*(f"container {name}" for name in CONTAINERS), *(f"table {name}" for name in TABLES), f"queue {RETRY_QUEUE}")
DAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "repair"),
    [
        ("storage could not list: ClientAuthenticationError", "az login"),
        ("storage could not list: CredentialUnavailableError", "az login"),
        ("storage could not list: HTTP 403 AuthenticationFailed", "az role assignment create"),
        ("storage could not list: HTTP 403 AuthorizationFailure", "az role assignment create"),
        ("storage could not list: HTTP 401 AuthenticationFailed", "check LINEAGE_STORAGE…"),
        ("storage could not list: ServiceRequestError", "check LINEAGE_STORAGE…"),
    ],
)
def test_the_repair_fits_the_reason(reason: str, repair: str) -> None:
    assert _repair(reason)[: len(repair)] == repair


def test_storage_that_does_not_answer(unreachable: StorageConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_SECONDS", 0.1)

    (first,) = check_storage(look_at_storage(unreachable))

    assert (first.name, first.state, first.repair) == ("storage", State.WRONG, storage._REACH)


@pytest.mark.parametrize(
    ("look", "name"), [(storage._poison, "poison queues"), (storage._version, "version of the store")]
)
def test_a_part_that_does_not_answer(
    look: Callable[[StorageClients], Check], name: str, unreachable: StorageConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_SECONDS", 0.1)

    check = look(connect(unreachable))

    assert (check.name, check.state, check.repair) == (name, State.WRONG, storage._REACH)


def note(clients: StorageClients, *versions: tuple[str, int, int]) -> None:
    """Note versions with the days of their first and last row."""
    for row in clients.table(EVENT_METADATA).query_entities("PartitionKey eq 'version'"):
        clients.table(EVENT_METADATA).delete_entity(row)
    for name, *days in versions:
        for day in days:
            StoreVersions(clients).note(name, DAY.replace(day=day))


@pytest.mark.parametrize(
    ("versions", "state", "found"),
    [
        ([], State.SKIPPED, "none is noted yet: the app's timer does that, every five minutes"),
        ([(VERSION, 2, 9)], State.OK, f"version {VERSION} has written it since 2026-05-02"),
        (
            [("0.0.1", 1, 3), (VERSION, 4, 9)],
            State.OK,
            f"version {VERSION} has written it since 2026-05-04; 0.0.1 until 2026-05-03",
        ),
        # The newest is the one that wrote last, not the one that wrote first.
        (
            [("0.0.1", 1, 9), (VERSION, 2, 3)],
            State.NOTE,
            f"version 0.0.1 has written it since 2026-05-01; {VERSION} until 2026-05-03; "
            f"this command has version {VERSION}",
        ),
    ],
)
def test_the_version_that_wrote_the_store(
    versions: list[tuple[str, int, int]], state: State, found: str, storage_clients: StorageClients
) -> None:
    note(storage_clients, *versions)

    check = storage._version(storage_clients)

    assert (check.state, check.found, bool(check.repair)) == (state, found, state is State.NOTE)


def test_storage_with_all_its_parts(storage_connection: StorageConnection, storage_clients: StorageClients) -> None:
    note(storage_clients)

    names = {check.name: check.state for check in check_storage(look_at_storage(storage_connection))}

    assert names == {
        "storage": State.OK,
        "containers, tables, queue": State.OK,
        "poison queues": State.OK,
        "version of the store": State.SKIPPED,
    }


def test_a_message_that_stays_in_a_poison_queue(storage_clients: StorageClients) -> None:
    put_poison(storage_clients, BLOB_POISON_QUEUE, "{}")
    check = storage._poison(storage_clients)
    storage_clients.queue(BLOB_POISON_QUEUE).clear_messages()

    assert (check.state, check.found) == (State.WRONG, f"{BLOB_POISON_QUEUE}: 1 that no function takes")
    assert storage._poison(storage_clients).state is State.OK


@pytest.mark.parametrize(
    ("missing", "events", "repair"),
    [
        (ALL, 0, "az functionapp restart"),
        # The templates create the containers.
        (ALL[len(CONTAINERS) :], 0, "az functionapp restart"),
        (ALL[-1:], 20, "az functionapp restart"),
        ((f"table {LINEAGE_DETAILS}",), 20, "sparklin rebuild"),
        ((f"table {LINEAGE_DETAILS}",), 0, "sparklin rebuild"),
        (ALL[len(CONTAINERS) : -1], 20, "sparklin rebuild"),
        (ALL[:1], 0, "docs/restore.md"),
    ],
)
def test_what_is_missing_is_created_by_a_new_app_and_restored_otherwise(
    missing: tuple[str, ...], events: int, repair: str
) -> None:
    assert repair in StorageLook(missing=missing, events=events).repair


def parts_check(connection: StorageConnection) -> tuple[State, str, str]:
    """State, finding and repair of the containers, tables and queue."""
    (check,) = (each for each in check_storage(look_at_storage(connection)) if each.name.startswith("containers"))
    return check.state, check.found, check.repair


def test_tables_are_lost_also_after_the_app_created_them_again(storage_accounts: StorageAccounts) -> None:
    connection = storage_accounts.new()
    clients = connect(connection)
    provision(clients)
    for _ in range(2):
        envelope, digest, body = new_event()
        EventStore(clients).put(envelope, digest, body, NOON)
    complete = parts_check(connection)

    clients.tables.delete_table(EVENT_METADATA)
    missing = parts_check(connection)
    provision_tables(clients)

    assert complete == (State.OK, "all exist", "")
    assert missing == (State.WRONG, f"missing: table {EVENT_METADATA}", "sparklin rebuild")
    assert parts_check(connection) == (
        State.WRONG,
        "of 2 stored events that were looked at, 2 have no row in EventMetadata: lost, perhaps with other tables",
        "sparklin rebuild",
    )
