"""Operators that make columns: projections, aggregates, windows, generators, Python functions."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from parser.logical_plan.row_level import ROW_OPERATION
from parser.logical_plan.row_operators import sort_rows
from parser.logical_plan.tree import Node, expression_id, tree
from parser.logical_plan.value import CONSTANT, UNKNOWN, Attribute, Relation, Value, combined, one_of
from parser.logical_plan.walker import Walk, attributes, joined

#: Columns by which GROUPING SETS and count(DISTINCT …) distinguish the copies of a row.
_GROUPING_MARKS = {"gid", "spark_grouping_id", "_gen_grouping_pos"}


def project(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below, listed = joined(children), node.trees("projectList")
    return replace(below, output=attributes(listed), values=walk.named(listed, below))


def first_rows(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """ORDER BY with LIMIT, and the projection above it, as one physical operator."""
    return project(node, [sort_rows(node, children, walk)], walk)


def aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    below = joined(children)
    listed = node.trees("aggregateExpressions")
    keys = walk.uses_of(node.trees("groupingExpressions"), below, "GROUP_BY")
    return replace(below, output=attributes(listed), values=walk.named(listed, below), uses=below.uses | keys)


def physical_aggregate(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Partial and final steps refer to the columns below the first step, so these are kept."""
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
            parts = [walk.evaluate(part, below) for part in _generated(generator, position, len(made))]
            value = _part_of(one_of(parts), generator, position, len(made))
            values[number] = value.defined_by(_definition(generator, position, made))
    walk.define({column.id: values[column.id] for column in attributes(made) if column.id in values})
    return replace(below, output=(*_passed_on(node, below), *attributes(made)), values=values)


def _passed_on(node: Node, below: Relation) -> tuple[Attribute, ...]:
    """The columns of its input that a Generate has beside those that it makes.

    It drops arguments of the generator that no operator above needs. A physical plan lists what is left. A logical one
    would list the positions of what is dropped (``unrequiredChildIndex``), but Spark writes null for a list of numbers,
    unless it is empty. So one argument is dropped for certain, and of several perhaps not all.
    """
    if isinstance(node.params.get("requiredChildOutput"), list):
        return attributes(node.trees("requiredChildOutput"))
    if node.params.get("unrequiredChildIndex", ()) is not None:
        return below.output
    generator = node.tree("generator")
    arguments = {expression_id(part) for part in generator.walk()} if generator else set()
    dropped = {column.id for column in below.output if column.id in arguments}
    if len(dropped) == 1:
        return tuple(column for column in below.output if column.id not in dropped)
    return tuple(
        replace(column, is_optional=column.is_optional or not dropped or column.id in dropped)
        for column in below.output
    )


#: As many columns come from a map: perhaps its position, then key and value. An array gives one less.
_WIDTH_OF_MAPS = {"Explode": 2, "PosExplode": 3}


def _part_of(value: Value, generator: Node, position: int, width: int) -> Value:
    """The part of structs or maps that the output column at ``position`` is."""
    if generator.kind == "Inline":
        return value.part(position)
    if width == _WIDTH_OF_MAPS.get(generator.kind) and position >= width - 2:
        return value.entries.part(position - (width - 2))
    return value


def _definition(generator: Node, position: int, made: Sequence[Node]) -> Node:
    """The output column at ``position``: the whole of a generator that makes one column, else a field of it."""
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
    """Each output column is one of the expressions at its position; agents may leave these out (``null``)."""
    below = joined(children)
    listed = node.params.get("projections")
    rows = [_trees(row) for row in listed if isinstance(row, list)] if isinstance(listed, list) else []
    made = node.trees("output")
    output = attributes(made)
    values = _projected(rows, output, below, walk) if any(rows) else _without_projections(made, below)
    walk.define({number: value for number, value in values.items() if value.sources})
    return replace(below, output=output, values={**below.values, **values})


def _projected(
    rows: Sequence[Sequence[Node]], output: Sequence[Attribute], below: Relation, walk: Walk
) -> dict[int, Value]:
    values: dict[int, Value] = {}
    for position, attribute in enumerate(output):
        parts = [row[position] for row in rows if position < len(row)]
        values[attribute.id] = one_of([walk.evaluate(part, below) for part in parts]) if parts else UNKNOWN
    return values


def _without_projections(made: Sequence[Node], below: Relation) -> dict[int, Value]:
    """The sources of the columns of an Expand, as far as their ids, names and types show them."""
    output = attributes(made)
    new = [node for node, column in zip(made, output, strict=True) if column.id not in below.values]
    values = {column.id: below.values[column.id] for column in output if column.id in below.values}
    names = {column.name for column in output}
    if ROW_OPERATION in names:
        return values | {column.id: UNKNOWN for column in attributes(new)}
    if names & _GROUPING_MARKS:
        by_name = _columns_by_name(below)
        return values | {column.id: _by_name(column.name, by_name) for column in attributes(new)}
    return values | _unpivoted(new, below, values.keys())


def _unpivoted(new: Sequence[Node], below: Relation, kept: Collection[int]) -> dict[int, Value]:
    """The columns that UNPIVOT makes: first one of names, which are literals, then one or more of values.

    The values come from the columns that do not pass through: all of them if there is one column of values, else those
    of its type.
    """
    columns = attributes(new)
    given = [column for column in below.output if column.id not in kept]
    types = {column.type for column in given}
    if len(columns) == 1 and given:
        return {columns[0].id: one_of([below.values.get(column.id, UNKNOWN) for column in given])}
    if columns and columns[0].type == "string" and ("string" not in types or len(columns) == 2):
        names, *columns_of_values = columns
        if len(columns_of_values) == 1 and given:
            return {names.id: CONSTANT} | _unpivoted(new[1:], below, kept)
        return {names.id: CONSTANT} | _of_types(columns_of_values, given, below)
    return _of_types(columns, given, below)


def _of_types(columns: Sequence[Attribute], given: Sequence[Attribute], below: Relation) -> dict[int, Value]:
    """For each column those of its type; unknown if a type is unknown, or several columns have it."""
    alike = Counter(column.type for column in columns)
    typed = all(column.type for column in given)
    values: dict[int, Value] = {}
    for column in columns:
        parts = [below.values.get(other.id, UNKNOWN) for other in given if other.type == column.type]
        values[column.id] = one_of(parts) if typed and parts and alike[column.type] == 1 else UNKNOWN
    return values


def _columns_by_name(below: Relation) -> dict[str, Value]:
    """The columns of a relation by their names; unknown where columns of several tables have one name."""
    numbers: dict[str, set[int]] = {}
    for attribute in below.output:
        numbers.setdefault(attribute.name, set()).add(attribute.id)
    return {
        name: below.values.get(min(found), UNKNOWN) if len(found) == 1 else UNKNOWN for name, found in numbers.items()
    }


def _by_name(name: str, below: Mapping[str, Value]) -> Value:
    """The sources of a column of an Expand without projections, as its name shows them.

    The rewrite of several count(DISTINCT …) names its columns after their expressions, as in
    ``CAST(sales.orders.`amount` AS BIGINT)`` (3.1) or ``CASE WHEN (orders.tax > 1) THEN orders.note END`` (3.5);
    ``gid`` and ``spark_grouping_id`` distinguish the copies of a row.
    """
    if name in below:
        return below[name]
    if name in _GROUPING_MARKS:
        return CONSTANT
    text = _values_of(re.sub(r"'(?:[^']|'')*'", "", name))
    parts = [quoted or word for quoted, word in _COLUMN_IN_TEXT.findall(text)]
    known = [below[part] for part in parts if part in below]
    return combined(known) if known else UNKNOWN


_COLUMN_IN_TEXT = re.compile(r"(?:\w+\.)*(?:`([^`]+)`|\b([A-Za-z_]\w*)\b)(?![\w.(])")


def _values_of(text: str) -> str:
    """The parts of an expression that give values: the branches of one CASE; nothing is certain for several."""
    conditions = re.findall(r"\b(?:CASE|IF)\b", text, re.IGNORECASE)
    if not conditions:
        return text
    if conditions != ["CASE"]:
        return ""
    return " ".join(re.findall(r"\b(?:THEN|ELSE)\b(.*?)(?=\b(?:WHEN|ELSE|END)\b)", text))


def _trees(row: list[object]) -> list[Node]:
    return [found for item in row if (found := tree(item))]


def python(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each result comes from the arguments of the Python function at its position."""
    below = joined(children)
    results = node.trees("resultAttrs") or node.trees("output")
    values = dict(below.values)
    for attribute, function in zip(results, node.trees("udfs"), strict=False):
        number = expression_id(attribute)
        if number is not None:
            values[number] = replace(walk.evaluate(function, below), definition=function)
    walk.define({column.id: values[column.id] for column in attributes(results) if column.id in values})
    return replace(below, output=(*below.output, *attributes(results)), values=values)


def table_function(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """A table function in Python: each column of its result may come from all of its arguments."""
    below = joined(children)
    results = attributes(node.trees("resultAttrs"))
    function = node.tree("udtf")
    value = walk.evaluate(function, below) if function else UNKNOWN
    made = walk.define({column.id: value.defined_by(function or node) for column in results})
    required = attributes(node.trees("requiredChildOutput"))
    return replace(below, output=(*required, *results), values={**below.values, **made})
