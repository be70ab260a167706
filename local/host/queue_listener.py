"""Takes messages from a storage queue and has each processed, at least once, as the WebJobs SDK does.

A message is hidden while it is processed, and kept hidden by renewal, so a host that is killed loses nothing: its
messages come back after the lock time.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.host.connections import place
from local.host.pace import BackOff, Pace
from local.host.queue_messages import hide
from local.host.queue_processor import Attempts, QueueProcessor, Work
from local.host.wakes import Wakes

_log = logging.getLogger("local.host")
_LARGEST_BATCH = 32
_PAUSE_AFTER_ERROR_SECONDS = 0.5

#: Ends the host, as an exception that leaves a listener does in Azure.
End = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A batch is taken as soon as at most `new_batch_threshold` messages are being processed."""

    batch_size: int
    new_batch_threshold: int

    @property
    def largest(self) -> int:
        """How many messages may be processed at once."""
        return self.batch_size + self.new_batch_threshold

    @classmethod
    def of_degree(cls, degree: int) -> "Concurrency":
        """At most `degree` at once, taken in batches of little more than half of that."""
        batch_size = min(_LARGEST_BATCH, degree // 2 + 1)
        return cls(batch_size, max(0, degree - batch_size))


@dataclass(slots=True)
class _Delivery:
    """A message that is being processed. The mutex protects its pop receipt, which changes with each renewal."""

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
        self._processor = QueueProcessor(queue, work, attempts, wakes)
        self._concurrency = concurrency
        self._pace = pace
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
        """Listen. A queue that does not exist is looked for again and again; the first to send to it creates it.

        :raises AzureError: when the storage doesn't answer.
        """
        try:
            self._queue.get_queue_properties()
        except ResourceNotFoundError:
            _log.debug("Queue %s does not exist yet", self._queue.queue_name)
        self._answered = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages. Those in process are finished, and stay locked as long as this process lives."""
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
        """Start to process a batch, or note when to poll again."""
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
        """Renew the locks whose time is half over."""
        for delivery in self._deliveries:
            with delivery.mutex:
                if delivery.done or delivery.renew_at > time.monotonic():
                    continue
                delivery.renew_at = time.monotonic() + _PAUSE_AFTER_ERROR_SECONDS
                hide(self._queue, delivery.message, self._pace.lock_seconds)
                delivery.renew_at = time.monotonic() + self._pace.lock_seconds / 2

    def _run(self, delivery: _Delivery) -> None:
        try:
            self._processor.process(delivery.message, delivery.mutex)
        except AzureError as error:
            # The message comes back when its lock ends, which is all that is needed.
            _log.warning("Queue %s: a message stays: %s", self._queue.queue_name, _first_line(error))
        except Exception as error:  # noqa: BLE001  as the SDK's listener does
            self._end(error)
        finally:
            delivery.done = True
            self._changed.set()


def _first_line(error: AzureError) -> str:
    return str(error).splitlines()[0]
