"""A trace as a tree for the terminal: below each place the processes on the way, below each process the next places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from explorer.graph import ColumnReference, Derivation, Focus, GraphProcess
from explorer.graph_index import GraphIndex

#: Trees are for people; places further away are counted.
MOST_LEVELS = 50


@dataclass(frozen=True, slots=True)
class Way:
    """A process on the way, and the places on its other side.

    ``derivation`` is how it computes the place above, if the tree goes up. ``is_table_level`` says that no column
    of the process is known.
    """

    process: GraphProcess
    places: "tuple[Place, ...]" = ()
    derivation: Derivation | None = None
    is_table_level: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset, or a column of it, and the ways on from there.

    ``derivation`` is how it is computed from the place above, if the tree goes down. ``kinds`` are the influences of
    the place above if it gives no value: then there are no ways on. ``is_shown`` says that the ways are shown at
    another place of the tree. ``more`` counts the ways beyond the depth.
    """

    dataset: str
    column: str = ""
    ways: tuple[Way, ...] = ()
    derivation: Derivation | None = None
    kinds: tuple[str, ...] = ()
    is_shown: bool = False
    more: int = 0


def tree_of(index: GraphIndex, focus: Focus, *, is_up: bool) -> Place:
    """The tree from a dataset or column in one direction."""
    depth = MOST_LEVELS if focus.depth is None else min(focus.depth, MOST_LEVELS)
    grower = _Grower(index, is_up=is_up)
    return grower.place(focus.dataset, focus.column, depth)


@dataclass(slots=True)
class _Grower:
    index: GraphIndex
    is_up: bool
    # The remaining depth with which the ways of a place were shown.
    _shown: dict[ColumnReference, int] = field(default_factory=dict)

    def place(self, dataset: str, column: str, depth: int, derivation: Derivation | None = None) -> Place:
        key = ColumnReference(dataset, column)
        ahead = self._ahead(dataset, column)
        if ahead and self._shown.get(key, -1) >= depth:
            return Place(dataset, column, derivation=derivation, is_shown=True)
        if not depth:
            return Place(dataset, column, derivation=derivation, more=len(ahead))
        self._shown[key] = depth
        ways = tuple(self._grown(way, depth - 1) for way in ahead)
        return Place(dataset, column, ways, derivation)

    def _grown(self, way: Way, depth: int) -> Way:
        places = tuple(
            place if place.kinds else self.place(place.dataset, place.column, depth, place.derivation)
            for place in way.places
        )
        return Way(way.process, places, way.derivation, way.is_table_level)

    def _ahead(self, dataset: str, column: str) -> list[Way]:
        """The ways on from a place, with the places behind them, which have no ways yet."""
        if not column:
            return list(self._of_dataset(dataset))
        return list(self._up(dataset, column) if self.is_up else self._down(dataset, column))

    def _of_dataset(self, dataset: str) -> Iterator[Way]:
        near = self.index.writers if self.is_up else self.index.readers
        for process in near.get(dataset, ()):
            ends = process.inputs if self.is_up else process.outputs
            yield Way(process, tuple(Place(end) for end in ends if end != dataset))

    def _up(self, dataset: str, column: str) -> Iterator[Way]:
        for step in self.index.computed.get(ColumnReference(dataset, column), ()):
            places = tuple(Place(source.dataset, source.column) for source in step.derivation.sources)
            yield Way(step.process, places, step.derivation)
        yield from self._of_tables(self.index.writers.get(dataset, ()))

    def _down(self, dataset: str, column: str) -> Iterator[Way]:
        reference = ColumnReference(dataset, column)
        by_process: dict[str, tuple[GraphProcess, list[Place]]] = {}
        for step in self.index.used.get(reference, ()):
            made = Place(step.derivation.dataset, step.derivation.column, derivation=step.derivation)
            by_process.setdefault(step.process.id, (step.process, []))[1].append(made)
        kinds: dict[tuple[str, str, str], set[str]] = {}
        for each in self.index.influences.get(reference, ()):
            by_process.setdefault(each.process.id, (each.process, []))
            kinds.setdefault((each.process.id, each.dataset, each.column), set()).add(each.kind)
        for (process, end, name), some in kinds.items():
            by_process[process][1].append(Place(end, name, kinds=tuple(sorted(some))))
        yield from (Way(process, tuple(places)) for process, places in by_process.values())
        yield from self._of_tables(self.index.readers.get(dataset, ()))

    def _of_tables(self, processes: Iterable[GraphProcess]) -> Iterator[Way]:
        """Processes of which only datasets are known: the column may go through them or not."""
        for process in processes:
            if process.id in self.index.table_level:
                ends = process.inputs if self.is_up else process.outputs
                yield Way(process, tuple(Place(end, kinds=("TABLE",)) for end in ends), is_table_level=True)
