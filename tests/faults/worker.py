"""Workers that die at one step each, and others that take over: ``python -m tests.faults.worker WORK_FILE``.

Every life is its own process, forked from this one. A worker that should die and does not is an error.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.errors import CatalogUnavailable
from core.settings import Settings
from core.storage_connection import StorageConnection
from pipeline import run
from pipeline.services import build
from tests.faults.host import Death, Journal, arm, shorten_leases
from tests.support.universe import Universe

_Case = TypeVar("_Case")

_AT_ONCE = 4
_LONGEST_LIFE = 100.0


class Case(msgspec.Struct):
    """Events for a separate universe, and the step at which its first worker dies."""

    universe: str
    events: list[str]
    step: str
    after: bool
    times: int
    fails: bool


class Work(msgspec.Struct):
    """Where storage and Data Map are, the cases, and the file for the journal."""

    connection: str
    data_map: str
    journal: str
    cases: list[Case]


def main(file: Path) -> int:
    work = msgspec.json.decode(file.read_bytes(), type=Work)
    died = lives(work.cases, lambda case: _deliver(case, work, dies=True))
    took_over = lives(work.cases, lambda case: _deliver(case, work, dies=False))
    survivors = [case.step for case, code in zip(work.cases, died, strict=True) if code != -signal.SIGKILL]
    failed = [case.step for case, code in zip(work.cases, took_over, strict=True) if code != 0]
    sys.stderr.write(f"not killed: {survivors}, failed to take over: {failed}\n")
    return 1 if survivors or failed else 0


def lives(cases: Iterable[_Case], live: Callable[[_Case], None]) -> list[int]:
    """The exit codes of a process for each case, some at a time; minus the signal for one that was killed."""
    codes: dict[int, int] = {}
    children: list[int] = []
    for case in cases:
        while len(children) - len(codes) >= _AT_ONCE:
            _wait(codes)
        child = os.fork()
        if child == 0:
            os._exit(_outcome(live, case))
        children.append(child)
    while len(codes) < len(children):
        _wait(codes)
    return [codes[child] for child in children]


def _outcome(live: Callable[[_Case], None], case: _Case) -> int:
    """0 for a life without an error; this process must not continue what its parent was doing."""
    try:
        live(case)
    except Exception:  # noqa: BLE001 - the parent process gets every error
        traceback.print_exc()
        return 1
    return 0


def _wait(codes: dict[int, int]) -> None:
    child, status = os.wait()
    codes[child] = os.waitstatus_to_exitcode(status)


def _deliver(case: Case, work: Work, *, dies: bool) -> None:
    shorten_leases()
    storage = StorageConnection(work.connection)
    settings = Settings(lineage_storage=storage, purview_endpoint=work.data_map, purview_auth="none")
    # Dead workers keep their upload slots until their leases expire; here more of them die than there are slots.
    services = build(replace(settings, retry_first_delay_seconds=1, max_concurrent_uploads=500))
    if dies:
        arm(Death(_LONGEST_LIFE, case.step, after=case.after, times=case.times), Journal(work.journal))
        if case.fails:
            vars(run)["merge"] = _failing
    Universe(case.universe, services).deliver_all(sent.encode() for sent in case.events)


def _failing(events: Any) -> Any:
    raise CatalogUnavailable("this worker has no luck")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
