"""What the logical plan of a run says about its sinks and columns, and what else is known while it is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.event_model import ColumnRef, Dataset, DatasetId
from core.lineage_model import IndirectUse
from parser.application_facts import ApplicationFacts, MicroBatch
from parser.input_schemas import Schemas, is_refuted


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column as the plan computes it.

    ``certain``: all of its sources are known, and known to be all. ``plain``: the value is that of a column as it is.
    ``constant``: it is computed from literals only. ``source_names`` are the names of all source columns, also of those
    whose dataset is open; None if not even these are known. ``lacks_subquery``: a source is a column of a subquery
    whose table is open; a facet does not contain it either.
    """

    sources: frozenset[ColumnRef]
    indirect: frozenset[IndirectUse]
    certain: bool
    plain: bool = False
    constant: bool = False
    source_names: frozenset[str] | None = None
    expression: str | None = None
    lacks_subquery: bool = False

    def without(self, known: Schemas) -> "PlannedColumn":
        """The column without sources that the inputs do not have."""
        sources = frozenset(column for column in self.sources if not is_refuted(column, known))
        return self if sources == self.sources else replace(self, sources=sources, certain=False, source_names=None)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan says about its leaves, by their ids; which are open, and whether it reads rows of a program."""

    leaves: Mapping[str, DatasetId] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    reads_rows: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRows:
    """The columns of a query's rows (name, type), and the sources of each.

    ``last_id`` is the largest id of a column of a stream's files, None without any.
    """

    names: tuple[tuple[str, str], ...]
    columns: tuple[PlannedColumn, ...]
    last_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """What the plan says about one sink: columns by name, and what affects its rows.

    ``conditions`` are joins and filters as text, ``unknown`` are classes of operators that no rule knows, and
    ``tables`` are inputs that only the plan contains. ``ambiguous``: its rows may be those of several streams.
    """

    columns: Mapping[str, PlannedColumn]
    indirect: frozenset[IndirectUse]
    conditions: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    tables: tuple[Dataset, ...] = ()
    facts: PlanFacts = field(default_factory=PlanFacts)
    ambiguous: bool = False

    @property
    def certain(self) -> bool:
        return all(column.certain for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known in addition to the plan.

    ``facet`` is what the columnLineage facet says, evidence for leaves that the plan does not name: the sources by the
    sink's column, and what affects its rows. ``schemas`` are the columns that the inputs have. ``facts`` are those of
    other runs of the application, ``batches`` the micro-batches around the run. ``show_literals`` says whether texts
    contain the text literals of the user's code.
    """

    facet: tuple[Mapping[str, frozenset[ColumnRef]], Iterable[IndirectUse]] = ({}, ())
    schemas: Schemas = field(default_factory=dict)
    facts: ApplicationFacts = field(default_factory=ApplicationFacts)
    batches: tuple[MicroBatch, ...] = ()
    show_literals: bool = True
