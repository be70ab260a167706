"""The exceptions of the project. Each class says what happens to the work that raised it.

SparklinError
├── SettingsError        the app does not start: names every setting that is missing or wrong
├── BadRequest           reject: the HTTP answer says what the sender has to change
│   └── BadEvent         reject: the body is not an OpenLineage event; names the JSON path
├── TryLater             retry: nothing is wrong with the event, something was unavailable
│   ├── StorageUnavailable
│   ├── CatalogUnavailable
│   │   ├── CatalogDenied    an operator has to act: grant a role, open a firewall, correct an address
│   │   └── CircuitOpen      Purview was not asked, because it failed for others a moment ago
│   ├── CatalogConflict      another change to the same assets got in the way: this process alone is retried
│   └── LeaseLost            another worker has, or has taken over, the lock
└── Refused              dead-letter: the content causes it, so the same attempt would fail again
    ├── CatalogRefused
    └── UnreadableEvent
"""

from enum import Enum


class Fate(Enum):
    """What happens to work that failed."""

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
    """The request cannot be accepted; ``status`` is the HTTP status of the answer."""

    fate = Fate.REJECT

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class BadEvent(BadRequest):
    """The body is not an OpenLineage run event; ``path`` is the JSON path of the first fault."""

    def __init__(self, path: str, expected: str) -> None:
        joint = " " if expected.startswith(("is ", "must ")) else ": "
        super().__init__(400, f"{path}{joint}{expected}")
        self.path = path
        self.expected = expected


class TryLater(SparklinError):
    """A later attempt may succeed.

    ``retry_after`` is the wait in seconds that the other side asked for. ``remedy`` says in a sentence what a person
    can do about it; "" if it may pass by itself.
    """

    fate = Fate.RETRY

    def __init__(self, reason: str, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.remedy = remedy


class StorageUnavailable(TryLater):
    """Blob, table or queue storage did not answer in time, or answered with a fault of its own."""


class CatalogUnavailable(TryLater):
    """Purview was unavailable, too busy (429) or faulty (5xx) for longer than one call waits."""


class CatalogDenied(CatalogUnavailable):
    """Purview does not let the app in, which an operator can change.

    That is 401, 403, 423, 404 without an Atlas error code, and any other answer of a gateway. ``status`` is the HTTP
    status, ``code`` the error code, or "".
    """

    def __init__(self, status: int, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy=remedy)
        self.status = status
        self.code = code


class CircuitOpen(CatalogUnavailable):
    """Purview was not asked: it failed for others a moment ago, or all upload slots are in use."""


class CatalogConflict(TryLater):
    """Only this process has to be uploaded again: another change got in the way, or one attempt was not enough."""


class LeaseLost(TryLater):
    """Another worker kept a lock for too long, or the lock of this worker expired."""


class Refused(SparklinError):
    """Every further attempt would fail in the same way. ``remedy`` says in a sentence what a person can do."""

    fate = Fate.DEAD_LETTER

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class CatalogRefused(Refused):
    """Purview refused the content of a request. ``code`` is Atlas' error code, or ""."""

    def __init__(self, status: int, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.status = status
        self.code = code


class UnreadableEvent(Refused):
    """A stored event could not be read, although the receiver accepted it."""


class UnreadableHistory(Refused):
    """The stored history of a process is not valid JSON of this app."""


def sentences(reason: str, remedy: str) -> str:
    """A reason and what to do about it, as one text."""
    return f"{reason.removesuffix('.')}. {remedy}" if remedy else reason
