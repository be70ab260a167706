"""Expressions and conditions of a plan as SQL text, in terms of the datasets that it reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from core.event_model import DatasetId
from parser.logical_plan.budget import MOST_CONDITIONS
from parser.logical_plan.leaves import Assigned
from parser.logical_plan.sql.render import condition_text, sql_text
from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import Value
from parser.logical_plan.walker import Leaf, Walk

Names = Callable[[Node], str | Node]


@dataclass(frozen=True, slots=True)
class ExpressionTexts:
    """Writes expressions, with names for their attributes. Without ``show_literals``, text literals are hidden."""

    names: Names
    show_literals: bool = True

    def expression(self, value: Value) -> str | None:
        """The text of a column's expression; None for a column that is taken as it is."""
        if not value.definition:
            return None
        return sql_text(value.definition, self.names, show_literals=self.show_literals) or None

    def conditions(self, walk: Walk) -> tuple[str, ...]:
        """Joins and filters, each once, in the order of the plan: ``INNER: a.id = b.id``."""
        return tuple(dict.fromkeys(_conditions(walk, self.names, show_literals=self.show_literals)))


def _conditions(walk: Walk, names: Names, *, show_literals: bool) -> Iterator[str]:
    joins = [condition.expression for condition in walk.conditions[:MOST_CONDITIONS] if condition.kind != "WHERE"]
    for condition in walk.conditions[:MOST_CONDITIONS]:
        beside = joins if condition.kind == "WHERE" else ()
        text = condition_text(condition.expression, names, beside=beside, show_literals=show_literals)
        if text:
            yield f"{condition.kind}: {text}"


def names_of(walk: Walk, found: Assigned) -> Names:
    """The name of an attribute: its definition, if it has one, else dataset and column."""
    labels = {number: _label(leaf, found.get(number, frozenset())) for number, leaf in enumerate(walk.leaves)}

    def name_of(attribute: Node) -> str | Node:
        name = attribute.params.get("name")
        own = name if isinstance(name, str) else "?"
        number = expression_id(attribute)
        value = walk.defined.get(number) if number is not None else None
        if value is None:
            return own
        return value.definition or _column(value, labels, own)

    return name_of


def _column(value: Value, labels: Mapping[int, str], own: str) -> str:
    if len(value.sources) != 1:
        return own
    ((leaf, column),) = value.sources
    if leaf not in labels:
        return own
    return f"{labels[leaf]}.{column}" if labels[leaf] else column


def _label(leaf: Leaf, datasets: frozenset[DatasetId]) -> str:
    """The table's name, or the last part of the folder's."""
    if leaf.table:
        return leaf.table.rpartition(".")[2]
    return min(dataset.name for dataset in datasets).rpartition("/")[2].rpartition(".")[2] if datasets else ""
