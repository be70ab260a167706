"""How far files were read is replaced only by who knows it."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from core.folder_address import FolderAddress
from storage.clients import StorageClients
from storage.faults import Conflict
from storage.file_progress import FileProgress, FileState, FolderState, failed
from tests.storage.runs import NOON, new_run

STATE = FileState("a.json", NOON, "e", offset=5, line=2, head="h", head_length=3, kept=1)
FURTHER = msgspec.structs.replace(STATE, offset=9, line=3)


@pytest.fixture
def progress(storage_clients: StorageClients) -> FileProgress:
    return FileProgress(storage_clients)


@pytest.fixture
def folder() -> FolderAddress:
    """A folder that no other test has."""
    return FolderAddress("https://lake", "container", new_run())


def states(progress: FileProgress, folder: FolderAddress) -> list[FileState]:
    return sorted((state for state, _ in progress.read(folder).files.values()), key=lambda state: state.name)


def test_a_state_is_replaced_in_place_of_the_row_that_was_read(progress: FileProgress, folder: FolderAddress) -> None:
    first = progress.write(folder, STATE, "")
    assert progress.read(folder).files == {"a.json": (STATE, first)}
    second = progress.write(folder, FURTHER, first)
    assert progress.read(folder).files == {"a.json": (FURTHER, second)}


def _begun_by_another(progress: FileProgress, folder: FolderAddress) -> str:
    progress.write(folder, FURTHER, "")
    return ""


def _written_by_another(progress: FileProgress, folder: FolderAddress) -> str:
    read = progress.write(folder, STATE, "")
    progress.write(folder, FURTHER, read)
    return read


def _forgotten_by_another(progress: FileProgress, folder: FolderAddress) -> str:
    read = progress.write(folder, STATE, "")
    progress.forget(folder, [STATE.name])
    return read


@pytest.mark.parametrize(
    ("happened", "expected"),
    [(_begun_by_another, [FURTHER]), (_written_by_another, [FURTHER]), (_forgotten_by_another, [])],
)
def test_what_another_worker_wrote_is_not_overwritten(
    happened: Callable[[FileProgress, FolderAddress], str],
    expected: list[FileState],
    progress: FileProgress,
    folder: FolderAddress,
) -> None:
    read = happened(progress, folder)
    with pytest.raises(Conflict):
        progress.write(folder, STATE, read)
    assert states(progress, folder) == expected


def test_files_that_are_gone_are_forgotten_and_others_stay(progress: FileProgress, folder: FolderAddress) -> None:
    other = msgspec.structs.replace(STATE, name="b.json")
    for state in (STATE, other):
        progress.write(folder, state, "")
    progress.forget(folder, ["missing.json", STATE.name])
    assert states(progress, folder) == [other]


def test_a_folder_has_a_state_of_its_own(progress: FileProgress, folder: FolderAddress) -> None:
    assert progress.read(folder).folder == FolderState()
    state = FolderState(files=3, pending_files=2, pending_bytes=1, checked=NOON)
    for each in (FolderState(), state):
        progress.write_folder(folder, each)
    progress.write(folder, STATE, "")
    assert (progress.read(folder).folder, states(progress, folder)) == (state, [STATE])


def test_a_failure_keeps_what_was_found() -> None:
    state, later = FolderState(files=3, checked=NOON), datetime(2024, 2, 1, tzinfo=UTC)
    assert failed(state, "no access", later) == FolderState(files=3, checked=NOON, error="no access", error_at=later)
