"""Queue ``lineage-retry``: runs that are to be processed again after a while. Messages are pointers, never events."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.errors import UnreadableEvent
from storage.clients import StorageClients
from storage.faults import storage_faults
from storage.text import cut

_REASON_UNITS = 1000
_LONGEST_DELAY = 7 * 24 * 3600
_FOREVER = -1

STORED = "an event of it was stored"
"""The reason of a pointer that the receiver enqueued."""


@dataclass(frozen=True, slots=True)
class RetryPointer:
    """Which run to process again.

    ``attempt`` counts the failures so far, ``first_failed`` is UTC, ``reason`` the last failure's; ``settle`` treats a
    run without an end as ended. ``replay`` means that a person asked for it: a processed run is processed again, and
    with ``force`` uploaded again. ``at_work`` is how many workers had begun with the run and not ended when the pointer
    was created, None if unknown.
    """

    run_key: str
    attempt: int
    first_failed: datetime
    reason: str = ""
    settle: bool = False
    replay: bool = False
    force: bool = False
    at_work: int | None = None

    def next(self, reason: str) -> "RetryPointer":
        """The pointer of the attempt after this one."""
        return replace(self, attempt=self.attempt + 1, reason=reason)


class RetryQueue:
    """Puts pointers on the queue; the Functions host reads them."""

    def __init__(self, clients: StorageClients) -> None:
        self._queue = clients.queue()

    def enqueue(self, pointer: RetryPointer, delay_seconds: float) -> None:
        """Let the run be processed again in ``delay_seconds``, a week at most. Messages never expire.

        :raises StorageUnavailable: it may not be on the queue.
        """
        delay = max(0, min(round(delay_seconds), _LONGEST_DELAY))
        with storage_faults("enqueue a retry"):
            self._queue.send_message(encode(pointer), visibility_timeout=delay, time_to_live=_FOREVER)

    def enqueue_replay(self, run_key: str, reason: str, delay_seconds: float) -> None:
        """Have a run processed again after ``delay_seconds``, although its events were processed before.

        :raises StorageUnavailable: it may not be on the queue.
        """
        pointer = RetryPointer(run_key, attempt=0, first_failed=datetime.now(UTC), reason=reason, replay=True)
        self.enqueue(pointer, delay_seconds)

    def announce(self, run_key: str) -> None:
        """Report that a run has a new event, if there are no notifications of blobs.

        :raises StorageUnavailable: it may not be on the queue.
        """
        self.enqueue(RetryPointer(run_key, attempt=0, first_failed=datetime.now(UTC), reason=STORED), 0)


def encode(pointer: RetryPointer) -> str:
    """The text of a message, before base64."""
    return json.dumps(
        {
            "run": pointer.run_key,
            "attempt": pointer.attempt,
            "firstFailed": pointer.first_failed.astimezone(UTC).isoformat(),
            "reason": cut(pointer.reason, _REASON_UNITS),
            "settle": pointer.settle,
            "replay": pointer.replay,
            "force": pointer.force,
            "atWork": pointer.at_work,
        }
    )


def decode(text: str | bytes) -> RetryPointer:
    """The pointer in a message, after the Functions host has decoded base64.

    :raises UnreadableEvent: the app did not write it.
    """
    try:
        value = json.loads(text)
        return RetryPointer(
            run_key=_text(value["run"]),
            attempt=int(value["attempt"]),
            first_failed=datetime.fromisoformat(value["firstFailed"]).astimezone(UTC),
            reason=_text(value.get("reason", "")),
            settle=value.get("settle") is True,
            replay=value.get("replay") is True,
            force=value.get("force") is True,
            at_work=_count(value.get("atWork")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableEvent(
            f"a message on queue lineage-retry is no pointer to a run ({type(error).__name__})",
            "Nothing else should write to this queue; delete the message.",
        ) from None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
