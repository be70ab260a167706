"""A lineage graph as files to share: a table of all facts as CSV, and a picture for Markdown as Mermaid."""

import csv
import io
from collections.abc import Iterable, Iterator

from explorer.graph import Derivation, GraphProcess, LineageGraph
from explorer.labels import labels

COLUMNS = ("output", "column", "source", "source column", "kind", "expression", "process", "application", "last run")
_ESCAPES = {ord(c): f"#{ord(c)};" for c in '"#<>[](){}|`&\\;'} | dict.fromkeys((*range(32), 127), " ")
# A cell that begins with one of these is a formula in some spreadsheet (OWASP, CSV injection); the last four are
# full-width forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_csv(graph: LineageGraph) -> str:
    """A row for each column and each source of it, datasets by their qualified names.

    ``kind`` is VALUE for a source, CONSTANT for a column without sources, TABLE if no column is known, or else as in
    OpenLineage: then a row without a column concerns all rows of the output.
    """
    text = io.StringIO()
    # All cells are quoted, because in some countries a semicolon separates them.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    names = {dataset.id: dataset.qualified_name for dataset in graph.datasets}
    for process in graph.processes:
        last = process.runs[0].ended if process.runs else None
        about = (process.qualified_name, process.application, last.isoformat() if last else "")
        for output, column, source, source_column, kind, expression in _facts(process):
            facts = (names[output], column, names.get(source, ""), source_column, kind, expression)
            writer.writerow([_cell(each) for each in (*facts, *about)])
    return text.getvalue()


def _facts(process: GraphProcess) -> Iterator[tuple[str, str, str, str, str, str]]:
    for each in process.columns:
        yield from _of_column(each)
    for use in process.rows:
        for output in process.outputs:
            yield output, "", use.dataset, use.column, use.kind, ""
    if not process.columns:
        yield from ((output, "", source, "", "TABLE", "") for output in process.outputs for source in process.inputs)


def _of_column(each: Derivation) -> Iterator[tuple[str, str, str, str, str, str]]:
    for source in each.sources:
        yield each.dataset, each.column, source.dataset, source.column, "VALUE", each.expression
    for use in each.influences:
        yield each.dataset, each.column, use.dataset, use.column, use.kind, each.expression
    if not each.sources:
        yield each.dataset, each.column, "", "", "CONSTANT" if each.constant else "UNKNOWN", each.expression


def _cell(text: str) -> str:
    """The text, so that no spreadsheet runs it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def to_mermaid(graph: LineageGraph) -> str:
    """A flowchart: columns in their datasets if a column is in focus, otherwise datasets and processes."""
    lines = _column_lines(graph) if graph.focus and graph.focus.column else _dataset_lines(graph)
    return "\n".join(["flowchart LR", *(f"  {line}" for line in lines)]) + "\n"


def _dataset_lines(graph: LineageGraph) -> Iterator[str]:
    nodes = {dataset.id: f"d{number}" for number, dataset in enumerate(graph.datasets)}
    names = labels(graph.datasets)
    yield from (f'{node}["{_escaped(names[key])}"]' for key, node in nodes.items())
    for number, process in enumerate(graph.processes):
        yield f'p{number}(["{_escaped(process.name)}"])'
        yield from (f"{nodes[each]} --> p{number}" for each in process.inputs)
        yield from (f"p{number} --> {nodes[each]}" for each in process.outputs)


def _column_lines(graph: LineageGraph) -> Iterator[str]:
    edges = list(dict.fromkeys(_edges(graph.processes)))
    nodes: dict[tuple[str, str], str] = {}
    for source, sink, _ in edges:
        for place in (source, sink):
            nodes.setdefault(place, f"c{len(nodes)}")
    names = labels(graph.datasets)
    for number, dataset in enumerate(graph.datasets):
        own = [(column, node) for (key, column), node in nodes.items() if key == dataset.id]
        if own:
            yield f'subgraph d{number}["{_escaped(names[dataset.id])}"]'
            yield from (f'  {node}["{_escaped(column or "every row")}"]' for column, node in own)
            yield "end"
    for source, sink, kind in edges:
        yield (
            f'{nodes[source]} -.->|"{_escaped(kind)}"| {nodes[sink]}' if kind else f"{nodes[source]} --> {nodes[sink]}"
        )


_Edge = tuple[tuple[str, str], tuple[str, str], str]


def _edges(processes: Iterable[GraphProcess]) -> Iterator[_Edge]:
    for process in processes:
        for output, column, source, source_column, kind, _ in _facts(process):
            if source and kind != "TABLE":
                yield (source, source_column), (output, column), "" if kind == "VALUE" else kind


def _escaped(text: str) -> str:
    """The text as Mermaid shows it, whatever characters a name has."""
    return text.translate(_ESCAPES)
