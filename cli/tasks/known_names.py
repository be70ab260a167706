"""Finds known runs and applications by parts of their names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import islice

from cli.tasks.run_details import native_job
from cli.tasks.status_report import application_of
from pipeline.services import Services
from storage.event_rows import EventRow

_PART_OF_RUN = re.compile(r"[0-9a-fA-F]{8}[0-9a-fA-F-]*|x-[0-9a-f]{6,}")
_MOST_ROWS = 100_000
_MOST_NEAR = 10


@dataclass(frozen=True, slots=True)
class Found:
    """The matches of a part of a name: runs by key, applications as ``namespace/name``; ``near`` if nothing fits."""

    runs: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


def may_be_part_of_run(text: str) -> bool:
    """Whether a text may be the beginning of a run's key: at least eight characters."""
    return _PART_OF_RUN.fullmatch(text.strip()) is not None


def runs_beginning_with(text: str, since: datetime, until: datetime, services: Services) -> tuple[str, ...]:
    """The keys of the span's runs that begin with a text.

    :raises StorageUnavailable: storage does not answer.
    """
    start = text.strip().casefold()
    keys = (row.run_key for row in _rows(since, until, services) if row.run_key.startswith(start))
    return tuple(dict.fromkeys(keys))


def applications_like(text: str, since: datetime, until: datetime, services: Services) -> Found:
    """The applications whose names contain a text, else similar ones.

    :raises StorageUnavailable: storage does not answer.
    """
    known = applications(_rows(since, until, services), services)
    wanted = text.strip().casefold()
    fitting = tuple(sorted(name for name in known if wanted in name.casefold()))
    if fitting:
        return Found(applications=fitting)
    short = {name.rpartition("/")[2]: name for name in sorted(known)}
    near = get_close_matches(text, [*short, *known], _MOST_NEAR, 0.5)
    return Found(near=tuple(dict.fromkeys(short.get(name, name) for name in near)))


def applications(rows: Iterable[EventRow], services: Services) -> set[str]:
    """The applications of some rows, and those whose processes are named after them.

    :raises StorageUnavailable: storage does not answer.
    """
    found = {"/".join(application_of(row, services)) for row in rows}

    def noted(process: str) -> bool:
        if job := native_job(process):
            found.add("/".join(job))
        return False

    # The names are read without any history.
    list(services.details.all(noted))
    return found


def _rows(since: datetime, until: datetime, services: Services) -> Iterable[EventRow]:
    return islice((row for row in services.events.rows(since, until) if row.received >= since), _MOST_ROWS)
