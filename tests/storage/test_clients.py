"""The clients that all threads of a worker share."""

import pytest
from azure.data.tables import TableServiceClient
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from storage.clients import (
    CONTAINERS,
    EVENT_METADATA,
    EVENTS,
    RETRY_QUEUE,
    TABLES,
    StorageClients,
    _MissingParts,
    check_provisioned,
    connect,
    credential,
    is_reachable,
    missing_parts,
    provision,
    provision_tables,
)
from storage.details_table import DetailsTable
from storage.faults import NOTHING_THERE
from storage.request_budget import budget
from tests.support.storage_accounts import StorageAccounts


def test_no_client_of_a_table_is_made_while_requests_may_be_under_way(
    storage_connection: StorageConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client created at that time breaks requests of other threads: it changes the policies that they use."""
    clients = connect(storage_connection)

    def fail(_: TableServiceClient, table_name: str) -> None:
        raise AssertionError(f"a client of {table_name} is made")

    monkeypatch.setattr(TableServiceClient, "get_table_client", fail)
    provision(clients)
    provision_tables(clients)
    assert [list(clients.table(name).query_entities("PartitionKey eq 'none'")) for name in TABLES] == [[]] * len(TABLES)
    assert missing_parts(clients, 60) == []


def test_what_is_missing_is_named_until_it_is_created(storage_accounts: StorageAccounts) -> None:
    clients = connect(storage_accounts.new())
    containers, queues = [f"container {name}" for name in CONTAINERS], [f"queue {RETRY_QUEUE}"]
    assert missing_parts(clients, 60) == [*containers, *(f"table {name}" for name in TABLES), *queues]
    with pytest.raises(StorageUnavailable) as caught:
        check_provisioned(clients, 60)
    assert "sparklin doctor" in caught.value.remedy
    with pytest.raises(StorageUnavailable) as read:
        list(DetailsTable(clients).all())
    assert (read.value.reason.partition(" (")[0], read.value.remedy) == (NOTHING_THERE, caught.value.remedy)
    provision_tables(clients)
    assert missing_parts(clients, 60) == [*containers, *queues]
    assert not is_reachable(clients, 60)
    provision(clients)
    assert missing_parts(clients, 60) == []
    check_provisioned(clients, 60)


def test_without_a_connection_string_the_services_are_reached_with_the_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    class Identity(ManagedIdentityCredential):
        def __init__(self, *, client_id: str) -> None:
            asked.append(client_id)
            super().__init__(client_id=client_id)

    monkeypatch.setattr("storage.clients.ManagedIdentityCredential", Identity)
    names = ("https://a.blob.x", "https://a.queue.x", "https://a.table.x")
    clients = connect(StorageConnection("", *names, client_id="me"))
    urls = (clients.blobs.url, clients.queues.url, clients.tables.url)
    assert (tuple(url.rstrip("/") for url in urls), asked) == (names, ["me"])
    assert isinstance(credential("me"), Identity)
    assert isinstance(credential(""), DefaultAzureCredential)


def test_storage_without_tables_is_not_reachable(storage_accounts: StorageAccounts) -> None:
    clients = connect(storage_accounts.new())
    for name in CONTAINERS:
        clients.blobs.create_container(name)
    assert not is_reachable(clients, 60)
    provision_tables(clients)
    assert is_reachable(clients, 60)


URL = f"https://account/{EVENT_METADATA}(PartitionKey='a')"


def parts_of(clients: StorageClients | None) -> _MissingParts:
    parts = _MissingParts()
    parts.clients = clients
    return parts


def test_what_is_missing_is_made_once_in_a_while(
    storage_accounts: StorageAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = connect(storage_accounts.new())
    parts = parts_of(clients)
    assert not parts("https://account/foreign/x")
    assert f"container {EVENTS}" in missing_parts(clients, 60)
    assert parts(URL)
    assert missing_parts(clients, 60) == []
    made: list[object] = []
    monkeypatch.setattr("storage.clients.provision", made.append)
    assert (parts(URL), made) == (True, [])
    parts._made_at -= 6
    assert (parts(URL), made) == (True, [clients])


def test_what_cannot_be_made_is_tried_again_by_the_next_request(
    storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def fail(clients: object) -> None:
        tried.append(clients)
        raise StorageUnavailable("forbidden")

    monkeypatch.setattr("storage.clients.provision", fail)
    parts = parts_of(storage_clients)
    with budget(60):
        assert [parts(URL), parts(URL)] == [False, False]
    assert len(tried) == 2
    with parts._mutex, budget(0.01):
        assert not parts(URL)
    assert len(tried) == 2
    assert not parts_of(None)(URL)
