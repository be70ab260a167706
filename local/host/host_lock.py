"""A lock that one host of an app has: for the scan for new blobs, and for each timer.

A leased blob in the host's storage, `azure-webjobs-hosts/locks/{host id}/{name}`. A host that stops releases it; that
of a host that died ends with its lease.
"""

import logging
import threading
import time

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

from local.host.connections import place
from local.host.pace import Pace

STATE_CONTAINER = "azure-webjobs-hosts"
_PAUSE_SECONDS = 0.2

_log = logging.getLogger("local.host")


class HostLock:
    """Tries to get the lock, and renews it, until it is stopped. `held` says whether this host has it now."""

    def __init__(self, storage: BlobServiceClient, host_id: str, name: str, pace: Pace) -> None:
        self._storage = storage
        self._blob: BlobClient = storage.get_blob_client(STATE_CONTAINER, f"locks/{host_id}/{name}")
        self._pace = pace
        self._lease: BlobLeaseClient | None = None
        self._ends_at = 0.0
        self._held = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lock {name}", daemon=True)

    @property
    def address(self) -> str:
        """The storage that it is in."""
        return place(str(self._storage.url))

    @property
    def held(self) -> bool:
        """Whether this host has the lock, by the clock."""
        return self._held.is_set() and time.monotonic() < self._ends_at

    def start(self) -> None:
        """Create what is missing, and take the lock if it is free; else try again and again.

        :raises AzureError: when the storage doesn't answer.
        """
        create_state_container(self._storage)
        try:
            self._blob.upload_blob(b"", overwrite=False)
        except HttpResponseError as error:
            # It is there already, and perhaps leased.
            if error.status_code not in (409, 412):
                raise
        self._try()
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait about `seconds` at most for the lock; returns whether this host has it."""
        if self._held.wait(seconds) and not self.held:
            # The lock has expired, but the thread that renews it has not noticed yet.
            time.sleep(min(seconds, _PAUSE_SECONDS))
        return self.held

    def stop(self) -> None:
        """Release the lock."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._lease and self.held:
            try:
                self._lease.release()
            except AzureError as error:
                _log.warning("Lock %s is not released: %s", self._blob.blob_name, error)
        self._held.clear()

    def _keep(self) -> None:
        while not self._stopping.wait(self._pace.lease_seconds / 3 if self.held else self._pace.takeover_seconds):
            try:
                self._try()
            except AzureError as error:
                _log.warning("Lock %s: %s", self._blob.blob_name, str(error).splitlines()[0])

    def _try(self) -> None:
        """Renew the lock, or take it if it is free."""
        asked = time.monotonic()
        try:
            if self._lease and self._held.is_set():
                self._lease.renew()
            else:
                self._lease = self._blob.acquire_lease(self._pace.lease_seconds)
        except (ResourceExistsError, ResourceNotFoundError):
            # Another host has it, or somebody deleted it.
            self._held.clear()
            return
        self._ends_at = asked + self._pace.lease_seconds
        self._held.set()


def create_state_container(blobs: BlobServiceClient) -> None:
    """Create the container of the hosts' state, if it does not exist."""
    try:
        blobs.create_container(STATE_CONTAINER)
    except ResourceExistsError:
        return
