"""Misbehaviour on request: the next requests fail, hang or lose their connection.

Faults are kept in the order in which they were added; a request takes the first that fits it, and uses up one of its
times.
"""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

_LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next ``count`` requests whose path contains a match of ``path``.

    ``status`` (0: none) is answered with ``body`` as plain text and, if above 0, ``retry_after`` seconds in
    the header Retry-After; ``hang`` seconds pass before, unless the faults are cleared sooner; ``drop`` closes
    the connection without an answer.
    ``applied``: the request is carried out, only its answer is lost.
    """

    count: int = 1
    path: str = ""
    method: str = ""
    status: int = 0
    body: str = "There was an error processing your request. It has been logged (ID 0000000000000000)."
    retry_after: int = 0
    hang: float = 0.0
    drop: bool = False
    applied: bool = False

    def fits(self, method: str, path: str) -> bool:
        """Whether the fault applies to a request."""
        return self.method in ("", method) and re.search(self.path, path) is not None


def read_fault(given: Mapping[str, Any]) -> Fault:
    """Reads a fault.

    :raises ValueError: for an unknown key, a value of a wrong type, or a pattern that can't be compiled.
    """
    known = asdict(Fault())
    for name, value in given.items():
        expected = type(known.get(name))
        if name not in known or not isinstance(value, (int, float) if expected is float else expected):
            raise ValueError(f"{name}: {value!r}")
    made = Fault(**given)
    try:
        re.compile(made.path)
    except re.error as problem:
        raise ValueError(f"path: {problem}") from problem
    return made


@dataclass(slots=True)
class Faults:
    """The faults that are still to come. Safe to use from several threads."""

    _pending: list[Fault] = field(default_factory=list)
    _times_cleared: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Adds one behind the others."""
        with self._lock:
            self._pending.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Returns the fault for a request and uses up one of its times."""
        with self._lock:
            for at, fault in enumerate(self._pending):
                if fault.fits(method, path):
                    left = replace(fault, count=fault.count - 1)
                    self._pending[at : at + 1] = [left] if left.count > 0 else []
                    return fault
        return None

    async def hang(self, seconds: float) -> None:
        """Waits for so long, or until the faults are cleared."""
        began, end = self._times_cleared, time.monotonic() + seconds
        while self._times_cleared == began and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _LOOK_EVERY))

    def pending(self) -> list[dict[str, Any]]:
        """The faults that are still to come."""
        with self._lock:
            return [asdict(fault) for fault in self._pending]

    def clear(self) -> None:
        """Removes all of them, and continues the requests that hang."""
        with self._lock:
            self._pending.clear()
            self._times_cleared += 1


@dataclass(slots=True)
class Calls:
    """Counts requests by method, route and status, and concurrent ones. Safe to use from several threads."""

    _counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    _under_way: int = 0
    _most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """One request lasts as long as this."""
        with self._lock:
            self._under_way += 1
            self._most = max(self._most, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @property
    def most_at_once(self) -> int:
        """The most requests that were in progress at the same time."""
        with self._lock:
            return self._most

    def count(self, method: str, route: str, status: int) -> None:
        """Counts a request; ``status`` 0 is one that got no answer."""
        with self._lock:
            self._counts[method, route, status] += 1

    def report(self) -> list[dict[str, Any]]:
        """One object for each method and route: ``{"method", "route", "count", "statuses": {status: count}}``."""
        with self._lock:
            counted = sorted(self._counts.items())
        made: dict[tuple[str, str], dict[str, Any]] = {}
        for (method, route, status), count in counted:
            empty: dict[str, Any] = {"method": method, "route": route, "count": 0, "statuses": {}}
            entry = made.setdefault((method, route), empty)
            entry["count"] += count
            entry["statuses"][str(status)] = count
        return list(made.values())

    def clear(self) -> None:
        """Resets all counts."""
        with self._lock:
            self._counts.clear()
            self._most = self._under_way
