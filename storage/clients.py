"""The clients of the three storage services, and the containers, tables and queues that the app needs."""

from dataclasses import dataclass
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient, ContainerClient, LinearRetry
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from core import naming
from core.errors import StorageUnavailable
from core.settings import StorageConnection
from storage.faults import storage_faults
from storage.request_budget import LONGEST_PAUSE, BudgetTransport, TableTransport, budget

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
TABLES = (EVENT_METADATA, LINEAGE_DETAILS, RUN_PROCESSES, ASSET_CACHE, CREATED_ASSETS)

RETRY_QUEUE = "lineage-retry"

_NOTHING_THERE = (
    "the storage account lacks the app's tables or containers: the app has not started yet, or LINEAGE_STORAGE… "
    "names another account"
)
_ATTEMPT = {"connection_timeout": 5, "read_timeout": 20}
_RETRIES = 4
_TABLE_RETRIES = {"retry_total": _RETRIES, "retry_backoff_factor": 0.3, "retry_backoff_max": LONGEST_PAUSE}


@dataclass(frozen=True, slots=True)
class StorageClients:
    """One client a service; they are safe to share between threads."""

    blobs: BlobServiceClient
    tables: TableServiceClient
    queues: QueueServiceClient

    def container(self, name: str) -> ContainerClient:
        """The client of a blob container."""
        return self.blobs.get_container_client(name)

    def table(self, name: str) -> TableClient:
        """The client of a table."""
        return self.tables.get_table_client(name)

    def queue(self, name: str = RETRY_QUEUE) -> QueueClient:
        """The client of a queue whose messages are base64, as the Functions host expects them."""
        return self.queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())


def connect(connection: StorageConnection) -> StorageClients:
    """Build the clients; nothing is sent yet.

    Each attempt may take some seconds and is repeated up to four times after a pause, unless ``transport.budget``
    cuts that short.
    """
    blob_options, queue_options = service_options(), service_options()
    table_options: dict[str, Any] = {"transport": TableTransport(), **_TABLE_RETRIES, **_ATTEMPT}
    if connection.connection_string:
        text = connection.connection_string
        return StorageClients(
            BlobServiceClient.from_connection_string(text, **blob_options),
            TableServiceClient.from_connection_string(text, **table_options),
            QueueServiceClient.from_connection_string(text, **queue_options),
        )
    identity = credential(connection.client_id)
    return StorageClients(
        BlobServiceClient(connection.blob_uri, credential=identity, **blob_options),
        TableServiceClient(connection.table_uri, credential=identity, **table_options),
        QueueServiceClient(connection.queue_uri, credential=identity, **queue_options),
    )


def service_options() -> dict[str, Any]:
    """The options of a client of blobs or queues: time-outs, retries and the budget."""
    return {"transport": BudgetTransport(), "retry_policy": _retries(), **_ATTEMPT}


def credential(client_id: str) -> TokenCredential:
    """The user-assigned identity with this client id; for "" whatever identity is at hand."""
    return ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()


def provision(clients: StorageClients) -> None:
    """Create what is missing of the containers, tables and the queue; what is there stays.

    :raises StorageUnavailable: storage is unavailable or does not let us.
    """
    with storage_faults("create containers, tables and queues"):
        for name in CONTAINERS:
            try:
                clients.blobs.create_container(name)
            except ResourceExistsError:
                continue
        for name in TABLES:
            clients.tables.create_table_if_not_exists(name)
        try:
            clients.queues.create_queue(RETRY_QUEUE)
        except ResourceExistsError:
            return


def missing_parts(clients: StorageClients, seconds: float) -> list[str]:
    """What ``provision`` makes and is not there, as ``container x``, ``table y``, ``queue z``.

    Containers are asked for one by one: whoever may use these alone may not list those of the account.

    :raises StorageUnavailable: storage is unavailable or does not let us.
    """
    with budget(seconds), storage_faults("be listed"):
        lacking = [f"container {name}" for name in CONTAINERS if not clients.container(name).exists()]
        tables = {item.name for item in clients.tables.list_tables()}
        queues = {str(item.name) for item in clients.queues.list_queues()}
    lacking += [f"table {name}" for name in TABLES if name not in tables]
    return lacking + ([] if RETRY_QUEUE in queues else [f"queue {RETRY_QUEUE}"])


def check_provisioned(clients: StorageClients, seconds: float) -> None:
    """Check by reading that blobs and tables answer within ``seconds`` and hold what ``provision`` makes.

    :raises StorageUnavailable: they do not.
    """
    with budget(seconds), storage_faults("be reached"):
        try:
            clients.container(EVENTS).get_container_properties()
            next(iter(clients.table(EVENT_METADATA).query_entities("PartitionKey eq ''", results_per_page=1)), None)
        except ResourceNotFoundError:
            raise StorageUnavailable(_NOTHING_THERE) from None


def is_reachable(clients: StorageClients, seconds: float) -> bool:
    """Whether blobs and tables answer within ``seconds`` and hold what ``provision`` makes."""
    try:
        check_provisioned(clients, seconds)
    except StorageUnavailable:
        return False
    return True


def _retries() -> LinearRetry:
    """Pauses between 0 and ``LONGEST_PAUSE``."""
    return LinearRetry(backoff=0, retry_total=_RETRIES, random_jitter_range=int(LONGEST_PAUSE))
