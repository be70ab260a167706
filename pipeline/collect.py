"""The collector: reads what agents append to files in OneLake and ADLS, and receives it like requests.

A file is read from where the last call stopped, a part at a time, whole lines only. Events are stored under names that
depend on their content alone; only then the new position is written. So a worker that dies at any line, and two workers
that read the same file, repeat work and store nothing twice. A line that kills workers again and again is dead-lettered
like one that is not an event.

The end of a file without a line break is left until the file has been idle for a while. Then it counts as a line. If it
is not an event, it is dead-lettered and the position does not change: if the file grows again, the whole line is read.
"""

import dataclasses
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from core.errors import BadRequest, LeaseLost, StorageUnavailable
from core.folder_address import FolderAddress
from core.logs import step
from core.threads import in_threads
from pipeline.file_states import advanced, differ, digest, new_counts
from pipeline.intake import MOST_DEATHS, Intake, noted
from pipeline.receive import take_events
from pipeline.services import Services
from receiver.lines import Cut, cut
from receiver.receipt import Outcome, Receipt, rejected
from storage.event_folders import NEVER, EventFolder, FolderFile, Part
from storage.faults import Conflict
from storage.file_progress import FileState, FolderState, failed
from storage.locks import HeldLocks

log = logging.getLogger(__name__)

#: Seconds that a call takes for all folders together; the timer calls again.
CALL_SECONDS = 240.0
#: How long a file must not have changed before its end counts as a line without a line break.
IDLE = timedelta(minutes=10)

# So few that a call ends soon after its time is up: it finishes the parts that it has begun.
_PART_BYTES = 1024 * 1024
_HEAD_BYTES = 4096
_SHOWN_BYTES = 4000
_AT_ONCE = 4
# After so many files that cannot be read, the others are not tried: then storage itself is the problem.
_MOST_PROBLEMS = 10
# As the answer to a request on which the code fails.
_GIVEN_UP = 500
_NOTHING = Part(b"", NEVER)
_REMEDY = "Look at this line of the file; if it is an event, correct it and send it with `sparklin send`."


def collect(services: Services, seconds: float = CALL_SECONDS) -> None:
    """Collect what is new in all folders, within about ``seconds``; a folder that fails does not stop the others."""
    end = time.monotonic() + seconds
    for number, folder in enumerate(services.folders):
        now = time.monotonic()
        _collect(folder, services, now + (end - now) / (len(services.folders) - number))


def _collect(folder: EventFolder, services: Services, deadline: float) -> None:
    address = folder.address
    before = FolderState()
    try:
        with services.locks.hold([f"collect {address}"], wait_seconds=0) as held:
            progress = services.file_progress.read(address)
            before = progress.folder
            # To note each part would cost as much as to read it, so it is done only after workers died during a call.
            with noted(f"collect {address}", services.attempts) as deaths:
                is_careful = deaths >= MOST_DEATHS
                found = _Folder(folder, services, deadline, held, progress.files, is_careful).collected()
            services.file_progress.write_folder(address, found)
    except LeaseLost as error:
        log.info("%s is left to another worker: %s", address, error.reason)
    except Conflict as error:
        log.info("%s is left to another worker: %s", address, error)
    except StorageUnavailable as error:
        step(log, "collect", "failed", {"folder": str(address), "reason": error.reason}, logging.WARNING)
        _note(address, before, error.reason, services)


def _note(address: FolderAddress, before: FolderState, reason: str, services: Services) -> None:
    try:
        services.file_progress.write_folder(address, failed(before, reason, datetime.now(UTC)))
    except StorageUnavailable as error:
        log.warning("could not note that %s failed: %s", address, error.reason)


@dataclass(slots=True)
class _Folder:
    """One call's work on one folder; ``rows`` are its files' states with the ETags of their rows.

    ``is_careful`` says that each part is noted before it is taken, because workers died while they read the folder.
    """

    folder: EventFolder
    services: Services
    deadline: float
    held: HeldLocks
    rows: dict[str, tuple[FileState, str]]
    is_careful: bool
    compared: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    has_read: bool = False

    def collected(self) -> FolderState:
        """Read all files in turn, until nothing is left or the time is up; returns the folder's state then.

        :raises Conflict: another worker reads the same file.
        :raises LeaseLost: another worker has taken the folder over.
        :raises StorageUnavailable: the folder, or the app's own storage, is unavailable.
        """
        files = list(self.folder.files())
        self.services.file_progress.forget(self.folder.address, self.rows.keys() - {file.name for file in files})
        before = dict(self.rows)
        pending = [file for file in files if self._has_more(file)]
        while pending and not self._is_over():
            has_more = in_threads(self._has_more_after_reading, pending, _AT_ONCE)
            pending = [file for file, more in zip(pending, has_more, strict=True) if more]
        left = [file.size - self._state(file).offset for file in pending]
        facts: dict[str, str | int] = {
            "folder": str(self.folder.address),
            "files": len(files),
            "pendingBytes": sum(left),
        }
        counts = new_counts(before, self.rows)
        if self.problems:
            step(log, "collect", "failed", facts | counts | {"reason": self.problems[0]}, logging.WARNING)
        else:
            step(log, "collect", "collected", facts | counts)
        state = FolderState(len(files), len(left), sum(left), datetime.now(UTC))
        return failed(state, self.problems[0], datetime.now(UTC)) if self.problems else state

    def _has_more_after_reading(self, file: FolderFile) -> bool:
        """Read a part of a file; a file that cannot be read or stored is skipped. Returns whether there is more."""
        try:
            return self._is_over() or self._read_on(file)
        except StorageUnavailable as error:
            self.problems.append(error.reason)
            if len(self.problems) >= _MOST_PROBLEMS:
                raise
            return False

    def _is_over(self) -> bool:
        """Whether the time is up; something is read in each call, however long it took to list the folder."""
        return self.has_read and _is_late(self.deadline)

    def _has_more(self, file: FolderFile) -> bool:
        """Whether a file may have something that was not read; an end without a line break waits to be idle."""
        state = self._state(file)
        if state.etag != file.etag or state.created != file.created:
            return True
        return state.offset < file.size and state.unreadable_rest != file.etag and _is_idle(file)

    def _state(self, file: FolderFile) -> FileState:
        return self.rows[file.name][0] if file.name in self.rows else FileState(file.name, file.created)

    def _read_on(self, file: FolderFile) -> bool:
        """Read and store one part of a file, then write how far it was read; returns whether there is more now."""
        self.has_read = True
        state = self._same_file(file)
        part = self._part(file, state) if state.offset < file.size else _NOTHING
        if part is None:
            # Somebody replaces or removes the file at this moment; the next call reads what is there then.
            return False
        if not state.offset:
            head = part.data[:_HEAD_BYTES]
            state = replace(state, head=digest(head), head_length=len(head))
        found = _cut(part.data, state, file)
        receipts = self._taken(file, [text for _, text in found.lines])
        self.held.check()
        unreadable = self._dead_letter_rejected(file, state, found, receipts)
        if found.is_rest and unreadable:
            self._write(replace(state, etag=file.etag, unreadable_rest=file.etag))
            return False
        if state.unreadable_rest and found.length:
            self._withdraw(file, state)
        after = advanced(state, found, receipts)
        is_read = after.offset >= file.size or not found.length
        self._write(replace(after, etag=file.etag if is_read else ""))
        return not is_read

    def _taken(self, file: FolderFile, lines: Sequence[bytes]) -> list[Receipt]:
        """The outcomes of some lines; one that kills workers is rejected."""

        def take(some: Sequence[bytes]) -> list[Receipt]:
            return take_events(some, self.services.receiver, datetime.now(UTC))

        def give_up(_line: bytes, reason: str) -> Receipt:
            return rejected(BadRequest(_GIVEN_UP, reason))

        attempts = self.services.attempts if self.is_careful else None
        return Intake(self._address(file), take, give_up, attempts).take_all(lines)

    def _same_file(self, file: FolderFile) -> FileState:
        """The state of a file; a new one if it was replaced or shortened since."""
        state = self._state(file)
        is_same = state.created == file.created and state.offset <= file.size
        if is_same and state.offset and state.etag != file.etag and file.name not in self.compared:
            head = self.folder.read(file.name, 0, state.head_length)
            is_same = head is not None and digest(head.data) == state.head
            self.compared.add(file.name)
        return state if is_same else FileState(file.name, file.created)

    def _part(self, file: FolderFile, state: FileState) -> Part | None:
        """The next bytes of a file, extended to a whole line if necessary; None if the file was replaced."""
        left = file.size - state.offset
        longest = self.services.receiver.limits.max_body_bytes + 1
        length = min(left, _PART_BYTES)
        while True:
            part = self.folder.read(file.name, state.offset, length)
            if part is None or len(part.data) < length or differ(part.created, file.created):
                return None
            if b"\n" in part.data or length >= min(left, longest) or state.in_long_line:
                return part
            length = min(left, longest, 2 * length)

    def _write(self, state: FileState) -> None:
        before = self.rows.get(state.name)
        if before and before[0] == state:
            return
        etag = self.services.file_progress.write(self.folder.address, state, before[1] if before else "")
        self.rows[state.name] = (state, etag)

    def _dead_letter_rejected(
        self, file: FolderFile, state: FileState, found: Cut, receipts: Sequence[Receipt]
    ) -> bool:
        """Dead-letter the lines that were rejected; returns whether there are any."""
        bad = [
            (line, receipt.reason, text)
            for (line, text), receipt in zip(found.lines, receipts, strict=True)
            if receipt.outcome is Outcome.REJECTED
        ]
        if found.is_too_long:
            bad.append((state.line, "the line is longer than MAX_BODY_BYTES allows", b""))
        for line, reason, text in bad:
            details = {
                "file": self._address(file),
                "line": line,
                "text": text[:_SHOWN_BYTES].decode("utf-8", "replace"),
            }
            self.services.dead_letters.put(
                self._address(file), reason, _REMEDY, details, datetime.now(UTC), key=_letter_key(file, line)
            )
        return bool(bad)

    def _withdraw(self, file: FolderFile, state: FileState) -> None:
        """Delete the dead letter of a line that was not complete at that time."""
        letters = self.services.dead_letters
        letters.delete(letters.name_of(self._address(file), _letter_key(file, state.line)))

    def _address(self, file: FolderFile) -> str:
        return str(dataclasses.replace(self.folder.address, path=file.name))


def _cut(data: bytes, state: FileState, file: FolderFile) -> Cut:
    is_end = state.offset + len(data) >= file.size
    return cut(data, state.line, in_long_line=state.in_long_line, is_end=is_end, is_idle=_is_idle(file))


def _is_late(deadline: float) -> bool:
    return time.monotonic() >= deadline


def _is_idle(file: FolderFile) -> bool:
    return datetime.now(UTC) - file.modified >= IDLE


def _letter_key(file: FolderFile, line: int) -> str:
    return f"{file.created.isoformat()}|{line}"
