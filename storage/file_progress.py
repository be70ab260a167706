"""Table CollectedFiles: how far the collector has read each file of each folder.

A partition for each folder, with a row for each file and one for the folder itself. Counts are written together with
the position up to which was counted, so a crash in between repeats only the counting.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode

from core.folder_address import FolderAddress
from storage.clients import COLLECTED_FILES, StorageClients
from storage.faults import Conflict, storage_faults
from storage.text import cut

_FOLDER = "folder"
_ERROR_UNITS = 4000


class FileState(msgspec.Struct, frozen=True):
    """How far a file was read: everything before byte ``offset``, which is the start of ``line``.

    ``created`` and ``etag`` are those of the version that was read; ``head`` is the hash of its first ``head_length``
    bytes, by which a file that was replaced is recognised. ``unreadable_rest`` is the ETag with which the bytes after
    ``offset`` were dead-lettered as they were, "" if they were not. ``in_long_line`` says that ``offset`` is inside a
    line that is too long. The events before ``offset`` are counted by answer.
    """

    name: str
    created: datetime
    etag: str = ""
    offset: int = 0
    line: int = 1
    head: str = ""
    head_length: int = 0
    unreadable_rest: str = ""
    in_long_line: bool = False
    kept: int = 0
    ignored: int = 0
    rejected: int = 0


class FolderState(msgspec.Struct, frozen=True):
    """What the last call found in a folder, and when (UTC) all of it was last read.

    ``error`` is why the last call failed, "" if it did not.
    """

    files: int = 0
    pending_files: int = 0
    pending_bytes: int = 0
    checked: datetime | None = None
    error: str = ""
    error_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The stored state of a folder and of its files by name, each with the ETag of its row."""

    folder: FolderState
    files: dict[str, tuple[FileState, str]]


class FileProgress:
    """The progress in all folders. Safe to share between threads."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(COLLECTED_FILES)

    def read(self, address: FolderAddress) -> Progress:
        """The stored progress of a folder; empty if the app has not created the table yet.

        :raises StorageUnavailable: the table could not be read.
        """
        folder, files = FolderState(), {}
        with storage_faults("read how far files were collected"), suppress(ResourceNotFoundError):
            for row in self._table.query_entities(f"PartitionKey eq '{_hash(str(address))}'"):
                if row["RowKey"] == _FOLDER:
                    folder = msgspec.json.decode(row["State"], type=FolderState)
                else:
                    state = msgspec.json.decode(row["State"], type=FileState)
                    files[state.name] = (state, str(row.metadata["etag"]))
        return Progress(folder, files)

    def write(self, address: FolderAddress, state: FileState, etag: str) -> str:
        """Write the state of a file in place of the row with this ETag, "" for a new file; return the new ETag.

        :raises Conflict: another worker has written it since.
        :raises StorageUnavailable: it may not be written.
        """
        row = _row(address, _hash(state.name), state.name, state)
        with storage_faults("write how far a file was collected"):
            try:
                if not etag:
                    return str(self._table.create_entity(row)["etag"])
                condition = MatchConditions.IfNotModified
                written = self._table.update_entity(row, UpdateMode.REPLACE, etag=etag, match_condition=condition)
                return str(written["etag"])
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    raise Conflict("another worker collects the same file") from error
                raise

    def write_folder(self, address: FolderAddress, state: FolderState) -> None:
        """Write the state of a folder.

        :raises StorageUnavailable: it may not be written.
        """
        with storage_faults("write what was collected"):
            self._table.upsert_entity(_row(address, _FOLDER, "", state), UpdateMode.REPLACE)

    def forget(self, address: FolderAddress, names: Iterable[str]) -> None:
        """Delete the rows of files that do not exist any more.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("forget collected files"):
            for name in names:
                try:
                    self._table.delete_entity(_hash(str(address)), _hash(name))
                except ResourceNotFoundError:
                    continue


def failed(state: FolderState, reason: str, now: datetime) -> FolderState:
    """The state of a folder after a call that failed."""
    return msgspec.structs.replace(state, error=cut(reason, _ERROR_UNITS), error_at=now)


def _row(address: FolderAddress, row_key: str, name: str, state: FileState | FolderState) -> TableEntity:
    return TableEntity(
        PartitionKey=_hash(str(address)),
        RowKey=row_key,
        Folder=cut(str(address), 1000),
        File=cut(name, 1000),
        State=msgspec.json.encode(state).decode(),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
