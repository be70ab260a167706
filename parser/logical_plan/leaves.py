"""Determines the dataset of each leaf of a plan.

A plan contains the names of catalogue tables, but of a folder only its columns. In this order:

1. Agents 0.x list one input per leaf outside of subqueries, in the order of the plan: if the counts agree, and no
   columns contradict it, leaf i is input i.
2. A table's name that exactly one dataset has: as symlink, as folder ``db.db/table``, or as ``…db.table``.
3. The columns, names and types in their order, that exactly one dataset has; not if several leaves have them, and one
   of these may read another dataset, whose schema is unknown or which a query of a database may rename. Where only one
   leaf has them, and no other open leaf can read one of these datasets, it reads all folders with these columns.
4. The name of a managed table, if another managed table of its database is known: Spark puts both into the folder of
   the database. The tables of scalar subqueries are no inputs of the events, so nothing else shows where they are.
5. For what is left, the columnLineage facet decides if it names one of the possible datasets, for a sink's column or
   for what affects its rows.
6. If one leaf and one input are left, and the leaf can read the input, it does.

A leaf with columns that an input's schema does not have does not read this input as it is. Of a store with queries of
its own (JDBC) a leaf may be any query: it reads an input only if it has all of its columns, and the columnLineage facet
does not show that it renames them (``renaming``).

What is still open stays open: a wrong dataset is worse than none. Only if as many open leaves as datasets have the same
columns, and a value takes the same column of all of them, it does not matter which is which (``AmbiguousLeaves``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from core.event_model import ColumnRef, Dataset, DatasetId
from core.identity import is_file_namespace
from parser.logical_plan.value import LeafColumn
from parser.logical_plan.walker import Leaf

#: The datasets of each leaf, by its number; an open leaf has none.
Assigned = Mapping[int, frozenset[DatasetId]]
Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AmbiguousLeaves:
    """Open leaves that together are these datasets, one each."""

    leaves: frozenset[int]
    datasets: frozenset[DatasetId]


def twins(leaves: Sequence[Leaf], datasets: Iterable[Dataset], found: Assigned) -> tuple[AmbiguousLeaves, ...]:
    """The groups of open leaves outside of subqueries that are as many as the datasets with their columns."""
    by_columns: dict[object, set[int]] = {}
    for number, leaf in enumerate(leaves):
        if number not in found and not leaf.in_subquery:
            by_columns.setdefault(leaf.columns, set()).add(number)
    taken = frozenset[DatasetId]().union(*found.values())
    listed = list(datasets)
    groups = (
        AmbiguousLeaves(
            frozenset(numbers), frozenset(d.id for d in listed if _columns(d) == columns and d.id not in taken)
        )
        for columns, numbers in by_columns.items()
    )
    return tuple(group for group in groups if len(group.leaves) == len(group.datasets))


def assign(
    leaves: Sequence[Leaf],
    datasets: Sequence[Dataset],
    in_order: Sequence[Dataset] = (),
    known: Assigned | None = None,
) -> dict[int, frozenset[DatasetId]]:
    """The datasets of the leaves that are certain.

    ``in_order`` are the inputs of an agent that lists one per leaf, in the plan's order; ``known`` are leaves whose
    dataset is certain for other reasons.
    """
    found = dict(known or {})
    outer = [number for number, leaf in enumerate(leaves) if not leaf.in_subquery]
    if len(in_order) == len(outer) and all(map(_may_be, (leaves[number] for number in outer), in_order)):
        found |= {number: frozenset({dataset.id}) for number, dataset in zip(outer, in_order, strict=True)}
    for number, leaf in enumerate(leaves):
        if number not in found and leaf.table:
            named = _with_name(leaf.table, datasets)
            if len(named) == 1:
                found[number] = frozenset(named)
    _by_columns(leaves, datasets, found)
    return found


def managed_beside(
    leaves: Sequence[Leaf], found: Assigned, written: tuple[str, DatasetId] | None
) -> dict[int, frozenset[DatasetId]]:
    """The open leaves that are managed tables, beside another one whose folder is known.

    ``written`` is the sink's table name and dataset, if it is a managed table.
    """
    known = [(leaf.table, found[n]) for n, leaf in enumerate(leaves) if leaf.managed and n in found]
    known += [(written[0], frozenset({written[1]}))] if written else []
    folders: dict[str, set[DatasetId]] = {}
    for table, datasets in known:
        database, _, name = table.rpartition(".")
        for dataset in datasets:
            folder, _, own = dataset.name.rpartition("/")
            folders.setdefault(database, set()).add(DatasetId(dataset.namespace, folder if own == name else ""))
    placed: dict[int, frozenset[DatasetId]] = {}
    for number, leaf in enumerate(leaves):
        database, _, name = leaf.table.rpartition(".")
        places = folders.get(database, set())
        if number not in found and leaf.managed and len(places) == 1 and (place := min(places)).name:
            placed[number] = frozenset({DatasetId(place.namespace, f"{place.name}/{name}")})
    return placed


def _may_be(leaf: Leaf, dataset: Dataset) -> bool:
    return not dataset.fields or {name for name, _ in leaf.columns} <= {field.name for field in dataset.fields}


def fits(leaf: Leaf, dataset: Dataset) -> bool:
    """Whether the leaf can read the dataset as it is, by the dataset's schema if it has one."""
    names = {name.lower() for name, _ in leaf.columns}
    known = {field.name.lower() for field in dataset.fields}
    if not known:
        return True
    return names <= known if leaf.pruned or is_file_namespace(dataset.id.namespace) else names == known


def queries(leaves: Sequence[Leaf], datasets: Sequence[Dataset], found: Assigned) -> frozenset[int]:
    """The open leaves that may be queries that a database ran (JDBC): the names of their columns are those of a query.

    Such a leaf reads none of the inputs as it is, or no leaf reads one of the tables of the database as it is.
    """
    tables = list(filter(_is_table, datasets))
    read = frozenset[DatasetId]().union(*found.values())
    is_left = any(table.id not in read for table in tables)
    return frozenset(
        number
        for number, leaf in enumerate(leaves)
        if number not in found and not leaf.table and tables and (is_left or not _fits_any([leaf], datasets))
    )


def renaming(
    leaves: Sequence[Leaf], found: Assigned, copies: Iterable[tuple[LeafColumn, Iterable[ColumnRef]]]
) -> frozenset[int]:
    """The leaves that are a query of a database, and not its table as it is, as the columnLineage facet shows.

    ``copies`` are the leaf's column of each value that is a mere copy of it, and the columns that the facet names for
    that value. Of a table that is read as it is, the facet names that column and no other.
    """
    shown = set()
    for (number, column), refs in copies:
        tables = (ref for ref in refs if not is_file_namespace(ref.dataset.namespace))
        named = {ref.column.lower() for ref in tables if ref.dataset in found.get(number, (ref.dataset,))}
        if named and named != {column.lower()} and not leaves[number].table:
            shown.add(number)
    return frozenset(shown)


def left_over(leaves: Sequence[Leaf], datasets: Iterable[Dataset], found: Assigned) -> dict[int, frozenset[DatasetId]]:
    """The last open leaf, if one dataset is left that it can be; a table with a name is not guessed."""
    taken = frozenset[DatasetId]().union(*found.values())
    rest = {dataset.id: dataset for dataset in datasets if dataset.id not in taken}
    numbers = [number for number in range(len(leaves)) if number not in found]
    if len(numbers) != 1 or len(rest) != 1:
        return {}
    leaf, dataset = leaves[numbers[0]], next(iter(rest.values()))
    is_identified = bool(dataset.fields) and not leaf.in_subquery and not leaf.table and bool(leaf.columns)
    return {numbers[0]: frozenset({dataset.id})} if is_identified and fits(leaf, dataset) else {}


def _with_name(table: str, datasets: Iterable[Dataset]) -> set[DatasetId]:
    return {dataset.id for dataset in datasets if has_name(dataset, table.lower())}


def has_name(dataset: Dataset, table: str) -> bool:
    """Whether a dataset is the table ``database.table`` (in lower case), as its symlink or folder says."""
    database, _, name = table.rpartition(".")
    path = "/" + dataset.id.name.lower()
    if any(_ends_with_name(link.name.lower(), table) for link in dataset.symlinks if link.type.upper() == "TABLE"):
        return True
    return path.endswith(f"/{database}.db/{name}") or _ends_with_name(path[1:], table)


def _ends_with_name(text: str, table: str) -> bool:
    return "." in table and (text == table or text.endswith("." + table))


def _by_columns(leaves: Sequence[Leaf], datasets: Sequence[Dataset], found: dict[int, frozenset[DatasetId]]) -> None:
    """The datasets of open leaves by their columns, those outside of subqueries first."""
    outer, inner = (
        [number for number, leaf in enumerate(leaves) if leaf.in_subquery is is_inner and leaf.columns]
        for is_inner in (False, True)
    )
    alike = Counter(leaf.columns for number, leaf in enumerate(leaves) if number not in found)
    taken = frozenset[DatasetId]().union(*found.values())

    def equal(number: int) -> list[Dataset]:
        return [dataset for dataset in datasets if _columns(dataset) == leaves[number].columns]

    @cache
    def under_any_names(columns: Columns) -> frozenset[DatasetId]:
        """What leaves with these columns may read, whatever its own are: its schema is unknown, or a query renames."""
        rest = [leaf for leaf in leaves if leaf.columns != columns]
        return frozenset(
            dataset.id
            for dataset in datasets
            if dataset.id not in taken
            and (not dataset.fields or (_is_table(dataset) and not _fits_any(rest, [dataset])))
        )

    for number in (number for number in outer if number not in found):
        named = {dataset.id for dataset in equal(number)}
        if len(named) == 1 and (alike[leaves[number].columns] == 1 or under_any_names(leaves[number].columns) <= named):
            found[number] = frozenset(named)
    for number in (number for number in outer if number not in found and alike[leaves[number].columns] == 1):
        several = [dataset for dataset in equal(number) if not _is_table(dataset)]
        rivals = [leaves[other] for other in outer if other not in found and other != number]
        if several and not any(dataset.id in taken or _fits_any(rivals, [dataset]) for dataset in several):
            found[number] = frozenset(dataset.id for dataset in several)
    for number in (number for number in inner if number not in found and alike[leaves[number].columns] == 1):
        # Its table may be missing among the inputs, so a dataset that others read proves nothing.
        left = {dataset.id for dataset in equal(number)} - frozenset[DatasetId]().union(*found.values())
        if len(left) == 1:
            found[number] = frozenset(left)


def _is_table(dataset: Dataset) -> bool:
    """Whether it belongs to a database, which may run a query of its own for a leaf."""
    return not is_file_namespace(dataset.id.namespace)


def _fits_any(leaves: Iterable[Leaf], datasets: Iterable[Dataset]) -> bool:
    return any(fits(leaf, dataset) for leaf, dataset in product(leaves, datasets))


def _columns(dataset: Dataset) -> Columns:
    return tuple((field.name, field.type) for field in dataset.fields)


def from_facet(
    leaves: Sequence[Leaf],
    datasets: Iterable[Dataset],
    found: Assigned,
    pairs: Iterable[tuple[Iterable[LeafColumn], Iterable[ColumnRef]]],
) -> dict[int, frozenset[DatasetId]]:
    """The open leaves for which the facet decides: for the same purpose it names a column of one dataset.

    ``pairs`` are, for each purpose (a sink's column, a join), the leaves' columns and those that the facet names.
    """
    by_id = {dataset.id: dataset for dataset in datasets}
    votes: dict[int, set[DatasetId]] = {}
    for sources, refs in pairs:
        named_by_column: dict[str, set[DatasetId]] = {}
        for ref in refs:
            named_by_column.setdefault(ref.column.lower(), set()).add(ref.dataset)
        by_column: dict[str, list[int]] = {}
        for number, column in sources:
            by_column.setdefault(column, []).append(number)
        for column, numbers in by_column.items():
            rivals = [number for number in numbers if number not in found]
            known = {dataset for number in numbers for dataset in found.get(number, ())}
            named = named_by_column.get(column.lower(), set()) - known
            if len(rivals) == 1 and len(named) == 1 and _allowed(leaves[rivals[0]], by_id, named):
                votes.setdefault(rivals[0], set()).update(named)
    return {number: frozenset(chosen) for number, chosen in votes.items() if len(chosen) == 1}


def _allowed(leaf: Leaf, by_id: Mapping[DatasetId, Dataset], named: Iterable[DatasetId]) -> bool:
    return all(dataset not in by_id or fits(leaf, by_id[dataset]) for dataset in named)
