"""Storage that refuses connections, and storage that does not answer."""

import socket
from collections.abc import Iterator

import pytest

from core.storage_connection import StorageConnection
from local.azurite import ACCOUNT_KEY, ACCOUNT_NAME


def connection_to(port: int) -> StorageConnection:
    """A connection to whatever is behind a port of this machine."""
    services = ";".join(
        f"{service}Endpoint=http://127.0.0.1:{port}/{ACCOUNT_NAME}" for service in ("Blob", "Queue", "Table")
    )
    text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};{services}"
    return StorageConnection(connection_string=text)


@pytest.fixture
def unreachable() -> StorageConnection:
    """Storage that refuses connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return connection_to(free.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[StorageConnection]:
    """Storage that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield connection_to(listener.getsockname()[1])
