"""Folders of event files that agents write into OneLake or Azure Storage: listed, and read part by part.

OneLake speaks the protocol of blobs; its workspaces are containers. Nothing is written there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, BlobServiceClient, ContainerClient

from core.folder_address import FolderAddress
from storage.clients import StorageClients, credential, service_options
from storage.faults import storage_faults

NEVER = datetime.min.replace(tzinfo=UTC)
"""The time of creation if a service reports none."""

_HIDDEN = (".", "_")
# A page is in memory as a whole; one of 5,000 files, the largest possible, takes 45 MB.
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file as it was listed: its name in the container, its size in bytes, and what identifies its version."""

    name: str
    size: int
    etag: str
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file, with the time at which the file that they are from was created."""

    data: bytes
    created: datetime


class EventFolder:
    """One folder. It is read with the app's identity, or with ``own`` if it is in the account of those clients.

    ``client_id`` is that of a user-assigned identity, "" for the default one.
    """

    def __init__(self, address: FolderAddress, own: StorageClients | None = None, client_id: str = "") -> None:
        self.address = address
        self._container = _container(address, own, client_id)

    def files(self) -> Iterator[FolderFile]:
        """The files below the folder, or the one file that the address names, in the order of their names.

        Empty files are skipped, and so are names that begin with a dot or underscore, as Spark does.

        :raises StorageUnavailable: also during the iteration; the folder does not exist, or may not be read.
        """
        prefix = self.address.path
        with storage_faults(f"list {self.address}", of_the_app=False):
            for blob in self._container.list_blobs(name_starts_with=prefix or None, results_per_page=_PAGE):
                below = blob.name.removeprefix(prefix)
                if blob.size and (not prefix or below[:1] in ("", "/")) and not _is_hidden(below):
                    yield _file(blob)

    def read(self, name: str, start: int, length: int) -> Part | None:
        """Up to ``length`` bytes of a file from ``start`` on; None if the file is gone or ends before.

        :raises StorageUnavailable: it could not be read.
        """
        with storage_faults(f"read a file in {self.address}", of_the_app=False):
            try:
                found = self._container.download_blob(name, offset=start, length=length, max_concurrency=1)
                return Part(found.readall(), _utc(found.properties.creation_time))
            except ResourceNotFoundError:
                return None
            except HttpResponseError as error:
                if error.status_code == 416:
                    return None
                raise


def _container(address: FolderAddress, own: StorageClients | None, client_id: str) -> ContainerClient:
    if own and own.blobs.url.rstrip("/") == address.account:
        return own.container(address.container)
    service = BlobServiceClient(address.account, credential=credential(client_id), **service_options())
    return service.get_container_client(address.container)


def _is_hidden(path: str) -> bool:
    return any(segment.startswith(_HIDDEN) for segment in path.split("/"))


def _file(blob: BlobProperties) -> FolderFile:
    return FolderFile(blob.name, blob.size, str(blob.etag), _utc(blob.creation_time), _utc(blob.last_modified))


def _utc(time: datetime | None) -> datetime:
    """A time that the service reports; the year 1 if it reports none."""
    return time.astimezone(UTC) if time else NEVER
