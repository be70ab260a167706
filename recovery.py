"""What happens around a run's processing: retries with growing delay, dead letters, lost notifications.

The blob trigger makes its five attempts within seconds. So a run that cannot be processed now goes to a queue of our
own, with a delay that doubles from a minute to an hour; after a day it is put aside with its reason, where
``sparklin replay`` finds it. A successor is enqueued before success is reported, so a crash repeats work at worst.
"""

import json
import logging
import random
from datetime import UTC, datetime, timedelta

import pipeline
from core.errors import Refused, TryLater
from core.naming import parse_blob_name
from services import Services
from storage.event_store import EventStatus
from storage.retry_queue import RetryPointer, decode

log = logging.getLogger(__name__)

CONTAINER = "openlineage"


def stored(blob: str, services: Services) -> None:
    """A blob was stored. ``blob`` is ``container/name``; any that is no event of ours is passed over."""
    name = parse_blob_name(blob.removeprefix(CONTAINER + "/"))
    if name is None:
        log.info("passed over %s, which is no stored event", blob)
        return
    attempt(RetryPointer(name.run_key, attempt=0, first_failed=datetime.now(UTC), reason=""), services)


def retry(message: bytes, services: Services) -> None:
    """A message of the retry queue came due."""
    attempt(decode(message), services)


def poisoned(message: bytes, services: Services) -> None:
    """The blob trigger gave a blob up, since the worker died over it: its run joins the retries."""
    blob = str(json.loads(message).get("BlobName", ""))
    name = parse_blob_name(blob)
    if name is None:
        log.warning("passed over a poison message for %s, which is no stored event", blob)
        return
    now = datetime.now(UTC)
    pointer = RetryPointer(name.run_key, attempt=1, first_failed=now, reason="the blob trigger gave it up")
    services.retries.enqueue(pointer, _delay(pointer, services))


def attempt(pointer: RetryPointer, services: Services) -> None:
    """Process a run; what fails is retried later or, if that is hopeless, put aside with its reason."""
    try:
        pipeline.process_run(pointer.run_key, services, settle=pointer.settle)
    except Refused as error:
        _put_aside(pointer, error.reason, error.remedy, services)
    except TryLater as error:
        _again(pointer, error.reason, error.retry_after, services)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not lose the run either
        log.exception("run %s failed unexpectedly", pointer.run_key)
        _again(pointer, f"{type(error).__name__}: {error}", None, services)


def sweep(services: Services) -> None:
    """Enqueue the runs whose notification got lost, and those that will not end any more."""
    now = datetime.now(UTC)
    overdue = now - timedelta(minutes=services.settings.sweep_after_minutes)
    settled = now - timedelta(minutes=services.settings.settle_after_minutes)
    found: dict[str, bool] = {}
    for row in services.events.open_rows(now):
        if row.status is EventStatus.RECEIVED and row.received <= overdue:
            found.setdefault(row.run_key, False)
        elif row.status is EventStatus.WAITING and row.received <= settled:
            found[row.run_key] = True
    for run_key, settle in found.items():
        pointer = RetryPointer(run_key, attempt=0, first_failed=now, reason="", settle=settle)
        services.retries.enqueue(pointer, random.uniform(0, 30))
    if found:
        log.info("swept up %s runs", len(found))


def _again(pointer: RetryPointer, reason: str, retry_after: float | None, services: Services) -> None:
    now = datetime.now(UTC)
    first = now if pointer.attempt == 0 else pointer.first_failed
    if now - first >= timedelta(hours=services.settings.retry_give_up_hours):
        _put_aside(pointer, reason, "Mend the cause, then run: sparklin replay --dead-letters", services)
        return
    successor = RetryPointer(pointer.run_key, pointer.attempt + 1, first, reason, pointer.settle)
    delay = max(_delay(successor, services), retry_after or 0)
    services.retries.enqueue(successor, delay)
    log.warning("run %s is tried again in %.0f s (attempt %s): %s", pointer.run_key, delay, successor.attempt, reason)
    services.events.mark_run(pointer.run_key, EventStatus.RETRYING, reason, successor.attempt)


def _put_aside(pointer: RetryPointer, reason: str, remedy: str, services: Services) -> None:
    services.dead_letters.put(pointer.run_key, reason, remedy)
    log.error("run %s was put aside: %s %s", pointer.run_key, reason, remedy)
    services.events.mark_run(pointer.run_key, EventStatus.DEAD_LETTERED, f"{reason} {remedy}", pointer.attempt)


def _delay(pointer: RetryPointer, services: Services) -> float:
    """Seconds to wait: doubled at each attempt up to the longest, and spread so that a backlog does not return at once."""
    settings = services.settings
    exact = settings.retry_first_delay_seconds * 2.0 ** min(pointer.attempt - 1, 20)
    return random.uniform(0.8, 1.2) * min(exact, settings.retry_max_delay_seconds)
