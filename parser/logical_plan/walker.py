"""The walk over a plan, from its leaves to its root.

Rules, one for each class of operator, say what it does to the columns and rows of its children (see operator_rules.py).
The walk calls them in their order, evaluates expressions for them, and remembers the leaves.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from core.event_model import DatasetId
from core.identity import unquoted
from parser.application_facts import MicroBatch
from parser.logical_plan.budget import MOST_STEPS, check
from parser.logical_plan.expressions import evaluate
from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import NO_USES, UNREADABLE, Attribute, Relation, Use, Value

Rule = Callable[[Node, list[Relation], "Walk"], Relation]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dataset that a plan reads: its columns (name, type) in their order, and its table's name if it has one.

    ``table`` is ``database.table`` as the catalogue knows it. ``in_subquery`` says whether it is in an expression; such
    leaves may be missing among the inputs of the event. ``dataset`` is set if the plan's names were resolved against
    the event's datasets, ``managed`` if Spark chose the table's folder. ``pruned``: the columns are those that the
    query needs, not all that the dataset has. ``key`` is the id of its first column, unique over all plans of a driver:
    runs that read the same relation have the same.
    """

    columns: tuple[tuple[str, str], ...]
    table: str = ""
    in_subquery: bool = False
    dataset: DatasetId | None = None
    managed: bool = False
    pruned: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a join (``kind`` is INNER, LEFT OUTER, …) or a filter (WHERE)."""

    kind: str
    expression: Node


@dataclass(slots=True)
class Walk:
    """One walk over a plan: its rules, the leaves met so far, and the classes that no rule knows.

    ``shared`` are the results of common table expressions by their number, ``defined`` all columns of all operators,
    ``conditions`` those of joins and filters, as they were met. ``batches`` are the micro-batches whose rows the plan
    may read; ``reads_rows`` says that it reads rows of a program, ``ambiguous`` that these fit several batches,
    ``found_batches`` are the runs of those whose rows were met.
    """

    rule_of: Callable[[Node], Rule | None]
    leaves: list[Leaf] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    shared: dict[int, Relation] = field(default_factory=dict)
    defined: dict[int, Value] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    batches: tuple[MicroBatch, ...] = ()
    reads_rows: bool = False
    ambiguous: bool = False
    found_batches: set[str] = field(default_factory=set)
    depth: int = 0
    steps: int = 0

    def spend(self, steps: int) -> None:
        """Count the columns in sets of columns.

        :raises PlanTooLargeError: there are too many
        """
        self.steps += steps
        check(self.steps, MOST_STEPS)

    def relation(self, plan: Node, around: Mapping[int, Value] | None = None) -> Relation:
        """The result of a plan; ``around`` are the columns of the query around a subquery."""
        found: dict[int, Relation] = {}
        one_sided = one_sided_unions(plan)
        for node in children_first(plan):
            children = [found[id(child)] for child in node.children[: one_sided.get(id(node))]]
            result = self._result(node, children)
            self.spend(1 + len(result.values) + len(result.uses))
            if around and not node.children:
                result = replace(result, values={**around, **result.values})
            found[id(node)] = result
        return found[id(plan)]

    def define(self, values: Mapping[int, Value]) -> Mapping[int, Value]:
        """Remember columns for the text of expressions over them."""
        self.defined.update(values)
        return values

    def evaluate(self, expression: Node, columns: Relation) -> Value:
        """The sources of an expression over these columns."""
        return evaluate(expression, columns.values, self._subquery, self.spend)

    def named(self, expressions: Iterable[Node], columns: Relation) -> dict[int, Value]:
        """The sources of each of a list of named expressions, by the id that it declares."""
        values: dict[int, Value] = {}
        for expression in expressions:
            number = expression_id(expression)
            if number is None:
                continue
            if expression.kind == "AttributeReference" and number in columns.values:
                values[number] = columns.values[number]
            else:
                values[number] = self.evaluate(expression, columns).defined_by(expression)
                self.defined[number] = values[number]
        return values

    def uses_of(self, conditions: Iterable[Node | None], columns: Relation, kind: str) -> frozenset[Use]:
        """The influence of conditions over these columns; those that are None are skipped."""
        found = NO_USES
        for expression in conditions:
            if expression:
                found = found | self.evaluate(expression, columns).as_uses(kind)
                self.spend(len(found))
        return found

    def _result(self, node: Node, children: list[Relation]) -> Relation:
        rule = self.rule_of(node)
        if rule is None:
            self.unknown.add(node.kind)
            return _unknown(node, children)
        return rule(node, children, self)

    def subquery(self, plan: Node, around: Mapping[int, Value]) -> Relation:
        """The result of a plan in an expression; ``around`` are the columns of the query around it."""
        self.depth += 1
        inner = self.relation(plan, around)
        self.depth -= 1
        return inner

    def _subquery(self, plan: Node, around: Mapping[int, Value]) -> Value:
        inner = self.subquery(plan, around)
        return _decided_by(inner, (UNREADABLE if inner.is_open else inner).value(0))


def _decided_by(inner: Relation, value: Value) -> Value:
    """A value of a subquery's row, which the subquery's conditions choose."""
    fields = tuple(_decided_by(inner, part) for part in value.fields)
    known = value.known and inner.known
    return replace(value, uses=value.uses | inner.uses, known=known, literal=False, fields=fields)


def _unknown(node: Node, children: list[Relation]) -> Relation:
    """The result of an operator that no rule knows.

    What it does with its input is unknown, and so are the sources of all its columns; those that keep their id come at
    least from the input. The order of its columns is known only if the plan lists them.
    """
    below = joined(children)
    values = {number: replace(value, known=False) for number, value in below.values.items()}
    return Relation(attributes(node.trees("output")), values, below.uses, known=False)


def children_first(plan: Node) -> Iterator[Node]:
    """Every node after its children, the left ones before the right ones."""
    waiting: list[tuple[Node, bool]] = [(plan, False)]
    while waiting:
        node, seen = waiting.pop()
        if seen:
            yield node
        else:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.children))


def joined(children: Iterable[Relation]) -> Relation:
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


def attributes(expressions: Iterable[Node]) -> tuple[Attribute, ...]:
    """The output columns that attributes, aliases and the like declare."""
    found = []
    for expression in expressions:
        number = expression_id(expression)
        name = expression.params.get("name")
        own = unquoted(name) if isinstance(name, str) else ""
        found.append(Attribute(number if number is not None else -1, own, data_type(expression)))
    return tuple(found)


def data_type(expression: Node) -> str:
    """The type of an attribute, cast or literal as schema facets spell it: of arrays, maps and structs the kind alone.

    "" for an expression whose type the plan does not contain.
    """
    while expression.kind == "Alias" and expression.children:
        expression = expression.children[0]
    kind = expression.params.get("dataType")
    found = kind.get("type") if isinstance(kind, Mapping) else kind
    return found if isinstance(found, str) else ""


def one_sided_unions(plan: Node) -> dict[int, int]:
    """The unions (by ``id``) in which only the left side gives values, and how many children the left side has.

    EXCEPT ALL and INTERSECT ALL are rewritten so: both sides are united and counted, and rows of the left one repeated.
    """
    found: dict[int, int] = {}
    for node in plan.walk():
        if node.kind == "Generate" and (generator := node.tree("generator")) and generator.kind == "ReplicateRows":
            below: Node | None = node
            while below is not None and below.kind != "Union":
                below = below.children[0] if len(below.children) == 1 else None
            if below is not None:
                found[id(below)] = _left_children(below)
    return found


def _left_children(union: Node) -> int:
    """The children of the left side: several if it is a union itself, whose children then have the mark of the side."""
    marks = [_side(child) for child in union.children]
    return len(list(takewhile(lambda mark: mark == marks[0], marks))) if marks[0] else 1


def _side(child: Node) -> object:
    """The literal by which the rewrite of EXCEPT ALL and INTERSECT ALL marks the rows of a side."""
    first = next(iter(child.trees("projectList")), None)
    return first.children[0].params.get("value") if first and first.kind == "Alias" and first.children else None
