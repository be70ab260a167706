"""Takes messages from a storage queue and hands each to a function, at least once, as the WebJobs SDK does.

A message is hidden while it is worked on, and kept hidden by renewal, so a host that is killed loses nothing: its
messages come back after the lock time. A failed message is released; after `max_dequeue_count` attempts the exact
message goes to the poison queue. Where there is none (the queue is a poison queue itself), a failed message stays
hidden until its lock ends, and comes back without limit until it expires.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.host.connections import place
from local.host.errors import InvocationFailed, UnreadableMessage
from local.host.pace import BackOff, Pace

_log = logging.getLogger("local.host")
_LARGEST_BATCH = 32
_PAUSE_AFTER_ERROR_SECONDS = 0.5

#: Ends the host, as an exception that leaves a listener does in Azure.
End = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A batch is taken as soon as at most `new_batch_threshold` messages are being worked on."""

    batch_size: int
    new_batch_threshold: int

    @property
    def largest(self) -> int:
        """How many messages may be worked on at once."""
        return self.batch_size + self.new_batch_threshold

    @classmethod
    def of_degree(cls, degree: int) -> "Concurrency":
        """At most `degree` at once, taken in batches of little more than half of that."""
        batch_size = min(_LARGEST_BATCH, degree // 2 + 1)
        return cls(batch_size, max(0, degree - batch_size))


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a message is tried, and how many seconds it waits between two attempts."""

    max_dequeue_count: int
    wait_seconds: int = 0


class Work(Protocol):
    """What is done with messages. Any other exception than those named here ends the host."""

    def poison_queue(self, message: QueueMessage) -> QueueClient | None:
        """Where a message goes that failed too often; None if nowhere."""

    def handle(self, message: QueueMessage) -> None:
        """Hand a message to its function.

        :raises InvocationFailed: the attempt failed.
        :raises UnreadableMessage: there was no attempt, and none will do better.
        :raises AzureError: storage did not answer; the message comes back when its lock ends.
        """


class Wakes:
    """The listeners of this process by the name of their queue: what it sends itself need not wait for a poll."""

    def __init__(self) -> None:
        self._listeners: dict[str, Callable[[], None]] = {}

    def add(self, queue: str, wake: Callable[[], None]) -> None:
        """Let `wake` be called whenever this process sends something to `queue`."""
        self._listeners[queue] = wake

    def sent(self, queue: str) -> None:
        """This process sent something to `queue`."""
        wake = self._listeners.get(queue)
        if wake:
            wake()


class _Fate(Enum):
    """What becomes of a message after an attempt."""

    DELETED = auto()
    RELEASED = auto()
    POISON = auto()
    LOCKED = auto()


@dataclass(slots=True)
class _Delivery:
    """A message in work. Its pop receipt changes with each renewal, so nobody else may use it meanwhile."""

    message: QueueMessage
    renew_at: float
    mutex: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False


class QueueListener:
    """Listens on one queue until it is stopped."""

    def __init__(
        self,
        queue: QueueClient,
        work: Work,
        *,
        concurrency: Concurrency,
        attempts: Attempts,
        pace: Pace,
        wakes: Wakes,
        end: End,
    ) -> None:
        self._queue = queue
        self._work = work
        self._concurrency = concurrency
        self._attempts = attempts
        self._pace = pace
        self._wakes = wakes
        self._end = end
        self._back_off = BackOff(pace.longest_poll_seconds)
        self._poll_at = 0.0
        self._answered = time.monotonic()
        self._deliveries: list[_Delivery] = []
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"queue {queue.queue_name}", daemon=True)
        self._workers = ThreadPoolExecutor(concurrency.largest, thread_name_prefix=queue.queue_name)
        wakes.add(queue.queue_name, self._wake)

    @property
    def address(self) -> str:
        """The storage it listens to."""
        return place(str(self._queue.url))

    def start(self) -> None:
        """Listen. A queue that is missing is looked for again and again, and made by whoever sends to it.

        :raises AzureError: when the storage doesn't answer.
        """
        try:
            self._queue.get_queue_properties()
        except ResourceNotFoundError:
            _log.debug("Queue %s is not there yet", self._queue.queue_name)
        self._answered = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages. Those in work go on, and stay locked as long as this process lives."""
        self._stopping.set()
        self._changed.set()

    def _wake(self) -> None:
        self._poll_at = 0.0
        self._changed.set()

    def _listen(self) -> None:
        while not self._stopping.is_set() or self._deliveries:
            self._changed.clear()
            self._deliveries = [delivery for delivery in self._deliveries if not delivery.done]
            try:
                self._renew()
                if self._is_due():
                    self._poll()
                self._answered = time.monotonic()
            except AzureError as error:
                self._missed(error)
            self._changed.wait(self._pause())

    def _is_due(self) -> bool:
        return not self._stopping.is_set() and self._has_room() and time.monotonic() >= self._poll_at

    def _has_room(self) -> bool:
        return len(self._deliveries) <= self._concurrency.new_batch_threshold

    def _pause(self) -> float:
        """Seconds until there is something to do, if nothing happens before."""
        times = [delivery.renew_at for delivery in self._deliveries]
        if self._has_room() and not self._stopping.is_set():
            times.append(self._poll_at)
        return max(0.0, min(times, default=0.0) - time.monotonic())

    def _missed(self, error: AzureError) -> None:
        """Storage did not answer."""
        _log.warning("Queue %s: %s", self._queue.queue_name, _first_line(error))
        patience = self._pace.storage_seconds
        if patience is not None and time.monotonic() - self._answered > patience:
            self._end(error)
            self._stopping.set()
        self._poll_at = time.monotonic() + self._back_off.next()

    def _poll(self) -> None:
        """Take a batch into work, or note when to look again."""
        self._poll_at = time.monotonic() + self._back_off.next()
        for message in self._batch():
            self._back_off.found()
            self._poll_at = 0.0
            delivery = _Delivery(message, time.monotonic() + self._pace.lock_seconds / 2)
            self._deliveries.append(delivery)
            self._workers.submit(self._run, delivery)

    def _batch(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._concurrency.batch_size, visibility_timeout=self._pace.lock_seconds
        ).by_page()
        try:
            # One request: the further pages would take more than a batch.
            return list(next(pages, ()))
        except ResourceNotFoundError:
            return []

    def _renew(self) -> None:
        """Lock anew the messages whose lock time is half over."""
        for delivery in self._deliveries:
            with delivery.mutex:
                if delivery.done or delivery.renew_at > time.monotonic():
                    continue
                delivery.renew_at = time.monotonic() + _PAUSE_AFTER_ERROR_SECONDS
                self._hide(delivery, self._pace.lock_seconds)
                delivery.renew_at = time.monotonic() + self._pace.lock_seconds / 2

    def _run(self, delivery: _Delivery) -> None:
        try:
            fate, poison = self._attempt(delivery.message)
            with delivery.mutex:
                self._settle(delivery, fate, poison)
        except AzureError as error:
            # The message comes back when its lock ends, which is all that is needed.
            _log.warning("Queue %s: a message stays: %s", self._queue.queue_name, _first_line(error))
        except Exception as error:  # noqa: BLE001  as the SDK's listener does
            self._end(error)
        finally:
            delivery.done = True
            self._changed.set()

    def _attempt(self, message: QueueMessage) -> tuple[_Fate, QueueClient | None]:
        """Try a message. What becomes of it, and the poison queue that it may go to."""
        poison = self._work.poison_queue(message)
        too_often = _Fate.POISON if poison else _Fate.LOCKED
        count, limit = message.dequeue_count or 0, self._attempts.max_dequeue_count
        if poison and count > limit:
            # Above the limit without a failure: hosts died over it. It isn't tried again.
            return _Fate.POISON, poison
        try:
            self._work.handle(message)
        except UnreadableMessage:
            return too_often, poison
        except InvocationFailed:
            return (_Fate.RELEASED if poison and count < limit else too_often), poison
        return _Fate.DELETED, poison

    def _settle(self, delivery: _Delivery, fate: _Fate, poison: QueueClient | None) -> None:
        message = delivery.message
        if fate is _Fate.RELEASED:
            self._hide(delivery, self._attempts.wait_seconds)
        if fate is _Fate.POISON and poison:
            limit = self._attempts.max_dequeue_count
            text = "Message has reached MaxDequeueCount of %s. Moving message to queue '%s'."
            _log.warning(text, limit, poison.queue_name)
            send(poison, message.content or "")
            self._wakes.sent(poison.queue_name)
        if fate in (_Fate.DELETED, _Fate.POISON):
            try:
                self._queue.delete_message(message.id, message.pop_receipt)
            except ResourceNotFoundError:
                _log.warning("Message %s was taken by another host meanwhile", message.id)

    def _hide(self, delivery: _Delivery, seconds: int) -> None:
        message = delivery.message
        try:
            updated = self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        except ResourceNotFoundError:
            _log.warning("Message %s was taken by another host meanwhile", message.id)
            return
        message.pop_receipt = updated.pop_receipt


def send(queue: QueueClient, text: str) -> None:
    """Send a text as it is, to expire after the 7 days that storage gives by itself; the queue is made if missing.

    :raises AzureError: when it may not be stored.
    """
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        create_if_missing(queue)
        queue.send_message(text)


def create_if_missing(queue: QueueClient) -> None:
    """Create a queue; there already is fine."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return


def _first_line(error: AzureError) -> str:
    return str(error).splitlines()[0]
