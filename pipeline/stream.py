"""Events from an Event Hub: the messages of a batch are received like requests.

A function of Event Hubs moves on in its partition when it returns, whatever the outcome of the batch. So it fails only
while storage is unavailable, and is then called again with the same batch. A message that cannot be read, or on which
the code fails, is dead-lettered and never seen again.

If the worker dies, the host counts that as a failure and repeats the batch; if the host dies, the batch is delivered
again as well, because its end was not noted. A message that kills them would be delivered forever, so it is given up
after some attempts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from core.errors import BadRequest
from pipeline.intake import Intake
from pipeline.receive import take_events
from pipeline.services import Services
from receiver.batch import split
from receiver.receipt import Outcome

_SHOWN_BYTES = 4000
# A message has at most 1 MB; one that was given up may be an event, and the hub forgets it.
_WHOLE = 1024 * 1024
_REMEDY = "Look at the message; if it is an event, correct it and send it with `sparklin send`."


def take_messages(messages: Iterable[bytes], services: Services) -> None:
    """Store the events of some messages; each contains one event or an array.

    :raises StorageUnavailable: some were not stored; taking all messages again is safe.
    """

    def take(some: Sequence[bytes]) -> list[None]:
        _take(some, services)
        return [None] * len(some)

    def give_up(message: bytes, reason: str) -> None:
        _dead_letter(message, reason, services, most=_WHOLE)

    Intake(_hub(services), take, give_up, services.attempts).take_all(list(messages))


def _take(messages: Iterable[bytes], services: Services) -> None:
    events: list[bytes] = []
    for message in messages:
        try:
            events += _events(message, services)
        except BadRequest as error:
            _dead_letter(message, error.reason, services)
    receipts = take_events(events, services.receiver, datetime.now(UTC))
    for event, receipt in zip(events, receipts, strict=True):
        if receipt.outcome is Outcome.REJECTED:
            _dead_letter(event, receipt.reason, services)


def _events(message: bytes, services: Services) -> list[bytes]:
    if message.lstrip()[:1] != b"[":
        return [message]
    return [bytes(item) for item in split(message, {}, services.receiver.limits.max_batch_items)]


def _dead_letter(message: bytes, reason: str, services: Services, most: int = _SHOWN_BYTES) -> None:
    details = {"text": message[:most].decode("utf-8", "replace")}
    key = hashlib.sha256(message).hexdigest()
    services.dead_letters.put(_hub(services), reason, _REMEDY, details, datetime.now(UTC), key=key)


def _hub(services: Services) -> str:
    return f"event hub {services.settings.event_hub}"
