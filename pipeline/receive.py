"""Receiving: what happens to an HTTP request with one event or a batch of events, step by step."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from core.errors import BadEvent, BadRequest, StorageUnavailable
from core.events import describes_no_run, digest, read_envelope
from core.logs import step
from core.model import Envelope
from receiver import receipt
from receiver.accept import ReceiverRules, accept
from receiver.body import Limits, expand
from receiver.receipt import Receipt, escaped
from storage.event_store import EventStore

log = logging.getLogger(__name__)

_items = msgspec.json.Decoder(list[msgspec.Raw])

Answer = tuple[int, dict[str, Any]]
Keep = Callable[[Envelope, bytes], None]


def receive(
    body: bytes, headers: Mapping[str, str], limits: Limits, rules: ReceiverRules, store: EventStore, now: datetime
) -> Answer:
    """Take one event: the HTTP status and the JSON to answer with. What is answered 202 is on disk."""
    try:
        event = expand(headers, body, limits)
    except BadRequest as error:
        taken = receipt.rejected(error)
    else:
        taken = _take(event, rules, _keeper(store, now))
    _log(taken)
    return taken.status, taken.answer()


def receive_batch(
    body: bytes, headers: Mapping[str, str], limits: Limits, rules: ReceiverRules, store: EventStore, now: datetime
) -> Answer:
    """Take an array of events, one after the other; one that cannot be read does not cost the others."""
    try:
        events = _array(expand(headers, body, limits))
    except BadRequest as error:
        refused = receipt.rejected(error)
        _log(refused)
        return refused.status, refused.answer()
    keep = _give_up_early(_keeper(store, now))
    taken = [_take(event, rules, keep) for event in events]
    for item in taken:
        _log(item)
    return receipt.batch_status(taken), receipt.batch_answer(taken)


def unavailable(error: StorageUnavailable) -> Answer:
    """The answer while storage is unavailable."""
    return 503, {"status": "rejected", "reason": f"not stored, send it again: {error.reason}", "run": None}


def _take(event: bytes, rules: ReceiverRules, keep: Keep) -> Receipt:
    """One event from its bytes to its receipt; blanks around it make it no other event."""
    event = event.strip()
    if describes_no_run(event):
        return receipt.describes_no_run()
    try:
        envelope = read_envelope(event)
    except BadRequest as error:
        return receipt.rejected(error)
    decision = accept(envelope, rules)
    if not decision.kept:
        return receipt.ignored(envelope, decision)
    try:
        keep(envelope, event)
    except StorageUnavailable as error:
        return receipt.unavailable(envelope, error.reason)
    return receipt.kept(envelope, decision.reason)


def _keeper(store: EventStore, now: datetime) -> Keep:
    def keep(envelope: Envelope, event: bytes) -> None:
        store.put(envelope, digest(event), event, now)

    return keep


def _give_up_early(keep: Keep) -> Keep:
    """As ``keep``, but after one failure the rest of a batch fails at once: its sender waits for all of it."""
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


def _array(body: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _items.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent("$", f"the body of a batch must be a JSON array of events ({error})") from None


def _log(taken: Receipt) -> None:
    facts = {"run": escaped(taken.run), "job": escaped(taken.job), "reason": escaped(taken.reason)}
    step(log, "receive", taken.outcome.value, {**facts, "status": taken.status})
