"""The status of the app: what happened to the events of a time span, hour by hour from the newest."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cli.tasks.written_counts import written_by
from core.errors import StorageUnavailable, UnreadableHistory
from core.event_model import Written
from core.folder_address import FolderAddress
from core.operations import split_job_name
from core.threads import in_threads
from parser.application import without_tail
from pipeline.run import OPEN
from pipeline.services import Services
from storage.event_rows import EventRow, Status
from storage.file_progress import FolderState
from storage.poison_queues import poison_messages

FAILING = (Status.DEAD_LETTERED, Status.RETRYING)
_ERRORS = 10
# The number of rows that storage returns at a time.
_PROGRESS = 1_000
_HOUR = timedelta(hours=1)
# States of runs; a later one takes precedence over earlier ones.
_ORDER = ("RUNNING", "COMPLETE", "FAIL", "ABORT")
_STATES = {"COMPLETE": "COMPLETE", "FAIL": "FAIL", "ABORT": "ABORT"}
_MOST_READ = 30
_AT_ONCE = 8
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class SeenRun:
    """A run by its events: when the last one was received, and its state; FAIL takes precedence over COMPLETE."""

    run_key: str
    received: datetime
    state: str


@dataclass(slots=True)
class JobCount:
    """The events of one application: how many by status, when the last one was received, and its runs by run key.

    ``written`` is what the last run wrote to its outputs together, None if it is not known.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    last: datetime = _NEVER
    runs: dict[str, SeenRun] = field(default_factory=dict)
    written: Written | None = None

    @property
    def last_run(self) -> SeenRun | None:
        """The run of the newest event."""
        return max(self.runs.values(), key=lambda run: run.received, default=None)


@dataclass(frozen=True, slots=True)
class FolderReport:
    """How far a folder of EVENT_FOLDERS is collected; the events are those of its files, by answer."""

    address: str
    state: FolderState
    kept: int
    ignored: int
    rejected: int


@dataclass(slots=True)
class StatusReport:
    """Counts of events received since ``since``; ``truncated`` if there were more than were read.

    ``cut_hour`` is the hour of which only some events were read, those with the smallest keys.

    ``oldest`` is the event that has waited longest, ``errors`` the newest failed events, one for each run. ``poison``
    is the number of messages on each poison queue that has any, None if the queues may not be read.
    """

    since: datetime
    until: datetime
    statuses: Counter[Status] = field(default_factory=Counter)
    jobs: dict[tuple[str, str], JobCount] = field(default_factory=dict)
    oldest: EventRow | None = None
    errors: list[EventRow] = field(default_factory=list)
    folders: list[FolderReport] = field(default_factory=list)
    truncated: bool = False
    poison: dict[str, int] | None = None
    cut_hour: datetime | None = None


def status_report(
    since: datetime,
    until: datetime,
    most: int,
    services: Services,
    progress: Callable[[datetime, int], object],
    *,
    is_exact: bool = False,
) -> StatusReport:
    """Read the rows of a span, at most about ``most`` of them, the newest first.

    The last hour is read to its end, or with ``is_exact`` only up to ``most`` rows. ``progress`` is called now
    and then with the hour that is being read, and the number of events so far.

    :raises StorageUnavailable: storage does not answer.
    """
    found = StatusReport(since, until)
    failing: list[EventRow] = []
    for hour in _hours_back(since, until):
        if found.statuses.total() >= most:
            found.since, found.truncated = hour + _HOUR, True
            break
        progress(hour, found.statuses.total())
        for number, row in enumerate(services.events.rows(hour, hour), 1):
            if number % _PROGRESS == 0:
                progress(hour, found.statuses.total())
            if is_exact and found.statuses.total() >= most:
                found.cut_hour, found.truncated = hour, True
                break
            if since <= row.received <= until:
                _count(row, found, services)
                if row.status in FAILING:
                    failing.append(row)
    _read_written(found.jobs.values(), services)
    found.errors = newest_of_runs(failing)[:_ERRORS]
    with suppress(StorageUnavailable):
        found.poison = poison_messages(services.clients)
    found.folders = [_folder(folder.address, services) for folder in services.folders]
    return found


def _read_written(jobs: Iterable[JobCount], services: Services) -> None:
    """Read what the last runs of the busiest jobs wrote, while storage answers."""
    busiest = sorted(jobs, key=lambda job: -job.statuses.total())[:_MOST_READ]

    def read(job: JobCount) -> Written | None:
        last = job.last_run
        with suppress(StorageUnavailable, UnreadableHistory):
            return written_by(last.run_key, services) if last and last.state == "COMPLETE" else None
        return None

    for job, written in zip(busiest, in_threads(read, busiest, _AT_ONCE), strict=True):
        job.written = written


def _folder(address: FolderAddress, services: Services) -> FolderReport:
    progress = services.file_progress.read(address)
    states = [state for state, _ in progress.files.values()]
    counts = (sum(getattr(state, answer) for state in states) for answer in ("kept", "ignored", "rejected"))
    return FolderReport(str(address), progress.folder, *counts)


def newest_of_runs(rows: Iterable[EventRow]) -> list[EventRow]:
    """The newest row of each run, the newest first."""
    newest: dict[str, EventRow] = {}
    for row in rows:
        before = newest.get(row.run_key)
        newest[row.run_key] = max(before or row, row, key=lambda each: each.received)
    return sorted(newest.values(), key=lambda row: row.received, reverse=True)


def application_of(row: EventRow, services: Services) -> tuple[str, str]:
    """The job's namespace and its application, as far as a row contains it."""
    tails = services.settings.application_name_tails
    return row.job_namespace, without_tail(split_job_name(row.job_name).application, tails)


def _count(row: EventRow, found: StatusReport, services: Services) -> None:
    found.statuses[row.status] += 1
    job = found.jobs.setdefault(application_of(row, services), JobCount())
    job.statuses[row.status] += 1
    job.last = max(job.last, row.received)
    seen = job.runs.setdefault(row.run_key, SeenRun(row.run_key, row.received, "RUNNING"))
    seen.received = max(seen.received, row.received)
    seen.state = max(seen.state, _STATES.get(row.event_type, "RUNNING"), key=_ORDER.index)
    if row.status in OPEN and (found.oldest is None or row.received < found.oldest.received):
        found.oldest = row


def _hours_back(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = until.replace(minute=0, second=0, microsecond=0)
    while hour > since - _HOUR:
        yield hour
        hour -= _HOUR
