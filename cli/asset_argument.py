"""The argument ``ASSET[.COLUMN]``: the one dataset or column of a lineage graph that it names."""

from collections.abc import Sequence

import typer

from cli.terminal_text import terminal_text
from explorer.asset_names import Named, match
from explorer.graph import LineageGraph
from explorer.labels import labels

_MOST_NAMED = 20


def asset_named(text: str, graph: LineageGraph) -> Named:
    """The one dataset or column of the graph that the text names.

    :raises typer.Exit: with 1 if nothing fits, with 2 if several do; stderr lists those that are near.
    """
    found = match(text, graph)
    if len(found.found) == 1:
        return found.found[0]
    if found.found:
        _say(f"{len(found.found)} assets fit {text!r}; give more of the name:")
        names = labels(graph.datasets)
        _list([f"{names[each.dataset]}.{each.column}" if each.column else names[each.dataset] for each in found.found])
        raise typer.Exit(2)
    if found.near:
        _say(f"no asset is called {text!r}; near ones:")
        _list(found.near)
    else:
        _say(f"no asset is called {text!r}; sparklin lineage without ASSET lists those of LineageDetails or --events")
    raise typer.Exit(1)


def _list(names: Sequence[str]) -> None:
    for name in names[:_MOST_NAMED]:
        _say(f"  {name}")
    if len(names) > _MOST_NAMED:
        _say(f"  … and {len(names) - _MOST_NAMED} more")


def _say(line: str) -> None:
    typer.echo(terminal_text(line), err=True)
