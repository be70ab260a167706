"""The status of the app: what happened to the events of a time span, hour by hour from the newest."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.errors import StorageUnavailable
from core.folder_address import FolderAddress
from core.operations import split_job_name
from parser.application import without_tail
from pipeline.run import OPEN
from pipeline.services import Services
from storage.event_rows import EventRow, Status
from storage.file_progress import FolderState
from storage.poison_queues import poison_messages

FAILING = (Status.DEAD_LETTERED, Status.RETRYING)
_ERRORS = 10
# As many rows as storage answers at a time.
_PROGRESS = 1_000
_HOUR = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class JobCount:
    """The events of one application: how many by status, and when the last one came."""

    statuses: Counter[Status] = field(default_factory=Counter)
    last: datetime = _NEVER


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

    ``oldest`` is the event that has waited longest, ``errors`` the newest that fail, one a run. ``poison`` is how many
    messages each poison queue has that has any, None if the queues may not be read.
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


def status_report(
    since: datetime, until: datetime, most: int, services: Services, progress: Callable[[datetime, int], object]
) -> StatusReport:
    """Read the rows of a span, at most about ``most`` of them, the newest first.

    ``progress`` is called now and then with the hour that is being read, and the number of events so far.

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
            if since <= row.received <= until:
                _count(row, found, services)
                if row.status in FAILING:
                    failing.append(row)
    found.errors = newest_of_runs(failing)[:_ERRORS]
    with suppress(StorageUnavailable):
        found.poison = poison_messages(services.clients)
    found.folders = [_folder(folder.address, services) for folder in services.folders]
    return found


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
    if row.status in OPEN and (found.oldest is None or row.received < found.oldest.received):
        found.oldest = row


def _hours_back(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = until.replace(minute=0, second=0, microsecond=0)
    while hour > since - _HOUR:
        yield hour
        hour -= _HOUR
