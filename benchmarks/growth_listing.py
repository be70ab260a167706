"""How the cost of commands that look at everything grows with the rows there are."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.data.tables import TableClient

from benchmarks.counting import BLOB, TABLE, counted
from benchmarks.growth import line
from core.storage_connection import StorageConnection
from local.azurite import Azurite
from storage.clients import CREATED_ASSETS, LINEAGE_DETAILS, StorageClients, connect, provision
from storage.created_assets import CreatedAssets
from storage.details_table import DetailsTable


@line("processes in LineageDetails: all of them are read", "requests", least=10)
def processes(size: int) -> float:
    """As ``relink``, ``purge`` and ``show JOB`` do."""

    def row(number: int) -> dict[str, Any]:
        return {"qualifiedName": f"sparklin://prod/job-{number}#sink", "history": b"." * 500, "dirty": False}

    return _listed(LINEAGE_DETAILS, row, size, lambda clients: DetailsTable(clients).all())


@line("assets in CreatedAssets: all of them are read", "requests", least=10)
def assets(size: int) -> float:
    """Each with the columns that we gave it."""

    def row(number: int) -> dict[str, Any]:
        return {"typeName": "DataSet", "qualifiedName": f"asset-{number}", "guid": f"{number}", "columns": "[]"}

    return _listed(CREATED_ASSETS, row, size, lambda clients: CreatedAssets(clients).all())


def _listed(
    table: str, row: Callable[[int], dict[str, Any]], size: int, read: Callable[[StorageClients], Iterator[object]]
) -> float:
    with _storage() as (clients, services):
        _fill(clients.table(table), row, size)
        with counted(services) as requests:
            deque(read(clients), maxlen=0)
        return sum(number for kind, number in requests.items() if not kind.startswith("rows of"))


@contextmanager
def _storage() -> Iterator[tuple[StorageClients, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log") as azurite:
        clients = connect(StorageConnection(connection_string=azurite.connection_string))
        provision(clients)
        yield clients, {urlsplit(clients.blobs.url).netloc: BLOB, urlsplit(clients.tables.url).netloc: TABLE}


def _fill(table: TableClient, row: Callable[[int], dict[str, Any]], size: int) -> None:
    for first in range(0, size, 100):
        keys = ({"PartitionKey": f"{first % 256:02x}", "RowKey": f"{n:064x}"} for n in range(first, first + 100))
        rows = [{**row(int(key["RowKey"], 16)), **key} for key in keys if int(key["RowKey"], 16) < size]
        table.submit_transaction([("create", each) for each in rows])
