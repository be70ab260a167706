"""What the checks of storage report, and how to repair it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cli.checks import storage
from cli.checks.check import Check, State
from cli.checks.storage import _repair, check_storage
from core.storage_connection import StorageConnection
from core.version import VERSION
from storage.clients import EVENT_METADATA, StorageClients, connect
from storage.poison_queues import BLOB_POISON_QUEUE, put_poison
from storage.store_versions import StoreVersions

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

    (first,) = check_storage(unreachable)

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
        ([], State.SKIPPED, "none is noted: the app has not run for five minutes, or is older than version 0.2"),
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

    names = {check.name: check.state for check in check_storage(storage_connection)}

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
