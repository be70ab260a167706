"""The argument ``ASSET[.COLUMN]``: the one dataset or column of a lineage graph that it names."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import islice

import typer

from cli.terminal_text import terminal_text
from explorer.asset_names import Match, Named, match, splits
from explorer.graph import LineageGraph
from explorer.labels import labels

_MOST_NAMED = 20
_MOST_NEAR = 10
# Limits for a name with many dots, or a part of many names.
_MOST_SPLITS = 4
_MOST_ASSETS = 5


def asset_named(text: str, graph: LineageGraph) -> Named:
    """The one dataset or column of the graph that the text names.

    :raises typer.Exit: with 1 if nothing fits, with 2 if several do; stderr lists those that are near.
    """
    found = match(text, graph)
    if len(found.found) == 1:
        return found.found[0]
    if found.found:
        _say(f"{len(found.found)} assets fit {text!r}; give more of the name:", _shown(found.found, graph))
        raise typer.Exit(2)
    _say(*_nothing_fits(text, found, graph))
    raise typer.Exit(1)


def _nothing_fits(text: str, found: Match, graph: LineageGraph) -> tuple[str, Sequence[str]]:
    """A message about an unknown name, and names to try: the asset without its column, longer or similar names."""
    parts = list(islice(splits(text.strip()), 1, 1 + _MOST_SPLITS))
    for head, column in parts:
        assets = [each.dataset for each in match(head, graph).found if not each.column]
        if 0 < len(assets) <= _MOST_ASSETS:
            return _no_column(head, column, assets, graph)
    for _, end in reversed(parts):
        ends = match(end, graph).found
        if 0 < len(ends) <= _MOST_ASSETS:
            return f"no asset is called {text!r}; these end like it:", _shown(ends, graph)
    if found.near:
        return f"no asset is called {text!r}; similar names:", found.near
    return f"no asset is called {text!r}; `sparklin lineage` without a name lists all assets", ()


def _no_column(head: str, column: str, assets: Sequence[str], graph: LineageGraph) -> tuple[str, Sequence[str]]:
    """A message about an unknown column of known assets, and the similar columns, or else all of them."""
    names = labels(graph.datasets)
    columns = {each.id: [known.name for known in each.columns] for each in graph.datasets if each.id in assets}
    everything = {name for asset in assets for name in columns[asset]}
    near = set(get_close_matches(column, sorted(everything), _MOST_NEAR, 0.5))
    is_one = len(assets) == 1
    matched = f"{names[assets[0]]} is known" if is_one else f"{len(assets)} assets fit {head!r}"
    if not everything:
        return f"{matched}, but no columns of {'it' if is_one else 'them'} are", ()
    heading = "similar names:" if near else f"{'it has' if is_one else 'they have'}:"
    wanted = near or everything
    return f"{matched}, but {'it has no' if is_one else 'none has a'} column {column!r}; {heading}", [
        f"{names[asset]}.{name}" for asset in assets for name in columns[asset] if name in wanted
    ]


def _shown(found: Sequence[Named], graph: LineageGraph) -> list[str]:
    names = labels(graph.datasets)
    return [f"{names[each.dataset]}.{each.column}" if each.column else names[each.dataset] for each in found]


def _say(title: str, names: Sequence[str]) -> None:
    typer.echo(terminal_text(title), err=True)
    for name in names[:_MOST_NAMED]:
        typer.echo(terminal_text(f"  {name}"), err=True)
    if len(names) > _MOST_NAMED:
        typer.echo(f"  … and {len(names) - _MOST_NAMED} more", err=True)
