"""Lets the app process runs again: dead-lettered ones, one run, or all runs since a time.

The app does the work, with its own settings and identity: here the runs are only put on the retry queue. Safe to
repeat.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from cli.tasks.status_report import application_of
from core.threads import stream_in_threads
from pipeline.run import ENDS, set_of
from pipeline.services import Services
from storage.event_rows import EventRow, Status
from storage.retry_queue import RetryPointer

_ASKED = "a replay was asked for"
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that may be replayed; ``refusal`` says why it will not be, "" if it will.

    ``job`` is the job's name in its events, ``application`` the name that people see.
    """

    run_key: str
    job: str
    events: int
    refusal: str = ""
    settle: bool = False
    application: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a replayed run."""

    status: Status
    message: str


def runs_of_dead_letters(services: Services) -> Iterator[str]:
    """The keys of all runs that have a dead letter, each once.

    :raises StorageUnavailable: storage does not answer, also during the iteration.
    """
    yield from dict.fromkeys(name.partition("/")[0] for name in services.dead_letters.names())


def runs_since(since: datetime, services: Services) -> Iterator[str]:
    """The keys of all runs of which an event was received since then, each once.

    :raises StorageUnavailable: storage does not answer, also during the iteration.
    """
    rows = services.events.rows(since, datetime.now(UTC))
    yield from dict.fromkeys(row.run_key for row in rows if row.received >= since)


def candidates(run_keys: Iterable[str], services: Services, *, force: bool, settle: bool) -> Iterator[Candidate]:
    """Whether runs can be replayed, in their order; several are read at a time.

    With ``force`` also those that were processed before, with ``settle`` also those that have not ended and may go on.

    :raises StorageUnavailable: storage does not answer, also during the iteration.
    """
    return stream_in_threads(partial(_candidate, services=services, force=force, settle=settle), run_keys, _AT_ONCE)


def _candidate(run_key: str, services: Services, *, force: bool, settle: bool) -> Candidate:
    stored = services.events.names(run_key)
    rows = services.events.rows_of(stored)
    # An interrupted replay may have marked the rows without enqueueing the run.
    is_due = any(row.status is Status.DEAD_LETTERED or _is_asked_for(row) for row in rows)
    was_settled = any(row.status in (Status.PROCESSED, Status.IGNORED) for row in rows)
    has_end = any(item.name.event_type in ENDS for item in stored)
    refusal = ""
    if not stored:
        refusal = "none of its events are stored"
    elif not force and not is_due and services.run_records.read(run_key).processed == set_of(stored):
        refusal = "already processed; --force processes it again"
    elif not (has_end or is_due or was_settled or settle):
        refusal = "it has not ended yet; --run with --force treats it as ended"
    named = next((row for row in rows if row.job_name), None)
    job, application = (named.job_name, application_of(named, services)[1]) if named else ("", "")
    return Candidate(run_key, job, len(stored), refusal, settle=not has_end, application=application)


def enqueue(wanted: Iterable[Candidate], services: Services, *, force: bool) -> Iterator[None]:
    """Let the app process runs at once; yields once for each run that is on the queue.

    :raises StorageUnavailable: the rest may not be on the queue, also during the iteration.
    """
    return stream_in_threads(partial(_enqueue, services=services, force=force), wanted, _AT_ONCE)


def _enqueue(wanted: Candidate, services: Services, *, force: bool) -> None:
    stored = services.events.names(wanted.run_key)
    services.events.mark(stored, Status.RETRYING, _ASKED)
    services.retrying.reopen(event.received for event in stored if event.received)
    services.run_records.note_unprocessed(wanted.run_key)
    now = datetime.now(UTC)
    pointer = RetryPointer(wanted.run_key, 0, now, _ASKED, settle=wanted.settle, replay=True, force=force)
    services.retries.enqueue(pointer, 0)


def outcomes(run_keys: Iterable[str], services: Services) -> Iterator[tuple[str, Outcome]]:
    """What happened to those runs that the app has finished.

    :raises StorageUnavailable: storage does not answer.
    """

    def decided(run_key: str) -> tuple[str, EventRow | None]:
        return run_key, _decided(services.events.rows_of(services.events.names(run_key)))

    for run_key, row in stream_in_threads(decided, run_keys, _AT_ONCE):
        if row:
            yield run_key, Outcome(row.status, row.message)


def _decided(rows: Iterable[EventRow]) -> EventRow | None:
    """The row with the result of a run; None while the app has not started on it."""
    known = [row for row in rows if row.status is not Status.DUPLICATE]
    if not known or any(map(_is_asked_for, known)):
        return None
    return known[-1]


def _is_asked_for(row: EventRow) -> bool:
    return row.status is Status.RETRYING and row.message == _ASKED
