"""The outcome of an event, and the answer to its sender.

An agent takes every status from 400 on as a failure and drops the event, so an event that is not wanted is not an
error.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from core.errors import BadRequest
from core.event_model import Envelope
from core.logs import spelled
from receiver.accept import Decision

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Outcome(Enum):
    """The outcome of an event."""

    KEPT = "kept"
    IGNORED = "ignored"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one event; ``run`` and ``job`` are as the sender spelled them, "" where they are not known."""

    outcome: Outcome
    reason: str
    status: int
    run: str = ""
    job: str = ""

    def answer(self) -> dict[str, Any]:
        """The JSON answer to a request with one event."""
        return {"status": self.outcome.value, "reason": self.reason, "run": escaped(self.run) or None}


def kept(envelope: Envelope, reason: str) -> Receipt:
    """The event is on disk."""
    return Receipt(Outcome.KEPT, reason, 202, envelope.run_id, _job(envelope))


def ignored(envelope: Envelope, decision: Decision) -> Receipt:
    """The event is readable but not wanted."""
    return Receipt(Outcome.IGNORED, decision.reason, 200, envelope.run_id, _job(envelope))


def describes_no_run() -> Receipt:
    """The event is a DatasetEvent or JobEvent of the specification, which belong to no run."""
    return Receipt(Outcome.IGNORED, "events about datasets or jobs alone describe no run", 200)


def rejected(error: BadRequest) -> Receipt:
    """The event cannot be read."""
    return Receipt(Outcome.REJECTED, error.reason, error.status)


def unavailable(envelope: Envelope, reason: str) -> Receipt:
    """The event is wanted, but may not be on disk."""
    text = f"not stored, send it again: {reason}"
    return Receipt(Outcome.REJECTED, text, 503, envelope.run_id, _job(envelope))


def batch_status(receipts: Sequence[Receipt]) -> int:
    """503 if a wanted event was not stored (sending all again is safe), else 202 if one was kept, else 200."""
    statuses = {receipt.status for receipt in receipts}
    return next((status for status in (503, 202) if status in statuses), 200)


def batch_answer(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """The JSON answer to a batch: ``results`` in the order of the events, and how many have each outcome."""
    counts = {outcome.value: sum(receipt.outcome is outcome for receipt in receipts) for outcome in Outcome}
    results = [{**receipt.answer(), "code": receipt.status} for receipt in receipts]
    return {**counts, "results": results}


def escaped(text: str, most: int = 300) -> str:
    """Foreign text for logs and answers: control characters escaped, at most ``most`` characters."""
    short = text if len(text) <= most else text[:most] + "…"
    return short if short.isprintable() else _UNFIT.sub(spelled, short)


def _job(envelope: Envelope) -> str:
    return f"{envelope.job_namespace}/{envelope.job_name}"
