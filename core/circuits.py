"""The state of a circuit breaker, shared by all workers of the app."""

from dataclasses import dataclass

#: The scope of the circuit of the whole account.
ACCOUNT = "account"


def collection_scope(collection: str) -> str:
    """The scope of one collection's circuit; "" is the root collection."""
    return f"collection {collection or 'root'}"


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit: closed without ``open_until``, open until that time, half-open after it.

    Times are in seconds since 1970. ``failures`` counts the openings since the circuit was last closed, ``reason``
    is that of the last one. While the circuit is half-open, ``trial`` is the upload that tests it and must report
    before ``trial_until``, so that the trial of a crashed worker does not block the others. ``version`` is None for a
    circuit that was never stored.
    """

    scope: str
    failures: int = 0
    open_until: float | None = None
    reason: str = ""
    trial: str = ""
    trial_until: float = 0.0
    version: str | None = None
