"""Restores lost parts of the store from the stored events: rows of events, records of runs, processes, caches.

Every run is recorded first, without an upload, so that the catalogue never shows a process with some of its runs only.
Then each process is uploaded once, if it differs from its last upload. The command does this itself: it needs the app's
settings, and works while the app is stopped. Safe to repeat, to interrupt, and while the app runs.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from core.envelope import read_envelope
from core.errors import BadRequest, Refused, SparklinError
from core.threads import stream_in_threads
from pipeline.publish import publish, republish
from pipeline.run import ENDS, process_run
from pipeline.services import Services
from storage.clients import EVENT_METADATA, StorageClients, missing_parts
from storage.event_store import EventStore
from storage.events_of_run import EventsOfRun
from storage.run_events import RunEvents
from storage.run_records import RecordsOfOneWorker
from storage.stored_event import StoredEvent

AT_ONCE = 8
_LOOK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run that was recorded again: its stored events, the rows that were missing, and why it failed, "" if not."""

    run_key: str
    events: int
    rows: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PublishedProcess:
    """A process, whether it was uploaded or removed, and why that failed, "" if it did not."""

    name: str
    uploaded: bool
    failure: str = ""


def lost_tables(clients: StorageClients) -> list[str]:
    """The names of the app's tables that are missing.

    :raises StorageUnavailable: storage is unavailable or denies access.
    """
    missing = (part.split() for part in missing_parts(clients, _LOOK_SECONDS))
    return [name for kind, name in missing if kind == "table"]


def count_events(clients: StorageClients) -> Iterator[RecordedRun]:
    """Count the stored events of every run if tables are missing: all rows of a missing table would be written.

    :raises StorageUnavailable: the runs cannot be listed, also during the iteration.
    """
    lacks_rows = EVENT_METADATA in lost_tables(clients)
    for run_key, stored in EventStore(clients).runs():
        rows = sum(bool(event.partition) for event in stored) if lacks_rows else 0
        yield RecordedRun(run_key, len(stored), rows)


def record_runs(services: Services, *, dry_run: bool) -> Iterator[RecordedRun]:
    """Record every stored run again, several at a time.

    With ``dry_run`` nothing is written: ``rows`` counts what would be.

    :raises StorageUnavailable: the runs cannot be listed, also during the iteration.
    """
    record = partial(_record, services=services, dry_run=dry_run)
    return stream_in_threads(record, services.events.runs(), AT_ONCE)


def publish_processes(services: Services, *, force: bool) -> Iterator[PublishedProcess]:
    """Upload every process that differs from its last upload, or with ``force`` every one, several at a time.

    :raises StorageUnavailable: the processes cannot be listed, also during the iteration.
    """
    # A process that shows nothing has no guid: there is nothing to upload again.
    rows = ((row.qualified_name, force and bool(row.process_guid)) for row in services.details.all())
    return stream_in_threads(partial(_publish, services=services), rows, AT_ONCE)


def count_processes(services: Services) -> Iterator[PublishedProcess]:
    """All processes, as :func:`publish_processes` would upload them with ``force`` if nothing changes meanwhile.

    :raises StorageUnavailable: the processes cannot be listed, also during the iteration.
    """
    for row in services.details.all():
        yield PublishedProcess(row.qualified_name, uploaded=bool(row.process_guid))


def _record(run: tuple[str, tuple[StoredEvent, ...]], services: Services, *, dry_run: bool) -> RecordedRun:
    run_key, stored = run
    rows = 0
    try:
        known = {row.digest for row in services.events.rows_of(stored)}
        lacking = [event for event in stored if event.partition and event.name.digest not in known]
        if dry_run:
            return RecordedRun(run_key, len(stored), len(lacking))
        ours = _for_one_run(stored, services)
        rows = _restore_rows(lacking, ours)
        settle = _has_not_ended_for_long(stored, services)
        process_run(run_key, ours, replay=True, record_only=True, settle=settle)
    except SparklinError as error:
        return RecordedRun(run_key, len(stored), rows, str(error))
    return RecordedRun(run_key, len(stored), rows)


def _for_one_run(stored: tuple[StoredEvent, ...], services: Services) -> Services:
    """The services for a run that is listed already, which read its bodies and its record only once."""
    events, records = EventsOfRun(services.clients, stored), RecordsOfOneWorker(services.clients)
    return replace(services, events=events, run_records=records, run_events=RunEvents(events, records))


def _restore_rows(lacking: list[StoredEvent], services: Services) -> int:
    """Write the rows of events that have none; returns how many."""
    read = []
    for event, body in services.events.bodies(lacking):
        # An event that cannot be read is dead-lettered when its run is processed.
        with suppress(BadRequest):
            read.append((event, read_envelope(body)))
    return services.events.restore_rows(read)


def _has_not_ended_for_long(stored: tuple[StoredEvent, ...], services: Services) -> bool:
    """Whether the app has settled the run, or would have: the timer does not look back far enough for all runs."""
    if any(event.name.event_type in ENDS for event in stored):
        return False
    settled = datetime.now(UTC) - timedelta(minutes=services.settings.settle_after_minutes)
    return all((event.received or event.modified) < settled for event in stored)


def _publish(process: tuple[str, bool], services: Services) -> PublishedProcess:
    name, force = process
    try:
        if force:
            republish(name, services)
            return PublishedProcess(name, uploaded=True)
        return PublishedProcess(name, publish(name, services))
    except Refused as error:
        return PublishedProcess(name, uploaded=False, failure=f"{error.reason}. {error.remedy}")
    except SparklinError as error:
        return PublishedProcess(name, uploaded=False, failure=str(error))
