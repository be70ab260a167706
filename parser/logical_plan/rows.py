"""Operators that choose, order or join rows, and leave columns as they are."""

from collections.abc import Iterator
from dataclasses import replace

from parser.logical_plan.tree import Node, expression_id, object_name, tree
from parser.logical_plan.value import NOT_NULL, Attribute, Relation, Use, Value, combined
from parser.logical_plan.walk import Walk, joined


def filter_rows(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    uses = below.uses
    for part in _conjuncts(node.tree("condition")):
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
    keys = (*node.trees("leftKeys"), *node.trees("rightKeys"))
    uses = both.uses | walk.uses_of([node.tree("condition"), *keys], both, "JOIN")
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


def union(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """By position; the ids are those of the first child."""
    if not children:
        return Relation()
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


def left_side(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """INTERSECT and EXCEPT: rows come from the left side."""
    return children[0] if children else Relation()


def handed_on(_node: Node, children: list[Relation], _walk: Walk) -> Relation:
    """The input unchanged."""
    return joined(children)
