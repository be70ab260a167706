"""Sends local blob events, for both sources.

`EventGrid`: Azurite sends no events, so a `BlobSource` lists the trigger's container and posts for each new
version of a blob what Event Grid would post, to the host's own webhook. Its subscription is for the whole
container. `Misdelivery` makes it lose, double or shuffle events, as the real one may.
`LogsAndContainerScan`: the same listing, but with the trigger's path checked, straight to the queue, and by one of
all hosts.
"""

import json
import logging
import random
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties

from local.host.blob_message import BlobMessage, quoted
from local.host.blob_trigger import EVENT_GRID, BlobFunction, BlobQueue
from local.host.connections import place
from local.host.errors import HostError
from local.host.event_grid import WEBHOOK
from local.host.path_pattern import path_pattern
from local.host.receipts import Receipts

#: Passes one new blob version on; raises OSError or AzureError when that failed and is to be repeated.
Deliver = Callable[[BlobProperties], None]

_log = logging.getLogger("local.host")
_SENDERS = 8
_WEBHOOK_TIMEOUT_SECONDS = 10
# A listing may take this share of the time, so that a huge container doesn't keep the storage busy.
_LISTING_SHARE = 3


@dataclass(frozen=True, slots=True)
class Misdelivery:
    """How events are misdelivered: not sent at all, each sent `copies` times, in random order, or held back."""

    drop: bool = False
    copies: int = 1
    shuffle: bool = False
    hold: bool = False


class BlobSource:
    """Watches the container of one blob-triggered function until it is stopped."""

    def __init__(
        self,
        target: BlobFunction,
        receipts: Receipts,
        deliver: Deliver,
        poll_seconds: float,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_ours` returns whether this host is the one that scans."""
        self._target = target
        self._receipts = receipts
        self._deliver = deliver
        self._poll_seconds = poll_seconds
        self._is_ours = is_ours
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"source {target.function.name}", daemon=True)
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="events")
        self._fits = _pattern(target)
        self.misdelivery = Misdelivery()

    @property
    def address(self) -> str:
        """The storage it watches."""
        return place(str(self._target.data.blobs.url))

    def start(self) -> None:
        """Read the receipts and begin to watch.

        :raises AzureError: when the storage doesn't answer.
        """
        self._receipts.load()
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; an event that is being sent is finished."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._senders.shutdown()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if self._is_ours() and not self.misdelivery.hold:
                    self._hand_on(self._new_blobs())
            except AzureError as error:
                _log.warning("Container %s: %s", self._target.container, str(error).splitlines()[0])
            self._stopping.wait(max(self._poll_seconds, _LISTING_SHARE * (time.monotonic() - began)))

    def _new_blobs(self) -> list[BlobProperties]:
        container = self._target.data.blobs.get_container_client(self._target.container)
        try:
            return [
                blob
                for blob in container.list_blobs()
                if not self._receipts.is_complete(blob) and self._fits(blob.name)
            ]
        except ResourceNotFoundError:
            # The app creates its containers when it first writes.
            return []

    def _hand_on(self, blobs: Iterable[BlobProperties]) -> None:
        claimed = [blob for blob in self._senders.map(self._claimed, blobs) if blob is not None]
        if self.misdelivery.shuffle:
            random.shuffle(claimed)
        list(self._senders.map(self._send, claimed))

    def _claimed(self, blob: BlobProperties) -> BlobProperties | None:
        if self._stopping.is_set():
            return None
        return blob if self._receipts.claim(blob) else None

    def _send(self, blob: BlobProperties) -> None:
        misdelivery = self.misdelivery
        if self._stopping.is_set():
            # Claimed but not sent: the claim runs out, and another host or the next start sends it.
            return
        try:
            for _ in range(0 if misdelivery.drop else misdelivery.copies):
                self._deliver(blob)
            self._receipts.complete(blob)
        except (OSError, AzureError) as error:
            # The receipt stays incomplete and is claimed again later.
            _log.warning("The event of %s/%s was not taken: %s", self._target.container, blob.name, error)


def to_queue(target: BlobFunction, blobs: BlobQueue) -> Deliver:
    """Pass blobs on as the scan does: directly to the host's queue."""

    def deliver(blob: BlobProperties) -> None:
        blobs.enqueue(BlobMessage(target.function.id, target.container, blob.name, quoted(blob.etag)))

    return deliver


def to_webhook(target: BlobFunction, host_url: str, system_key: str) -> Deliver:
    """Pass blobs on as Event Grid does: a notification of `BlobCreated` to the host's webhook."""
    address = f"{host_url}{WEBHOOK}?functionName={target.function.id}&code={quote(system_key)}"
    account = target.data.blobs.url.rstrip("/")
    # Never through a proxy: the host is this process.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def deliver(blob: BlobProperties) -> None:
        request = urllib.request.Request(  # noqa: S310  our own address
            address,
            data=json.dumps([_event(blob, target.container, account)]).encode(),
            headers={"content-type": "application/json", "aeg-event-type": "Notification"},
            method="POST",
        )
        with opener.open(request, timeout=_WEBHOOK_TIMEOUT_SECONDS):
            return

    return deliver


def _event(blob: BlobProperties, container: str, account_url: str) -> dict[str, object]:
    return {
        "topic": "/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/local",
        "subject": f"/blobServices/default/containers/{container}/blobs/{blob.name}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": datetime.now(UTC).isoformat(),
        "id": str(uuid.uuid4()),
        "data": {
            "api": "PutBlob",
            "contentType": blob.content_settings.content_type,
            "contentLength": blob.size,
            "blobType": "BlockBlob",
            "eTag": blob.etag,
            "url": f"{account_url}/{container}/{quote(blob.name)}",
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _pattern(target: BlobFunction) -> Callable[[str], bool]:
    """The blob names that are passed on: all for Event Grid, those that fit the trigger's path for the scan."""
    try:
        pattern = path_pattern(target.pattern)
    except ValueError as error:
        raise HostError(f"Function {target.function.name}: {error}") from error
    if target.source == EVENT_GRID:
        return lambda _name: True
    return lambda name: pattern.fullmatch(name) is not None
