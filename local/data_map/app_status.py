"""The status of the app's events for the overview page, read like by ``sparklin status``."""

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cli.tasks.status_report import JobCount, SeenRun, StatusReport, status_report
from core.errors import SettingsError, StorageUnavailable
from core.settings import Settings
from core.threads import in_threads
from pipeline.services import Services, build

#: At most this many events of a span are counted, the newest.
MOST_EVENTS = 5_000
#: The most applications, the busiest, that are shown, and of each the most runs, the newest, whose processes are shown.
MOST_APPLICATIONS = 30
MOST_RUNS = 10
_AT_ONCE = 8
# Reading takes at most a quarter of the time, for any store and any number of open pages.
_REST = 3
_SHORTEST_REST = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class AppReport:
    """A report, when it was made, and by application the qualified names of the processes that its newest runs drew."""

    report: StatusReport
    made: datetime
    processes: dict[tuple[str, str], tuple[str, ...]]


@dataclass(slots=True)
class AppStatus:
    """The status of the app whose settings are in a JSON file, which may be written later."""

    settings_file: Path | None
    _services: Services | None = None
    _kept: dict[datetime, tuple[float, AppReport]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, since: datetime) -> AppReport | str:
        """A report of the events since then, or a sentence that says why there is none."""
        with self._lock:
            until, kept = self._kept.get(since, (0.0, None))
            if kept and time.monotonic() < until:
                return kept
            started = time.monotonic()
            try:
                found = self._read(since)
            except FileNotFoundError:
                return "The app is starting, or this Data Map runs without one."
            except (SettingsError, StorageUnavailable, OSError, ValueError) as error:
                self._services = None
                return f"The app's storage cannot be read: {error}"
            rest = max(_SHORTEST_REST, _REST * (time.monotonic() - started))
            self._kept = {since: (time.monotonic() + rest, found)}
            return found

    def _read(self, since: datetime) -> AppReport:
        if self.settings_file is None:
            raise FileNotFoundError
        if self._services is None:
            settings = json.loads(self.settings_file.read_text("utf-8"))
            self._services = build(Settings.from_env(instead=settings))
        services, now = self._services, datetime.now(UTC)
        report = status_report(since, now, MOST_EVENTS, services, lambda _hour, _number: None, is_exact=True)
        return AppReport(report, now, _processes(report, services))


def busiest(report: StatusReport) -> list[tuple[tuple[str, str], JobCount]]:
    """The applications, those with the most events first."""
    return sorted(report.jobs.items(), key=lambda item: (-item[1].statuses.total(), item[0]))


def _processes(report: StatusReport, services: Services) -> dict[tuple[str, str], tuple[str, ...]]:
    newest = [(name, run.run_key) for name, job in busiest(report)[:MOST_APPLICATIONS] for run in _newest(job)]

    def read(item: tuple[tuple[str, str], str]) -> set[str]:
        return set(services.run_records.read(item[1]).processes)

    found: dict[tuple[str, str], set[str]] = {}
    for (name, _), processes in zip(newest, in_threads(read, newest, _AT_ONCE), strict=True):
        found.setdefault(name, set()).update(processes)
    return {name: tuple(sorted(processes)) for name, processes in found.items()}


def _newest(job: JobCount) -> list[SeenRun]:
    return sorted(job.runs.values(), key=lambda run: run.received, reverse=True)[:MOST_RUNS]
