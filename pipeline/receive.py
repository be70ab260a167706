"""Receiving: what happens to an HTTP request with one event or a batch of events, step by step."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.envelope import describes_no_run, read_envelope
from core.errors import BadEvent, BadRequest, StorageUnavailable
from core.event_fields import digest
from core.event_model import Envelope
from core.identity import run_key
from core.key_tags import tag_of_request
from core.logs import step
from core.settings import Settings
from core.threads import in_threads
from pipeline.large_bodies import LargeBodies
from receiver import receipt
from receiver.accept import ReceiverRules, accept
from receiver.batch import split
from receiver.body import expand
from receiver.receipt import Outcome, Receipt, escaped
from receiver.request_limits import Limits, check_datasets, check_width
from storage.clients import StorageClients
from storage.event_store import EventStore
from storage.request_budget import budget
from storage.retry_queue import RetryQueue

log = logging.getLogger(__name__)

# Log lines of one batch; further events are counted together.
_MOST_REASONS = 10
# Events that are stored at a time if nobody waits for an answer.
_AT_ONCE = 8

Answer = tuple[int, dict[str, Any]]
Keep = Callable[[Envelope, bytes], None]


@dataclass(frozen=True, slots=True)
class Receiver:
    """What receiving works with: one per worker process.

    ``notify`` reports a run, by its key, that has a new event; None if storage notifications do that.
    """

    limits: Limits
    rules: ReceiverRules
    store: EventStore
    budget_seconds: float = 4.0
    notify: Callable[[str], None] | None = None
    large_bodies: LargeBodies = field(default_factory=LargeBodies)

    @classmethod
    def of(cls, settings: Settings, clients: StorageClients) -> "Receiver":
        """The receiver that the settings ask for."""
        seconds = settings.storage_budget_seconds
        rules = ReceiverRules(settings.allow_operations, settings.exclude_jobs)
        notify = RetryQueue(clients).announce if settings.queue_notifications else None
        store = EventStore(clients, seconds, compresses=settings.event_compression == "gzip")
        return cls(Limits.of(settings), rules, store, seconds, notify)


def receive(body: bytes, headers: Mapping[str, str], receiver: Receiver, now: datetime) -> Answer:
    """Receive one event; returns the HTTP status and the JSON of the answer. An event with status 202 is on disk."""
    with budget(receiver.budget_seconds), closing(receiver.large_bodies.turn()) as turn:
        try:
            event = expand(headers, body, receiver.limits, turn.take)
        except BadRequest as error:
            taken = receipt.rejected(error)
        else:
            taken = _take(event, receiver, _keeper(receiver.store, now))
        _notify([taken], receiver)
    _log(taken, tag_of_request(headers))
    return taken.status, taken.answer()


def receive_batch(body: bytes, headers: Mapping[str, str], receiver: Receiver, now: datetime) -> Answer:
    """Receive an array of events, or an event a line, one after the other.

    One that cannot be read does not stop the others.
    """
    with closing(receiver.large_bodies.turn()) as turn:
        try:
            with budget(receiver.budget_seconds):
                expanded = expand(headers, body, receiver.limits, turn.take)
            events = split(expanded, headers, receiver.limits.max_batch_items)
        except BadRequest as error:
            refused = receipt.rejected(error)
            _log(refused, tag_of_request(headers))
            return refused.status, refused.answer()
        keep = _give_up_early(_keeper(receiver.store, now))
        taken = [_take(bytes(event), receiver, keep) for event in events]
    with budget(receiver.budget_seconds):
        _notify(taken, receiver)
    _log_batch(taken, tag_of_request(headers))
    return receipt.batch_status(taken), receipt.batch_answer(taken)


def take_events(events: Iterable[bytes], receiver: Receiver, now: datetime) -> list[Receipt]:
    """Receive events from elsewhere than requests, several at a time; the limits are those of a request with one event.

    :raises StorageUnavailable: one of them was not stored; taking all of them again is safe.
    """
    keep = _give_up_early(_keeper(receiver.store, now))

    def take(event: bytes) -> Receipt:
        try:
            return _take(expand({}, event, receiver.limits), receiver, keep)
        except BadRequest as error:
            return receipt.rejected(error)

    taken = in_threads(take, events, _AT_ONCE)
    failed = next((item for item in taken if item.status == 503), None)
    if failed:
        raise StorageUnavailable(failed.reason)
    with budget(receiver.budget_seconds):
        _notify(taken, receiver)
    _log_batch(taken)
    return taken


def unavailable(error: StorageUnavailable) -> Answer:
    """The answer while storage is unavailable."""
    return 503, {"status": "rejected", "reason": f"not stored, send it again: {error.reason}", "run": None}


def _take(event: bytes, receiver: Receiver, keep: Keep) -> Receipt:
    """One event from its bytes to its receipt; blanks around it do not make it another event."""
    event = event.strip()
    try:
        envelope = read_envelope(event)
        check_datasets(envelope, receiver.limits)
        check_width(event, receiver.limits)
    except BadEvent as error:
        return receipt.describes_no_run() if describes_no_run(event) else receipt.rejected(error)
    except BadRequest as error:
        return receipt.rejected(error)
    decision = accept(envelope, receiver.rules)
    if not decision.kept:
        return receipt.ignored(envelope, decision)
    try:
        keep(envelope, event)
    except StorageUnavailable as error:
        return receipt.unavailable(envelope, error.reason)
    return receipt.kept(envelope, decision.reason)


def _notify(taken: Iterable[Receipt], receiver: Receiver) -> None:
    """Report the runs of stored events; the timer finds those that cannot be reported."""
    if receiver.notify is None:
        return
    try:
        for key in dict.fromkeys(run_key(item.run) for item in taken if item.outcome is Outcome.KEPT):
            receiver.notify(key)
    except StorageUnavailable as error:
        log.warning("a stored event is left to the timer: %s", error.reason)


def _keeper(store: EventStore, now: datetime) -> Keep:
    def keep(envelope: Envelope, event: bytes) -> None:
        store.put(envelope, digest(event), event, now)

    return keep


def _give_up_early(keep: Keep) -> Keep:
    """A ``keep`` that fails at once after one failure, because the sender of a batch waits for all of it."""
    failures: list[StorageUnavailable] = []

    def keep_or_fail(envelope: Envelope, event: bytes) -> None:
        if failures:
            raise failures[0]
        try:
            keep(envelope, event)
        except StorageUnavailable as error:
            failures.append(error)
            raise

    return keep_or_fail


def _log(taken: Receipt, key: str) -> None:
    """Log a line for an event; ``key`` is the tag of the key of its request, "" if unknown."""
    facts = {"run": escaped(taken.run), "job": escaped(taken.job), "reason": escaped(taken.reason)}
    step(log, "receive", taken.outcome.value, facts | {"status": taken.status} | ({"key": key} if key else {}))


def _log_batch(taken: Iterable[Receipt], key: str = "") -> None:
    """Log a line for each event that was kept or ignored, and one for all that were rejected, which may be anything."""
    reasons: Counter[tuple[int, str]] = Counter()
    for item in taken:
        if item.outcome is Outcome.REJECTED:
            reasons[item.status, item.reason] += 1
        else:
            _log(item, key)
    if reasons:
        common = reasons.most_common(_MOST_REASONS)
        shown = [f"{count} × {escaped(reason)}" for (_, reason), count in common]
        others = reasons.total() - sum(count for _, count in common)
        text = "; ".join([*shown, *([f"{others} × other reasons"] if others else [])])
        status = max(status for status, _ in reasons)
        step(log, "receive", "rejected", {"events": reasons.total(), "reason": text, "status": status})
