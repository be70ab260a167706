"""What happens around a run's processing: retries with growing delay, dead letters, lost notifications.

The blob trigger makes its five attempts within seconds. So a run that cannot be processed now goes to a queue of our
own, with a delay that doubles from a minute to an hour; after a day it is dead-lettered with its reason, where
``sparklin replay`` finds it. A successor is enqueued before success is reported, so a crash repeats work at worst.

While the circuit of Purview is open (see purview.circuit_breaker), a retry goes back to the queue without being
processed. Its delay stays shorter then, so that the backlog is there when Purview is back.
"""

import json
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from core.errors import CircuitOpen, Refused, TryLater, UnreadableEvent
from core.logs import step
from core.naming import CONTAINER, EventName, parse_blob_name
from core.threads import in_threads
from pipeline.run import process_run, set_of
from pipeline.services import Services
from storage.clients import RETRY_QUEUE
from storage.event_rows import Status
from storage.retry_queue import RetryPointer, decode
from storage.sweep import SweepLimits, WaitingRun

log = logging.getLogger(__name__)

# The reason of a run that the timer found: an alert and `sparklin doctor` look for it.
LOST_NOTIFICATION = "its notification got lost, or is late"

LOOK_BACK = timedelta(days=14)
SPREAD_SECONDS = 30
#: The longest delay of a retry that Purview was not asked about, in seconds.
LONGEST_HOLD_SECONDS = 600
_AT_ONCE = 8


def stored(blob: str, services: Services) -> None:
    """A blob was stored. ``blob`` is ``container/name``; any that is no event of ours is skipped."""
    name = parse_blob_name(blob.removeprefix(CONTAINER + "/"))
    if name is None:
        log.info("skipped %s, which is no stored event", blob)
        return
    retry_at = services.run_records.read(name.run_key).retry_at
    if retry_at and retry_at > _now():
        log.info("event %s waits for the retry of its run at %s", name.blob, retry_at.isoformat())
        return
    attempt(RetryPointer(name.run_key, attempt=0, first_failed=_now(), reason=""), services, name)


def retry(message: bytes, services: Services) -> None:
    """A message of the retry queue came due."""
    pointer = _pointer(message, services)
    if pointer:
        attempt(pointer, services)


def retry_poisoned(message: bytes, services: Services) -> None:
    """The host gave a retry up, since the worker died over it again and again: its run is dead-lettered."""
    pointer = _pointer(message, services)
    if pointer:
        reason = f"the worker ended whenever it processed this run ({pointer.reason or 'no reason is known'})"
        _dead_letter(pointer, reason, "Look for its end in the logs; memory is the usual cause.", services)


def poisoned(message: bytes, services: Services) -> None:
    """The blob trigger gave a blob up, since the worker died over it: its run joins the retries."""
    try:
        told = json.loads(message)
    except ValueError:
        told = None
    blob = str(told.get("BlobName", "")) if isinstance(told, dict) else ""
    name = parse_blob_name(blob)
    if name is None:
        log.warning("skipped a poison message for %r, which is no stored event", blob)
        return
    now = _now()
    pointer = RetryPointer(name.run_key, attempt=1, first_failed=now, reason="the blob trigger gave it up")
    services.retries.enqueue(pointer, _delay(pointer, services.settings.retry_max_delay_seconds, services))


def attempt(pointer: RetryPointer, services: Services, event: EventName | None = None) -> None:
    """Process a run; what fails is retried later or, if that is hopeless, dead-lettered with its reason.

    ``event`` is the stored event that caused the attempt, None for a retry.
    """
    try:
        if pointer.attempt:
            services.catalog.breaker.check()
        process_run(
            pointer.run_key,
            services,
            settle=pointer.settle,
            replay=pointer.replay,
            force=pointer.force,
            event=event,
        )
        _drop_replayed(pointer, services)
    except Refused as error:
        _dead_letter(pointer, error.reason, error.remedy, services)
    except TryLater as error:
        _again(pointer, error, services)
    except Exception as error:
        log.exception("run %s failed unexpectedly", pointer.run_key)
        _again(pointer, TryLater(f"{type(error).__name__}: {error}"), services)


def sweep(services: Services, limits: SweepLimits | None = None) -> None:
    """Enqueue the runs whose notification got lost, and those that will not end any more.

    Each run is enqueued as soon as it is found. ``limits`` hold for each of the two; the next sweep continues there.
    """
    now = _now()
    settings = services.settings
    for waiting, minutes, settle in (
        (services.lost, settings.sweep_after_minutes, False),
        (services.unended, settings.settle_after_minutes, True),
    ):
        after = timedelta(minutes=minutes)
        reason = "it never ended" if settle else LOST_NOTIFICATION
        enqueued: set[str] = set()
        for batch in waiting.waiting(now - LOOK_BACK - after, now, after, limits):
            # A run may have rows in several hours.
            new = {run.run_key for run in batch} - enqueued
            pointers = [RetryPointer(key, attempt=0, first_failed=now, reason=reason, settle=settle) for key in new]
            in_threads(
                lambda each: services.retries.enqueue(each, random.uniform(0, SPREAD_SECONDS)), pointers, _AT_ONCE
            )
            # Marked, so that the next sweep does not enqueue it once more; unless it was processed this very moment.
            in_threads(partial(_mark_swept, reason=reason, services=services), batch, _AT_ONCE)
            enqueued |= new


def _mark_swept(run: WaitingRun, reason: str, services: Services) -> None:
    services.events.mark_unchanged(run.rows, Status.RETRYING, reason)
    step(log, "sweep", "enqueued", {"run": run.run_key, "reason": reason})


def _pointer(message: bytes, services: Services) -> RetryPointer | None:
    """The pointer in a message; a message without one is dead-lettered."""
    try:
        return decode(message)
    except UnreadableEvent as error:
        services.dead_letters.put(RETRY_QUEUE, error.reason, error.remedy, {"message": message.hex()[:4000]}, _now())
        log.error("%s %s", error.reason, error.remedy)
        return None


def _again(pointer: RetryPointer, error: TryLater, services: Services) -> None:
    now = _now()
    first = now if pointer.attempt == 0 else pointer.first_failed
    left = timedelta(hours=services.settings.retry_give_up_hours) - (now - first)
    if left <= timedelta():
        remedy = f"{error.remedy or 'Fix the cause.'} Then run: sparklin replay --dead-letters"
        _dead_letter(pointer, error.reason, remedy, services)
        return
    successor = replace(pointer.next(error.reason), first_failed=first)
    delay = _delay_after(error, successor, left, services)
    is_held_back = isinstance(error, CircuitOpen) and pointer.attempt > 0
    if not is_held_back:
        # In this order, so that a retry that comes soon has the last word.
        with _without_need("mark its events"):
            events = services.events.names(pointer.run_key)
            services.events.mark(events, Status.RETRYING, _sentences(error.reason, error.remedy), successor.attempt)
    services.retries.enqueue(successor, delay)
    with _without_need("note when it is tried again"):
        services.run_records.note_retry(pointer.run_key, now + timedelta(seconds=delay))
    facts = {"run": pointer.run_key, "reason": error.reason, "remedy": error.remedy}
    counts = {"attempt": successor.attempt, "seconds": round(delay)}
    step(log, "retry", "retried", {**facts, **counts}, logging.INFO if is_held_back else logging.WARNING)


@contextmanager
def _without_need(what: str) -> Iterator[None]:
    """Do what is inside if possible: a run whose storage is unavailable is retried all the same."""
    try:
        yield
    except TryLater as error:
        log.warning("could not %s: %s", what, error.reason)


def _dead_letter(pointer: RetryPointer, reason: str, remedy: str, services: Services) -> None:
    details = {"attempts": pointer.attempt + 1, "firstFailed": pointer.first_failed.isoformat()}
    services.dead_letters.put(pointer.run_key, reason, remedy, details, _now())
    step(log, "retry", "dead-lettered", {"run": pointer.run_key, "reason": reason, "remedy": remedy}, logging.ERROR)
    events = services.events.names(pointer.run_key)
    services.events.mark(events, Status.DEAD_LETTERED, _sentences(reason, remedy), pointer.attempt)
    # Its other notifications would only ask the catalogue the same once more.
    services.run_records.note_answered(pointer.run_key, set_of(events))
    _drop_replayed(pointer, services)


def _drop_replayed(pointer: RetryPointer, services: Services) -> None:
    """Delete the dead letters of which a replay is the answer: those from before it."""
    if not pointer.replay:
        return
    for name in list(services.dead_letters.names(pointer.run_key)):
        letter = services.dead_letters.read(name)
        if letter and letter.time < pointer.first_failed:
            services.dead_letters.delete(name)


def _delay_after(error: TryLater, successor: RetryPointer, left: timedelta, services: Services) -> float:
    """Seconds to wait after a failure: what the other side asked for if that is longer than our own delay.

    Never so long that the run would be given up before it is tried once more.
    """
    settings = services.settings
    longest = settings.retry_max_delay_seconds
    if isinstance(error, CircuitOpen):
        longest = min(longest, LONGEST_HOLD_SECONDS)
    delay = max(_delay(successor, longest, services), error.retry_after or 0.0)
    return min(delay, max(left.total_seconds(), settings.retry_first_delay_seconds))


def _delay(pointer: RetryPointer, longest: float, services: Services) -> float:
    """Seconds to wait: doubled at each attempt up to the longest, and spread, so that a backlog trickles back."""
    exact = services.settings.retry_first_delay_seconds * 2.0 ** min(pointer.attempt - 1, 20)
    return random.uniform(0.8, 1.2) * min(exact, longest)


def _sentences(reason: str, remedy: str) -> str:
    return f"{reason.removesuffix('.')}. {remedy}" if remedy else reason


def _now() -> datetime:
    return datetime.now(UTC)
