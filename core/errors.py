"""The exceptions of the project. Each class says what becomes of the work that raised it.

SparklinError
├── SettingsError        the app does not start: names every setting that is missing or wrong
├── BadRequest           reject: the HTTP answer tells the sender what to change
│   └── BadEvent         reject: the body is no OpenLineage event; names the JSON path
├── TryLater             retry: nothing is wrong with the event, something was unavailable
│   ├── StorageUnavailable
│   ├── CatalogUnavailable
│   └── LeaseLost        another worker holds, or has taken over, what this one needs
└── Refused              dead-letter: the same attempt would fail again
    ├── CatalogRefused
    └── UnreadableEvent
"""

from enum import Enum


class Fate(Enum):
    """What becomes of work that failed."""

    REJECT = "reject"
    RETRY = "retry"
    DEAD_LETTER = "dead-letter"


class SparklinError(Exception):
    """Anything that this project raises on purpose."""

    fate = Fate.RETRY


class SettingsError(SparklinError):
    """One or more settings are missing or wrong; ``problems`` has a sentence for each."""

    fate = Fate.REJECT

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class BadRequest(SparklinError):
    """The request cannot be taken; ``status`` is the HTTP status that says why."""

    fate = Fate.REJECT

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class BadEvent(BadRequest):
    """The body is not an OpenLineage run event; ``path`` is the JSON path of the first fault."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(400, f"{path}: {expected}")
        self.path = path
        self.expected = expected


class TryLater(SparklinError):
    """A later attempt may succeed. ``retry_after`` is the wait in seconds that the other side asked for."""

    fate = Fate.RETRY

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class StorageUnavailable(TryLater):
    """Blob, table or queue storage did not answer in time, or answered with a fault of its own."""


class CatalogUnavailable(TryLater):
    """Purview was unavailable, too busy (429) or faulty (5xx) for longer than one call waits."""


class LeaseLost(TryLater):
    """A lock was held by another worker for too long, or expired while this one worked."""


class Refused(SparklinError):
    """Every further attempt would fail alike. ``remedy`` says in a sentence what a person can do."""

    fate = Fate.DEAD_LETTER

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class CatalogRefused(Refused):
    """Purview refused a request. ``code`` is Atlas' error code, or "" where it gave none."""

    def __init__(self, status: int, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.status = status
        self.code = code


class UnreadableEvent(Refused):
    """A stored event could not be read, although the receiver took it."""
