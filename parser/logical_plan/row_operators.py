"""Operators that choose, order or join rows, and leave columns as they are."""

import re
from collections.abc import Iterator
from dataclasses import replace

from parser.logical_plan.tree import Node, expression_id, object_name, tree
from parser.logical_plan.value import NOT_NULL, UNREADABLE, Attribute, Relation, Use, Value, one_of
from parser.logical_plan.walker import Condition, Walk, attributes, joined


def filter_rows(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    uses = below.uses
    condition = node.tree("condition")
    if condition:
        walk.conditions.append(Condition("WHERE", condition))
    for part in _conjuncts(condition):
        uses = uses | walk.uses_of([part], below, NOT_NULL if part.kind == "IsNotNull" else "FILTER")
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


def sort_rows(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    order = node.trees("order") or node.trees("sortOrder")
    return replace(below, uses=below.uses | walk.uses_of(order, below, "SORT"))


def deduplicate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    return replace(below, uses=below.uses | walk.uses_of(node.trees("keys"), below, "GROUP_BY"))


def join(node: Node, children: list[Relation], walk: Walk) -> Relation:
    both = joined(children)
    condition = node.tree("condition")
    keys = (*node.trees("leftKeys"), *node.trees("rightKeys"))
    uses = both.uses | walk.uses_of([condition, *keys], both, "JOIN")
    kind = _join_type(node)
    if condition:
        walk.conditions.append(Condition(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).upper(), condition))
    if kind in ("LeftSemi", "LeftAnti"):
        return replace(children[0], uses=uses)
    if kind == "ExistenceJoin":
        return replace(_with_flag(node, children[0], uses - both.uses, walk), uses=uses)
    return replace(both, uses=uses)


def lateral_join(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """The right side is a subquery that may refer to the columns of the left side, ``{"right": [LateralSubquery]}``."""
    subquery = node.tree("right")
    plan = subquery.tree("plan") if subquery else None
    if plan is None:
        return join(node, children, walk)
    left = joined(children)
    return join(node, [left, walk.subquery(plan, left.values)], walk)


def _join_type(node: Node) -> str:
    """The simple name of the join type; an existence join is an object with a column of its own."""
    kind = node.params.get("joinType")
    if isinstance(kind, dict) and isinstance(kind.get("product-class"), str):
        return object_name({"object": kind["product-class"]})
    return object_name(kind)


def _with_flag(node: Node, left: Relation, uses: frozenset[Use], walk: Walk) -> Relation:
    """The left side, and a column that says whether the right side has a partner."""
    exists = tree(node.params["joinType"].get("exists"))
    flag = expression_id(exists) if exists else None
    if flag is None:
        return left
    made = walk.define({flag: Value(uses=uses, definition=Node("Exists", {}))})
    return replace(left, output=(*left.output, Attribute(flag, "exists")), values={**left.values, **made})


def union(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """By position; the ids are those of the first child.

    Which columns belong together is certain only if a child shows how many there are, and the others have as many.
    """
    if len(children) < 2:
        return joined(children)
    widths = {len(child.output) for child in children if not child.is_open and (child.known or child.output)}
    width = widths.pop() if len(widths) == 1 else -1
    sides = [child.fitted(width) or UNREADABLE for child in children]
    if sides[0] is UNREADABLE:
        sides = [children[0], UNREADABLE]
    first = sides[0]
    columns = {
        attribute.id: one_of([side.value(position) for side in sides])
        for position, attribute in enumerate(first.output)
    }
    uses = frozenset[Use]().union(*(child.uses for child in children))
    return Relation(first.output, {**first.values, **columns}, uses, all(side.known for side in sides))


def left_side(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """INTERSECT and EXCEPT: rows come from the left side."""
    return children[0] if children else Relation()


def view(node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """A view; up to Spark 3.1 its columns are those of its query under other ids."""
    below, own = joined(children), attributes(node.trees("output"))
    fitted = below.fitted(len(own))
    if fitted is None or all(column.id in below.values for column in own):
        return below
    return replace(below, output=own, values={column.id: fitted.value(at) for at, column in enumerate(own)})


def with_ctes(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """The common table expressions, and behind them the query that refers to them."""
    return children[-1] if children else Relation()


def handed_on(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """The input unchanged."""
    return joined(children)
