"""Takes items that are delivered until they were taken, although some of them may fail, or kill the worker.

A message that makes the worker run out of memory, or crash, is delivered again with all others of its batch, forever.
So the work is noted before it is done (see storage.attempts). Items that killed several workers are taken one by one,
and so are items that fail unexpectedly; an item that kills workers, or fails, alone is given up, and the rest is taken.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import StorageUnavailable, TryLater
from storage.attempts import Attempts

log = logging.getLogger(__name__)

#: Workers may end for other reasons as well, such as a deployment.
MOST_DEATHS = 3
DEADLY = f"{MOST_DEATHS} workers ended while they took it alone: it may need too much memory, or crash the worker"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Intake(Generic[T]):
    """How the items of a source are taken: ``take`` takes several, ``give_up`` gets one, and the reason.

    Without ``attempts`` nothing is noted, which saves two requests to storage.
    """

    source: str
    take: Callable[[Sequence[bytes]], Sequence[T]]
    give_up: Callable[[bytes, str], T]
    attempts: Attempts | None

    def take_all(self, items: Sequence[bytes]) -> list[T]:
        """The outcome of each item. Those that were not taken must be delivered again in the same order.

        :raises TryLater: some were not taken; taking all of them again is safe.
        """
        if not items:
            return []
        with self._noted("all from", items[0]) as deaths:
            if deaths < MOST_DEATHS:
                try:
                    return list(self.take(items))
                except TryLater:
                    raise
                except Exception:
                    log.exception(
                        "%d items of %s failed unexpectedly; they are taken one by one", len(items), self.source
                    )
            else:
                log.warning("%d workers ended while they took items of %s; now one by one", deaths, self.source)
            return [self._alone(item) for item in items]

    def _alone(self, item: bytes) -> T:
        with self._noted("alone", item) as deaths:
            if deaths >= MOST_DEATHS:
                return self.give_up(item, DEADLY)
            try:
                (taken,) = self.take([item])
            except TryLater:
                raise
            except Exception as error:
                log.exception("an item of %s failed unexpectedly", self.source)
                return self.give_up(item, f"it failed unexpectedly ({type(error).__name__})")
            return taken

    def _noted(self, how: str, item: bytes) -> AbstractContextManager[int]:
        """How many workers have died over the present work."""
        if self.attempts is None:
            return nullcontext(0)
        return noted(f"{self.source}|{how}|{hashlib.sha256(item).hexdigest()}", self.attempts)


@contextmanager
def noted(work: str, attempts: Attempts) -> Iterator[int]:
    """Note a piece of work while it is done; yields how many workers have died over it.

    :raises StorageUnavailable: it cannot be noted.
    """
    deaths = attempts.begin(work)
    try:
        yield deaths
    finally:
        # Whatever its outcome, this process has not died; if that cannot be noted, the row contains the process.
        with suppress(StorageUnavailable):
            attempts.end(work)
