"""The folder that the collector of the local stack reads, like a folder of OneLake in Azure."""

from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from storage.clients import connect

_CONTAINER = "retail"
_PATH = "gold.Lakehouse/Files/Lineage"
#: The container and path of the folder; in OneLake, a workspace and a path in one of its lakehouses.
FOLDER = f"{_CONTAINER}/{_PATH}"


def put_file(stack: Stack, content: bytes, name: str) -> None:
    """Store a file as if an agent had written it there."""
    clients = connect(StorageConnection(connection_string=stack.azurite.connection_string))
    container = clients.blobs.get_container_client(_CONTAINER)
    if not container.exists():
        container.create_container()
    container.upload_blob(f"{_PATH}/{name.removeprefix('_')}", content, overwrite=True)
