"""One spelling for each column of a graph: Spark compares names without case, so events of one dataset differ in it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from explorer.graph import ColumnReference, ColumnUse, Derivation, GraphColumn, GraphProcess, LineageGraph

_Reference = TypeVar("_Reference", ColumnReference, ColumnUse, Derivation)


def merged_columns(schemas: Iterable[Iterable[GraphColumn]]) -> tuple[GraphColumn, ...]:
    """The columns of a dataset by several of its schemas, each once and in the order of the first that has it.

    Names that differ in case are one column, unless one schema has both.
    """
    listed = [tuple(schema) for schema in schemas]
    apart = {name for schema in listed for name, number in _by_case(schema).items() if number > 1}
    found: dict[str, GraphColumn] = {}
    for column in (column for schema in listed for column in schema):
        folded = column.name.casefold()
        key = column.name if folded in apart else folded
        known = found.setdefault(key, column)
        if column.type and not known.type:
            found[key] = GraphColumn(known.name, column.type)
    return tuple(found.values())


def _by_case(schema: Iterable[GraphColumn]) -> Counter[str]:
    return Counter(name.casefold() for name in {column.name for column in schema})


@dataclass(frozen=True, slots=True)
class Spellings:
    """The names of columns as the datasets of a graph have them."""

    names: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, graph: LineageGraph) -> "Spellings":
        """The spellings in a graph."""
        columns = [(dataset.id, column.name) for dataset in graph.datasets for column in dataset.columns]
        folded = {(dataset, name.casefold()): name for dataset, name in reversed(columns)}
        return cls({**folded, **{(dataset, name): name for dataset, name in columns}})

    def column(self, dataset: str, column: str) -> str | None:
        """The dataset's spelling of a column name in any case; None if it has no such column."""
        return self.names.get((dataset, column)) or self.names.get((dataset, column.casefold()))

    def spelled(self, reference: _Reference) -> _Reference:
        """The reference with the dataset's own spelling."""
        name = self.column(reference.dataset, reference.column)
        known = name is None or name == reference.column
        return reference if known else msgspec.structs.replace(reference, column=name)


def in_one_spelling(graph: LineageGraph) -> LineageGraph:
    """The graph in which processes spell columns as their datasets do."""
    spellings = Spellings.of(graph)
    return msgspec.structs.replace(graph, processes=tuple(_process(each, spellings) for each in graph.processes))


def _process(process: GraphProcess, spellings: Spellings) -> GraphProcess:
    columns = (
        msgspec.structs.replace(
            spellings.spelled(each),
            sources=tuple(sorted({spellings.spelled(source) for source in each.sources})),
            influences=tuple(sorted({spellings.spelled(use) for use in each.influences})),
        )
        for each in process.columns
    )
    rows = tuple(sorted({spellings.spelled(use) for use in process.rows}))
    return msgspec.structs.replace(process, columns=tuple(columns), rows=rows)
