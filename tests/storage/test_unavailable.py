"""Storage that is down: reported in time, and without secrets."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from local.azurite import ACCOUNT_KEY, Azurite
from storage.clients import StorageClients, connect, is_reachable, provision
from storage.dead_letters import DeadLetters
from storage.details_table import DetailsRow, DetailsTable
from storage.event_rows import Status
from storage.event_store import EventStore, Put
from storage.locks import Locks
from storage.request_budget import budget
from storage.retry_queue import RetryPointer, RetryQueue
from storage.run_records import RunRecords
from storage.sweep import Sweep
from tests.storage.runs import NOON, new_event
from tests.support.processes import PATIENCE
from tests.support.storage_accounts import StorageAccounts

#: Seconds that no test here needs even on a busy machine. Without a budget, each would wait for minutes.
FAR_ABOVE = 30.0


def hold(clients: StorageClients) -> None:
    """Try to take a lock."""
    with Locks(clients).hold(["a"], 0):
        pass


def sweep(clients: StorageClients) -> object:
    """Try to sweep."""
    return list(Sweep(clients, EventStore(clients), "t", [Status.RECEIVED]).waiting(NOON, NOON, timedelta(minutes=1)))


WORK: dict[str, Callable[[StorageClients], Any]] = {
    "names": lambda clients: EventStore(clients).names("r"),
    "rows": lambda clients: list(EventStore(clients).rows(NOON, NOON)),
    "read": lambda clients: DetailsTable(clients).read("p"),
    "write": lambda clients: DetailsTable(clients).write(DetailsRow("p")),
    "processes": lambda clients: RunRecords(clients).get("r"),
    "enqueue": lambda clients: RetryQueue(clients).enqueue(RetryPointer("r", 1, NOON), 0),
    "dead letter": lambda clients: DeadLetters(clients).put("r", "", "", {}, NOON),
    "provision": provision,
    "hold": hold,
    "sweep": sweep,
}


@pytest.mark.parametrize("work", WORK)
def test_unavailable_storage_is_one_error_without_secrets(
    work: str, unreachable: StorageConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with budget(0.3), pytest.raises(StorageUnavailable) as caught:
        WORK[work](connect(unreachable))
    assert ACCOUNT_KEY not in caught.value.reason + caplog.text
    assert "127.0.0.1" not in caught.value.reason


def assert_fails_in_time(connection: StorageConnection, seconds: float) -> None:
    """An event is not kept, and the error is raised when the budget is used up."""
    store = EventStore(connect(connection), budget_seconds=seconds)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        store.put(*new_event(), NOON)
    assert time.monotonic() - began < FAR_ABOVE


def test_the_budget_is_kept_when_connections_are_refused(unreachable: StorageConnection) -> None:
    assert_fails_in_time(unreachable, 0.5)


def test_the_budget_is_kept_when_nothing_answers(silent: StorageConnection) -> None:
    assert_fails_in_time(silent, 0.5)


def test_the_smaller_of_nested_budgets_holds(silent: StorageConnection) -> None:
    began = time.monotonic()
    with budget(0.5), pytest.raises(StorageUnavailable), budget(600):
        EventStore(connect(silent)).names("r")
    assert time.monotonic() - began < FAR_ABOVE


def test_reachability_is_reported_in_time(
    storage_clients: StorageClients, unreachable: StorageConnection, silent: StorageConnection
) -> None:
    assert is_reachable(storage_clients, PATIENCE)
    began = time.monotonic()
    assert not is_reachable(connect(unreachable), 0.5)
    assert not is_reachable(connect(silent), 0.5)
    assert time.monotonic() - began < FAR_ABOVE


def test_storage_that_lacks_its_containers_is_not_reachable(storage_accounts: StorageAccounts) -> None:
    clients = connect(storage_accounts.new())
    assert not is_reachable(clients, PATIENCE)
    provision(clients)
    provision(clients)
    assert is_reachable(clients, PATIENCE)


def test_an_event_is_kept_as_soon_as_storage_is_back(tmp_path: Path) -> None:
    with Azurite(tmp_path / "azurite.log", tmp_path / "data") as server:
        clients = connect(StorageConnection(connection_string=server.connection_string))
        provision(clients)
        store = EventStore(clients, budget_seconds=PATIENCE)
        event = new_event()
        server.stop()
        with pytest.raises(StorageUnavailable):
            EventStore(clients, budget_seconds=0.5).put(*event, NOON)
        server.start()
        assert store.put(*event, NOON) in (Put.STORED, Put.ALREADY)
        assert len(store.names(event[0].run_key)) == 1
