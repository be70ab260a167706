"""Events from an Event Hub: the messages of a batch go through the receiver's door.

A function of Event Hubs moves on in its partition when it ends, whatever became of the batch. So it fails only while
storage is unavailable, and is then called again with the same batch. A message that cannot be read, or on which the
code fails, is dead-lettered and never seen again.
"""

import hashlib
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from core.errors import BadRequest, StorageUnavailable
from pipeline.receive import take_events
from pipeline.services import Services
from receiver.batch import split
from receiver.receipt import Outcome

log = logging.getLogger(__name__)

_SHOWN_BYTES = 4000
_REMEDY = "Look at the message; if it is an event, correct it and send it with `sparklin send`."


def take_messages(messages: Iterable[bytes], services: Services) -> None:
    """Store the events of some messages, of which each holds one or an array.

    :raises StorageUnavailable: some were not stored; taking all messages again is safe.
    """
    events: list[bytes] = []
    for message in messages:
        try:
            events += _events(message, services)
        except BadRequest as error:
            _dead_letter(message, error.reason, services)
    try:
        _take(events, services)
    except StorageUnavailable:
        raise
    except Exception:
        log.exception("a batch of messages failed unexpectedly; its events are taken one by one")
        for event in events:
            _take_alone(event, services)


def _events(message: bytes, services: Services) -> list[bytes]:
    if message.lstrip()[:1] != b"[":
        return [message]
    return [bytes(item) for item in split(message, {}, services.receiver.limits.max_batch_items)]


def _take(events: list[bytes], services: Services) -> None:
    receipts = take_events(events, services.receiver, datetime.now(UTC))
    for event, receipt in zip(events, receipts, strict=True):
        if receipt.outcome is Outcome.REJECTED:
            _dead_letter(event, receipt.reason, services)


def _take_alone(event: bytes, services: Services) -> None:
    try:
        _take([event], services)
    except StorageUnavailable:
        raise
    except Exception as error:
        log.exception("an event failed unexpectedly")
        _dead_letter(event, f"it failed unexpectedly ({type(error).__name__})", services)


def _dead_letter(message: bytes, reason: str, services: Services) -> None:
    hub = f"event hub {services.settings.event_hub}"
    details = {"text": message[:_SHOWN_BYTES].decode("utf-8", "replace")}
    key = hashlib.sha256(message).hexdigest()
    services.dead_letters.put(hub, reason, _REMEDY, details, datetime.now(UTC), key=key)
