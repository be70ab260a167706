"""Storage connections: the setting that a binding's `connection` names, and clients for it.

Only connection strings are accepted. Azure also accepts identity-based settings (`NAME__blobServiceUri`); Azurite
has no identities, so those are refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import ACCOUNT_KEY, ACCOUNT_NAME
from local.host.errors import HostError

HOST_STORAGE = "AzureWebJobsStorage"
_DEVELOPMENT = "UseDevelopmentStorage=true"
_DEVELOPMENT_EXPANDED = (
    f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};"
    f"BlobEndpoint=http://127.0.0.1:10000/{ACCOUNT_NAME};"
    f"QueueEndpoint=http://127.0.0.1:10001/{ACCOUNT_NAME};"
    f"TableEndpoint=http://127.0.0.1:10002/{ACCOUNT_NAME}"
)


@dataclass(frozen=True, slots=True)
class Connection:
    """One storage account. The name is the setting's, for messages."""

    name: str
    blobs: BlobServiceClient
    queues: QueueServiceClient


def connect(name: str, settings: Mapping[str, str]) -> Connection:
    """Clients for the account that setting `name` (or `AzureWebJobs{name}`) contains the connection string of.

    :raises HostError: when it is not set, identity-based, or no connection string.
    """
    text = settings.get(f"AzureWebJobs{name}") or settings.get(name)
    if not text:
        raise HostError(_why_missing(name, settings))
    if text.strip().rstrip(";").lower() == _DEVELOPMENT.lower():
        text = _DEVELOPMENT_EXPANDED
    # One quick repetition (the clients' own default waits 15 seconds): a listener tries again by itself.
    limits: dict[str, Any] = {
        "retry_total": 1,
        "initial_backoff": 0,
        "increment_base": 0,
        "random_jitter_range": 0,
        "connection_timeout": 5,
        "read_timeout": 20,
    }
    try:
        return Connection(
            name,
            BlobServiceClient.from_connection_string(text, **limits),
            QueueServiceClient.from_connection_string(text, **limits),
        )
    except ValueError as error:
        raise HostError(f"Setting {name} is no storage connection string: {error}") from error


def place(url: str) -> str:
    """The server in a client's address, without account, path and secrets."""
    found = urlsplit(url)
    return f"{found.scheme}://{found.netloc.rpartition('@')[2]}"


def _why_missing(name: str, settings: Mapping[str, str]) -> str:
    if any(setting.lower().startswith(f"{name.lower()}__") for setting in settings):
        return f"Setting {name} is identity-based ({name}__…); the local host takes a connection string in {name}"
    return f"Setting {name} is missing: it must be a storage connection string"
