"""Queue trigger: a message of a storage queue → `func.QueueMessage`."""

import base64
import binascii
import logging
from collections.abc import Mapping
from datetime import datetime

from azure.storage.queue import QueueMessage

from local.host import worker
from local.host.connections import connect
from local.host.errors import InvocationFailed
from local.host.host_json import QueueOptions
from local.host.invoker import Invoker
from local.host.queue_listener import Attempts, Concurrency, Pace, QueueListener
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")


def queue_listener(
    function: HostedFunction,
    settings: Mapping[str, str],
    options: QueueOptions,
    invoker: Invoker,
    pace: Pace,
) -> QueueListener:
    """The listener of a queue-triggered function.

    :raises HostError: when its connection is missing.
    """
    name = str(function.trigger["queueName"])
    queues = connect(str(function.trigger["connection"]), settings).queues

    def handle(message: QueueMessage) -> None:
        invoker.run(function, queue_message(message, options.base64))

    return QueueListener(
        queues.get_queue_client(name),
        queues.get_queue_client(f"{name}-poison"),
        handle,
        concurrency=Concurrency(options.batch_size, options.new_batch_threshold),
        attempts=Attempts(options.max_dequeue_count, options.visibility_timeout),
        pace=pace,
    )


def queue_message(message: QueueMessage, is_base64: bool) -> object:
    """`func.QueueMessage` of a message as it lies in the queue.

    :raises InvocationFailed: when it should be base64 and isn't (a sender without an encode policy).
    """
    return worker.queue_message(
        _decoded(message) if is_base64 else str(message.content).encode(),
        {
            "Id": str(message.id),
            "DequeueCount": int(message.dequeue_count or 0),
            "PopReceipt": str(message.pop_receipt),
            "ExpirationTime": _iso(message.expires_on),
            "InsertionTime": _iso(message.inserted_on),
            "NextVisibleTime": _iso(message.next_visible_on),
        },
    )


def _decoded(message: QueueMessage) -> bytes:
    try:
        return base64.b64decode(str(message.content), validate=True)
    except (binascii.Error, ValueError) as error:
        _log.error("Message %s is no base64, as host.json's messageEncoding wants it", message.id)
        raise InvocationFailed(str(message.id)) from error


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""
