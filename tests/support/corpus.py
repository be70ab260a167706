"""The recorded events of tests/corpus, and the true lineage of their writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.event_model import ColumnRef, RunEvent
from core.events import read_event
from core.identity import dataset_id

CORPUS = Path(__file__).parent.parent / "corpus"
SPARK_35 = "openlineage-1.53.0_spark-3.5.1"
SPARK_31 = "openlineage-0.4.0_spark-3.1.3"


@dataclass(frozen=True)
class TrueWrite:
    """One write as its author knows it: value-giving columns by output column; datasets in our spelling.

    ``failed``: nothing of it may be drawn; also what is no write to a dataset (``absent`` in the file). ``opaque``: its
    columns are not judged, because no event can hold them.
    """

    sink: str
    inputs: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    failed: bool
    opaque: bool


def bodies(scenario: str) -> list[bytes]:
    """The POST bodies of a scenario (``producer/name``, or its own path), in their order of arrival."""
    files = sorted((CORPUS / scenario).glob("[0-9]*_*.json"))
    assert files, f"no events in {scenario}"
    return [file.read_bytes() for file in files]


def events(scenario: str) -> list[RunEvent]:
    """The events of a scenario, in their order of arrival."""
    return [read_event(body) for body in bodies(scenario)]


def scenarios() -> list[str]:
    """All scenarios, as ``producer/name``."""
    return sorted(str(file.parent.relative_to(CORPUS)) for file in CORPUS.glob("*/*/_scenario.json"))


def truth(scenario: str) -> list[TrueWrite]:
    """The writes of a scenario, in their order; what was only read has no entry."""
    listed = json.loads((CORPUS / scenario / "_scenario.json").read_text())["truth"]
    return [
        TrueWrite(
            sink=name_of(write["output"]),
            inputs=frozenset(name_of(dataset) for dataset in write["inputs"]),
            columns={
                column: frozenset(f"{name_of(source['dataset'])}#{source['column']}" for source in sources)
                for column, sources in write["columns"].items()
            },
            failed=bool(write.get("failed") or write.get("absent")),
            opaque=bool(write.get("opaque")),
        )
        for write in listed
        if write.get("output")
    ]


def name_of(identifier: str) -> str:
    """``namespace/name`` of the truth in the spelling of core.identity."""
    scheme, separator, rest = identifier.partition("://")
    head, _, tail = rest.partition("/") if separator else identifier.partition("/")
    name = tail.replace("/", ".") if scheme == "mysql" else tail
    return str(dataset_id(f"{scheme}://{head}" if separator else head, name))


def column_text(column: ColumnRef) -> str:
    """``namespace/name#column``, as the truth writes it."""
    return f"{column.dataset}#{column.column}"
