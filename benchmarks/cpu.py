"""CPU time of receiving an event, and from a COMPLETE event to its entities, compared with decoding the same bytes.

.venv/bin/python -m benchmarks.cpu [FOLDER…]

Without arguments, the recordings of tests/corpus are measured. A folder is one recording, with events in files. One
thread, warm; storage and the catalogue are left out. ``receive`` is what happens to every event on arrival, in times
that ``json.loads`` takes for it; large events (above 50 KB) are also compared with ``msgspec.json.decode``.
``entities`` is what happens to a COMPLETE event that draws something: it is decoded, merged and derived, and the drafts
of its processes are made.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.growth import cpu_milliseconds
from core.envelope import read_envelope
from core.event_fields import digest
from core.events import read_event
from core.settings import Settings
from core.storage_connection import StorageConnection
from parser.lineage import LineageRules, derive
from parser.merge import merge
from pipeline.processes import Naming, by_process
from purview.entities import preview_entities
from receiver.accept import ReceiverRules, accept
from receiver.request_limits import Limits, check_datasets, check_separators, check_width

CORPUS = Path(__file__).parent.parent / "tests" / "corpus"
LARGE = 50_000

_SETTINGS = Settings(lineage_storage=StorageConnection(), purview_endpoint="")
_LIMITS = Limits.of(_SETTINGS)
_RECEIVER = ReceiverRules(_SETTINGS.allow_operations, _SETTINGS.exclude_jobs)
_LINEAGE = LineageRules()
_NAMING = Naming.of(_SETTINGS)


@dataclass(frozen=True)
class Measured:
    """Of one recording: its events, and those that draw something.

    ``receive`` and the like are medians, in times that decoding the same bytes takes.
    """

    events: int
    drawing: int
    receive: float
    receive_large: float | None
    entities: float
    milliseconds: float

    def row(self, folder: str) -> str:
        """A row of the table."""
        large = "" if self.receive_large is None else f"{self.receive_large:.2f}"
        return (
            f"| {folder} | {self.events} | {self.receive:.1f} | {large} | {self.drawing} | "
            f"{self.entities:.0f} | {self.milliseconds:.1f} |"
        )


HEADER = (
    "| recording | events | receive ÷ json.loads | above 50 KB ÷ msgspec | drawn | entities ÷ json.loads | ms each |",
    "|---|---|---|---|---|---|---|",
)


def measured(folder: Path) -> Measured | None:
    """Measure one recording, or None if none of its events draws anything."""
    bodies = [file.read_bytes() for file in sorted(folder.rglob("[0-9]*_*.json"))]
    drawing = [body for body in bodies if read_envelope(body).event_type == "COMPLETE" and _draws(body)]
    if not drawing:
        return None
    large = [_times(body, msgspec.json.decode, partial(received, body)) for body in bodies if len(body) > LARGE]
    return Measured(
        events=len(bodies),
        drawing=len(drawing),
        receive=statistics.median(_times(body, json.loads, partial(received, body)) for body in bodies),
        receive_large=statistics.median(large) if large else None,
        entities=statistics.median(_times(body, json.loads, partial(to_entities, body)) for body in drawing),
        milliseconds=statistics.median(_milliseconds(partial(to_entities, body)) for body in drawing),
    )


def received(body: bytes) -> None:
    """What the receiver does with an event before it stores it."""
    check_separators(body, _LIMITS)
    envelope = read_envelope(body)
    check_datasets(envelope, _LIMITS)
    check_width(body, _LIMITS)
    if accept(envelope, _RECEIVER).kept:
        digest(body)


def to_entities(body: bytes) -> int:
    """What the parser does with an event before it asks the catalogue; the number of processes."""
    derived = derive(merge([read_event(body)]), _LINEAGE)
    processes = by_process(derived.lineages, _NAMING)
    for name, process in processes.items():
        preview_entities(process.lineage, process.resolutions, name)
    return len(processes)


def _draws(body: bytes) -> bool:
    return accept(read_envelope(body), _RECEIVER).kept and bool(to_entities(body))


def _times(body: bytes, decode: Callable[[bytes], object], work: Callable[[], object]) -> float:
    rounds = max(1, 200_000 // len(body))
    unit = cpu_milliseconds(lambda: [decode(body) for _ in range(rounds)]) / rounds
    return _milliseconds(work) / unit


def _milliseconds(work: Callable[[], object]) -> float:
    """Of one call, among some: a clock cannot resolve a single one."""
    once = cpu_milliseconds(work)
    rounds = max(1, int(5 / max(once, 0.001)))
    return cpu_milliseconds(lambda: [work() for _ in range(rounds)]) / rounds


def recordings() -> list[Path]:
    """The recordings of tests/corpus."""
    return sorted(folder for folder in [*CORPUS.iterdir(), *CORPUS.glob("agents/*")] if _is_recording(folder))


def _is_recording(folder: Path) -> bool:
    return folder.is_dir() and folder.name != "agents"


def table(folders: Iterable[Path]) -> Iterator[str]:
    """The table in Markdown, a line at a time, as it is measured."""
    yield from HEADER
    yield from (row.row(folder.name) for folder in folders if (row := measured(folder)))


def main(folders: Sequence[Path]) -> None:
    """Measure and print."""
    for row in table(folders or recordings()):
        print(row, flush=True)


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
