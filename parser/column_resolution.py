"""Combines the two sources of a sink's columns, the logical plan and the columnLineage facet.

Column by column: the plan is believed if it knows every source of the column and which datasets its leaves are, since
it contains every edge; else the facet, which never confuses datasets but errs on windows, ROLLUP, set operations,
subqueries and UDFs; else what the plan knows for sure. What neither says is not claimed.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.event_model import ColumnRef, Dataset, DatasetId, EventDataset, RunEvent
from core.lineage_model import IndirectUse, Note, SinkColumn
from core.replacing import replace
from parser.facet_columns import columns
from parser.logical_plan.budget import PlanTooLargeError
from parser.logical_plan.plan_columns import planned_write
from parser.logical_plan.plan_model import Evidence, PlanFacts, PlannedColumn, PlannedWrite
from parser.notes import some


@dataclass(frozen=True, slots=True)
class ColumnResolution:
    """The columns of a sink, what affects its rows (as columns and as text), and notes.

    ``tables`` are inputs that no event lists. ``facts`` are those of the plan, for other runs of the application.
    """

    columns: tuple[SinkColumn, ...]
    indirect: tuple[IndirectUse, ...]
    conditions: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[Dataset, ...] = ()
    facts: PlanFacts = field(default_factory=PlanFacts)


def account(
    events: tuple[RunEvent, ...], output: EventDataset, inputs: Iterable[Dataset], evidence: Evidence
) -> ColumnResolution:
    """What plan and facet together say about an output; ``evidence`` is all but the facet, which is added here."""
    sink = output.dataset
    stated, everywhere = columns(output.column_lineage, sink.id, sink.fields)
    by_name = {column.name: frozenset(column.sources) for column in stated}
    try:
        with _collection_paused():
            plan = planned_write(events, sink, inputs, replace(evidence, facet=(by_name, everywhere)))
    except PlanTooLargeError:
        note = Note("plan-too-large", "The logical plan would take too long to read, so it is skipped.", sink.id)
        return ColumnResolution(stated, everywhere, notes=(note,))
    if plan is None:
        return ColumnResolution(stated, everywhere)
    facet = {column.name: column for column in stated if column.sources or column.indirect}
    found = tuple(_columns(plan, facet, sink))
    indirect = plan.indirect if plan.certain else plan.indirect | set(everywhere)
    notes = tuple(_notes(plan, found, facet, sink.id))
    return ColumnResolution(found, tuple(sorted(indirect)), plan.conditions, notes, plan.tables, plan.facts)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Pause the garbage collector: reading a plan makes up to millions of objects, and no cycles.

    Collecting took a third of the time (benchmarks/big_plan.py).
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _columns(plan: PlannedWrite, facet: Mapping[str, SinkColumn], sink: Dataset) -> Iterator[SinkColumn]:
    planned = _in_schema_case(plan.columns, sink)
    order = dict.fromkeys(field.name for field in sink.fields)
    for name in [*order, *sorted({*planned, *facet} - order.keys())]:
        own = planned.get(name)
        if own and (own.certain or name not in facet):
            yield _from_plan(name, own, sink.id)
        elif own:
            yield _confirmed(facet[name], own)
        else:
            yield facet.get(name, SinkColumn(name))


def _from_plan(name: str, column: PlannedColumn, sink: DatasetId) -> SinkColumn:
    sources: Iterable[ColumnRef] = column.sources
    if column.plain:
        sources = (source for source in sources if source != ColumnRef(sink, name))
    indirect = tuple(sorted(column.indirect))
    return SinkColumn(name, tuple(sorted(sources)), indirect, column.expression, column.constant)


def _confirmed(stated: SinkColumn, column: PlannedColumn) -> SinkColumn:
    """The facet's column with the plan's sources, without those of the facet whose names the plan does not have."""
    if column.source_names is None:
        sources = sorted({*stated.sources, *column.sources})
        return replace(stated, sources=tuple(sources), expression=column.expression)
    confirmed = {s for s in stated.sources if s.column in column.source_names}
    return replace(stated, sources=tuple(sorted(confirmed | column.sources)), expression=column.expression)


def _in_schema_case(planned: Mapping[str, PlannedColumn], sink: Dataset) -> Mapping[str, PlannedColumn]:
    """The plan's columns under the spelling of the sink's schema."""
    exact = {field.name for field in sink.fields}
    spelling = {field.name.lower(): field.name for field in reversed(sink.fields)}
    return {name if name in exact else spelling.get(name.lower(), name): column for name, column in planned.items()}


def _notes(
    plan: PlannedWrite, found: Iterable[SinkColumn], facet: Mapping[str, SinkColumn], sink: DatasetId
) -> Iterator[Note]:
    if plan.unknown:
        kinds = ", ".join(sorted(plan.unknown))
        yield Note("plan-operator-unknown", f"The logical plan has operators that are not known: {kinds}.", sink)
    if plan.ambiguous:
        text = "Several streams with the same columns ran at that time, so the source of foreachBatch's rows is open."
        yield Note("stream-ambiguous", text, sink)
    planned = {column.name: plan.columns[column.name] for column in found if column.name in plan.columns}
    unsure = [
        name for name, column in planned.items() if not column.certain and (name not in facet or column.lacks_subquery)
    ]
    if unsure:
        names = some(unsure)
        yield Note("sources-open", f"Not all sources of these columns could be determined: {names}.", sink)
