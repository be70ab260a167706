"""Row-level operations of V2 tables (Iceberg): MERGE, UPDATE and DELETE that rewrite files or write changes."""

from collections.abc import Iterator
from dataclasses import replace

from parser.logical_plan.tree import Node, tree
from parser.logical_plan.value import NO_USES, UNKNOWN, Relation, Value, combined
from parser.logical_plan.walker import Walk, attributes, joined

#: The column that says what happens to a row.
ROW_OPERATION = "__row_operation"
_INSTRUCTIONS = ("matchedInstructions", "notMatchedInstructions", "notMatchedBySourceInstructions")
# Up to Spark 3.4 Iceberg's own operator lists conditions and rows of outputs.
_OUTPUTS = ("matchedOutputs", "notMatchedOutputs", "notMatchedBySourceOutputs")
_CONDITIONS = ("matchedConditions", "notMatchedConditions", "notMatchedBySourceConditions")


def merge_rows(node: Node, children: list[Relation], walk: Walk) -> Relation:
    """Each output column is one of the expressions at its position; the instructions' conditions decide which."""
    below = joined(children)
    output = attributes(node.trees("output"))
    rows = [row for row in _rows(node) if len(row) == len(output)]
    decides = walk.uses_of(_conditions(node), below, "CONDITIONAL")
    values: dict[int, Value] = {}
    for position, column in enumerate(output):
        parts = [walk.evaluate(row[position], below) for row in rows]
        value = combined(parts) if parts else UNKNOWN
        chosen = decides if value.sources else NO_USES
        values[column.id] = replace(value, uses=value.uses | chosen)
    return replace(below, output=output, values=walk.define(values))


def _rows(node: Node) -> Iterator[tuple[Node, ...]]:
    for instruction in (found for parameter in _INSTRUCTIONS for found in node.trees(parameter)):
        yield from (instruction.trees(parameter) for parameter in ("output", "otherOutput"))
    for parameter in _OUTPUTS:
        yield from _nested(node.params.get(parameter))


def _nested(listed: object) -> Iterator[tuple[Node, ...]]:
    """Rows of expressions, from lists of any depth."""
    if not isinstance(listed, list):
        return
    row = tuple(found for item in listed if (found := tree(item)))
    if row and len(row) == len(listed):
        yield row
        return
    for item in listed:
        yield from _nested(item)


def _conditions(node: Node) -> Iterator[Node | None]:
    for instruction in (found for parameter in _INSTRUCTIONS for found in node.trees(parameter)):
        yield instruction.tree("condition")
    for parameter in _CONDITIONS:
        yield from node.trees(parameter)
