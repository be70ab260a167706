"""The clients of the three storage services, and the containers, tables and queues that the app needs."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerClient, LinearRetry
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from core import naming
from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from core.threads import in_threads
from storage.faults import NOTHING_THERE, NOTHING_THERE_REMEDY, NOTHING_THERE_WHY, storage_faults
from storage.request_budget import LONGEST_PAUSE, BudgetTransport, MakeMissing, TableTransport, budget, seconds_left

log = logging.getLogger(__name__)

EVENTS = naming.CONTAINER
DETAILS = "lineage-details"
DEAD_LETTERS = "dead-letters"
LOCKS = "locks"
CONTAINERS = (EVENTS, DETAILS, DEAD_LETTERS, LOCKS)

EVENT_METADATA = "EventMetadata"
LINEAGE_DETAILS = "LineageDetails"
RUN_PROCESSES = "RunProcesses"
ASSET_CACHE = "AssetCache"
CREATED_ASSETS = "CreatedAssets"
COLLECTED_FILES = "CollectedFiles"
TABLES = (EVENT_METADATA, LINEAGE_DETAILS, RUN_PROCESSES, ASSET_CACHE, CREATED_ASSETS, COLLECTED_FILES)

RETRY_QUEUE = "lineage-retry"

_ATTEMPT = {"connection_timeout": 5, "read_timeout": 20}
_RETRIES = 4
# Parts that were just created are not created again because of a request that was sent before.
_MADE_SECONDS = 5
_TABLE_RETRIES = {"retry_total": _RETRIES, "retry_backoff_factor": 0.3, "retry_backoff_max": LONGEST_PAUSE}


@dataclass(frozen=True, slots=True)
class StorageClients:
    """One client for each service and each table, safe to share between threads.

    The clients of tables are created before the first request: each that ``tables`` creates (``create_table`` creates
    one too) puts new policies, not yet linked, behind those that its requests go through, so that a request of another
    thread may fail at that moment with an AttributeError (``azure.core.pipeline.Pipeline`` of azure-core 1.x).
    """

    blobs: BlobServiceClient
    tables: TableServiceClient
    queues: QueueServiceClient
    app_tables: Mapping[str, TableClient]

    def container(self, name: str) -> ContainerClient:
        """The client of a blob container."""
        return self.blobs.get_container_client(name)

    def table(self, name: str) -> TableClient:
        """The client of one of the app's tables."""
        return self.app_tables[name]

    def queue(self, name: str = RETRY_QUEUE) -> QueueClient:
        """The client of a queue whose messages are base64, as the Functions host expects them."""
        return self.queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())


class _MissingParts:
    """Creates the app's containers, tables and queues when one is missing: at the first event of a new deployment."""

    def __init__(self) -> None:
        self.clients: StorageClients | None = None
        self._mutex = threading.Lock()
        self._made_at = -math.inf

    def __call__(self, url: str) -> bool:
        """Create everything that is missing; False if that is not possible, or ``url`` is not of a part of the app."""
        names = {segment.partition("(")[0] for segment in urlsplit(url).path.split("/")}
        left = seconds_left()
        if self.clients is None or names.isdisjoint((*CONTAINERS, *TABLES, RETRY_QUEUE)):
            return False
        if not self._mutex.acquire(timeout=-1 if left is None else left):
            return False
        try:
            # Another thread may have created it while this one waited.
            if time.monotonic() - self._made_at > _MADE_SECONDS:
                provision(self.clients)
                self._made_at = time.monotonic()
        except StorageUnavailable as error:
            log.warning("%s", error.reason)
            return False
        finally:
            self._mutex.release()
        return True


def connect(connection: StorageConnection, *, makes_missing: bool = False) -> StorageClients:
    """Build the clients; nothing is sent yet.

    With ``makes_missing``, a request whose container, table or queue is missing creates all that is missing, and is
    sent once more.

    Each attempt may take some seconds and is repeated up to four times after a pause, unless ``transport.budget``
    cuts that short.
    """
    parts = _MissingParts()
    parts.clients = _clients(connection, parts if makes_missing else None)
    return parts.clients


def _clients(connection: StorageConnection, make_missing: MakeMissing | None) -> StorageClients:
    blob_options, queue_options = service_options(make_missing), service_options(make_missing)
    table_options: dict[str, Any] = {"transport": TableTransport(make_missing), **_TABLE_RETRIES, **_ATTEMPT}
    if connection.connection_string:
        text = connection.connection_string
        blobs = BlobServiceClient.from_connection_string(text, **blob_options)
        tables = TableServiceClient.from_connection_string(text, **table_options)
        queues = QueueServiceClient.from_connection_string(text, **queue_options)
    else:
        identity = credential(connection.client_id)
        blobs = BlobServiceClient(connection.blob_uri, credential=identity, **blob_options)
        tables = TableServiceClient(connection.table_uri, credential=identity, **table_options)
        queues = QueueServiceClient(connection.queue_uri, credential=identity, **queue_options)
    return StorageClients(blobs, tables, queues, {name: tables.get_table_client(name) for name in TABLES})


def service_options(make_missing: MakeMissing | None = None) -> dict[str, Any]:
    """The options of a client of blobs or queues: time-outs, retries and the budget."""
    return {"transport": BudgetTransport(make_missing), "retry_policy": _retries(), **_ATTEMPT}


def credential(client_id: str) -> TokenCredential:
    """The user-assigned identity with this client id; for "" the default credential."""
    return ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()


def provision(clients: StorageClients) -> None:
    """Create the missing containers, tables and queue, all at once; existing ones stay.

    :raises StorageUnavailable: storage is unavailable or denies access.
    """
    creations: list[Callable[[], object]] = [
        *(partial(clients.blobs.create_container, name) for name in CONTAINERS),
        *_tables(clients),
        partial(clients.queues.create_queue, RETRY_QUEUE),
    ]
    with storage_faults("create containers, tables and queues"):
        in_threads(_create, creations, len(creations))


def provision_tables(clients: StorageClients) -> None:
    """Create the missing tables: unlike for containers, the right to write to tables suffices.

    :raises StorageUnavailable: storage is unavailable or denies access.
    """
    with storage_faults("create tables"):
        in_threads(_create, _tables(clients), len(TABLES))


def _tables(clients: StorageClients) -> list[Callable[[], object]]:
    return [table.create_table for table in clients.app_tables.values()]


def _create(creation: Callable[[], object]) -> None:
    with suppress(ResourceExistsError):
        creation()


def missing_parts(clients: StorageClients, seconds: float) -> list[str]:
    """The missing parts that ``provision`` creates, as ``container x``, ``table y``, ``queue z``.

    Containers are looked up one by one: an identity that may use only these may not list those of the account.

    :raises StorageUnavailable: storage is unavailable or denies access.
    """
    with budget(seconds), storage_faults("be listed"):
        lacking = [f"container {name}" for name in CONTAINERS if not clients.container(name).exists()]
        tables = {item.name for item in clients.tables.list_tables()}
        queues = {str(item.name) for item in clients.queues.list_queues()}
    lacking += [f"table {name}" for name in TABLES if name not in tables]
    return lacking + ([] if RETRY_QUEUE in queues else [f"queue {RETRY_QUEUE}"])


def check_provisioned(clients: StorageClients, seconds: float) -> None:
    """Check by reading that blobs and tables answer within ``seconds`` and have what ``provision`` creates.

    :raises StorageUnavailable: they do not.
    """
    with budget(seconds), storage_faults("be reached"):
        try:
            clients.container(EVENTS).get_container_properties()
            next(iter(clients.table(EVENT_METADATA).query_entities("PartitionKey eq ''", results_per_page=1)), None)
        except ResourceNotFoundError:
            reason = f"{NOTHING_THERE}: {NOTHING_THERE_WHY}"
            raise StorageUnavailable(reason, remedy=NOTHING_THERE_REMEDY) from None


def is_reachable(clients: StorageClients, seconds: float) -> bool:
    """Whether blobs and tables answer within ``seconds`` and have what ``provision`` creates."""
    try:
        check_provisioned(clients, seconds)
    except StorageUnavailable:
        return False
    return True


def _retries() -> LinearRetry:
    """Pauses between 0 and ``LONGEST_PAUSE``."""
    return LinearRetry(backoff=0, retry_total=_RETRIES, random_jitter_range=int(LONGEST_PAUSE))
