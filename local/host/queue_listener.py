"""Takes messages from a storage queue and hands each to a function, at least once.

A message is hidden while it is worked on, and kept hidden by renewal, so a host that is killed loses nothing:
its messages come back after the lock time. A failed message is released; after `max_dequeue_count` attempts
the exact message goes to the poison queue.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.host.connections import place
from local.host.errors import InvocationFailed

_log = logging.getLogger("local.host")
_PAUSE_AFTER_ERROR_SECONDS = 0.5
_LARGEST_BATCH = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how long: seconds between polls of an empty queue, and seconds of a message's lock."""

    poll_seconds: float = 0.2
    lock_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A batch is taken as long as at most `new_batch_threshold` messages are being worked on."""

    batch_size: int
    new_batch_threshold: int

    @property
    def largest(self) -> int:
        """How many messages may be worked on at once."""
        return self.batch_size + self.new_batch_threshold

    @classmethod
    def of_degree(cls, degree: int) -> "Concurrency":
        """At most `degree` at once, taken in batches of half of that."""
        batch_size = min(_LARGEST_BATCH, max(1, degree // 2))
        return cls(batch_size, max(0, degree - batch_size))


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a message is tried, and how many seconds it waits between two attempts."""

    max_dequeue_count: int
    wait_seconds: int = 0


@dataclass(slots=True)
class _Delivery:
    """A message in work. Its pop receipt changes with each renewal, so nobody else may use it meanwhile."""

    message: QueueMessage
    renew_at: float
    mutex: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False


class QueueListener:
    """Listens on one queue until it is stopped. `handle` raises `InvocationFailed` for a failed attempt."""

    def __init__(
        self,
        queue: QueueClient,
        poison: QueueClient,
        handle: Callable[[QueueMessage], None],
        *,
        concurrency: Concurrency,
        attempts: Attempts,
        pace: Pace,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._handle = handle
        self._concurrency = concurrency
        self._attempts = attempts
        self._pace = pace
        self._deliveries: list[_Delivery] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"queue {queue.queue_name}", daemon=True)
        self._workers = ThreadPoolExecutor(concurrency.largest, thread_name_prefix=queue.queue_name)

    @property
    def address(self) -> str:
        """The storage it listens to."""
        return place(str(self._queue.url))

    def start(self) -> None:
        """Create the queue where it is missing, and listen.

        :raises AzureError: when the storage doesn't answer.
        """
        create_if_missing(self._queue)
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages. Those in work go on, and stay locked as long as this process lives."""
        self._stopping.set()

    def _listen(self) -> None:
        while not self._stopping.is_set() or self._deliveries:
            self._deliveries = [delivery for delivery in self._deliveries if not delivery.done]
            try:
                self._renew()
                taken = 0 if self._stopping.is_set() else self._take()
                pause = 0.0 if taken else self._pace.poll_seconds
            except ResourceNotFoundError:
                # Somebody deleted the queue; Azure's host takes that for an empty one.
                pause = _PAUSE_AFTER_ERROR_SECONDS
            except AzureError as error:
                _log.warning("Queue %s: %s", self._queue.queue_name, _first_line(error))
                pause = _PAUSE_AFTER_ERROR_SECONDS
            time.sleep(pause)

    def _take(self) -> int:
        """Take a batch into work if there is room. Returns how many messages it was."""
        if len(self._deliveries) > self._concurrency.new_batch_threshold:
            return 0
        size = self._concurrency.batch_size
        batch = list(
            self._queue.receive_messages(
                messages_per_page=size, max_messages=size, visibility_timeout=self._pace.lock_seconds
            )
        )
        for message in batch:
            delivery = _Delivery(message, time.monotonic() + self._pace.lock_seconds / 2)
            self._deliveries.append(delivery)
            self._workers.submit(self._work, delivery)
        return len(batch)

    def _renew(self) -> None:
        """Lock anew the messages whose lock time is half over."""
        for delivery in self._deliveries:
            with delivery.mutex:
                if delivery.done or delivery.renew_at > time.monotonic():
                    continue
                delivery.renew_at = time.monotonic() + self._pace.lock_seconds / 2
                self._hide(delivery, self._pace.lock_seconds)

    def _work(self, delivery: _Delivery) -> None:
        try:
            succeeded = self._attempt(delivery.message)
            with delivery.mutex:
                self._settle(delivery, succeeded)
        except AzureError as error:
            # The message comes back when its lock ends, which is all that is needed.
            _log.warning("Queue %s: a message stays: %s", self._queue.queue_name, _first_line(error))
        finally:
            delivery.done = True

    def _attempt(self, message: QueueMessage) -> bool:
        # Above the limit without a failure: hosts died over it. It isn't tried again.
        if (message.dequeue_count or 0) > self._attempts.max_dequeue_count:
            return False
        try:
            self._handle(message)
        except InvocationFailed:
            return False
        return True

    def _settle(self, delivery: _Delivery, succeeded: bool) -> None:
        """Delete the message, release it for the next attempt, or move it to the poison queue."""
        message = delivery.message
        if not succeeded and (message.dequeue_count or 0) < self._attempts.max_dequeue_count:
            self._hide(delivery, self._attempts.wait_seconds)
            return
        if not succeeded:
            _log.error("Message %s has failed too often; moved to %s", message.id, self._poison.queue_name)
            create_if_missing(self._poison)
            self._poison.send_message(message.content, time_to_live=-1)
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


def create_if_missing(queue: QueueClient) -> None:
    """Create a queue; there already is fine."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return


def _first_line(error: AzureError) -> str:
    return str(error).splitlines()[0]
