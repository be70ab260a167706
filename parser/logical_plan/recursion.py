"""WITH RECURSIVE (Spark 4.1 and later): a first query, and one that refers to the rows that came before.

Where the second query refers to the loop, its columns are columns of a leaf that stands for the loop itself. When both
queries are known, each such column is replaced by the sources of the loop's column at its position.
"""

from dataclasses import replace

from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import (
    NO_COLUMNS,
    NO_USES,
    UNREADABLE,
    Attribute,
    LeafColumn,
    Relation,
    Use,
    Value,
    combined,
)
from parser.logical_plan.walker import Walk, attributes, joined


def loop(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """The rows of both queries, by position; the ids are those that the loop declares."""
    listed = node.params.get("outputAttrIds")
    ids = [expression_id(Node("", {"exprId": item})) for item in listed] if isinstance(listed, list) else []
    numbers = [number for number in ids if number is not None]
    if len(children) != 2 or not numbers or len(numbers) < len(ids):
        return Relation(values=joined(children).values, known=False)
    leaf = _leaf(node.params.get("id"))
    sides = [child.fitted(len(numbers)) or UNREADABLE for child in children]
    both = [combined(side.value(at) for side in sides) for at in range(len(numbers))]
    closed = _closed(both, leaf)
    names = [child.name for child in children[0].output] + [""] * len(numbers)
    output = tuple(Attribute(number, name) for number, name in zip(numbers, names, strict=False))
    uses = _uses_without(frozenset[Use]().union(*(child.uses for child in children)), leaf, closed)
    known = all(side.known for side in sides)
    return Relation(output, walk.define(dict(zip(numbers, closed, strict=True))), uses, known)


def reference(node: Node, _children: list[Relation], walk: Walk) -> Relation:
    """The rows of the loop so far."""
    leaf = _leaf(node.params.get("loopId"))
    output = attributes(node.trees("output"))
    values = {column.id: Value(frozenset({(leaf, str(at))})) for at, column in enumerate(output)}
    return Relation(output, walk.define(values))


def _leaf(number: object) -> int:
    """Numbers below zero, which no dataset's leaf has."""
    return -1 - number if isinstance(number, int) else -1


def _closed(columns: list[Value], leaf: int) -> list[Value]:
    """The columns with their sources through any number of rounds."""
    before: list[Value] = []
    while columns != before:
        before = columns
        columns = [_merged(value, leaf, before) for value in before]
    return [replace(value, sources=_outside(value.sources, leaf)) for value in columns]


def _merged(value: Value, leaf: int, columns: list[Value]) -> Value:
    """The value, with the sources of the columns of the loop that it refers to."""
    inner = [_at(columns, column) for column in value.sources if column[0] == leaf]
    sources = value.sources.union(*(other.sources for other in inner))
    uses = value.uses.union(*(other.uses for other in inner))
    known = value.known and all(other.known for other in inner)
    return replace(value, sources=sources, uses=_uses_without(uses, leaf, columns), known=known, fields=())


def _uses_without(uses: frozenset[Use], leaf: int, columns: list[Value]) -> frozenset[Use]:
    found = {(column, kind) for column, kind in uses if column[0] != leaf}
    for column, kind in uses:
        if column[0] == leaf:
            found |= {(source, kind) for source in _outside(_at(columns, column).sources, leaf)}
    return frozenset(found) or NO_USES


def _outside(sources: frozenset[LeafColumn], leaf: int) -> frozenset[LeafColumn]:
    return frozenset(column for column in sources if column[0] != leaf) or NO_COLUMNS


def _at(columns: list[Value], column: LeafColumn) -> Value:
    position = int(column[1])
    return columns[position] if position < len(columns) else Value(known=False)
