"""The clients that all threads of a worker share."""

import pytest
from azure.data.tables import TableServiceClient

from core.storage_connection import StorageConnection
from storage.clients import TABLES, connect, missing_parts, provision, provision_tables


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
