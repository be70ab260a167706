"""Hands one message to its function, then deletes it, releases it or moves it to the poison queue, as the WebJobs SDK.

A failed message is released; after `max_dequeue_count` attempts the exact message goes to the poison queue. Where
there is none (the queue is a poison queue itself), a failed message stays hidden until its lock ends, and comes back
without limit until it expires.
"""

import logging
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from typing import Protocol

from azure.storage.queue import QueueClient, QueueMessage

from local.host.errors import InvocationFailed, UnreadableMessage
from local.host.queue_messages import delete, hide, send
from local.host.wakes import Wakes

_log = logging.getLogger("local.host")


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a message is tried, and how many seconds it waits between two attempts."""

    max_dequeue_count: int
    wait_seconds: int = 0


class Work(Protocol):
    """The handling of messages. Any exception other than those named here ends the host."""

    def poison_queue(self, message: QueueMessage) -> QueueClient | None:
        """The queue for a message that failed too often; None if there is none."""

    def handle(self, message: QueueMessage) -> None:
        """Hand a message to its function.

        :raises InvocationFailed: the attempt failed.
        :raises UnreadableMessage: there was no attempt, and further ones would be the same.
        :raises AzureError: storage did not answer; the message comes back when its lock ends.
        """


class _Outcome(Enum):
    """What happens to a message after an attempt."""

    DELETED = auto()
    RELEASED = auto()
    POISON = auto()
    LOCKED = auto()


class QueueProcessor:
    """Processes the messages of one queue."""

    def __init__(self, queue: QueueClient, work: Work, attempts: Attempts, wakes: Wakes) -> None:
        self._queue = queue
        self._work = work
        self._attempts = attempts
        self._wakes = wakes

    def process(self, message: QueueMessage, mutex: Lock) -> None:
        """Try a message, then, with the mutex, settle it: nobody else may change its pop receipt meanwhile.

        :raises AzureError: storage did not answer; the message comes back when its lock ends.
        """
        outcome, poison = self._attempt(message)
        with mutex:
            self._settle(message, outcome, poison)

    def _attempt(self, message: QueueMessage) -> tuple[_Outcome, QueueClient | None]:
        """Try a message; returns its outcome, and the poison queue that it may go to."""
        poison = self._work.poison_queue(message)
        too_often = _Outcome.POISON if poison else _Outcome.LOCKED
        count, limit = message.dequeue_count or 0, self._attempts.max_dequeue_count
        if poison and count > limit:
            # Above the limit without a failure: hosts died over it. It isn't tried again.
            return _Outcome.POISON, poison
        try:
            self._work.handle(message)
        except UnreadableMessage:
            return too_often, poison
        except InvocationFailed:
            return (_Outcome.RELEASED if poison and count < limit else too_often), poison
        return _Outcome.DELETED, poison

    def _settle(self, message: QueueMessage, outcome: _Outcome, poison: QueueClient | None) -> None:
        if outcome is _Outcome.RELEASED:
            hide(self._queue, message, self._attempts.wait_seconds)
        if outcome is _Outcome.POISON and poison:
            limit = self._attempts.max_dequeue_count
            text = "Message has reached MaxDequeueCount of %s. Moving message to queue '%s'."
            _log.warning(text, limit, poison.queue_name)
            send(poison, message.content or "")
            self._wakes.sent(poison.queue_name)
        if outcome in (_Outcome.DELETED, _Outcome.POISON):
            delete(self._queue, message)
