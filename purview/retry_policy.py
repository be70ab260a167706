"""How long faults of the catalogue are tolerated: a budget of time for each upload.

All requests of an upload share one budget of time that faults may cost. When it is used up, the catalogue has more than
a short fault: the upload fails, and the circuit opens for all uploads of the app (see purview.circuit_breaker), so that
the queue takes over and no other upload waits for the same result.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a call may take, in seconds.

    ``connect`` and ``read`` are the time-outs of one attempt. ``budget`` is the time that faults may cost all requests
    of an upload together, or a single request: failed attempts and the waits between them. ``first_wait`` doubles from
    attempt to attempt. ``open_seconds`` is how long the circuit stays open after that; it doubles up to
    ``longest_open_seconds`` while trials fail. 0: the circuit never opens. ``slot_wait`` is how long an upload waits
    for one of the app's upload slots.
    """

    connect: float = 5.0
    read: float = 60.0
    budget: float = 20.0
    first_wait: float = 0.5
    open_seconds: float = 5.0
    longest_open_seconds: float = 60.0
    slot_wait: float = 10.0


class RetryBudget:
    """The time that faults may cost; threads with faults at the same time spend it together.

    ``is_stopped`` says whether the rest of the budget is void, because the circuit has opened in the meantime.
    """

    def __init__(self, seconds: float, clock: Clock, is_stopped: Callable[[], bool] = lambda: False) -> None:
        self._seconds = seconds
        self._clock = clock
        self._is_stopped = is_stopped
        self._lock = threading.Lock()
        self._failing = 0
        self._since = 0.0
        self._ended = clock()
        self._spent = 0.0

    def begin_failing(self, since: float) -> None:
        """A request met its first fault, in an attempt that began at ``since``."""
        with self._lock:
            if not self._failing:
                self._since = max(since, self._ended)
            self._failing += 1

    def end_failing(self) -> None:
        """A request that met faults is over."""
        with self._lock:
            self._failing -= 1
            if not self._failing:
                self._ended = self._clock()
                self._spent += self._ended - self._since

    def seconds_left(self) -> float:
        """Seconds left; 0 if the circuit has opened."""
        if self._is_stopped():
            return 0.0
        with self._lock:
            running = self._clock() - self._since if self._failing else 0.0
            return self._seconds - self._spent - running


_current: ContextVar[RetryBudget | None] = ContextVar("purview_retry_budget", default=None)


def current_budget() -> RetryBudget | None:
    """The budget of the upload that this thread works for."""
    return _current.get()


@contextmanager
def shared_budget(budget: RetryBudget) -> Iterator[None]:
    """Let all requests inside share a budget, also those of threads that get a copy of this one's context."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)
