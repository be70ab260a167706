"""Ways through a lineage graph, looked up by dataset and column."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from explorer.graph import ColumnReference, Derivation, GraphDataset, GraphProcess, LineageGraph

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Computed:
    """A process computes a column by a derivation."""

    process: GraphProcess
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class Influence:
    """A column affects values or rows that a process writes; ``column`` is "" if it affects rows."""

    process: GraphProcess
    kind: str
    dataset: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class GraphIndex:
    """A graph's processes by the datasets they write and read, and its derivations by column.

    ``computed`` are the derivations of a column, ``used`` those that take its values, ``influences`` what it affects.
    ``table_level`` are the ids of processes of which no column is known.
    """

    graph: LineageGraph
    datasets: Mapping[str, GraphDataset]
    writers: Mapping[str, tuple[GraphProcess, ...]]
    readers: Mapping[str, tuple[GraphProcess, ...]]
    computed: Mapping[ColumnReference, tuple[Computed, ...]]
    used: Mapping[ColumnReference, tuple[Computed, ...]]
    influences: Mapping[ColumnReference, tuple[Influence, ...]]
    table_level: frozenset[str]

    @classmethod
    def of(cls, graph: LineageGraph) -> "GraphIndex":
        """The index of a graph."""
        steps = [Computed(process, each) for process in graph.processes for each in process.columns]
        return cls(
            graph=graph,
            datasets={dataset.id: dataset for dataset in graph.datasets},
            writers=_grouped((end, process) for process in graph.processes for end in process.outputs),
            readers=_grouped((end, process) for process in graph.processes for end in process.inputs),
            computed=_grouped((ColumnReference(s.derivation.dataset, s.derivation.column), s) for s in steps),
            used=_grouped((source, step) for step in steps for source in step.derivation.sources),
            influences=_grouped(_influences(graph.processes)),
            table_level=frozenset(process.id for process in graph.processes if not process.columns),
        )


def _influences(processes: Iterable[GraphProcess]) -> Iterable[tuple[ColumnReference, Influence]]:
    for process in processes:
        for derivation in process.columns:
            for use in derivation.influences:
                influence = Influence(process, use.kind, derivation.dataset, derivation.column)
                yield ColumnReference(use.dataset, use.column), influence
        for use in process.rows:
            for output in process.outputs:
                yield ColumnReference(use.dataset, use.column), Influence(process, use.kind, output)


def _grouped(pairs: Iterable[tuple[_Key, _Value]]) -> Mapping[_Key, tuple[_Value, ...]]:
    found: defaultdict[_Key, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}
