"""The lineage graph, in the form of docs/contracts/lineage.schema.json.

Every source of lineage becomes this graph; the terminal, the page and the files show only this graph.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from core.catalog_model import AssetName

Direction = Literal["up", "down", "both"]
Source = Literal["catalog", "details", "events"]


class _Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A part of the contract: names are in camel case in JSON, and unknown values are left out."""


class GraphColumn(_Part, frozen=True):
    """A column of a dataset; ``type`` is Spark's name of its type, "" if it is not known."""

    name: str
    type: str = ""


class GraphDataset(_Part, frozen=True):
    """A dataset. ``more_upstream`` and ``more_downstream`` count the processes that are not part of the graph.

    ``label`` distinguishes it from all datasets of its source; "" if its name does.
    """

    id: str
    type: str
    qualified_name: str
    name: str
    columns: tuple[GraphColumn, ...]
    label: str = ""
    guid: str = ""
    more_upstream: int = 0
    more_downstream: int = 0


class ColumnReference(_Part, frozen=True, order=True):
    """A column of the dataset with the id ``dataset``."""

    dataset: str
    column: str


class ColumnUse(_Part, frozen=True, order=True):
    """A column that affects rows or values without giving one; ``kind`` as in OpenLineage."""

    dataset: str
    column: str
    kind: str


class Derivation(_Part, frozen=True):
    """How a column of an output is computed."""

    dataset: str
    column: str
    sources: tuple[ColumnReference, ...]
    influences: tuple[ColumnUse, ...]
    expression: str = ""
    constant: bool = False


class GraphRun(_Part, frozen=True):
    """A run of a process; times are UTC."""

    run: str
    state: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    rows_written: int | None = None
    bytes_written: int | None = None
    files_written: int | None = None


class GraphProcess(_Part, frozen=True):
    """A process; ``inputs`` and ``outputs`` are ids of datasets, ``runs`` are the newest, the newest first."""

    id: str
    qualified_name: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    columns: tuple[Derivation, ...]
    rows: tuple[ColumnUse, ...]
    conditions: tuple[str, ...]
    runs: tuple[GraphRun, ...]
    guid: str = ""
    application: str = ""
    operation: str = ""
    link: str = ""


class GraphNote(_Part, frozen=True, order=True):
    """What is missing from the graph and why; ``code`` is stable, ``text`` is for people.

    ``process`` is the id of the process that it concerns, "" for the whole graph.
    """

    code: str
    text: str
    process: str = ""


class Focus(_Part, frozen=True):
    """The requested part; ``column`` is "" for a whole dataset, ``depth`` counts processes, None is without a limit."""

    dataset: str
    direction: Direction
    column: str = ""
    depth: int | None = None


class LineageGraph(_Part, frozen=True):
    """Datasets with their columns, and the processes between them, each sorted by id."""

    source: Source
    datasets: tuple[GraphDataset, ...]
    processes: tuple[GraphProcess, ...]
    notes: tuple[GraphNote, ...]
    focus: Focus | None = None


def to_json(graph: LineageGraph) -> str:
    """The graph as JSON text by the contract."""
    return msgspec.json.format(msgspec.json.encode(graph), indent=2).decode()


def from_json(text: str | bytes) -> LineageGraph:
    """The graph that ``to_json`` made.

    :raises msgspec.DecodeError: the text is not JSON, or does not follow the contract.
    """
    return msgspec.json.decode(text, type=LineageGraph)


def ids_of(names: Iterable[AssetName]) -> dict[AssetName, str]:
    """An id for each asset: its qualified name, with the type where assets of several types share one.

    Equal assets have equal ids in graphs of all sources.
    """
    types: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        types[name.qualified_name].add(name.type_name)
    return {
        AssetName(kind, name): name if len(kinds) == 1 else f"{name} ({kind})"
        for name, kinds in types.items()
        for kind in kinds
    }
