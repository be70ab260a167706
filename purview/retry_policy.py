"""How long faults of the catalogue are borne: an allowance for each upload, and a breaker for all of them.

All requests of an upload share one allowance of time that faults may cost. Where it is used up the catalogue is not
only faulty for a moment: then all uploads of this worker fail at once for a while, so that the queue takes over and
nobody waits out what somebody else has found out already. After the while one upload tries; an answer lets all go on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.errors import CatalogUnavailable

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a call may take, in seconds.

    ``budget`` is what faults may cost an upload, all its requests together, or a request by itself: failed attempts
    and the waiting between them. ``first_wait`` doubles from attempt to attempt. ``rest`` is for how long nobody
    tries after that; it doubles up to ``longest_rest`` while trials fail. 0: never.
    """

    connect: float = 5.0
    read: float = 60.0
    budget: float = 20.0
    first_wait: float = 0.5
    rest: float = 5.0
    longest_rest: float = 60.0


class Breaker:
    """Whether uploads may try at all. One for all threads of the worker."""

    def __init__(self, patience: RetryPolicy, clock: Clock) -> None:
        self._first = patience.rest
        self._longest = patience.longest_rest
        self._clock = clock
        self._lock = threading.Lock()
        self._until: float | None = None
        self._trial: RetryBudget | None = None
        self._trips = 0

    def enter(self, allowance: "RetryBudget") -> None:
        """Let an upload begin; the first one after a rest is the trial.

        :raises CatalogUnavailable: it is the time to rest, or a trial is under way.
        """
        with self._lock:
            if self._until is None:
                return
            left = self._until - self._clock()
            if left > 0 or self._trial:
                wait = max(left, self._first)
                raise CatalogUnavailable("the catalogue failed a moment ago and is left alone for a while", wait)
            self._trial = allowance

    def leave(self, allowance: "RetryBudget", *, well: bool) -> None:
        """Note the end of an upload; ``well``: the catalogue answered to the last."""
        with self._lock:
            if well:
                self._trips = 0
            if self._trial is allowance:
                self._trial = None

    def answered(self, allowance: "RetryBudget") -> None:
        """Note an answer: that of a trial ends the rest for all."""
        with self._lock:
            if self._trial is allowance:
                self._until = self._trial = None

    def trip(self, allowance: "RetryBudget", asked: float | None) -> None:
        """Begin a rest, as long as the catalogue ``asked`` for if that is longer than ours, but not without end."""
        with self._lock:
            now = self._clock()
            if self._first <= 0:
                return
            rest = min(asked or 0.0, self._longest)
            if not self._rests(now):
                rest = max(rest, min(self._longest, self._first * 2.0 ** min(self._trips, 30)))
                self._trips += 1
            self._until = max(self._until or 0.0, now + rest)
            if self._trial is allowance:
                self._trial = None

    def stops(self, allowance: "RetryBudget") -> bool:
        """Whether an upload that began before the rest is to give up at its next failure."""
        with self._lock:
            return self._trial is not allowance and self._rests(self._clock())

    def _rests(self, now: float) -> bool:
        return self._until is not None and now < self._until


class RetryBudget:
    """The time that faults may cost; threads that meet them at the same time lose it together."""

    def __init__(self, seconds: float, clock: Clock, breaker: Breaker | None = None) -> None:
        self._seconds = seconds
        self._clock = clock
        self._breaker = breaker
        self._lock = threading.Lock()
        self._failing = 0
        self._since = 0.0
        self._ended = clock()
        self._spent = 0.0
        self.has_answers = False

    def begin_loss(self, since: float) -> None:
        """A request met its first fault, in an attempt that began at ``since``."""
        with self._lock:
            if not self._failing:
                self._since = max(since, self._ended)
            self._failing += 1

    def end_loss(self) -> None:
        """A request that met faults is over."""
        with self._lock:
            self._failing -= 1
            if not self._failing:
                self._ended = self._clock()
                self._spent += self._ended - self._since

    def left(self) -> float:
        """Seconds left; none where everybody else has been told to rest."""
        if self._breaker and self._breaker.stops(self):
            return 0.0
        with self._lock:
            running = self._clock() - self._since if self._failing else 0.0
            return self._seconds - self._spent - running

    def answered(self) -> None:
        """The catalogue answered."""
        self.has_answers = True
        if self._breaker:
            self._breaker.answered(self)

    def exhausted(self, asked: float | None = None) -> None:
        """A request was given up; ``asked`` is the wait that the catalogue asked for."""
        if self._breaker:
            self._breaker.trip(self, asked)


_current: ContextVar[RetryBudget | None] = ContextVar("purview_allowance", default=None)


def current_allowance() -> RetryBudget | None:
    """The allowance of the upload that this thread works for."""
    return _current.get()


@contextmanager
def shared_allowance(seconds: float, clock: Clock, breaker: Breaker) -> Iterator[None]:
    """Let all requests inside share one allowance, also those of threads that get a copy of this one's context.

    :raises CatalogUnavailable: it is the time to rest.
    """
    allowance = RetryBudget(seconds, clock, breaker)
    breaker.enter(allowance)
    token = _current.set(allowance)
    well = False
    try:
        yield
        well = allowance.has_answers
    finally:
        _current.reset(token)
        breaker.leave(allowance, well=well)
