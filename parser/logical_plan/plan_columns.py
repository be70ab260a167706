"""The columns of a sink, from the logical plan of its run."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.event_model import ColumnRef, Dataset, Field, RunEvent
from core.lineage_model import IndirectUse
from parser.application_facts import ApplicationFacts
from parser.input_schemas import Schemas, is_refuted
from parser.logical_plan.budget import MOST_EDGES, MOST_PAIRS, check
from parser.logical_plan.expression_texts import ExpressionTexts, names_of
from parser.logical_plan.leaves import (
    AmbiguousLeaves,
    Assigned,
    assign,
    from_facet,
    has_name,
    left_over,
    managed_beside,
    queries,
    renaming,
    twins,
)
from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.plan_model import Evidence, PlanFacts, PlannedColumn, PlannedRows, PlannedWrite
from parser.logical_plan.resolution import among, is_parsed, resolved
from parser.logical_plan.sources import table_name
from parser.logical_plan.tree import Node, tree
from parser.logical_plan.value import NOT_NULL, LeafColumn, Use, Value
from parser.logical_plan.walker import Leaf, Walk, attributes
from parser.logical_plan.writes import Write, commands, write_of

_LISTS_AN_INPUT_PER_LEAF = "0."  # the agents' versions begin so; seen with 0.4.0, 0.10.0 and 0.28.0


def planned_write(
    events: Sequence[RunEvent], sink: Dataset, inputs: Iterable[Dataset], evidence: Evidence
) -> PlannedWrite | None:
    """What the run's plan says about ``sink``; None if it has no plan that can be read.

    :raises PlanTooLargeError: it would take too long to read.
    """
    datasets = list(inputs)
    chosen = _resolved_plan(events, datasets)
    if chosen is None:
        return None
    event, plan = chosen
    walk = new_walk(evidence.batches)
    command = _command(plan, sink)
    write = write_of(command, walk, [field.name for field in sink.fields]) if command else None
    if write is None:
        return None
    values = _by_name(write, sink)
    check(sum(len(value.sources) + len(value.uses) for value in values.values()), MOST_EDGES)
    check(len(walk.leaves) * len(datasets), MOST_PAIRS)
    if write.target is not None:
        datasets.append(sink)
    own = _assigned(event, datasets, walk, write, sink, _same_purpose(values, write.uses, *evidence.facet))
    renamed = renaming(walk.leaves, own.found, _copies(values, evidence.facet[0]))
    own = own.without(renamed)
    found = {**_from_facts(walk.leaves, own.found, evidence.facts, renamed), **own.found}
    of_query = renamed | queries(walk.leaves, datasets, found)
    groups = () if renamed else twins(walk.leaves, datasets, found)
    texts = ExpressionTexts(names_of(walk, found), evidence.show_literals)
    known = evidence.schemas
    inner = {number for number, leaf in enumerate(walk.leaves) if leaf.in_subquery}
    return PlannedWrite(
        columns={
            name: _column(value, found, groups, texts, of_query, inner).without(known) for name, value in values.items()
        },
        indirect=frozenset(use for use in _uses(write.uses, found) if not is_refuted(use.column, known)),
        conditions=texts.conditions(walk),
        unknown=frozenset(walk.unknown),
        tables=tuple(_tables(walk.leaves, {**own.beside, **_beyond(walk.leaves, found, own.found)})),
        facts=_facts(walk, own.found),
        ambiguous=walk.ambiguous,
    )


def planned_rows(events: Sequence[RunEvent], inputs: Iterable[Dataset], known: Schemas) -> PlannedRows | None:
    """The rows of the query of a run that writes nothing itself; None if it has no plan that can be read.

    :raises PlanTooLargeError: it would take too long to read.
    """
    datasets = list(inputs)
    chosen = _resolved_plan(events, datasets)
    if chosen is None:
        return None
    walk = new_walk()
    result = walk.relation(chosen[1])
    result = replace(result, output=result.required)
    check(len(walk.leaves) * len(datasets), MOST_PAIRS)
    found = _assigned(chosen[0], datasets, walk, Write(), None, ()).found
    groups = twins(walk.leaves, datasets, found)
    texts = ExpressionTexts(names_of(walk, found), show_literals=False)
    columns = (_column(result.value(at), found, groups, texts) for at in range(len(result.output)))
    return PlannedRows(
        tuple((attribute.name, attribute.type) for attribute in result.output),
        tuple(column.without(known) for column in columns),
        max(_ids_of_stream_files(chosen[1]), default=None),
    )


def _ids_of_stream_files(plan: Node) -> Iterator[int]:
    """The ids of the columns of a stream's files: new ones for each micro-batch."""
    for node in plan.walk():
        if node.kind == "LogicalRelation" and node.params.get("isStreaming") is True:
            yield from (column.id for column in attributes(node.trees("output")))


@dataclass(frozen=True, slots=True)
class _Assigned:
    """The datasets of leaves; ``beside`` are those that are no inputs."""

    found: Assigned
    beside: Assigned

    def without(self, leaves: Collection[int]) -> "_Assigned":
        """The datasets of the other leaves."""
        return _Assigned({n: datasets for n, datasets in self.found.items() if n not in leaves}, self.beside)


def _assigned(
    event: RunEvent,
    datasets: Sequence[Dataset],
    walk: Walk,
    write: Write,
    sink: Dataset | None,
    same_purpose: Iterable[tuple[list[LeafColumn], list[ColumnRef]]],
) -> _Assigned:
    """The datasets of the leaves, as far as the events of the run contain them."""
    known = {number: frozenset({leaf.dataset}) for number, leaf in enumerate(walk.leaves) if leaf.dataset}
    if sink and write.target is not None:
        known[write.target] = frozenset({sink.id})
    in_order = [item.dataset for item in event.inputs] if event.agent.startswith(_LISTS_AN_INPUT_PER_LEAF) else []
    found = assign(walk.leaves, datasets, in_order, known)
    beside = managed_beside(walk.leaves, found, (write.table, sink.id) if sink and write.managed else None)
    found |= beside
    pairs = list(same_purpose)
    while decided := from_facet(walk.leaves, datasets, found, pairs):
        found |= decided
    found |= left_over(walk.leaves, datasets, found)
    return _Assigned(found, beside)


def _command(plan: Node, sink: Dataset) -> Node | None:
    """The command of the plan that writes the sink: the only one, or the only one for a table of its name."""
    listed = commands(plan)
    if len(listed) > 1:
        listed = tuple(command for command in listed if has_name(sink, table_name(command).lower()))
    return listed[0] if len(listed) == 1 else None


def _from_facts(leaves: Sequence[Leaf], found: Assigned, facts: ApplicationFacts, renamed: Collection[int]) -> Assigned:
    """The open leaves that another run of the application knows, but for those that rename the columns of a table."""
    return {
        number: frozenset({facts.leaves[leaf.key]})
        for number, leaf in enumerate(leaves)
        if number not in found and number not in renamed and leaf.key in facts.leaves
    }


def _beyond(leaves: Sequence[Leaf], found: Assigned, own: Assigned) -> Assigned:
    """The leaves whose datasets only other runs of the application name, or that are those of a stream."""
    return {n: datasets for n, datasets in found.items() if n not in own or leaves[n].dataset}


def _facts(walk: Walk, found: Assigned) -> PlanFacts:
    """The facts about leaves for other runs of the application, and what the plan lacks."""
    keyed = [(leaf.key, found.get(number)) for number, leaf in enumerate(walk.leaves) if leaf.key]
    known = {key: min(datasets) for key, datasets in keyed if datasets and len(datasets) == 1}
    open_ = frozenset(key for key, datasets in keyed if not datasets)
    return PlanFacts(known, open_, walk.reads_rows)


def _resolved_plan(events: Sequence[RunEvent], inputs: Iterable[Dataset]) -> tuple[RunEvent, Node] | None:
    """START's plan before others: up to agent 0.4.0 that of COMPLETE may be the text as parsed."""
    in_order = sorted((event for event in events if event.plan), key=lambda event: event.event_type != "START")
    plans = [(event, plan) for event in in_order if (plan := tree(event.plan))]
    for event, plan in plans:
        if not is_parsed(plan):
            return event, plan
    for event, plan in plans:
        if known := resolved(plan, among(inputs)):
            return event, known
    return None


def _tables(leaves: Sequence[Leaf], beside: Assigned) -> Iterator[Dataset]:
    for number, datasets in sorted(beside.items()):
        fields = tuple(Field(name, data_type) for name, data_type in leaves[number].columns)
        yield from (Dataset(dataset, fields) for dataset in datasets)


def _by_name(write: Write, sink: Dataset) -> Mapping[str, Value]:
    """Values by the sink's column names: those in the plan, else those of the sink's schema in its order."""
    if write.named:
        return write.named
    if not write.by_name and len(sink.fields) == len(write.columns) and not (write.names and _are_fields(write, sink)):
        return dict(zip((field.name for field in sink.fields), write.columns, strict=True))
    wanted = {field.name.lower() for field in sink.fields} if write.by_name or write.of_query else None
    pairs = zip(write.names, write.columns, strict=False)
    return {name: value for name, value in pairs if not wanted or name.lower() in wanted}


def _are_fields(write: Write, sink: Dataset) -> bool:
    fields = {field.name.lower() for field in sink.fields}
    return all(name.lower() in fields for name in write.names)


def _same_purpose(
    values: Mapping[str, Value],
    uses: Iterable[Use],
    facet: Mapping[str, frozenset[ColumnRef]],
    everywhere: Iterable[IndirectUse],
) -> Iterator[tuple[list[LeafColumn], list[ColumnRef]]]:
    """What the plan and the facet name for the same purpose: as sources of a column, or for joins and the like."""
    by_kind: dict[str, list[ColumnRef]] = {}
    for use in everywhere:
        by_kind.setdefault(use.kind, []).append(use.column)
    columns: dict[str, list[LeafColumn]] = {}
    for column, kind in uses:
        columns.setdefault(kind, []).append(column)
    yield from ((list(value.sources), list(facet.get(name, ()))) for name, value in values.items())
    yield from ((columns[kind], refs) for kind, refs in by_kind.items() if kind in columns)


def _copies(
    values: Mapping[str, Value], facet: Mapping[str, frozenset[ColumnRef]]
) -> Iterator[tuple[LeafColumn, frozenset[ColumnRef]]]:
    """The values that are copies of one column of a leaf, and what the facet names as their sources."""
    for name, value in values.items():
        if value.known and len(value.sources) == 1 and name in facet and _is_plain(value.definition):
            yield next(iter(value.sources)), facet[name]


def _column(
    value: Value,
    found: Assigned,
    groups: Iterable[AmbiguousLeaves],
    texts: ExpressionTexts,
    of_query: Collection[int] = (),
    inner: Collection[int] = (),
) -> PlannedColumn:
    """What the plan says of a value; ``of_query`` are leaves that may be queries, ``inner`` those of subqueries."""
    sources = {(dataset, name) for leaf, name in value.sources for dataset in found.get(leaf, ())}
    unassigned = {column for column in value.sources if column[0] not in found}
    for group in groups if unassigned else ():
        for name in {name for leaf, name in unassigned if leaf in group.leaves}:
            if (same := {(leaf, name) for leaf in group.leaves}) <= unassigned:
                sources |= {(dataset, name) for dataset in group.datasets}
                unassigned -= same
    # The names of the columns of a query say nothing about its sources.
    named = value.known and not any(leaf in of_query for leaf, _ in unassigned)
    return PlannedColumn(
        sources=frozenset(ColumnRef(dataset, name) for dataset, name in sources),
        indirect=_uses(value.uses, found),
        certain=value.known and not unassigned,
        plain=_is_plain(value.definition),
        expression=None if _is_plain(value.definition) else texts.expression(value),
        constant=value.known and value.literal,
        source_names=frozenset(name for _, name in value.sources) if named else None,
        lacks_subquery=any(leaf in inner for leaf, _ in unassigned),
    )


def _is_plain(definition: Node | None) -> bool:
    if definition is None:
        return True
    return all(node.kind in ("Alias", "AttributeReference", "Cast", "AnsiCast") for node in definition.walk())


def _uses(uses: Iterable[Use], found: Assigned) -> frozenset[IndirectUse]:
    """IS NOT NULL on a column with another influence comes from the optimiser; alone it is a filter of the user."""
    decided = {column for column, kind in uses if kind != NOT_NULL}
    wanted = (
        (column, "FILTER" if kind == NOT_NULL else kind)
        for column, kind in uses
        if kind != NOT_NULL or column not in decided
    )
    return frozenset(
        IndirectUse(ColumnRef(dataset, name), kind) for (leaf, name), kind in wanted for dataset in found.get(leaf, ())
    )
