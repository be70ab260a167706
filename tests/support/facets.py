"""The facets of OpenLineage: which occur in the recorded events, what becomes of each, and events without some of them.

How they are used is data, in facets.json next to this file; tests/core/test_facets.py checks it.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.preview import as_object, preview_rules
from cli.tasks.preview_events import PreviewedProcess, preview
from core.settings import Settings
from parser.details import details
from pipeline.processes import Process

RULES = preview_rules(Settings.offline({}))

Location = tuple[str, str]
"""What a facet belongs to (run, job, dataset, input, output), and its name."""


@dataclass(frozen=True)
class Fate:
    """The use of a facet: whether it is used, for what, and an application whose result it changes."""

    of: str
    facet: str
    used: bool
    what: str
    application: str = ""

    @property
    def place(self) -> Location:
        return self.of, self.facet


FATES = tuple(Fate(**each) for each in json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")))


def found_facets(body: bytes) -> set[Location]:
    """The facets of an event."""
    return {(of, name) for of, facets in _holders(json.loads(body)) for name in facets}


def without(body: bytes, places: Collection[Location]) -> bytes:
    """The event without these facets; unchanged if it has none of them."""
    event = json.loads(body)
    removed = [facets.pop(name) for of, facets in _holders(event) for name in list(facets) if (of, name) in places]
    return json.dumps(event).encode() if removed else body


def result(bodies: list[bytes]) -> str:
    """What is made of events: what ``sparklin preview`` prints, LineageDetails holds, names looked up, and counts."""
    shown = preview(bodies, RULES)
    rows = [
        [as_object(item), details(item.process.lineage), _looked_up(item.process), _written(item)]
        for item in shown.processes
    ]
    return json.dumps([rows, shown.reasons])


def _written(item: PreviewedProcess) -> list[object]:
    return [(run.rows_written, run.bytes_written, run.files_written) for run in item.newest_runs]


def _looked_up(process: Process) -> list[list[str]]:
    return [[str(name) for name in process.resolutions[key].candidates] for key in sorted(process.resolutions)]


def _holders(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "run", event["run"].get("facets") or {}
    yield "job", event["job"].get("facets") or {}
    for side in ("input", "output"):
        for dataset in event.get(f"{side}s") or ():
            yield "dataset", dataset.get("facets") or {}
            yield side, dataset.get(f"{side}Facets") or {}
