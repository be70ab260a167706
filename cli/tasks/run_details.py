"""The details of one run or one job: its events, the decision and the reason, and the processes that show it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from cli.tasks.preview_events import Preview, Rules, preview
from cli.tasks.status_report import application_of, newest_of_runs
from core.envelope import read_envelope
from core.errors import BadEvent
from core.lineage_model import RunRef
from core.threads import in_threads
from explorer.graph import GraphRun
from explorer.runs import newest_runs
from parser.artifacts import ID_PREFIXES
from parser.repeated_runs import whole_history
from pipeline.processes import drawn, process_of
from pipeline.services import Services
from storage.dead_letters import DeadLetter
from storage.details_table import DetailsRow
from storage.event_rows import EventRow

log = logging.getLogger(__name__)

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ShownProcess:
    """A process in LineageDetails: the lineage that it shows, the number of its runs, and its guid in the catalogue.

    ``written_by`` is the address of the notebook or job, "" if no event contains enough of it. ``last_run`` is the
    newest run that ended, failed ones included.
    """

    qualified_name: str
    name: str
    inputs: tuple[str, ...]
    sink: str
    runs: int
    last_event: datetime | None
    uploaded: datetime | None
    guid: str
    written_by: str = ""
    last_run: GraphRun | None = None


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run. ``decided`` is derived from its stored events by the current rules; ``processes`` are as stored."""

    run_key: str
    rows: tuple[EventRow, ...]
    decided: Preview
    processes: tuple[ShownProcess, ...]
    letters: tuple[DeadLetter, ...]
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """The processes of applications of one name, and their runs in a span, the newest first."""

    processes: tuple[ShownProcess, ...]
    runs: tuple[EventRow, ...]


def run_details(run_key: str, rules: Rules, services: Services) -> RunDetails:
    """Everything that is known about a run; without rows, the run is unknown.

    :raises StorageUnavailable: storage does not answer.
    """
    stored = services.events.names(run_key)
    bodies = [body for _, body in services.events.bodies(stored) if _is_readable(body)]
    record = services.run_records.read(run_key)
    letters = in_threads(services.dead_letters.read, services.dead_letters.names(run_key), _AT_ONCE)
    kept = in_threads(services.details.read, sorted(record.processes), _AT_ONCE)
    return RunDetails(
        run_key,
        tuple(services.events.rows_of(stored)),
        _decided(run_key, bodies, rules),
        tuple(known for row in kept if row and (known := _shown(row, services))),
        tuple(letter for letter in letters if letter),
        record.retry_at,
    )


def _decided(run_key: str, bodies: list[bytes], rules: Rules) -> Preview:
    """The preview of the events; for a dead-lettered run it may be impossible to derive one."""
    try:
        return preview(bodies, rules)
    except Exception as error:
        log.debug("nothing can be derived from run %s", run_key, exc_info=True)
        return Preview((), {run_key: f"nothing can be derived from its events: {type(error).__name__}: {error}"})


def job_details(job: str, since: datetime, until: datetime, services: Services) -> JobDetails:
    """The processes and runs of applications called ``job``, or ``namespace/job``, in any case.

    :raises StorageUnavailable: storage does not answer.
    """
    wanted = job.strip().casefold()
    rows_of_it = services.details.all(lambda name: _is_of_job(name, wanted))
    kept = [row for row in rows_of_it if any(wanted in _names(job) for job in _jobs_of(row))]
    processes = tuple(known for row in kept if (known := _shown(row, services)))
    # The path of a Databricks notebook is in no row of an event, only in its processes.
    its_runs = {run.run_key for row in kept for run in _runs_of(row)}
    rows = (row for row in services.events.rows(since, until) if row.received >= since)
    of_job = (row for row in rows if row.run_key in its_runs or wanted in _job_names(row, services))
    runs = tuple(newest_of_runs(of_job))
    return JobDetails(tuple(sorted(processes, key=lambda each: each.qualified_name)), runs)


def _names(application: tuple[str, str]) -> set[str]:
    namespace, name = application
    return {name.casefold(), f"{namespace}/{name}".casefold()}


def _job_names(row: EventRow, services: Services) -> set[str]:
    return {*_names(application_of(row, services)), row.job_name.casefold()}


def _runs_of(row: DetailsRow) -> Iterator[RunRef]:
    history = whole_history(row.history, row.repeats)
    yield from (run for item in history.contributions for run in item.runs)
    yield from history.failures


def _jobs_of(row: DetailsRow) -> set[tuple[str, str]]:
    """Namespaces and applications of a process, from its native name or else from its history."""
    native = native_job(row.qualified_name)
    if native:
        return {native}
    applications = {item.lineage.application for item in whole_history(row.history, row.repeats).contributions}
    return {(each.namespace, name) for each in applications for name in (each.name, each.shown)}


def _is_of_job(process: str, wanted: str) -> bool:
    """Whether a process may belong to a job, as far as its qualified name shows."""
    native = native_job(process)
    return native is None or wanted in _names(native)


def native_job(process: str) -> tuple[str, str] | None:
    """Namespace and application in the native name of a process; None for other names, and for the id of a notebook."""
    scheme, _, rest = process.partition("://")
    namespace, _, name = rest.partition("#")[0].partition("/")
    is_name = scheme == "sparklin" and not name.startswith(ID_PREFIXES)
    return (unquote(namespace), unquote(name)) if is_name else None


def _shown(row: DetailsRow, services: Services) -> ShownProcess | None:
    window = services.settings.lineage_window
    history = whole_history(row.history, row.repeats)
    lineage, runs = drawn(history, window, services.naming)
    if lineage is None:
        return None
    process = process_of(lineage, services.naming, row.qualified_name)
    return ShownProcess(
        row.qualified_name,
        process.name,
        tuple(each.asset.qualified_name for each in process.inputs),
        process.sink.asset.qualified_name,
        len(runs),
        max((run.ended for run in runs), default=None),
        row.uploaded,
        row.process_guid,
        lineage.application.link,
        next(iter(newest_runs(history, runs)), None),
    )


def _is_readable(body: bytes) -> bool:
    try:
        read_envelope(body)
    except BadEvent:
        return False
    return True
