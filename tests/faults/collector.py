"""Collectors that die at one step each, and others that take over: ``python -m tests.faults.collector WORK_FILE``.

Every life is its own process, forked from this one. A collector that should die and does not is an error.
"""

import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from core.folder_address import folder_address
from core.settings import Settings
from core.storage_connection import StorageConnection
from pipeline import collect as collecting
from pipeline import receive
from pipeline.services import Services, build
from storage.attempts import Attempts
from storage.dead_letters import DeadLetters
from storage.event_folders import EventFolder
from storage.event_store import EventStore
from storage.event_table import EventTable
from storage.file_progress import FileProgress, FolderState
from tests.faults.host import Death, Journal, Step, arm, shorten_leases
from tests.faults.worker import lives

#: The steps of a file, in order.
STEPS = {
    "read how far it was": Step(FileProgress, "read"),
    "list the folder": Step(EventFolder, "files"),
    "forget files": Step(FileProgress, "forget"),
    "read a part": Step(EventFolder, "read"),
    "note what is in work": Step(Attempts, "begin"),
    "take a line": Step(receive, "_take"),
    "write the row of an event": Step(EventTable, "put"),
    "store an event": Step(EventStore, "put"),
    "note what is no longer in work": Step(Attempts, "end"),
    "dead-letter a line": Step(DeadLetters, "put"),
    "write how far it is": Step(FileProgress, "write"),
    "write what was collected": Step(FileProgress, "write_folder"),
}
_LONGEST_LIFE = 100.0
_POLL_SECONDS = 0.5


class Case(msgspec.Struct):
    """A separate folder, and the step at which its first collector dies."""

    folder: str
    step: str
    after: bool
    times: int


class Work(msgspec.Struct):
    """Where storage is, the cases, and the file for the journal."""

    connection: str
    journal: str
    cases: list[Case]


def main(file: Path) -> int:
    work = msgspec.json.decode(file.read_bytes(), type=Work)
    died = lives(work.cases, lambda case: _die(case, work))
    took_over = lives(work.cases, lambda case: _take_over(case, work))
    survivors = [case.step for case, code in zip(work.cases, died, strict=True) if code != -signal.SIGKILL]
    failed = [case.step for case, code in zip(work.cases, took_over, strict=True) if code != 0]
    sys.stderr.write(f"not killed: {survivors}, failed to take over: {failed}\n")
    return 1 if survivors or failed else 0


def _services(case: Case, work: Work) -> Services:
    shorten_leases()
    collecting._PART_BYTES = 2000
    collecting.IDLE = timedelta(-1)
    storage = StorageConnection(work.connection)
    services = build(Settings(lineage_storage=storage, purview_endpoint="http://127.0.0.1:9", purview_auth="none"))
    return replace(services, folders=(EventFolder(folder_address(case.folder), services.clients),))


def _die(case: Case, work: Work) -> None:
    services = _services(case, work)
    arm(Death(_LONGEST_LIFE, case.step, after=case.after, times=case.times), Journal(work.journal), STEPS)
    collecting.collect(services, 60)


def _take_over(case: Case, work: Work) -> None:
    """Collect again and again, as the timer does, until the lease of the dead is over and all is read."""
    services = _services(case, work)
    address = services.folders[0].address
    began = datetime.now(UTC)
    while not _is_over(services.file_progress.read(address).folder, began):
        assert datetime.now(UTC) - began < timedelta(seconds=_LONGEST_LIFE)
        collecting.collect(services, 60)
        time.sleep(_POLL_SECONDS)


def _is_over(state: FolderState, began: datetime) -> bool:
    return state.checked is not None and state.checked > began and not state.pending_files


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
