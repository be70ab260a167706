"""Facts that one run of an application contains and another one lacks.

Three facts are only in the events of other runs, and certain there:

- the folder of a table: the run of a multi-insert (Spark 4.1 and later) contains the names of its tables, while the
  runs that created or wrote them contain the folders,
- the rows of a micro-batch: what ``foreachBatch`` writes comes from the run of the stream around it,
- the dataset of a leaf: a table of a scalar subquery is no input of its run. Another run that reads the same relation
  has the same ids of expressions.

Facts come from the events of their own run alone, never from other facts, so they do not depend on any order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.event_model import ColumnRef, Dataset, DatasetId

MOST_LEAVES = 50
MOST_TABLES = 50


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """The rows of one micro-batch of a stream, which ran from ``started`` to ``ended`` (UTC).

    ``columns`` are the names and types of the rows; ``sources`` are the sources of each column, None where they are not
    known for certain. ``inputs`` are the datasets read. ``marks_datasets``: this version of Spark notes which rows come
    from a Dataset, as those of a batch do. ``last_id`` is the largest id of a column of the files that the batch reads,
    None without files; columns made after the batch began have larger ones.
    """

    run_key: str
    started: datetime
    ended: datetime
    columns: tuple[tuple[str, str], ...]
    sources: tuple[tuple[ColumnRef, ...] | None, ...]
    inputs: tuple[Dataset, ...]
    marks_datasets: bool = False
    last_id: int | None = None

    def has_columns(self, columns: Sequence[tuple[str, str]]) -> bool:
        """Whether the rows have these names and types, in this order; an expression's type is not in the plan ("")."""
        return len(columns) == len(self.columns) and all(
            one[0] == other[0] and (one[1] == other[1] or "" in (one[1], other[1]))
            for one, other in zip(self.columns, columns, strict=True)
        )


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run knows: tables by name (``database.table``), leaves of plans by id, and its micro-batch."""

    tables: Mapping[str, Dataset] = field(default_factory=dict)
    leaves: Mapping[str, DatasetId] = field(default_factory=dict)
    batch: MicroBatch | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run lacks: tables by name, leaves by id, and the rows of a micro-batch."""

    tables: frozenset[str] = frozenset()
    leaves: frozenset[str] = frozenset()
    batch: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables or self.leaves or self.batch)


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """What the other runs of an application know. Facts on which two of them differ are left out."""

    tables: Mapping[str, Dataset] = field(default_factory=dict)
    leaves: Mapping[str, DatasetId] = field(default_factory=dict)
    batches: tuple[MicroBatch, ...] = ()

    def around(self, started: datetime, ended: datetime) -> tuple[MicroBatch, ...]:
        """The micro-batches that a run of this span may have been part of."""
        return tuple(batch for batch in self.batches if batch.started <= started and ended <= batch.ended)


def united(facts: Iterable[RunFacts]) -> ApplicationFacts:
    """The facts of several runs together, whatever their order."""
    found = list(facts)
    tables: dict[str, dict[DatasetId, Dataset]] = {}
    leaves: dict[str, set[DatasetId]] = {}
    for item in found:
        for name, dataset in item.tables.items():
            known = tables.setdefault(name, {})
            # Of two descriptions of one table, the one with more columns; equal ones by their order.
            known[dataset.id] = max(
                known.get(dataset.id, dataset), dataset, key=lambda each: (len(each.fields), repr(each))
            )
        for key, own in item.leaves.items():
            leaves.setdefault(key, set()).add(own)
    batches = {(item.batch.ended, item.batch.run_key): item.batch for item in found if item.batch}
    return ApplicationFacts(
        {name: next(iter(known.values())) for name, known in tables.items() if len(known) == 1},
        {key: next(iter(known)) for key, known in leaves.items() if len(known) == 1},
        tuple(batches[key] for key in sorted(batches)),
    )
