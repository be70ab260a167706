"""Blob trigger: the host's queue of blobs to run, shared by both sources and all blob functions.

A source puts a `BlobMessage` on `azure-webjobs-blobtrigger-<host id>` in the host's own storage. From there
the blob is fetched and its function called. A failed message is released at once, so all attempts pass within
seconds; the last one sends it to `webjobs-blobtrigger-poison` in the blob's own account.
"""

import base64
import functools
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties
from azure.storage.queue import QueueClient, QueueMessage

from local.host import worker
from local.host.connections import HOST_STORAGE, Connection, connect
from local.host.errors import HostError, InvocationFailed
from local.host.host_json import BlobOptions
from local.host.invoker import Invoker
from local.host.queue_listener import Attempts, Concurrency, Pace, QueueListener
from local.host.worker import HostedFunction

POISON_QUEUE = "webjobs-blobtrigger-poison"
SCAN = "LogsAndContainerScan"
EVENT_GRID = "EventGrid"

_log = logging.getLogger("local.host")


@dataclass(frozen=True, slots=True)
class BlobMessage:
    """Names a blob to run and the function to run it. The ETag has its quotes, as in an HTTP header."""

    function_id: str
    container: str
    blob: str
    etag: str
    blob_type: str = "BlockBlob"

    def encode(self) -> str:
        """The text of the queue message."""
        fields = {
            "Type": "BlobTrigger",
            "FunctionId": self.function_id,
            "BlobType": self.blob_type,
            "ContainerName": self.container,
            "BlobName": self.blob,
            "ETag": self.etag,
        }
        return base64.b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> "BlobMessage":
        """Inverse of `encode`.

        :raises ValueError: when the text is no such message.
        """
        fields = json.loads(base64.b64decode(text, validate=True))
        try:
            return cls(
                fields["FunctionId"],
                fields["ContainerName"],
                fields["BlobName"],
                fields["ETag"],
                fields["BlobType"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no blob trigger message: {error}") from error


@dataclass(frozen=True, slots=True)
class BlobFunction:
    """A blob-triggered function with its container, the pattern in it, its source and its account."""

    function: HostedFunction
    container: str
    pattern: str
    source: str
    data: Connection


def blob_function(function: HostedFunction, settings: Mapping[str, str]) -> BlobFunction:
    """What the trigger's binding says.

    :raises HostError: when the path has no fixed container, or the source isn't known.
    """
    container, _, pattern = str(function.trigger["path"]).partition("/")
    if not container or "{" in container:
        raise HostError(f"Function {function.name}: the path must begin with a container's name")
    source = str(function.trigger.get("source") or SCAN)
    if source not in {SCAN, EVENT_GRID}:
        raise HostError(f"Function {function.name}: source must be {EVENT_GRID} or {SCAN}, not {source}")
    data = connect(str(function.trigger["connection"]), settings)
    return BlobFunction(function, container, pattern, source, data)


class BlobQueue:
    """The host's queue of blobs to run."""

    def __init__(
        self, functions: tuple[BlobFunction, ...], settings: Mapping[str, str], host_id: str, invoker: Invoker
    ) -> None:
        self._functions = {f.function.id.lower(): f for f in functions}
        self._invoker = invoker
        self._settings = settings
        self._name = f"azure-webjobs-blobtrigger-{host_id}"

    @functools.cached_property
    def _queue(self) -> QueueClient:
        # Not before it is needed: an app without blob functions needs no storage.
        return connect(HOST_STORAGE, self._settings).queues.get_queue_client(self._name)

    def function(self, function_id: str) -> BlobFunction | None:
        """The function of that id (`Host.Functions.NAME`, without case), if this app has it."""
        return self._functions.get(function_id.lower())

    def enqueue(self, message: BlobMessage) -> None:
        """Put a blob on the queue. When this returns, it will run.

        :raises AzureError: when it could not be stored.
        """
        self._queue.send_message(message.encode(), time_to_live=-1)

    def listener(self, options: BlobOptions, pace: Pace) -> QueueListener:
        """The listener that runs what is on the queue; only for an app with blob functions."""
        # One poison queue for all functions; should they have several accounts, the first one's.
        account = next(iter(self._functions.values())).data
        return QueueListener(
            self._queue,
            account.queues.get_queue_client(POISON_QUEUE),
            self._handle,
            concurrency=Concurrency.of_degree(options.max_degree_of_parallelism),
            attempts=Attempts(options.poison_blob_threshold),
            pace=pace,
        )

    def run(self, message: BlobMessage) -> None:
        """Fetch the blob and call the function; nothing if either is gone.

        :raises InvocationFailed: when the blob can't be read or the function raises.
        """
        target = self.function(message.function_id)
        if target is None:
            _log.info("%s is not in this app; its message is dropped", message.function_id)
            return
        blob = target.data.blobs.get_blob_client(message.container, message.blob)
        try:
            download = blob.download_blob()
            content: bytes = download.readall()
        except ResourceNotFoundError:
            _log.info("Blob %s/%s is gone; its message is dropped", message.container, message.blob)
            return
        except AzureError as error:
            _log.exception("Blob %s/%s can't be read", message.container, message.blob)
            raise InvocationFailed(target.function.name) from error
        # Only the scan checks: Event Grid's messages run on whatever the blob holds now.
        if target.source == SCAN and message.etag and quoted(download.properties.etag) != message.etag:
            _log.info("Blob %s/%s has changed; its newer message counts", message.container, message.blob)
            return
        self._invoker.run(target.function, _input_stream(content, message, blob.url, download.properties))

    def _handle(self, message: QueueMessage) -> None:
        try:
            decoded = BlobMessage.decode(str(message.content))
        except ValueError as error:
            _log.exception("Message %s is no blob trigger message", message.id)
            raise InvocationFailed(str(message.id)) from error
        self.run(decoded)


def quoted(etag: str) -> str:
    """An ETag with its quotes; listings and events leave them out."""
    return f'"{etag.strip(chr(34))}"'


def _input_stream(content: bytes, message: BlobMessage, url: str, properties: BlobProperties) -> object:
    settings = properties.content_settings
    fields: dict[str, Any] = {
        "LastModified": properties.last_modified.isoformat(),
        "CreatedOn": properties.creation_time.isoformat() if properties.creation_time else None,
        "Metadata": dict(properties.metadata or {}),
        "BlobType": 0,
        "ContentLength": len(content),
        "ContentType": settings.content_type,
        "ContentEncoding": settings.content_encoding,
        "ETag": quoted(properties.etag),
        "LeaseStatus": str(properties.lease.status),
        "LeaseState": str(properties.lease.state),
        "IsServerEncrypted": bool(properties.server_encrypted),
    }
    name = f"{message.container}/{message.blob}"
    return worker.input_stream(content, name, url, fields, dict(properties.metadata or {}))
