"""Processes as tables for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

_SHOWN_COLUMNS = 40


def process_table(process: Mapping[str, Any]) -> RenderableType:
    """Inputs → process → sink with its columns, from an object of the preview contract."""
    shown = process["process"]
    everywhere = _on_every_row(process["columns"])
    on_rows = sorted((kind, name, column) for name, column, kind in everywhere)
    parts: list[RenderableType] = [Text(shown["name"], style="bold"), *_assets(shown)]
    if process["columns"]:
        parts.append(_columns(process["columns"], everywhere))
    if everywhere:
        parts.append(
            Text("every row depends on " + _uses((name, column, kind) for kind, name, column in on_rows), style="dim")
        )
    parts += [Text(f"note: {note['text']}", style="yellow") for note in process["notes"]]
    return Group(*parts, "")


def short(qualified_name: str) -> str:
    """The last telling part of a qualified name: a folder or table."""
    parts = [part for part in qualified_name.replace("#", "/").split("/") if part and part != "{SparkPartitions}"]
    return parts[-1] if parts else qualified_name


def _assets(shown: Mapping[str, Any]) -> Iterator[Text]:
    for asset in shown["inputs"]:
        yield Text(f"  from {asset['qualifiedName']}", overflow="fold")
    for asset in shown["outputs"]:
        yield Text(f"  to   {asset['qualifiedName']}", overflow="fold")


def _columns(columns: Sequence[Mapping[str, Any]], everywhere: frozenset[tuple[str, ...]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("sink column")
    table.add_column("value from")
    table.add_column("decided by", style="dim")
    for column in columns[:_SHOWN_COLUMNS]:
        values = [f"{short(name)}.{source}" for name, source in column["from"]]
        values += [f"= {column['expression']}"] if column["expression"] else []
        own = [use for use in column["indirect"] if tuple(use) not in everywhere]
        table.add_row(escape(column["column"]), escape(", ".join(values) or "–"), escape(_uses(own)))
    if len(columns) > _SHOWN_COLUMNS:
        table.add_row(f"… and {len(columns) - _SHOWN_COLUMNS} more", "", "")
    return table


def _on_every_row(columns: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, ...]]:
    """What influences all columns alike: joins, filters, groups."""
    uses = [frozenset(tuple(use) for use in column["indirect"]) for column in columns]
    return frozenset.intersection(*uses) if uses else frozenset()


def _uses(uses: Iterable[Sequence[str]]) -> str:
    return ", ".join(f"{kind.lower().replace('_', ' ')} {short(name)}.{column}" for name, column, kind in uses)
