"""Small lineage graphs, written as one line a process."""

from collections.abc import Iterable

from explorer.column_names import merged_columns
from explorer.graph import (
    ColumnReference,
    ColumnUse,
    Derivation,
    GraphColumn,
    GraphDataset,
    GraphProcess,
    LineageGraph,
)


def column(text: str) -> ColumnReference:
    """``dataset.column`` as a reference."""
    dataset, _, name = text.partition(".")
    return ColumnReference(dataset, name)


def process(name: str, inputs: str, output: str, columns: dict[str, str], rows: str = "") -> GraphProcess:
    """A process. ``columns`` are the sources of each column of the output, ``rows`` columns that filter, both by space.

    A source with ``?`` in front only influences the column.
    """
    return GraphProcess(
        id=name,
        qualified_name=f"sparklin://test/{name}",
        name=name,
        inputs=tuple(inputs.split()),
        outputs=(output,),
        columns=tuple(_derivation(output, each, sources.split()) for each, sources in columns.items()),
        rows=tuple(ColumnUse(column(each).dataset, column(each).column, "FILTER") for each in rows.split()),
        conditions=(),
        runs=(),
    )


def _derivation(output: str, name: str, sources: Iterable[str]) -> Derivation:
    listed = list(sources)
    influences = (column(each[1:]) for each in listed if each.startswith("?"))
    return Derivation(
        dataset=output,
        column=name,
        sources=tuple(column(each) for each in listed if not each.startswith("?")),
        influences=tuple(ColumnUse(each.dataset, each.column, "CONDITIONAL") for each in influences),
        expression=f"f({name})" if len(listed) > 1 else "",
    )


def graph(*processes: GraphProcess) -> LineageGraph:
    """The graph of some processes. The name of a dataset is its id, its qualified name ``lake/{id}``."""
    columns: dict[str, list[str]] = {end: [] for each in processes for end in (*each.inputs, *each.outputs)}
    for each in processes:
        for use in each.rows:
            columns[use.dataset].append(use.column)
        for derivation in each.columns:
            columns[derivation.dataset].append(derivation.column)
            for source in derivation.sources:
                columns[source.dataset].append(source.column)
            for influence in derivation.influences:
                columns[influence.dataset].append(influence.column)
    datasets = [
        GraphDataset(name, "DataSet", f"lake/{name}", name, merged_columns([GraphColumn(c)] for c in found))
        for name, found in sorted(columns.items())
    ]
    return LineageGraph("events", tuple(datasets), tuple(sorted(processes, key=lambda each: each.id)), ())


MEDALLION = graph(
    process("ingest", "files", "bronze", {"id": "files.id", "amount": "files.amt", "day": "files.day"}),
    process("clean", "bronze", "silver", {"id": "bronze.id", "amount": "bronze.amount"}, rows="bronze.day"),
    process("join", "silver costs", "gold", {"margin": "silver.amount costs.cost", "id": "silver.id"}, rows="costs.id"),
    process("report", "gold", "report", {"margin": "gold.margin", "grade": "?gold.margin"}),
    process("copy", "gold", "archive", {}),
)
