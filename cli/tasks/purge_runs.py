"""Deletes what is older than the retention: events with their rows, and everything else that is no longer needed.

What the catalogue shows does not depend on stored events: the contributions of runs are kept with their processes. A
run is deleted as a whole or not at all, since a part of it would be another lineage. Unprocessed runs stay, unless the
caller includes them. Safe to repeat, and to interrupt.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from core.errors import UnreadableHistory
from core.threads import in_threads, stream_in_threads
from parser.repeated_runs import whole_history
from pipeline.retries import LOOK_BACK
from pipeline.services import Services
from storage.details_table import Conflict, DetailsRow
from storage.event_rows import EventRow, RowKeys, Status
from storage.overflow import purge_overflow

log = logging.getLogger(__name__)

# Each run makes several requests, some of them at the same time.
_AT_ONCE = 4
_DONE = (Status.PROCESSED, Status.IGNORED, Status.DUPLICATE)


@dataclass(frozen=True, slots=True)
class OldRun:
    """A run whose events are all older than the retention.

    ``rows`` are those of one hour, ``events`` counts the stored events of the whole run; ``processed`` is false if some
    of them are still to be processed.
    """

    run_key: str
    rows: tuple[EventRow, ...]
    events: int
    processed: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """How many things other than events were deleted."""

    processes: int
    locks: int
    cached: int
    overflow: int
    letters: int


def shortest_retention(services: Services) -> timedelta:
    """The shortest retention: the app may still read such runs, and a process may still show them."""
    settle = timedelta(minutes=services.settings.settle_after_minutes)
    return max(LOOK_BACK + settle, services.settings.lineage_window) + timedelta(days=1)


def old_runs(before: datetime, services: Services) -> Iterator[OldRun]:
    """The runs whose events were all received before the hour of ``before``, hour by hour from the oldest.

    :raises StorageUnavailable: storage does not answer, also during the iteration.
    """
    rows = services.events.rows_before(before)
    runs = ((run_key, tuple(group)) for run_key, group in groupby(rows, key=lambda row: row.run_key))
    for run in stream_in_threads(lambda found: _old_run(*found, before, services), runs, _AT_ONCE):
        if run:
            yield run


def _old_run(run_key: str, rows: tuple[EventRow, ...], before: datetime, services: Services) -> OldRun | None:
    """The run of these rows, None if some of its events are newer."""
    stored = services.events.names(run_key)
    if any((item.received or item.modified) >= before for item in stored):
        return None
    known = services.events.rows_of(stored) if stored else []
    return OldRun(run_key, rows, len(stored), all(row.status in _DONE for row in known))


def delete_runs(runs: Iterable[OldRun], services: Services) -> None:
    """Delete the events, rows, records and dead letters of runs, several runs at a time.

    :raises StorageUnavailable: something may be left, which the next purge deletes.
    """
    for _ in stream_in_threads(lambda run: delete_run(run, services), runs, _AT_ONCE):
        pass


def delete_run(run: OldRun, services: Services) -> None:
    """Delete a run's events, rows, record and dead letters.

    :raises StorageUnavailable: something may be left, which the next purge deletes.
    """
    forget_run(run.run_key, services)
    # The other rows, of events that were sent again, are deleted last: by them the next purge finds what is left.
    services.events.delete_rows(RowKeys(row.partition, row.row_key) for row in run.rows)


def forget_run(run_key: str, services: Services) -> None:
    """Delete a run's stored events, dead letters and record.

    :raises StorageUnavailable: something may be left.
    """
    services.events.delete(services.events.names(run_key))
    in_threads(services.dead_letters.delete, services.dead_letters.names(run_key), _AT_ONCE)
    services.run_records.delete(run_key)


def delete_rest(before: datetime, services: Services) -> Purged:
    """Delete everything else that is no longer needed.

    These are removed processes, locks, expired names, unused blobs, and dead letters without events.

    :raises StorageUnavailable: something may be left, which the next purge deletes.
    """
    for sweep in (services.lost, services.unended, services.retrying):
        sweep.forget(before)
    services.facts.forget(before)
    services.onelake_names.forget_users(before)
    gone = (row for row in services.details.all() if _is_gone(row, before))
    letters = services.dead_letters.names()
    return Purged(
        processes=sum(stream_in_threads(lambda row: _delete_process(row, services), gone, _AT_ONCE)),
        locks=services.locks.purge(before),
        cached=services.cache.purge(),
        overflow=purge_overflow(services.clients, before),
        letters=sum(stream_in_threads(lambda name: _delete_orphan(name, before, services), letters, _AT_ONCE)),
    )


def _delete_orphan(name: str, before: datetime, services: Services) -> bool:
    """Delete an old dead letter that cannot be replayed: one of a queue message, or of events that are gone."""
    letter = services.dead_letters.read(name)
    if not letter or letter.time >= before or services.events.names(letter.run_key):
        return False
    services.dead_letters.delete(name)
    return True


def _is_gone(row: DetailsRow, before: datetime) -> bool:
    """Whether a process shows nothing, and its history contains only old failures."""
    if row.dirty or row.process_guid:
        return False
    try:
        history = whole_history(row.history, row.repeats)
    except UnreadableHistory as error:
        log.error("kept the row of process %s: %s", row.qualified_name, error.reason)
        return False
    if history.contributions:
        return False
    return all(run.ended < before for run in history.failures)


def _delete_process(row: DetailsRow, services: Services) -> bool:
    try:
        services.details.delete(row)
    except Conflict:
        return False
    return True


def cut_off(days: int) -> datetime:
    """The time (UTC) this many days ago."""
    return datetime.now(UTC) - timedelta(days=days)
