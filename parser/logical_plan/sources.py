"""Leaves: datasets, rows without a dataset, rows of the user's program, cached relations, common table expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.event_model import DatasetId
from parser.application_facts import MicroBatch
from parser.input_schemas import HIDDEN
from parser.logical_plan.tree import Node, tree
from parser.logical_plan.value import CONSTANT, UNKNOWN, UNREADABLE, Attribute, Relation, Value
from parser.logical_plan.walker import Leaf, Walk, attributes, joined


def leaf(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    """A dataset; its columns are their own source."""
    output = attributes(node.trees("output"))
    columns = tuple((column.name, column.type) for column in output)
    number = len(walk.leaves)
    own = tuple(column for column in columns if column[0] not in HIDDEN)
    dataset, pruned = node.params.get("dataset"), "Scan" in node.kind
    leaf_ = Leaf(own, table_name(node), walk.depth > 0, dataset, is_managed(node), pruned, _key(node))
    walk.leaves.append(leaf_)
    values = {c.id: CONSTANT if c.name in HIDDEN else Value(frozenset({(number, c.name)})) for c in output}
    return Relation(output, walk.define(values))


def _key(node: Node) -> str:
    """The id of a leaf's first column; "" if it has none."""
    first = next(iter(node.trees("output")), None)
    expression_id = first.params.get("exprId") if first else None
    if not isinstance(expression_id, Mapping) or not isinstance(expression_id.get("jvmId"), str):
        return ""
    return f"{expression_id['jvmId']}:{expression_id.get('id')}"


def program_rows(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    """Rows of the user's program. In ``foreachBatch`` they are those of the stream's query, with its columns."""
    walk.reads_rows = True
    output = attributes(node.trees("output"))
    batches = [batch for batch in walk.batches if _may_be(node, output, batch, walk)]
    walk.ambiguous |= len(batches) > 1
    if not output or len(batches) != 1:
        return Relation(output, {column.id: UNKNOWN for column in output}, known=False)
    batch = batches[0]
    numbers: dict[DatasetId, int] = {}
    for dataset in batch.inputs:
        numbers[dataset.id] = len(walk.leaves)
        own = tuple((field.name, field.type) for field in dataset.fields)
        walk.leaves.append(Leaf(own, in_subquery=walk.depth > 0, dataset=dataset.id))
    values = {}
    for column, sources in zip(output, batch.sources, strict=True):
        found = frozenset((numbers[ref.dataset], ref.column) for ref in sources or () if ref.dataset in numbers)
        values[column.id] = Value(found) if sources is not None else UNKNOWN
    return Relation(output, walk.define(values))


def _may_be(node: Node, output: Sequence[Attribute], batch: MicroBatch, walk: Walk) -> bool:
    """Whether rows may be those of a micro-batch, not those of an RDD, a list or a checkpoint.

    The columns of a checkpoint made in ``foreachBatch`` have larger ids than the batch. So has the right side of a join
    of the batch with itself, but the left side comes before it.
    """
    if not batch.has_columns([(column.name, column.type) for column in output]):
        return False
    if (batch.marks_datasets and "originStats" not in node.params) or node.params.get("fromCheckpoint") is True:
        return False
    if batch.last_id is None or all(column.id <= batch.last_id for column in output):
        walk.found_batches.add(batch.run_key)
    return batch.run_key in walk.found_batches


def table_name(node: Node) -> str:
    """``database.table`` of the catalogue table that a node reads or writes; "" if it has none."""
    for place in (node.params.get("catalogTable"), node.params.get("tableMeta"), node.params.get("table"), node.params):
        identifier = place.get("identifier") or place.get("tableIdentifier") if isinstance(place, Mapping) else None
        if isinstance(identifier, Mapping) and isinstance(identifier.get("table"), str):
            database = identifier.get("database")
            return f"{database}.{identifier['table']}" if isinstance(database, str) else identifier["table"]
        if isinstance(identifier, str) and place is node.params:
            return identifier
    return ""


def is_managed(node: Node) -> bool:
    """Whether the catalogue table that a node reads or writes is one whose folder Spark chose."""
    for place in (node.params.get("catalogTable"), node.params.get("tableMeta"), node.params.get("table")):
        kind = place.get("tableType") if isinstance(place, Mapping) else None
        if isinstance(kind, Mapping):
            return kind.get("name") == "MANAGED"
    return False


def without_dataset(node: Node, _children: list[Relation], _walk: Walk) -> Relation:
    """Rows of literals, or ranges of numbers."""
    output = attributes(node.trees("output"))
    return Relation(output, {column.id: CONSTANT for column in output})


def opaque(node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """The result has columns, whose sources are unknown."""
    below = joined(children)
    listed = node.trees("output") or node.trees("serializer") or node.trees("outputObjAttr")
    output = attributes(listed) or below.output
    return Relation(output, {column.id: UNKNOWN for column in output}, below.uses, known=False)


def cached(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    """A cached relation hides its logical plan; the physical one that filled it has the same columns, by position."""
    builder = node.params.get("cacheBuilder")
    plan = tree(builder.get("cachedPlan")) if isinstance(builder, Mapping) else None
    output = attributes(node.trees("output"))
    if plan is None:
        return Relation(output, {column.id: UNKNOWN for column in output}, known=False)
    below = walk.relation(plan)
    # A further use of a cached relation has ids of its own.
    fitted = below.fitted(len(output)) or UNREADABLE
    values = {column.id: below.values.get(column.id, fitted.value(at)) for at, column in enumerate(output)}
    return replace(below, output=output, values=values)


def adaptive(node: Node, children: list[Relation], walk: Walk) -> Relation:
    plan = node.tree("inputPlan") or node.tree("initialPlan") or node.tree("plan")
    return walk.relation(plan) if plan and not children else joined(children)


def shared(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """A common table expression; references to it (CTERelationRef) bring the same columns under new ids."""
    walk.shared[_cte_id(node)] = joined(children)
    return joined(children)


def reference(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    output = attributes(node.trees("output"))
    shared_ = walk.shared.get(_cte_id(node, "cteId"), UNREADABLE)
    fitted = shared_.fitted(len(output)) or replace(UNREADABLE, uses=shared_.uses)
    return replace(fitted, output=output, values={a.id: fitted.value(i) for i, a in enumerate(output)})


def _cte_id(node: Node, parameter: str = "id") -> int:
    number = node.params.get(parameter)
    return number if isinstance(number, int) else -1
