"""The waiting times of the host. They differ from Azure's on purpose, so that trials end soon.

`QUICK` is the default, `AZURE` has the values of the WebJobs SDK; docs/local-stack.md compares them.
"""

import random
from dataclasses import dataclass

_FIRST_POLL_SECONDS = 0.1
_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """Waiting times in seconds.

    `longest_poll_seconds`: between two polls of a queue that has long been empty. `lock_seconds`: how long a message
    that was taken stays hidden. `scan_seconds`: between two scans for new blobs. `lease_seconds`: how long a host that
    died keeps others from its scan and its timers, `takeover_seconds`: how often they try. `storage_seconds`: how long
    storage may not answer before the host ends; None for ever, as nothing starts it again here.
    """

    longest_poll_seconds: float
    lock_seconds: int
    scan_seconds: float
    lease_seconds: int
    takeover_seconds: float
    storage_seconds: float | None


QUICK = Pace(0.2, 30, 0.3, 15, 1.0, None)
AZURE = Pace(60.0, 600, 10.0, 60, 60.0, 25.0)
PACES = {"quick": QUICK, "azure": AZURE}


class BackOff:
    """The waits between polls of an empty queue: doubled each time, and spread, up to the longest."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._empty = 0

    def found(self) -> None:
        """A message was found: begin with the shortest wait again."""
        self._empty = 0

    def next(self) -> float:
        """Seconds to wait after another poll that found nothing."""
        more = random.uniform(1 - _SPREAD, 1 + _SPREAD) * 2.0 ** (self._empty - 1) if self._empty else 0.0
        seconds = _FIRST_POLL_SECONDS * (1 + more)
        if seconds >= self._longest:
            return self._longest
        self._empty += 1
        return seconds
