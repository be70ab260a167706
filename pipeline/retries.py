"""Retries of runs with growing delays, dead letters, and lost notifications.

The blob trigger makes its five attempts within seconds. So a run that cannot be processed now goes to the app's own
queue, with a delay that doubles from a minute to an hour; after a day it is dead-lettered with its reason, where
``sparklin replay`` finds it. The next retry is enqueued before success is reported, so a crash at worst repeats work.

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

from core.errors import CircuitOpen, Refused, TryLater, UnreadableEvent, sentences
from core.logs import step
from core.naming import CONTAINER, EventName, parse_blob_name
from core.threads import in_threads
from pipeline.run import process_run, set_of
from pipeline.services import Services
from storage.clients import RETRY_QUEUE
from storage.event_rows import Status
from storage.retry_queue import STORED, RetryPointer, decode
from storage.sweep import SweepLimits, WaitingRun

log = logging.getLogger(__name__)

# The reason of a run that the timer found: an alert and `sparklin doctor` look for it.
LOST_NOTIFICATION = "its notification got lost, or is late"
_NEVER_ENDED = "it never ended"
_LOST_RETRY = "its retry got lost"

RETRY_OVERDUE = timedelta(hours=2)
"""For how long a retry that is due may be on its way: the host tries it five times, for up to ten minutes each, and
hands a message over some ten minutes after another host died with it."""

HOST_ATTEMPTS = 5
"""How often the host hands a message over before it gives it up: ``maxDequeueCount`` in host.json."""

LOOK_BACK = timedelta(days=14)
SPREAD_SECONDS = 30
#: The longest delay, in seconds, of a retry for which Purview was not asked.
LONGEST_HOLD_SECONDS = 600
_AT_ONCE = 8


def stored(blob: str, services: Services) -> None:
    """A blob was stored. ``blob`` is ``container/name``; a blob that is not a stored event is skipped."""
    name = parse_blob_name(blob.removeprefix(CONTAINER + "/"))
    if name is None:
        log.info("skipped %s, which is no stored event", blob)
        return
    if _waits_for_retry(name.run_key, services):
        return
    attempt(RetryPointer(name.run_key, attempt=0, first_failed=_now(), reason=""), services, name)


def retry(message: bytes, services: Services) -> None:
    """Process the run of a due message of the retry queue."""
    pointer = _pointer(message, services)
    if pointer and not (pointer.reason == STORED and _waits_for_retry(pointer.run_key, services)):
        attempt(pointer, services)


def _waits_for_retry(run_key: str, services: Services) -> bool:
    """Whether a retry of the run is due later, so that its new events need no attempt of their own."""
    retry_at = services.run_records.read(run_key).retry_at
    if not retry_at or retry_at <= _now():
        return False
    log.info("new events of run %s wait for its retry at %s", run_key, retry_at.isoformat())
    return True


def retry_poisoned(message: bytes, services: Services) -> None:
    """Handle a retry that the host gave up after several attempts.

    If the worker ended in each of them, the run is dead-lettered. Otherwise storage was unavailable for as long as the
    attempts took, so that not even the next retry could be enqueued: the run is retried like any other.
    """
    pointer = _pointer(message, services)
    if pointer is None:
        return
    if _killed_its_workers(pointer, services):
        reason = f"the worker ended whenever it processed this run ({pointer.reason or 'no reason is known'})"
        _dead_letter(pointer, reason, "Look for its end in the logs; memory is the usual cause.", services)
    else:
        _again(pointer, TryLater("the host gave its retry up, because storage was unavailable to the app"), services)


def poisoned(message: bytes, services: Services) -> None:
    """Handle a blob that its trigger gave up, because the worker died: its run is retried."""
    try:
        content = json.loads(message)
    except ValueError:
        content = None
    blob = str(content.get("BlobName", "")) if isinstance(content, dict) else ""
    name = parse_blob_name(blob)
    if name is None:
        log.warning("skipped a poison message for %r, which is no stored event", blob)
        return
    now = _now()
    pointer = RetryPointer(name.run_key, attempt=1, first_failed=now, reason="the blob trigger gave it up")
    _enqueue(pointer, _delay(pointer, services.settings.retry_max_delay_seconds, services), services)


def attempt(pointer: RetryPointer, services: Services, event: EventName | None = None) -> None:
    """Process a run; a failed run is retried later or, if that cannot succeed, dead-lettered with its reason.

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
    """Enqueue the runs whose notification or retry was lost, and those that never ended.

    Each run is enqueued as soon as it is found. ``limits`` apply to each of the three; the next sweep continues there.
    """
    now = _now()
    settle_after = timedelta(minutes=services.settings.settle_after_minutes)
    for waiting, after, reason in (
        (services.lost, timedelta(minutes=services.settings.sweep_after_minutes), LOST_NOTIFICATION),
        (services.unended, settle_after, _NEVER_ENDED),
        (services.retrying, RETRY_OVERDUE, _LOST_RETRY),
    ):
        enqueued: set[str] = set()
        for found in waiting.waiting(now - LOOK_BACK - after, now, after, limits):
            batch = _without_retry(found, now, services) if reason == _LOST_RETRY else found
            # A run may have rows in several hours.
            new = [run for run in batch if run.run_key not in enqueued]
            settle_before = datetime.min.replace(tzinfo=UTC) if reason == LOST_NOTIFICATION else now - settle_after
            in_threads(
                partial(_sweep_up, reason=reason, settle_before=settle_before, now=now, services=services),
                {run.run_key: run for run in new}.values(),
                _AT_ONCE,
            )
            # Marked, so that the next sweep does not enqueue it once more; unless it was just processed.
            in_threads(partial(_mark_swept, reason=reason, services=services), batch, _AT_ONCE)
            enqueued |= {run.run_key for run in new}


def _sweep_up(run: WaitingRun, reason: str, settle_before: datetime, now: datetime, services: Services) -> None:
    """Enqueue a run; one that was received before ``settle_before`` counts as ended if it has no end."""
    settle = any(row.received <= settle_before for row in run.rows)
    pointer = RetryPointer(run.run_key, attempt=0, first_failed=now, reason=reason, settle=settle)
    services.retries.enqueue(pointer, random.uniform(0, SPREAD_SECONDS))


def _mark_swept(run: WaitingRun, reason: str, services: Services) -> None:
    services.events.mark_unchanged(run.rows, Status.RETRYING, reason)
    step(log, "sweep", "enqueued", {"run": run.run_key, "reason": reason})


def _without_retry(runs: tuple[WaitingRun, ...], now: datetime, services: Services) -> tuple[WaitingRun, ...]:
    """The runs whose retry should have come long ago."""

    def is_overdue(run: WaitingRun) -> bool:
        retry_at = services.run_records.read(run.run_key).retry_at
        return retry_at is None or retry_at + RETRY_OVERDUE <= now

    overdue = in_threads(is_overdue, runs, _AT_ONCE)
    return tuple(run for run, is_due in zip(runs, overdue, strict=True) if is_due)


def _killed_its_workers(pointer: RetryPointer, services: Services) -> bool:
    """Whether all attempts of the host at a retry began with the run, and none of them ended it."""
    if pointer.at_work is None:
        return False
    return services.run_records.read(pointer.run_key).at_work - pointer.at_work >= HOST_ATTEMPTS


def _enqueue(pointer: RetryPointer, delay: float, services: Services) -> None:
    """Enqueue a retry with the number of workers that are processing its run."""
    at_work = None
    with _without_need("read how many workers are at it"):
        at_work = services.run_records.read(pointer.run_key).at_work
    services.retries.enqueue(replace(pointer, at_work=at_work), delay)


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
        # In this order, so that a retry that is due soon writes last.
        with _without_need("mark its events"):
            events = services.events.names(pointer.run_key)
            services.events.mark(events, Status.RETRYING, sentences(error.reason, error.remedy), successor.attempt)
            # The sweep may have seen no retry in them so far.
            received = (event.received for event in events if event.received)
            services.retrying.reopen(hour for hour in received if hour <= now - RETRY_OVERDUE)
    _enqueue(successor, delay, services)
    with _without_need("note when it is tried again"):
        services.run_records.note_retry(pointer.run_key, now + timedelta(seconds=delay))
    facts = {"run": pointer.run_key, "reason": error.reason, "remedy": error.remedy}
    counts = {"attempt": successor.attempt, "seconds": round(delay)}
    step(log, "retry", "retried", {**facts, **counts}, logging.INFO if is_held_back else logging.WARNING)


@contextmanager
def _without_need(what: str) -> Iterator[None]:
    """Do the block if possible: a run is retried even if storage is unavailable for this."""
    try:
        yield
    except TryLater as error:
        log.warning("could not %s: %s", what, error.reason)


def _dead_letter(pointer: RetryPointer, reason: str, remedy: str, services: Services) -> None:
    details = {"attempts": pointer.attempt + 1, "firstFailed": pointer.first_failed.isoformat()}
    services.dead_letters.put(pointer.run_key, reason, remedy, details, _now())
    step(log, "retry", "dead-lettered", {"run": pointer.run_key, "reason": reason, "remedy": remedy}, logging.ERROR)
    events = services.events.names(pointer.run_key)
    services.events.mark(events, Status.DEAD_LETTERED, sentences(reason, remedy), pointer.attempt)
    # Its other notifications would only repeat the same request to the catalogue.
    services.run_records.note_answered(pointer.run_key, set_of(events))
    _drop_replayed(pointer, services)


def _drop_replayed(pointer: RetryPointer, services: Services) -> None:
    """Delete the dead letters that a replay has resolved: those from before it."""
    if not pointer.replay:
        return
    for name in list(services.dead_letters.names(pointer.run_key)):
        letter = services.dead_letters.read(name)
        if letter and letter.time < pointer.first_failed:
            services.dead_letters.delete(name)


def _delay_after(error: TryLater, successor: RetryPointer, left: timedelta, services: Services) -> float:
    """Seconds to wait after a failure: the longer one of the app's own delay and what the other side asked for.

    The wait never reaches the time at which the run would be given up.
    """
    settings = services.settings
    longest = settings.retry_max_delay_seconds
    if isinstance(error, CircuitOpen):
        longest = min(longest, LONGEST_HOLD_SECONDS)
    delay = max(_delay(successor, longest, services), error.retry_after or 0.0)
    return min(delay, max(left.total_seconds(), settings.retry_first_delay_seconds))


def _delay(pointer: RetryPointer, longest: float, services: Services) -> float:
    """Seconds to wait: doubled at each attempt up to the longest, and spread, so that a backlog returns gradually."""
    exact = services.settings.retry_first_delay_seconds * 2.0 ** min(pointer.attempt - 1, 20)
    return random.uniform(0.8, 1.2) * min(exact, longest)


def _now() -> datetime:
    return datetime.now(UTC)
