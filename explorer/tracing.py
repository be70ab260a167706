"""Traces a dataset or a column through a lineage graph, over all hops: what it comes from, and what depends on it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from explorer.graph import ColumnReference, Derivation, Focus, GraphDataset, GraphProcess, LineageGraph
from explorer.graph_index import GraphIndex

_Place = TypeVar("_Place")


@dataclass(slots=True)
class _Traced:
    """Processes on the way, and the derivations of each that belong to it."""

    processes: dict[str, GraphProcess] = field(default_factory=dict)
    derivations: defaultdict[str, dict[tuple[str, str], Derivation]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, process: GraphProcess, derivations: Iterable[Derivation] = ()) -> None:
        self.processes[process.id] = process
        self.derivations[process.id].update({(each.dataset, each.column): each for each in derivations})


def trace(index: GraphIndex, focus: Focus, *, whole_processes: bool = False) -> LineageGraph:
    """The part of the graph that the focus asks for.

    A process on the way has all its datasets. Of its derivations, only those on the way of the column are in it, or
    all with ``whole_processes``. Values are followed over all hops. A column that only affects rows or values leads to
    what it affects, and no further.
    """
    found = _Traced()
    for towards in ("up", "down"):
        if focus.direction in (towards, "both"):
            if focus.column:
                _trace_column(index, focus, found, is_up=towards == "up")
            else:
                _trace_dataset(index, focus, found, is_up=towards == "up")
    keep_all = whole_processes or not focus.column
    return _part(index, focus, found.processes.values() if keep_all else _reduced(found))


def _trace_dataset(index: GraphIndex, focus: Focus, found: _Traced, *, is_up: bool) -> None:
    near = index.writers if is_up else index.readers

    def step(front: Sequence[str]) -> list[str]:
        processes = [process for dataset in front for process in near.get(dataset, ())]
        for process in processes:
            found.add(process)
        return [end for process in processes for end in (process.inputs if is_up else process.outputs)]

    _walk([focus.dataset], step, focus.depth)


def _trace_column(index: GraphIndex, focus: Focus, found: _Traced, *, is_up: bool) -> None:
    def up(front: Sequence[ColumnReference]) -> list[ColumnReference]:
        steps = [step for column in front for step in index.computed.get(column, ())]
        for step in steps:
            found.add(step.process, [step.derivation])
        for process in (process for column in front for process in index.writers.get(column.dataset, ())):
            if process.id in index.table_level:
                found.add(process)
        return [source for step in steps for source in step.derivation.sources]

    def down(front: Sequence[ColumnReference]) -> list[ColumnReference]:
        steps = [step for column in front for step in index.used.get(column, ())]
        for step in steps:
            found.add(step.process, [step.derivation])
        for influence in (each for column in front for each in index.influences.get(column, ())):
            place = (influence.dataset, influence.column)
            found.add(influence.process, [d for d in influence.process.columns if (d.dataset, d.column) == place])
        for process in (process for column in front for process in index.readers.get(column.dataset, ())):
            if process.id in index.table_level:
                found.add(process)
        return [ColumnReference(step.derivation.dataset, step.derivation.column) for step in steps]

    _walk([ColumnReference(focus.dataset, focus.column)], up if is_up else down, focus.depth)


def _walk(starts: Sequence[_Place], step: Callable[[Sequence[_Place]], list[_Place]], depth: int | None) -> None:
    """Step from places to the next ones, each once, so that circles end; at most ``depth`` times."""
    front, seen, steps = list(starts), set(starts), 0
    while front and (depth is None or steps < depth):
        front = [place for place in dict.fromkeys(step(front)) if place not in seen]
        seen.update(front)
        steps += 1


def _reduced(found: _Traced) -> Iterable[GraphProcess]:
    for key, process in found.processes.items():
        kept = found.derivations[key]
        columns = tuple(each for each in process.columns if (each.dataset, each.column) in kept)
        yield msgspec.structs.replace(process, columns=columns)


def _part(index: GraphIndex, focus: Focus, processes: Iterable[GraphProcess]) -> LineageGraph:
    kept = {process.id: process for process in processes}
    ids = {focus.dataset, *(end for each in kept.values() for end in (*each.inputs, *each.outputs))}
    notes = (note for note in index.graph.notes if not note.process or note.process in kept)
    return LineageGraph(
        source=index.graph.source,
        focus=focus,
        datasets=tuple(_dataset(index, index.datasets[key], kept.keys()) for key in sorted(ids)),
        processes=tuple(kept[key] for key in sorted(kept)),
        notes=tuple(notes),
    )


def _dataset(index: GraphIndex, dataset: GraphDataset, kept: Iterable[str]) -> GraphDataset:
    """The dataset with the number of its processes that are not part of the graph."""
    known = set(kept)
    upstream = {process.id for process in index.writers.get(dataset.id, ())} - known
    downstream = {process.id for process in index.readers.get(dataset.id, ())} - known
    return msgspec.structs.replace(
        dataset,
        more_upstream=dataset.more_upstream + len(upstream),
        more_downstream=dataset.more_downstream + len(downstream),
    )
