"""Blob trigger: the host's queue of blobs, shared by both sources and all blob functions.

A source puts a `BlobMessage` on `azure-webjobs-blobtrigger-<host id>` in the host's own storage. From there
the blob is fetched and its function called. A failed message is released at once, so all attempts pass within
seconds; the last one sends it to `webjobs-blobtrigger-poison` in the account of the function's connection.
"""

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties
from azure.storage.queue import QueueClient, QueueMessage

from local.host import worker
from local.host.blob_message import BlobMessage, NoBase64, quoted
from local.host.blob_properties import dotnet_properties
from local.host.connections import HOST_STORAGE, Connection, connect
from local.host.errors import HostError, InvocationFailed
from local.host.host_json import BlobOptions
from local.host.invoker import Invoker
from local.host.pace import Pace
from local.host.queue_listener import Concurrency, End, QueueListener
from local.host.queue_messages import send
from local.host.queue_processor import Attempts
from local.host.wakes import Wakes
from local.host.worker import HostedFunction

POISON_QUEUE = "webjobs-blobtrigger-poison"
SCAN = "LogsAndContainerScan"
EVENT_GRID = "EventGrid"

_log = logging.getLogger("local.host")


@dataclass(frozen=True, slots=True)
class BlobFunction:
    """A blob-triggered function with its container, the pattern in it, its source and its account."""

    function: HostedFunction
    container: str
    pattern: str
    source: str
    data: Connection


def blob_function(function: HostedFunction, settings: Mapping[str, str]) -> BlobFunction:
    """The function as its trigger's binding describes it.

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
    """The host's queue of blobs, and the handling of its messages."""

    def __init__(
        self,
        functions: tuple[BlobFunction, ...],
        settings: Mapping[str, str],
        host_id: str,
        invoker: Invoker,
        wakes: Wakes,
    ) -> None:
        # The short names are registered too; both are compared with case.
        self._functions = {name: f for f in functions for name in (f.function.id, f"Functions.{f.function.name}")}
        self._invoker = invoker
        self._settings = settings
        self._wakes = wakes
        self._name = f"azure-webjobs-blobtrigger-{host_id}"

    @functools.cached_property
    def _queue(self) -> QueueClient:
        # Created when first needed: an app without blob functions needs no storage.
        return connect(HOST_STORAGE, self._settings).queues.get_queue_client(self._name)

    def enqueue(self, message: BlobMessage) -> None:
        """Put a blob on the queue, even if there is no such function. Then it is processed at least once.

        :raises AzureError: when it could not be stored.
        """
        send(self._queue, message.encode())
        self._wakes.sent(self._name)

    def listener(self, options: BlobOptions, pace: Pace, end: End) -> QueueListener:
        """The listener that processes the queue; only for an app with blob functions."""
        return QueueListener(
            self._queue,
            self,
            concurrency=Concurrency.of_degree(options.max_degree_of_parallelism),
            attempts=Attempts(options.poison_blob_threshold),
            pace=pace,
            wakes=self._wakes,
            end=end,
        )

    def poison_queue(self, message: QueueMessage) -> QueueClient | None:
        """The poison queue in the account of the message's function; None if there is no such function.

        :raises ValueError: when it names no function at all.
        """
        target = self._target(message)
        return target.data.queues.get_queue_client(POISON_QUEUE) if target else None

    def handle(self, message: QueueMessage) -> None:
        """Run the function for the blob of a message; a message that is no base64 is dropped.

        :raises InvocationFailed: when the function raises, or the blob changes at that moment.
        :raises ValueError: when it names no function, or no blob.
        :raises AzureError: when the storage doesn't answer.
        """
        try:
            self.run(BlobMessage.decode(str(message.content or "")))
        except NoBase64:
            text = "Invalid message in blob trigger queue %s, messageId=%s, body=%s"
            _log.warning(text, self._name, message.id, message.content)

    def run(self, message: BlobMessage) -> None:
        """Read the blob and call the function; do nothing if either is gone. Raises the errors of `handle`."""
        target = self._functions.get(message.function_id or "")
        if target is None:
            text = "Blob '%s' will not be processed because function '%s' cannot be found"
            _log.debug(text, message.blob, message.function_id)
            return
        if not message.blob:
            raise ValueError("Value cannot be an empty string. (Parameter 'blobName')")
        blob = target.data.blobs.get_blob_client(message.container, message.blob)
        try:
            properties = blob.get_blob_properties()
        except ResourceNotFoundError:
            text = "Blob '%s' will not be processed because it is not in container '%s'"
            _log.debug(text, message.blob, message.container)
            return
        # Only the scan checks: Event Grid's messages run on the present content of the blob.
        if target.source == SCAN and quoted(properties.etag) != message.etag:
            _log.debug("Blob '%s' has changed; its newer message counts", message.blob)
            return
        content = _content(blob, properties, target)
        name = f"{message.container}/{message.blob}"
        metadata = dict(properties.metadata or {})
        given = worker.input_stream(content, name, blob.url, dotnet_properties(properties), metadata)
        self._invoker.run(target.function, given)

    def _target(self, message: QueueMessage) -> BlobFunction | None:
        try:
            decoded = BlobMessage.decode(str(message.content or ""))
        except NoBase64:
            return None
        return self._functions.get(decoded.function_id or "")


def _content(blob: BlobClient, properties: BlobProperties, target: BlobFunction) -> bytes:
    """The content of the version of the properties.

    :raises InvocationFailed: when it was written again, or can't be read, meanwhile.
    """
    try:
        download = blob.download_blob(etag=properties.etag, match_condition=MatchConditions.IfNotModified)
        return bytes(download.readall())
    except AzureError as error:
        _log.exception("Blob %s can't be read", blob.blob_name)
        raise InvocationFailed(target.function.name) from error
