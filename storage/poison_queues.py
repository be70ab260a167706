"""The poison queues, to which the Functions host moves messages after too many attempts."""

from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from storage.clients import RETRY_QUEUE, StorageClients
from storage.faults import storage_faults

BLOB_POISON_QUEUE = "webjobs-blobtrigger-poison"
RETRY_POISON_QUEUE = f"{RETRY_QUEUE}-poison"
POISON_QUEUES = (BLOB_POISON_QUEUE, RETRY_POISON_QUEUE)


def poison_messages(clients: StorageClients) -> dict[str, int]:
    """The number of messages on each poison queue that has any, hidden ones included.

    :raises StorageUnavailable: storage is unavailable or denies access.
    """
    with storage_faults("look at the poison queues"):
        counts = {name: _count(clients, name) for name in POISON_QUEUES}
    return {name: count for name, count in counts.items() if count}


def _count(clients: StorageClients, name: str) -> int:
    """The host creates a poison queue for its first message."""
    try:
        return clients.queue(name).get_queue_properties().approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


def put_poison(clients: StorageClients, name: str, message: str) -> None:
    """Put a message on a poison queue, as the host does; it expires after an hour.

    :raises StorageUnavailable: it may not be there.
    """
    queue = clients.queue(name)
    with storage_faults("write to a poison queue"):
        with suppress(ResourceExistsError):
            queue.create_queue()
        queue.send_message(message, time_to_live=3600)
