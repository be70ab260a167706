"""Events from files; a file contains one event, an array of events or JSON lines, gzipped or not."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.envelope import describes_no_run, read_envelope
from core.errors import BadEvent

SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
KINDS = ".json, .json.gz, JSON lines"


@dataclass(frozen=True, slots=True)
class EventFile:
    """The bodies of the events in one file, and the problems with what could not be read."""

    path: Path
    bodies: tuple[bytes, ...]
    problems: tuple[str, ...]


def event_files(paths: Iterable[Path]) -> Iterator[EventFile]:
    """Read files, and all event files below folders; a path given twice is read once."""
    seen: set[Path] = set()
    for path in (file for given in paths for file in _files(given)):
        if path.resolve() not in seen:
            seen.add(path.resolve())
            yield _read(path)


def empty_folders(paths: Iterable[Path]) -> Iterator[Path]:
    """Those of the paths that are folders without any event file."""
    yield from (path for path in paths if path.is_dir() and next(_files(path), None) is None)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _may_hold_events(file.name))


def _may_hold_events(name: str) -> bool:
    """In folders, names that begin with a dot or underscore are skipped, as Spark does."""
    return name.lower().endswith(SUFFIXES) and not name.startswith((".", "_"))


def _read(path: Path) -> EventFile:
    try:
        data = path.read_bytes()
        content = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        return EventFile(path, (), (str(error),))
    return _split(path, content.removeprefix(b"\xef\xbb\xbf"))


def _split(path: Path, content: bytes) -> EventFile:
    """One event, or the items of an array, or an event on each line."""
    bodies, problems = [], []
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list):
        parts = [json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass") for item in parsed]
    elif parsed is not None:
        parts = [content]
    else:
        parts = [line for line in content.splitlines() if line.strip()]
    for number, part in enumerate(parts, 1):
        problem = _problem(part)
        if problem is None:
            bodies.append(part)
        else:
            problems.append(f"event {number}: {problem}" if len(parts) > 1 else problem)
    return EventFile(path, tuple(bodies), tuple(problems) if parts else ("it is empty",))


def _problem(body: bytes) -> str | None:
    if describes_no_run(body):
        return "it is about a dataset or a job without a run, and carries no lineage"
    try:
        read_envelope(body)
    except BadEvent as error:
        return error.reason
    return None
