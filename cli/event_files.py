"""Files of events: on this machine, on standard input, and in OneLake or Azure Storage."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from cli.event_text import FileEvent, read_events
from core.errors import StorageUnavailable
from core.folder_address import folder_address
from storage.event_folders import EventFolder, FolderFile

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
KINDS = ".json, .json.gz, JSON lines"
REMOTE = ("https://", "abfss://")
STDIN = "-"

_READ_AHEAD = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file, its size in bytes (0 if it is not known), and how it is opened.

    ``open`` raises OSError or StorageUnavailable if the file cannot be read.
    """

    name: str
    size: int
    open: Callable[[], BinaryIO]


def local_files(paths: Iterable[Path]) -> Iterator[EventFile]:
    """Files, and all event files below folders; a path given twice counts once."""
    seen: set[Path] = set()
    for path in (file for given in paths for file in _files(given)):
        if path.resolve() not in seen:
            seen.add(path.resolve())
            yield EventFile(str(path), path.stat().st_size if path.is_file() else 0, _opener(path))


def remote_files(address: str) -> Iterator[EventFile]:
    """The file, or all files below the folder, at an address of OneLake or Azure Storage.

    :raises ValueError: it is no such address.
    :raises StorageUnavailable: it cannot be listed.
    """
    folder = EventFolder(folder_address(address))
    for file in folder.files():
        yield EventFile(
            f"{folder.address.account}/{folder.address.container}/{file.name}", file.size, _reader(folder, file)
        )


def standard_input() -> EventFile:
    """The standard input of the command."""
    return EventFile("standard input", 0, lambda: sys.stdin.buffer)


def empty_folders(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths that are folders without any event file."""
    yield from (path for path in paths if path.is_dir() and next(_files(path), None) is None)


def where(file: str, place: str) -> str:
    """The name of a file, with the place of an event in it."""
    return f"{file}, {place}" if place else file


def events_of(file: EventFile, on_read: Callable[[int], None] = lambda _: None) -> Iterator[FileEvent]:
    """The events of a file, and an entry with a problem if it cannot be read.

    ``on_read`` gets the number of bytes that were read each time.
    """
    try:
        with _opened(file) as stream:
            yield from read_events(cast(BinaryIO, _Counted(stream, on_read)))
    except (OSError, StorageUnavailable) as error:
        yield FileEvent("", b"", str(error))


@contextmanager
def _opened(file: EventFile) -> Iterator[BinaryIO]:
    """A file while it is read; standard input stays open."""
    stream = file.open()
    try:
        yield stream
    finally:
        if stream is not sys.stdin.buffer:
            stream.close()


class _Counted:
    """A stream whose reads are counted."""

    def __init__(self, stream: BinaryIO, on_read: Callable[[int], None]) -> None:
        self._stream, self._on_read = stream, on_read

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._on_read(len(data))
        return data


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _may_hold_events(file.name))


def _may_hold_events(name: str) -> bool:
    """In folders, names that begin with a dot or underscore are skipped, as Spark does.

    The agent's own files have no suffix: ``lineage_<timestamp>``.
    """
    is_ours = name.lower().endswith(SUFFIXES) or (name.startswith("lineage") and "." not in name)
    return is_ours and not name.startswith((".", "_"))


def _reader(folder: EventFolder, file: FolderFile) -> Callable[[], BinaryIO]:
    return lambda: cast(BinaryIO, BufferedReader(_RemoteFile(folder, file), _READ_AHEAD))


class _RemoteFile(RawIOBase):
    """A file of a folder up to the size that it had when it was listed."""

    def __init__(self, folder: EventFolder, file: FolderFile) -> None:
        super().__init__()
        self._folder, self._file, self._at = folder, file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        length = min(len(buffer), self._file.size - self._at)
        part = self._folder.read(self._file.name, self._at, length) if length > 0 else None
        data = part.data if part else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
