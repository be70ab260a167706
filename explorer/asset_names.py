"""Finds the dataset, or the column, that a person means by ``ASSET[.COLUMN]``."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from explorer.column_names import Spellings
from explorer.graph import GraphDataset, LineageGraph
from explorer.labels import readable

MOST_NEAR = 10
_SEPARATORS = re.compile(r"[/.#:\\]+")
_PLACEHOLDER = re.compile(r"/\{SparkPartitions\}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """A dataset by its id, and the name of one of its columns, "" for the whole dataset."""

    dataset: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The matches of a text: one, or several that fit equally well. ``near`` are similar names if nothing fits."""

    found: tuple[Named, ...] = ()
    near: tuple[str, ...] = ()


def splits(text: str) -> Iterator[tuple[str, str]]:
    """The ways to read a text as a dataset and a column: without a column first, then the shortest column first."""
    yield text, ""
    for at in range(len(text) - 2, 0, -1):
        if text[at] == ".":
            yield text[:at], text[at + 1 :]


def match(text: str, graph: LineageGraph) -> Match:
    """The dataset or column of a graph that a text names.

    A dataset is named by its qualified name, its short name, the end of its qualified name (``gold.revenue`` or
    ``gold/revenue``) or any part of that; the first of these that fits anything decides. A column may be quoted with
    backticks.
    """
    wanted, spellings = text.strip(), Spellings.of(graph)
    for fits in (_is_exactly, _is_short_name, _is_end, _is_part):
        found = dict.fromkeys(_found(wanted, graph.datasets, spellings, fits))
        if found:
            return Match(_without_copies(found))
    return Match(near=tuple(_near(wanted, graph)))


def _found(
    text: str, datasets: Sequence[GraphDataset], spellings: Spellings, fits: Callable[[GraphDataset, str], bool]
) -> Iterator[Named]:
    for head, tail in splits(text):
        for dataset in datasets:
            if fits(dataset, head):
                column = spellings.column(dataset.id, tail) or spellings.column(dataset.id, _unquoted(tail))
                if not tail:
                    yield Named(dataset.id)
                elif column:
                    yield Named(dataset.id, column)


def _without_copies(found: Iterable[Named]) -> tuple[Named, ...]:
    """A dataset whose name ends like a column's goes first, as in ``splits``, unless other datasets fit too."""
    listed = list(found)
    whole = [each for each in listed if not each.column]
    return tuple(whole if len(whole) == 1 else listed)


def _is_exactly(dataset: GraphDataset, name: str) -> bool:
    return name in (dataset.id, dataset.qualified_name)


def _is_short_name(dataset: GraphDataset, name: str) -> bool:
    return dataset.name.casefold() == name.casefold()


def _is_end(dataset: GraphDataset, name: str) -> bool:
    segments, wanted = _segments(dataset.qualified_name), _segments(name)
    return bool(wanted) and segments[-len(wanted) :] == wanted


def _is_part(dataset: GraphDataset, name: str) -> bool:
    wanted = "/".join(_segments(name))
    return bool(wanted) and wanted in "/".join([*_segments(dataset.qualified_name), dataset.name.casefold()])


def _segments(name: str) -> list[str]:
    """The parts of a name in lower case, without what a scan adds to a folder."""
    return [part for part in _SEPARATORS.split(_PLACEHOLDER.sub("", readable(name)).casefold()) if part]


def _unquoted(column: str) -> str:
    return column[1:-1].replace("``", "`") if len(column) > 2 and column[0] == column[-1] == "`" else column


def _near(text: str, graph: LineageGraph) -> Iterator[str]:
    """Similar names: columns if the text names a dataset, or else datasets."""
    for head, tail in list(splits(text))[1:]:
        fitting = [each for each in graph.datasets if _is_short_name(each, head) or _is_end(each, head)]
        if len(fitting) == 1:
            names = [column.name for column in fitting[0].columns]
            close = get_close_matches(tail, names, MOST_NEAR, 0.4) or names[:MOST_NEAR]
            yield from (f"{head}.{name}" for name in close)
            return
    names = sorted({each.name for each in graph.datasets})
    last = (_segments(text) or [text])[-1]
    wanted = dict.fromkeys([*get_close_matches(text, names, MOST_NEAR, 0.5), *get_close_matches(last, names, 5, 0.6)])
    yield from list(wanted)[:MOST_NEAR]
