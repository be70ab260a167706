"""Processes as tables for people."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table


def process_table(process: Mapping[str, Any]) -> Table:
    """A table of inputs → process → sink with its columns, from an object of the preview contract."""
    shown = process["process"]
    title = escape(shown["name"])
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    table.add_column("sink column", no_wrap=False)
    table.add_column("value from")
    table.add_column("influenced by", style="dim")
    for column in process["columns"]:
        values = "\n".join(escape(f"{short(name)}.{source}") for name, source in column["from"])
        if column["expression"]:
            values += ("\n" if values else "") + escape(f"= {column['expression']}")
        uses = "\n".join(escape(f"{kind.lower()} {short(name)}.{source}") for name, source, kind in column["indirect"])
        table.add_row(escape(column["column"]), values or "—", uses)
    inputs = "\n".join(escape(asset["qualifiedName"]) for asset in shown["inputs"]) or "(no known input)"
    outputs = "\n".join(escape(asset["qualifiedName"]) for asset in shown["outputs"])
    notes = "".join(f"\n! {escape(note['text'])}" for note in process["notes"])
    table.caption = f"{inputs}\n → {outputs}{notes}"
    return table


def short(qualified_name: str) -> str:
    """The last telling part of a qualified name: a folder or table."""
    parts = [part for part in qualified_name.replace("#", "/").split("/") if part and part != "{SparkPartitions}"]
    return parts[-1] if parts else qualified_name
