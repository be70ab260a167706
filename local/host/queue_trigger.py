"""Queue trigger: a message of a storage queue → `func.QueueMessage`."""

import base64
import binascii
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from azure.storage.queue import QueueClient, QueueMessage

from local.host import worker
from local.host.connections import connect
from local.host.errors import UnreadableMessage
from local.host.host_json import QueueOptions
from local.host.invoker import Invoker
from local.host.pace import Pace
from local.host.queue_listener import Concurrency, End, QueueListener
from local.host.queue_processor import Attempts
from local.host.wakes import Wakes
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")
_POISON = "-poison"


@dataclass(frozen=True, slots=True)
class QueueFunction:
    """Hands a queue's messages to its function. A queue of poison messages has no poison queue of its own."""

    function: HostedFunction
    invoker: Invoker
    poison: QueueClient | None
    is_base64: bool

    def poison_queue(self, _message: QueueMessage) -> QueueClient | None:
        """The poison queue, the same one for all messages."""
        return self.poison

    def handle(self, message: QueueMessage) -> None:
        """Call the function.

        :raises InvocationFailed: when it raises.
        :raises UnreadableMessage: when the text should be base64 and isn't (a sender without an encode policy).
        """
        self.invoker.run(self.function, queue_message(message, self.is_base64))


def queue_listener(
    function: HostedFunction,
    settings: Mapping[str, str],
    options: QueueOptions,
    invoker: Invoker,
    pace: Pace,
    wakes: Wakes,
    end: End,
) -> QueueListener:
    """The listener of a queue-triggered function.

    :raises HostError: when its connection is missing.
    """
    name = str(function.trigger["queueName"])
    queues = connect(str(function.trigger["connection"]), settings).queues
    poison = None if name.endswith(_POISON) else queues.get_queue_client(name + _POISON)
    return QueueListener(
        queues.get_queue_client(name),
        QueueFunction(function, invoker, poison, options.base64),
        concurrency=Concurrency(options.batch_size, options.new_batch_threshold),
        attempts=Attempts(options.max_dequeue_count, options.visibility_timeout),
        pace=replace(pace, longest_poll_seconds=min(pace.longest_poll_seconds, options.max_polling_interval)),
        wakes=wakes,
        end=end,
    )


def queue_message(message: QueueMessage, is_base64: bool) -> object:
    """`func.QueueMessage` of a message as it is in the queue.

    :raises UnreadableMessage: when it should be base64 and isn't.
    """
    text = str(message.content or "")
    return worker.queue_message(
        decoded(text, str(message.id)) if is_base64 else text.encode(),
        {
            "QueueTrigger": text,
            "Id": str(message.id),
            "DequeueCount": int(message.dequeue_count or 0),
            "PopReceipt": str(message.pop_receipt),
            "ExpirationTime": _iso(message.expires_on),
            "InsertionTime": _iso(message.inserted_on),
            "NextVisibleTime": _iso(message.next_visible_on),
        },
    )


def decoded(text: str, message_id: str) -> bytes:
    """The decoded bytes of base64, between whose characters .NET accepts white space.

    :raises UnreadableMessage: when it is no base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        _log.warning("Message decoding has failed! Check MessageEncoding settings. MessageId=%s.", message_id)
        raise UnreadableMessage(message_id) from error


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""
