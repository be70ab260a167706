"""Upload slots: the limit of concurrent uploads of all workers of the app together.

After an outage, Purview gets only this many uploads at a time, however many workers wait. A slot is a lock (see
storage.locks), so the slot of a crashed worker is free again after a minute.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import CircuitOpen
from storage.locks import Locks


class UploadSlots:
    """``count`` slots, which all workers share."""

    def __init__(self, locks: Locks, count: int) -> None:
        self._locks = locks
        self._keys = tuple(f"upload slot {number}" for number in range(count))

    @contextmanager
    def hold(self, wait_seconds: float, keep_waiting: Callable[[], None]) -> Iterator[None]:
        """Hold one of the slots; ``keep_waiting`` is called before each further attempt, and ends the wait by raising.

        :raises CircuitOpen: none was free within ``wait_seconds``.
        :raises StorageUnavailable: the locks cannot be asked.
        """
        with self._locks.hold_any(self._keys, wait_seconds, keep_waiting) as held:
            if held is None:
                raise CircuitOpen(f"all {len(self._keys)} upload slots of the app are in use")
            yield
