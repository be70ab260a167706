"""Plans: what each operator does to the columns and rows of its children.

One function a family of operators, in the table ``RULES`` by class. Operators that hand on their input unchanged, and
those known to bring no dataset, are listed; a class that is on no list hands on its only child, and is reported.
Physical operators occur below cached relations; their names are those of the logical ones with ``Exec``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from parser.logical_plan.expressions import evaluate
from parser.logical_plan.tree import Node, expression_id, object_name, tree
from parser.logical_plan.value import (
    CONSTANT,
    NO_USES,
    NOT_NULL,
    UNKNOWN,
    Attribute,
    Relation,
    Use,
    Value,
    combined,
)

EMPTY = Relation((), {})

PASS_THROUGH = {
    "AdaptiveSparkPlan", "AQEShuffleRead", "BroadcastExchange", "CTEInChildren", "CoalesceShufflePartitions",
    "ColumnarToRow", "CollectMetrics", "CommandResult", "CustomShuffleReader", "EventTimeWatermark", "GlobalLimit",
    "InputAdapter", "Limit", "LocalLimit", "Offset", "QueryStage", "RebalancePartitions", "Repartition",
    "RepartitionByExpression", "ResolvedHint", "ReusedExchange", "ReturnAnswer", "RowToColumnar", "Sample",
    "ShuffleExchange", "ShuffleQueryStage", "BroadcastQueryStage", "SubqueryAlias", "Tail", "UnresolvedHint", "View",
    "WholeStageCodegen", "WithCTE", "WriteFiles", "Coalesce", "Subquery", "TakeOrderedAndProject",
}  # fmt: skip
WITHOUT_DATASET = {
    "LocalRelation",
    "OneRowRelation",
    "Range",
    "LocalTableScan",
    "EmptyRelation",
    "UnresolvedInlineTable",
}
LEAVES = {
    "LogicalRelation", "HiveTableRelation", "DataSourceV2Relation", "DataSourceV2ScanRelation", "FileSourceScan",
    "StreamingRelation", "StreamingRelationV2", "StreamingExecutionRelation", "StreamingDataSourceV2Relation",
    "BatchScan", "HiveTableScan", "RowDataSourceScan", "UnresolvedCatalogRelation", "StreamingDataSourceV2ScanRelation",
}  # fmt: skip
#: Rows become objects of the user's program here; what it does with them is not in the plan.
OPAQUE = {
    "LogicalRDD", "ExternalRDD", "DeserializeToObject", "SerializeFromObject", "MapElements", "MapPartitions",
    "MapPartitionsInR", "MapPartitionsInPandas", "MapInPandas", "PythonMapInArrow", "FlatMapGroupsInPandas",
    "FlatMapCoGroupsInPandas", "FlatMapGroupsWithState", "MapGroups", "CoGroup", "TypedFilter", "AppendColumns",
    "ScriptTransformation", "FlatMapGroupsInR", "RDDScan", "TypedColumn", "ArrowMapPartitions",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dataset that a plan reads: its columns (name, type) in their order, and its table's name if it has one.

    ``table`` is ``database.table`` as the catalogue knows it. ``in_subquery`` tells whether it stands in an
    expression; such leaves may be missing among the inputs of the event.
    """

    columns: tuple[tuple[str, str], ...]
    table: str = ""
    in_subquery: bool = False


@dataclass(slots=True)
class Walk:
    """One walk over a plan: the leaves met so far, and the classes that no rule knows."""

    leaves: list[Leaf] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    subqueries: int = 0
    shared: dict[int, Relation] = field(default_factory=dict)

    def evaluate(self, expression: Node, columns: Relation) -> Value:
        """What an expression over these columns is made of."""
        return _evaluate(expression, columns.values, self)

    def uses_of(self, condition: Node | None, columns: Relation, kind: str) -> frozenset[Use]:
        """What decides through a condition over these columns."""
        return _conditions([condition], columns.values, kind, self)


Rule = Callable[[Node, list[Relation], Walk], Relation]


def relation(plan: Node, walk: Walk, around: Mapping[int, Value] | None = None) -> Relation:
    """The result of a plan; ``around`` are the columns of the query that a subquery stands in."""
    found: dict[int, Relation] = {}
    left_only = _left_only_unions(plan)
    for node in _children_first(plan):
        children = [found[id(child)] for child in node.children]
        if id(node) in left_only:
            children = children[:1]
        result = _relation(node, children, walk)
        if around and not node.children:
            result = replace(result, values={**around, **result.values})
        found[id(node)] = result
    return found[id(plan)]


def _children_first(plan: Node) -> Iterator[Node]:
    """Every node after its children, the left ones before the right ones."""
    waiting: list[tuple[Node, bool]] = [(plan, False)]
    while waiting:
        node, seen = waiting.pop()
        if seen:
            yield node
        else:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.children))


def _relation(node: Node, children: list[Relation], walk: Walk) -> Relation:
    kind = node.kind.removesuffix("Exec")
    rule = RULES.get(kind)
    if rule:
        return rule(node, children, walk)
    if kind not in PASS_THROUGH and children:
        walk.unknown.add(node.kind)
    return _joined(children) if children else _without_dataset(node, children, walk)


def _joined(children: Iterable[Relation]) -> Relation:
    """All columns of all children."""
    found = list(children)
    if len(found) == 1:
        return found[0]
    values: dict[int, Value] = {}
    uses = NO_USES
    for child in found:
        values.update(child.values)
        uses = uses | child.uses
    output = tuple(attribute for child in found for attribute in child.output)
    return Relation(output, values, uses, all(child.known for child in found))


def _attributes(trees: Iterable[Node]) -> tuple[Attribute, ...]:
    """The output columns that attributes, aliases and the like declare."""
    found = []
    for expression in trees:
        number = expression_id(expression)
        name = expression.params.get("name")
        found.append(Attribute(number if number is not None else -1, name if isinstance(name, str) else ""))
    return tuple(found)


def _evaluate(expression: Node, columns: Mapping[int, Value], walk: Walk) -> Value:
    def subquery(plan: Node, around: Mapping[int, Value]) -> Value:
        walk.subqueries += 1
        inner = relation(plan, walk, around)
        walk.subqueries -= 1
        value = inner.value(0)
        return replace(value, uses=value.uses | inner.uses, known=value.known and inner.known)

    return evaluate(expression, columns, subquery)


def _named(expressions: Iterable[Node], below: Relation, walk: Walk) -> dict[int, Value]:
    """What each of a list of named expressions is made of, by the id that they declare."""
    values: dict[int, Value] = {}
    for expression in expressions:
        number = expression_id(expression)
        if number is None:
            continue
        value = _evaluate(expression, below.values, walk)
        if expression.kind == "AttributeReference" and number in below.values:
            values[number] = below.values[number]
        else:
            values[number] = replace(value, definition=expression)
    return values


def _conditions(trees: Iterable[Node | None], columns: Mapping[int, Value], kind: str, walk: Walk) -> frozenset[Use]:
    found = NO_USES
    for expression in trees:
        if expression:
            found = found | _evaluate(expression, columns, walk).as_uses(kind)
    return found


def _project(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below, listed = _joined(children), node.trees("projectList")
    return replace(below, output=_attributes(listed), values=_named(listed, below, walk))


def _aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    listed = node.trees("aggregateExpressions")
    keys = _conditions(node.trees("groupingExpressions"), below.values, "GROUP_BY", walk)
    return replace(below, output=_attributes(listed), values=_named(listed, below, walk), uses=below.uses | keys)


def _physical_aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Partial and final steps refer to the columns below all of them, so these are kept."""
    below = _joined(children)
    aggregates = zip(node.trees("aggregateAttributes"), node.trees("aggregateExpressions"), strict=False)
    values = dict(below.values)
    for attribute, expression in aggregates:
        number = expression_id(attribute)
        if number is not None:
            values[number] = _evaluate(expression, below.values, walk)
    keys = _conditions(node.trees("groupingExpressions"), below.values, "GROUP_BY", walk)
    listed = node.trees("resultExpressions")
    values |= _named(listed, replace(below, values=values), walk)
    return replace(below, output=_attributes(listed), values=values, uses=below.uses | keys)


def _filter(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    uses = below.uses
    for part in _conjuncts(node.tree("condition")):
        uses = uses | _conditions([part], below.values, NOT_NULL if part.kind == "IsNotNull" else "FILTER", walk)
    return replace(below, uses=uses)


def _conjuncts(condition: Node | None) -> Iterator[Node]:
    """The parts of a condition that AND joins."""
    waiting = [condition] if condition else []
    while waiting:
        part = waiting.pop()
        if part.kind == "And":
            waiting.extend(part.children)
        else:
            yield part


def _sort(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    order = node.trees("order") or node.trees("sortOrder")
    return replace(below, uses=below.uses | _conditions(order, below.values, "SORT", walk))


def _deduplicate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    return replace(below, uses=below.uses | _conditions(node.trees("keys"), below.values, "GROUP_BY", walk))


def _window(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    listed = node.trees("windowExpressions") or node.trees("windowExpression")
    values = {**below.values, **_named(listed, below, walk)}
    return replace(below, output=(*below.output, *_attributes(listed)), values=values)


def _join(node: Node, children: list[Relation], walk: Walk) -> Relation:
    both = _joined(children)
    keys = (*node.trees("leftKeys"), *node.trees("rightKeys"))
    uses = both.uses | _conditions([node.tree("condition"), *keys], both.values, "JOIN", walk)
    kind = node.params.get("joinType")
    name = object_name(kind) or object_name({"object": kind.get("product-class")} if isinstance(kind, dict) else None)
    if name in ("LeftSemi", "LeftAnti"):
        return replace(children[0], uses=uses)
    if name == "ExistenceJoin":
        exists = tree(kind.get("exists")) if isinstance(kind, dict) else None
        flag = expression_id(exists) if exists else None
        values = dict(children[0].values)
        if flag is not None:
            values[flag] = Value(uses=uses - both.uses)
        attributes = (*children[0].output, *([Attribute(flag, "exists")] if flag is not None else []))
        return replace(children[0], output=attributes, values=values, uses=uses)
    return replace(both, uses=uses)


def _union(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """By position; the ids are those of the first child."""
    if not children:
        return EMPTY
    first = children[0]
    width = len(first.output)
    columns = {
        attribute.id: combined(child.value(position) for child in children)
        if len(children) > 1
        else first.value(position)
        for position, attribute in enumerate(first.output)
    }
    uses = frozenset[Use]().union(*(child.uses for child in children))
    known = all(child.known and len(child.output) == width for child in children)
    return Relation(first.output, {**first.values, **columns}, uses, known)


def _left(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """INTERSECT and EXCEPT: rows come from the left side."""
    return children[0] if children else EMPTY


def _generate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = _joined(children)
    generator = node.tree("generator")
    made = node.trees("generatorOutput")
    values = dict(below.values)
    for position, attribute in enumerate(made):
        number = expression_id(attribute)
        if number is not None and generator:
            parts = _generated(generator, position, len(made))
            values[number] = replace(combined(_evaluate(p, below.values, walk) for p in parts), definition=generator)
    return replace(below, output=(*below.output, *_attributes(made)), values=values)


def _generated(generator: Node, position: int, width: int) -> tuple[Node, ...]:
    """The arguments that the output column at ``position`` comes from."""
    if generator.kind == "ReplicateRows":
        return generator.children[position + 1 : position + 2]
    if generator.kind == "Stack" and width:
        return generator.children[1 + position :: width]
    return generator.children


def _expand(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each output column is one of the expressions at its position; where these are missing, its namesake below."""
    below = _joined(children)
    listed = node.params.get("projections")
    rows = [_trees(row) for row in listed if isinstance(row, list)] if isinstance(listed, list) else []
    output = _attributes(node.trees("output"))
    by_name = {attribute.name: below.values.get(attribute.id, UNKNOWN) for attribute in below.output}
    values: dict[int, Value] = {}
    for position, attribute in enumerate(output):
        parts = [row[position] for row in rows if position < len(row)]
        if parts:
            values[attribute.id] = combined(_evaluate(part, below.values, walk) for part in parts)
        elif attribute.id in below.values:
            values[attribute.id] = below.values[attribute.id]
        else:
            values[attribute.id] = _by_name(attribute.name, by_name)
    return replace(below, output=output, values={**below.values, **values})


def _by_name(name: str, below: Mapping[str, Value]) -> Value:
    """What a column of an Expand without projections is made of, as its name tells.

    The rewrite of several count(DISTINCT …) names its columns after their expressions, as in
    ``CAST(sales.orders.`amount` AS BIGINT)``; ``gid`` and ``spark_grouping_id`` tell the copies of a row apart.
    """
    if name in below:
        return below[name]
    if name in ("gid", "spark_grouping_id", "_gen_grouping_pos"):
        return CONSTANT
    quoted = [part for part in re.findall(r"`([^`]+)`", name) if part in below]
    return combined(below[part] for part in quoted) if quoted else UNKNOWN


def _trees(row: list[object]) -> list[Node]:
    return [found for item in row if (found := tree(item))]


def _python(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each result of a Python function comes from the arguments of the function at its position."""
    below = _joined(children)
    results = node.trees("resultAttrs") or node.trees("output")
    values = dict(below.values)
    for attribute, function in zip(results, node.trees("udfs"), strict=False):
        number = expression_id(attribute)
        if number is not None:
            values[number] = replace(_evaluate(function, below.values, walk), definition=function)
    return replace(below, output=(*below.output, *_attributes(results)), values=values)


def _leaf(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    attributes = node.trees("output")
    number = len(walk.leaves)
    columns = tuple(
        (attribute.name, _type(found)) for attribute, found in zip(_attributes(attributes), attributes, strict=True)
    )
    walk.leaves.append(Leaf(columns, table_name(node), walk.subqueries > 0))
    values = {attribute.id: Value(frozenset({(number, attribute.name)})) for attribute in _attributes(attributes)}
    return Relation(_attributes(attributes), values)


def _type(attribute: Node) -> str:
    """The type as schema facets spell it: of arrays, maps and structs the kind alone."""
    kind = attribute.params.get("dataType")
    found = kind.get("type") if isinstance(kind, Mapping) else kind
    return found if isinstance(found, str) else ""


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


def _without_dataset(node: Node, _children: list[Relation], _walk: Walk) -> Relation:
    attributes = _attributes(node.trees("output"))
    return Relation(attributes, {attribute.id: CONSTANT for attribute in attributes})


def _opaque(node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """What comes out has columns, but nobody can say from what."""
    below = _joined(children) if children else EMPTY
    listed = node.trees("output") or node.trees("serializer") or node.trees("outputObjAttr")
    attributes = _attributes(listed) or below.output
    return Relation(attributes, {attribute.id: UNKNOWN for attribute in attributes}, below.uses, known=False)


def _cached(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    """A cached relation hides its logical plan; the physical one that filled it has the same columns."""
    builder = node.params.get("cacheBuilder")
    plan = tree(builder.get("cachedPlan")) if isinstance(builder, Mapping) else None
    output = _attributes(node.trees("output"))
    if plan is None:
        return Relation(output, {attribute.id: UNKNOWN for attribute in output}, known=False)
    below = relation(plan, walk)
    values = {attribute.id: below.values.get(attribute.id, UNKNOWN) for attribute in output}
    return replace(below, output=output, values=values)


def _adaptive(node: Node, children: list[Relation], walk: Walk) -> Relation:
    plan = node.tree("inputPlan") or node.tree("initialPlan") or node.tree("plan")
    return relation(plan, walk) if plan and not children else _joined(children)


def _with(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """A common table expression; references to it (CTERelationRef) bring the same columns under new ids."""
    walk.shared[_cte_id(node)] = _joined(children)
    return _joined(children)


def _reference(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    output = _attributes(node.trees("output"))
    known = walk.shared.get(_cte_id(node, "cteId"))
    if known is None:
        return Relation(output, {attribute.id: UNKNOWN for attribute in output}, known=False)
    return replace(known, output=output, values={a.id: known.value(i) for i, a in enumerate(output)})


def _cte_id(node: Node, parameter: str = "id") -> int:
    number = node.params.get(parameter)
    return number if isinstance(number, int) else -1


def _left_only_unions(plan: Node) -> set[int]:
    """EXCEPT ALL and INTERSECT ALL are rewritten: both sides are united, counted, and rows of the left one repeated."""
    found: set[int] = set()
    for node in plan.walk():
        if node.kind == "Generate" and (generator := node.tree("generator")) and generator.kind == "ReplicateRows":
            below: Node | None = node
            while below is not None and below.kind != "Union":
                below = below.children[0] if len(below.children) == 1 else None
            if below is not None:
                found.add(id(below))
    return found


RULES: dict[str, Rule] = {
    "Project": _project,
    "Aggregate": _aggregate,
    "HashAggregate": _physical_aggregate,
    "SortAggregate": _physical_aggregate,
    "ObjectHashAggregate": _physical_aggregate,
    "Filter": _filter,
    "Sort": _sort,
    "Deduplicate": _deduplicate,
    "DeduplicateWithinWatermark": _deduplicate,
    "Window": _window,
    "WindowInPandas": _window,
    "WindowGroupLimit": lambda _node, children, _walk: _joined(children),
    "Join": _join,
    "AsOfJoin": _join,
    "LateralJoin": _join,
    "BroadcastHashJoin": _join,
    "SortMergeJoin": _join,
    "ShuffledHashJoin": _join,
    "BroadcastNestedLoopJoin": _join,
    "CartesianProduct": _join,
    "Union": _union,
    "Intersect": _left,
    "Except": _left,
    "Distinct": lambda _node, children, _walk: _joined(children),
    "Generate": _generate,
    "Expand": _expand,
    "BatchEvalPython": _python,
    "ArrowEvalPython": _python,
    "AggregateInPandas": _python,
    "InMemoryRelation": _cached,
    "InMemoryTableScan": _cached,
    "AdaptiveSparkPlan": _adaptive,
    "CTERelationDef": _with,
    "CTERelationRef": _reference,
    **dict.fromkeys(LEAVES, _leaf),
    **dict.fromkeys(WITHOUT_DATASET, _without_dataset),
    **dict.fromkeys(OPAQUE, _opaque),
}
