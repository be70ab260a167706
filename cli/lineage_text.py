"""Lineage for people: a tree of what a column comes from and of what depends on it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import cast

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from cli.plurals import counted
from cli.tables import print_line
from cli.terminal_text import terminal_text
from cli.wrapping import print_wrapped
from explorer.graph import ColumnUse, Derivation, GraphProcess, LineageGraph
from explorer.graph_index import GraphIndex
from explorer.labels import labels
from explorer.trace_tree import Place, Way, tree_of

_MOST_CONDITIONS = 5
_WORDS = {"TABLE": "only the table is known, not its columns"}


def show_lineage(console: Console, index: GraphIndex, part: LineageGraph) -> None:
    """Print the trees of a focus, and below them the full names of their datasets."""
    focus = part.focus
    if focus is None:
        return
    writer = _Writer(labels(index.graph.datasets), index)
    for towards, title, none in (
        ("up", "comes from", "no process is known that writes it"),
        ("down", "is used by", "no process is known that reads it"),
    ):
        if focus.direction in (towards, "both"):
            root = tree_of(index, focus, is_up=towards == "up")
            head = Text.assemble((writer.place(root), "bold"), f" {title}:" if root.ways else f": {none}")
            tree = Tree(head, guide_style="dim")
            writer.grow(tree, root.ways)
            _print(console, tree)
            console.print()
    names = {dataset.id: dataset for dataset in part.datasets}
    for key in sorted(names, key=writer.label):
        if writer.label(key) != names[key].qualified_name:
            print_line(console, f"{writer.label(key)}: {names[key].qualified_name}", "dim")
    for note in part.notes:
        print_line(console, f"note: {note.text}", "yellow")


def _print(console: Console, tree: Tree, indent: str = "") -> None:
    """Print a tree; Rich itself would break names on a narrow terminal."""
    if not indent:
        print_wrapped(console, cast(Text, tree.label))
    for child in tree.children:
        is_last = child is tree.children[-1]
        rest = indent + ("    " if is_last else "│   ")
        print_wrapped(console, cast(Text, child.label), first=indent + ("└── " if is_last else "├── "), rest=rest)
        _print(console, child, rest)


class _Writer:
    """Writes a tree as text; for each process, what all its rows depend on is written only once."""

    def __init__(self, names: Mapping[str, str], index: GraphIndex) -> None:
        self._names = names
        self._index = index
        self._explained: set[str] = set()

    def label(self, dataset: str) -> str:
        return self._names.get(dataset, dataset)

    def place(self, place: Place) -> str:
        name = f"{self.label(place.dataset)}.{place.column}" if place.column else self.label(place.dataset)
        return terminal_text(name)

    def grow(self, tree: Tree, ways: Iterable[Way]) -> None:
        for way in ways:
            branch = tree.add(self._way(way))
            for place in way.places:
                self.grow(branch.add(self._reached(place)), place.ways)

    def _way(self, way: Way) -> Text:
        process = way.process
        kind = f"{process.operation} by " if process.operation else "by "
        text = Text.assemble((kind, "dim"), (terminal_text(process.name), "cyan"))
        if way.derivation:
            text.append_text(self._computed(way.derivation))
        if process.id not in self._explained:
            self._explained.add(process.id)
            for line in self._decided(process):
                text.append(f"\n{terminal_text(line)}", "dim")
        return text

    def _reached(self, place: Place) -> Text:
        text = Text(self.place(place))
        if place.kinds and not place.column and place.kinds != ("TABLE",):
            text = Text.assemble("every row of ", text)
        kinds = ", ".join(_WORDS.get(kind, kind.lower().replace("_", " ")) for kind in place.kinds)
        if kinds:
            text.append(f" ({kinds})", "yellow")
        if place.is_shown:
            text.append(" (shown above)", "dim")
        if place.more:
            text.append(f" (+{place.more} beyond --depth)", "dim")
        if place.derivation:
            text.append_text(self._computed(place.derivation))
        return text

    def _computed(self, derivation: Derivation) -> Text:
        text = Text()
        if derivation.expression:
            text.append(f"\n= {terminal_text(derivation.expression)}", "green")
        elif derivation.constant:
            text.append("\n= a constant", "green")
        if derivation.influences:
            text.append(f"\ndecided by {terminal_text(self._uses(derivation.influences))}", "dim")
        return text

    def _decided(self, process: GraphProcess) -> Iterator[str]:
        if process.rows:
            yield f"rows: {self._uses(process.rows)}"
        yield from process.conditions[:_MOST_CONDITIONS]
        if len(process.conditions) > _MOST_CONDITIONS:
            yield f"… and {len(process.conditions) - _MOST_CONDITIONS} more conditions"

    def _uses(self, uses: Iterable[ColumnUse]) -> str:
        listed = sorted(uses, key=lambda use: (use.kind, use.dataset, use.column))
        parts = (
            f"{kind.lower().replace('_', ' ')} {', '.join(f'{self.label(u.dataset)}.{u.column}' for u in some)}"
            for kind, some in groupby(listed, key=lambda use: use.kind)
        )
        return "; ".join(parts)


def show_datasets(console: Console, graph: LineageGraph) -> None:
    """Print all datasets, and how many processes write and read each."""
    index, names = GraphIndex.of(graph), labels(graph.datasets)
    for dataset in sorted(graph.datasets, key=lambda each: names[each.id].casefold()):
        written, read = len(index.writers.get(dataset.id, ())), len(index.readers.get(dataset.id, ()))
        writers, columns = counted(written, "process", "processes"), counted(len(dataset.columns), "column")
        counts = f"written by {writers}, read by {read}, {columns}"
        print_line(console, f"{names[dataset.id]}  ({counts})")
        print_line(console, f"  {dataset.qualified_name}", "dim")
