"""Processes a run step by step: all stored events of the run → lineage → its processes."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from core.errors import BadEvent, CatalogConflict, Refused, TryLater
from core.event_fields import digest
from core.event_model import RunEvent
from core.events import read_event
from core.logs import step
from core.naming import EventName
from parser.merge import MergedRun, RunState, merge
from parser.process_history import with_failure, with_run, without_run
from pipeline.learned_ids import with_learned_ids
from pipeline.processes import Process, by_failed_process, by_process, check_drawable
from pipeline.publish import publish, record, record_repeat, republish
from pipeline.services import Services
from pipeline.shared_facts import derive_in_application
from receiver.receipt import escaped
from storage.event_rows import Status
from storage.stored_event import StoredEvent

log = logging.getLogger(__name__)

ENDS = ("COMPLETE", "FAIL", "ABORT")
OPEN = (Status.RECEIVED, Status.WAITING, Status.RETRYING)

Show = Callable[[str, Services, Process | None], object]


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of processing a run: the status of its events, the reason in a sentence, and its processes.

    ``left`` contains the processes that it no longer belongs to.
    """

    status: Status
    message: str
    processes: tuple[str, ...] = ()
    job: str = ""
    left: frozenset[str] = frozenset()


def process_run(
    run_key: str,
    services: Services,
    *,
    settle: bool = False,
    replay: bool = False,
    force: bool = False,
    record_only: bool = False,
    event: EventName | None = None,
) -> RunReport | None:
    """Update the catalogue to what all stored events of a run say. None if they were all processed before.

    It is safe to repeat this, in any order, and by several workers at once.

    :param settle: treat a run without an end as ended.
    :param replay: also process a run that was processed before.
    :param force: also upload what has not changed.
    :param record_only: do not upload at all; the caller publishes the processes.
    :param event: the event that triggered this; None for a retry.
    :raises TryLater: if storage or the catalogue is unavailable; nothing is lost, and the run must be tried again.
    :raises Refused: if the catalogue refuses the content; it would refuse it again.
    """
    report: RunReport | None = None
    seen: tuple[StoredEvent, ...] = ()
    while (stored := _stored(run_key, event, services)) != seen:
        processed = services.run_records.read(run_key).processed
        # After a report of this worker, repeat: it may have overwritten the report of a worker that saw more events.
        if not (replay or report) and processed == set_of(stored) and (event or _are_done(stored, services)):
            break
        if not settle and not any(item.name.event_type in ENDS for item in stored):
            seen = stored
            report = RunReport(Status.WAITING, "the run has not ended yet")
            services.events.mark([item for item in stored if event in (None, item.name)], report.status, report.message)
        elif services.run_records.begin(run_key, processed):
            seen = stored
            show = _leave if record_only else republish if force else publish
            report = _process_counted(run_key, stored, services, show)
    if report:
        _log_step(run_key, report, len(seen))
    return report


def _log_step(run_key: str, report: RunReport, events: int) -> None:
    facts = {"run": run_key, "job": escaped(report.job), "reason": report.message}
    step(log, "process", report.status.value, {**facts, "events": events, "processes": len(report.processes)})


def _leave(process: str, services: Services, known: Process | None = None) -> None:
    """Publish nothing."""


def _stored(run_key: str, event: EventName | None, services: Services) -> tuple[StoredEvent, ...]:
    """The stored events of a run; without a causing event, its notifications may have been lost."""
    return services.run_events.of_event(event) if event else services.run_events.of_run(run_key)


def _are_done(stored: tuple[StoredEvent, ...], services: Services) -> bool:
    """Whether no row of the events is open; the rows of a run that will be retried are."""
    return not any(row.status in OPEN for row in services.events.rows_of(stored))


def set_of(stored: tuple[StoredEvent, ...]) -> str:
    """A short name for a set of stored events."""
    return digest("".join(item.name.blob for item in stored).encode())


def _process_counted(run_key: str, stored: tuple[StoredEvent, ...], services: Services, show: Show) -> RunReport:
    """Process events and store the result. Meanwhile the run's record counts this worker."""
    try:
        report = _process(stored, services, show)
        services.events.mark(stored, report.status, report.message)
    except Exception:
        with suppress(TryLater):
            services.run_records.give_up(run_key)
        raise
    services.run_records.end(run_key, set_of(stored), report.left)
    return report


def _process(stored: tuple[StoredEvent, ...], services: Services, show: Show) -> RunReport:
    events = _readable(services.events.bodies(stored), services)
    if not events:
        return RunReport(Status.DEAD_LETTERED, "no event of this run can be read")
    run = merge(events)
    report, is_current = _draw(run, services, show)
    while not is_current():
        # Other runs have stored more facts since this worker read them. They enqueue the run again, but a worker that
        # processed it before this one wrote has been overwritten.
        report, is_current = _draw(run, services, show)
    return report


def _draw(run: MergedRun, services: Services, show: Show) -> tuple[RunReport, Callable[[], bool]]:
    """Draw a run from its own events and the facts of other runs; also returns whether these are still the same."""
    derived, is_said = derive_in_application(run, services)
    lineages, is_known = with_learned_ids(run, derived.lineages, services)
    named = by_failed_process if run.state is RunState.FAILED else by_process
    processes = named(lineages, services.naming)
    check_drawable(processes.values())
    affected, repeated = _record(run, processes, services)
    shown = affected if show is republish else affected - repeated
    # First the processes to which the run was added: assets that move to another process are then always referred to,
    # and stay.
    ordered = sorted(shown, key=lambda name: (name not in processes, name))
    _show_all({name: processes.get(name) for name in ordered}, show, services)
    status, message = Status.PROCESSED, f"shown in {len(processes)} process{'' if len(processes) == 1 else 'es'}"
    if run.state is RunState.FAILED:
        message = "the run failed and draws nothing"
    elif derived.reason:
        status, message = Status.IGNORED, derived.reason
    job = f"{run.job_namespace}/{run.job_name}"
    report = RunReport(status, message, tuple(processes), job, affected - processes.keys())
    return report, lambda: is_said() and is_known()


def _show_all(processes: Mapping[str, Process | None], show: Show, services: Services) -> None:
    """Publish each process, with what the run added to it. A failure that concerns only one does not stop the others.

    :raises CatalogConflict: if one of them must be shown again; raised before a refusal, which the retry gets again.
    :raises Refused: if the catalogue refuses the content of one of them.
    :raises TryLater: if storage or the catalogue is unavailable.
    """
    failures: list[CatalogConflict | Refused] = []
    for name, added in processes.items():
        try:
            show(name, services, added)
        except (CatalogConflict, Refused) as error:
            failures.append(error)
    if failures:
        raise min(failures, key=lambda error: isinstance(error, Refused))


def _record(
    run: MergedRun, processes: Mapping[str, Process], services: Services
) -> tuple[frozenset[str], frozenset[str]]:
    """Add the run to the histories of its processes, and remove it from those that it no longer belongs to.

    Returns all of them, and those in which it changes nothing and which the catalogue shows already.
    """
    before = services.run_records.get(run.run_key)
    if not processes.keys() <= before:
        before = services.run_records.add(run.run_key, frozenset(processes))
    repeated = set()
    for name, process in processes.items():
        ref = run.ref_of(process.lineage.sink.id)
        if run.state is RunState.FAILED:
            record(name, partial(with_failure, run=run.ref), services)
        elif record_repeat(process, ref, services, is_new=name not in before):
            repeated.add(name)
        else:
            record(name, partial(with_run, lineage=process.lineage, run=ref), services)
    for name in before - processes.keys():
        record(name, partial(without_run, run_key=run.run_key), services)
    return before | processes.keys(), frozenset(repeated)


def _readable(bodies: Iterable[tuple[StoredEvent, bytes]], services: Services) -> list[RunEvent]:
    """The events that can be read. The others are dead-lettered."""
    events = []
    for stored, body in bodies:
        try:
            events.append(_in_our_time(read_event(body), stored))
        except BadEvent as error:
            blob = stored.name.blob
            remedy = "Store the event again, or delete its blob."
            services.dead_letters.put(stored.name.run_key, error.reason, remedy, {"blob": blob}, datetime.now(UTC))
            log.error("stored event %s cannot be read: %s", blob, error.reason)
    return events


def _in_our_time(event: RunEvent, stored: StoredEvent) -> RunEvent:
    """The event, with a time at most one day after its receipt: a clock that is ahead must not hide all other runs."""
    latest = stored.received + timedelta(days=1) if stored.received else event.time
    return replace(event, time=min(event.time, latest))
