"""Operators that make columns: projections, aggregates, windows, generators, Python functions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from parser.logical_plan.tree import Node, expression_id, tree
from parser.logical_plan.value import CONSTANT, UNKNOWN, Relation, Value, combined
from parser.logical_plan.walker import Walk, attributes, joined


def project(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below, listed = joined(children), node.trees("projectList")
    return replace(below, output=attributes(listed), values=walk.named(listed, below))


def aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    listed = node.trees("aggregateExpressions")
    keys = walk.uses_of(node.trees("groupingExpressions"), below, "GROUP_BY")
    return replace(below, output=attributes(listed), values=walk.named(listed, below), uses=below.uses | keys)


def physical_aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Partial and final steps refer to the columns below all of them, so these are kept."""
    below = joined(children)
    aggregates = zip(node.trees("aggregateAttributes"), node.trees("aggregateExpressions"), strict=False)
    values = dict(below.values)
    for attribute, expression in aggregates:
        number = expression_id(attribute)
        if number is not None:
            values[number] = walk.evaluate(expression, below)
    keys = walk.uses_of(node.trees("groupingExpressions"), below, "GROUP_BY")
    listed = node.trees("resultExpressions")
    values |= walk.named(listed, replace(below, values=values))
    return replace(below, output=attributes(listed), values=values, uses=below.uses | keys)


def window(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    listed = node.trees("windowExpressions") or node.trees("windowExpression")
    values = {**below.values, **walk.named(listed, below)}
    return replace(below, output=(*below.output, *attributes(listed)), values=values)


def generate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    generator = node.tree("generator")
    made = node.trees("generatorOutput")
    values = dict(below.values)
    for position, attribute in enumerate(made):
        number = expression_id(attribute)
        if number is not None and generator:
            parts = _generated(generator, position, len(made))
            definition = _definition(generator, position, made)
            values[number] = replace(combined(walk.evaluate(p, below) for p in parts), definition=definition)
    walk.define({column.id: values[column.id] for column in attributes(made) if column.id in values})
    return replace(below, output=(*below.output, *attributes(made)), values=values)


def _definition(generator: Node, position: int, made: Sequence[Node]) -> Node:
    """What the output column at ``position`` is: all of a generator that makes one column, else a field of it."""
    if generator.kind == "ReplicateRows" and position + 1 < len(generator.children):
        return generator.children[position + 1]
    return generator if len(made) == 1 else Node("GetStructField", made[position].params, (generator,))


def _generated(generator: Node, position: int, width: int) -> tuple[Node, ...]:
    """The arguments that the output column at ``position`` comes from."""
    if generator.kind == "ReplicateRows":
        return generator.children[position + 1 : position + 2]
    if generator.kind == "Stack" and width:
        return generator.children[1 + position :: width]
    return generator.children


def expand(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each output column is one of the expressions at its position; where these are missing, its namesake below."""
    below = joined(children)
    listed = node.params.get("projections")
    rows = [_trees(row) for row in listed if isinstance(row, list)] if isinstance(listed, list) else []
    output = attributes(node.trees("output"))
    by_name = {attribute.name: below.values.get(attribute.id, UNKNOWN) for attribute in below.output}
    values: dict[int, Value] = {}
    for position, attribute in enumerate(output):
        parts = [row[position] for row in rows if position < len(row)]
        if parts:
            values[attribute.id] = combined(walk.evaluate(part, below) for part in parts)
        elif attribute.id in below.values:
            values[attribute.id] = below.values[attribute.id]
        else:
            values[attribute.id] = _by_name(attribute.name, by_name)
    walk.define({number: value for number, value in values.items() if value.sources})
    return replace(below, output=output, values={**below.values, **values})


def _by_name(name: str, below: Mapping[str, Value]) -> Value:
    """What a column of an Expand without projections is made of, as its name tells.

    The rewrite of several count(DISTINCT …) names its columns after their expressions, as in
    ``CAST(sales.orders.`amount` AS BIGINT)`` (3.1) or ``CASE WHEN (orders.tax > 1) THEN orders.note END`` (3.5);
    ``gid`` and ``spark_grouping_id`` tell the copies of a row apart.
    """
    if name in below:
        return below[name]
    if name in ("gid", "spark_grouping_id", "_gen_grouping_pos"):
        return CONSTANT
    text = _values_of(re.sub(r"'(?:[^']|'')*'", "", name))
    parts = [quoted or word for quoted, word in _COLUMN_IN_TEXT.findall(text)]
    known = [below[part] for part in parts if part in below]
    return combined(known) if known else UNKNOWN


_COLUMN_IN_TEXT = re.compile(r"(?:\w+\.)*(?:`([^`]+)`|\b([A-Za-z_]\w*)\b)(?![\w.(])")


def _values_of(text: str) -> str:
    """The parts of an expression that give values: of one CASE its branches, of more conditions nothing for sure."""
    conditions = re.findall(r"\b(?:CASE|IF)\b", text, re.IGNORECASE)
    if not conditions:
        return text
    if conditions != ["CASE"]:
        return ""
    return " ".join(re.findall(r"\b(?:THEN|ELSE)\b(.*?)(?=\b(?:WHEN|ELSE|END)\b)", text))


def _trees(row: list[object]) -> list[Node]:
    return [found for item in row if (found := tree(item))]


def python(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each result of a Python function comes from the arguments of the function at its position."""
    below = joined(children)
    results = node.trees("resultAttrs") or node.trees("output")
    values = dict(below.values)
    for attribute, function in zip(results, node.trees("udfs"), strict=False):
        number = expression_id(attribute)
        if number is not None:
            values[number] = replace(walk.evaluate(function, below), definition=function)
    walk.define({column.id: values[column.id] for column in attributes(results) if column.id in values})
    return replace(below, output=(*below.output, *attributes(results)), values=values)
