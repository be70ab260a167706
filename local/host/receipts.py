"""Receipts: which versions of blobs were passed on already, stored across restarts and hosts.

One empty blob for each version. Those of the scan are named as in Azure, in the host's own account:
`azure-webjobs-hosts/blobreceipts/{host id}/Host.Functions.{name}/"{etag}"/{container}/{blob}`. The replacement of Event
Grid stores its events in the same way, but under other names, as a host with Event Grid leaves no receipts in Azure. A
receipt is claimed first (metadata `Incomplete`), then the blob is passed on, then the receipt is completed. A claim
whose host died is taken over after a while, so a blob is passed on at least once.
"""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobProperties, BlobServiceClient

from local.host.blob_message import quoted
from local.host.blob_trigger import EVENT_GRID, BlobFunction
from local.host.host_lock import STATE_CONTAINER

EVENT_CONTAINER = "local-event-grid"
_INCOMPLETE = {"Incomplete": "Incomplete"}


class Receipts:
    """The receipts of one blob-triggered function; `host` is the host's own account."""

    def __init__(self, target: BlobFunction, host: BlobServiceClient, host_id: str, claim_seconds: float) -> None:
        is_event_grid = target.source == EVENT_GRID
        self._storage = target.data.blobs if is_event_grid else host
        self._container = self._storage.get_container_client(EVENT_CONTAINER if is_event_grid else STATE_CONTAINER)
        self._prefix = f"blobreceipts/{host_id}/{target.function.id}/"
        self._target = target
        self._claim_time = timedelta(seconds=claim_seconds)
        self._complete: set[str] = set()
        self._mutex = threading.Lock()

    def load(self) -> None:
        """Read all receipts once, so that known blobs cost nothing later.

        :raises AzureError: when the storage doesn't answer.
        """
        with contextlib.suppress(ResourceExistsError):
            self._container.create_container()
        for receipt in self._container.list_blobs(name_starts_with=self._prefix, include=["metadata"]):
            if not receipt.metadata:
                self._remember(receipt.name)

    def is_complete(self, blob: BlobProperties) -> bool:
        """Whether this version is known to be passed on, without a request to storage."""
        return self._name(blob) in self._complete

    def claim(self, blob: BlobProperties) -> bool:
        """Claim a version; returns whether this host is to pass it on: no other has done so, or is about to.

        :raises AzureError: when the storage doesn't answer.
        """
        receipt = self._client(blob)
        try:
            receipt.upload_blob(b"", metadata=_INCOMPLETE, overwrite=False)
        except ResourceExistsError:
            return self._take_over(receipt, self._name(blob))
        return True

    def complete(self, blob: BlobProperties) -> None:
        """Note that this version was passed on.

        :raises AzureError: when the storage doesn't answer.
        """
        self._client(blob).set_blob_metadata({})
        self._remember(self._name(blob))

    def _take_over(self, receipt: BlobClient, name: str) -> bool:
        try:
            found = receipt.get_blob_properties()
            if not found.metadata:
                self._remember(name)
                return False
            if datetime.now(UTC) - found.last_modified < self._claim_time:
                return False
            # Touching it under its ETag lets only one host win.
            receipt.set_blob_metadata(_INCOMPLETE, etag=found.etag, match_condition=MatchConditions.IfNotModified)
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _remember(self, name: str) -> None:
        with self._mutex:
            self._complete.add(name)

    def _name(self, blob: BlobProperties) -> str:
        return f"{self._prefix}{quoted(blob.etag)}/{self._target.container}/{blob.name}"

    def _client(self, blob: BlobProperties) -> BlobClient:
        return self._container.get_blob_client(self._name(blob))
