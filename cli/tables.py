"""Processes as tables for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal_text import terminal_text
from cli.wrapping import Names, longest_piece, print_wrapped
from explorer.graph import GraphDataset
from explorer.labels import distinct_labels

_SHOWN_COLUMNS = 40
Labels = Mapping[str, str]
# The width of the blanks between three columns of a table.
_BETWEEN = 5


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a line that is not wrapped by Rich, so that a name or command in it can be copied in one piece."""
    console.print(Text(terminal_text(text), style), soft_wrap=True)


def print_run(console: Console, run: str, text: str, message: str) -> None:
    """Print a run with a short text, and on a second line the message, unless it is empty."""
    print_line(console, f"{run}  {text}")
    if message:
        print_line(console, f"  {message}")


def print_process(console: Console, process: Mapping[str, Any]) -> None:
    """Print inputs → process → sink with its columns, from an object of the preview contract.

    Qualified names are not wrapped, and other lines are not broken within a name.
    """
    everywhere = _on_every_row(process["columns"])
    labels = _labels(process["columns"])
    _print_head(console, process["process"])
    if process["columns"]:
        console.print(_columns(process["columns"], everywhere, labels, console.width), crop=False)
    for line in _foot(process["notes"], everywhere, labels):
        print_wrapped(console, line)
    console.print()


def short(qualified_name: str) -> str:
    """The last meaningful part of a qualified name: a folder or table."""
    parts = [part for part in qualified_name.replace("#", "/").split("/") if part and part != "{SparkPartitions}"]
    return parts[-1] if parts else qualified_name


def _labels(columns: Iterable[Mapping[str, Any]]) -> Labels:
    """The short name of each source by its qualified name, with as many folders before it as tell the sources apart."""
    names = sorted({name for column in columns for name, *_ in (*column["from"], *column["indirect"])})
    return distinct_labels(GraphDataset(name, "", name, short(name), ()) for name in names)


def _print_head(console: Console, shown: Mapping[str, Any]) -> None:
    print_line(console, shown["name"], "bold")
    for asset in shown["inputs"]:
        print_line(console, f"  from {asset['qualifiedName']}")
    for asset in shown["outputs"]:
        print_line(console, f"  to   {asset['qualifiedName']}")


def _foot(notes: Iterable[Mapping[str, str]], everywhere: Iterable[tuple[str, ...]], labels: Labels) -> Iterator[Text]:
    on_rows = sorted((kind, name, column) for name, column, kind in everywhere)
    if on_rows:
        yield Text(
            "every row depends on "
            + terminal_text(_uses(((name, column, kind) for kind, name, column in on_rows), labels)),
            style="dim",
        )
    for note in notes:
        yield Text(f"note: {terminal_text(note['text'])}", style="yellow")


def _columns(
    columns: Sequence[Mapping[str, Any]], everywhere: frozenset[tuple[str, ...]], labels: Labels, width: int
) -> Table:
    """The columns of a process, wide enough that no name is broken, even if lines are longer than the terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("column")
    table.add_column("value from")
    table.add_column("decided by", style="dim")
    needed = [len("column"), len("value from"), len("decided by")]
    for column in columns[:_SHOWN_COLUMNS]:
        own = [use for use in column["indirect"] if tuple(use) not in everywhere]
        cells = (terminal_text(column["column"]), _value(column, labels), terminal_text(_uses(own, labels)))
        # Text, because Rich would interpret markup and emoji codes in a plain string.
        table.add_row(*map(Names, cells))
        least = (cell_len(cells[0]), _longest_value(column, labels), _longest_word(cells[2]))
        needed = list(map(max, needed, least))
    if sum(needed) + _BETWEEN > width:
        table.width = sum(needed) + _BETWEEN
    for shown, width_needed in zip(table.columns, needed, strict=True):
        shown.min_width = width_needed
    if len(columns) > _SHOWN_COLUMNS:
        table.add_row(f"… and {len(columns) - _SHOWN_COLUMNS} more", "", "")
    return table


def _value(column: Mapping[str, Any], labels: Labels) -> str:
    """The source columns, and on a line of its own the expression, if it is known."""
    sources = _sources(column, labels)
    expression = f"= {column['expression']}" if column["expression"] else ""
    return "\n".join(line for line in (sources, terminal_text(expression)) if line) or "–"


def _sources(column: Mapping[str, Any], labels: Labels) -> str:
    return terminal_text(", ".join(f"{labels[name]}.{source}" for name, source in column["from"]))


def _longest_value(column: Mapping[str, Any], labels: Labels) -> int:
    """The longest name of a source; in an expression, the longest part of a name."""
    expression = terminal_text(column["expression"] or "")
    return max(_longest_word(_sources(column, labels)), longest_piece(expression))


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split(" ")), default=0)


def _on_every_row(columns: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, ...]]:
    """The columns that influence every row: joins, filters, groups."""
    uses = [frozenset(tuple(use) for use in column["indirect"]) for column in columns]
    return frozenset.intersection(*uses) if uses else frozenset()


def _uses(uses: Iterable[Sequence[str]], labels: Labels) -> str:
    return ", ".join(f"{kind.lower().replace('_', ' ')} {labels[name]}.{column}" for name, column, kind in uses)
