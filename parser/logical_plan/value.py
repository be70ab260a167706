"""The sources of a column's value, while a plan is walked from its leaves to its root."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parser.logical_plan.tree import Node

#: A column of a leaf: the leaf's number in the plan, and the column's name.
LeafColumn = tuple[int, str]
#: A column that only influences, with its kind of influence (JOIN, FILTER, GROUP_BY, SORT, WINDOW, CONDITIONAL).
Use = tuple[LeafColumn, str]

#: The kind for a column that a filter only compares with null; the optimiser adds such filters.
NOT_NULL = "NOT_NULL"

#: Structs in structs, to a greater depth than any query has; below, fields are not told apart. A value that is a field
#: of several structs is looked at once, so that the work does not grow with the number of paths to it.
MOST_NESTED = 50

NO_COLUMNS: frozenset[LeafColumn] = frozenset()
NO_USES: frozenset[Use] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """The leaf columns that a value is computed from, and those that influence it.

    ``known`` is false if a step could not be followed, so that sources may be missing; ``literal`` is true if it is
    computed from literals only, so that all rows have the same. ``fields`` are the values of a struct that the query
    itself builds, in their order; arrays have those of their elements, and a map has one, the struct of its entries.
    ``is_map`` is true if it is certainly a map, not an array of maps. ``definition`` is the expression that made it,
    None for a column of a leaf.
    """

    sources: frozenset[LeafColumn] = NO_COLUMNS
    uses: frozenset[Use] = NO_USES
    known: bool = True
    definition: Node | None = None
    literal: bool = False
    fields: tuple["Value", ...] = ()
    is_map: bool = False

    def defined_by(self, definition: Node) -> "Value":
        """The same value as the result of an expression."""
        return replace(self, definition=definition)

    def part(self, position: int) -> "Value":
        """One field of a struct; the whole struct if it is read from a dataset."""
        return self.fields[position] if 0 <= position < len(self.fields) else combined([self])

    @property
    def entries(self) -> "Value":
        """The entries of a map, structs of key and value; the whole map if it is read from a dataset."""
        return self.fields[0] if len(self.fields) == 1 else self

    def as_uses(self, kind: str) -> frozenset[Use]:
        """All columns that the value is computed from or influenced by, for a value that only influences."""
        if not self.sources:
            return self.uses
        return self.uses.union([(column, kind) for column in self.sources])


CONSTANT = Value()
LITERAL = Value(literal=True)
UNKNOWN = Value(known=False)


def combined(values: Iterable[Value]) -> Value:
    """The value that is computed from all of these; it has no fields of its own."""
    sources, uses, known = NO_COLUMNS, NO_USES, True
    for value in values:
        if value.sources:
            sources = sources | value.sources if sources else value.sources
        if value.uses:
            uses = uses | value.uses if uses else value.uses
        known = known and value.known
    return Value(sources, uses, known)


def one_of(values: Sequence[Value]) -> Value:
    """The value that is one of these; if all are structs of the same width, it is one too, field by field."""
    return _one_of(values, {}, 0)


def _one_of(values: Sequence[Value], found: dict[tuple[int, ...], Value], depth: int) -> Value:
    merged = combined(values)
    widths = {len(value.fields) for value in values if not value.literal}
    if len(widths) != 1 or widths == {0} or depth == MOST_NESTED:
        return merged
    alike = [value for value in values if len(value.fields) in widths]
    fields = []
    for column in zip(*(value.fields for value in alike), strict=True):
        known = tuple(map(id, column))
        if known not in found:
            found[known] = _one_of(column, found, depth + 1)
        fields.append(found[known])
    return replace(merged, fields=tuple(fields), is_map=all(value.is_map for value in alike))


def decided(value: Value, conditions: Sequence[Value], kind: str = "CONDITIONAL") -> Value:
    """The value and each of its fields, influenced by conditions."""
    if not conditions:
        return value
    uses = NO_USES.union(*(condition.as_uses(kind) for condition in conditions))
    return _decided(value, uses, all(condition.known for condition in conditions), {}, 0)


def _decided(value: Value, uses: frozenset[Use], known: bool, found: dict[int, Value], depth: int) -> Value:
    fields = []
    for part in value.fields if depth < MOST_NESTED else ():
        if id(part) not in found:
            found[id(part)] = _decided(part, uses, known, found, depth + 1)
        fields.append(found[id(part)])
    return Value(value.sources, value.uses | uses, value.known and known, None, False, tuple(fields), value.is_map)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a relation: the id by which expressions refer to it, its name, and its type ("" if unknown).

    ``is_optional``: the plan does not say whether the relation has it.
    """

    id: int
    name: str
    type: str = ""
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """The result of a plan: its columns in their order, the sources of each, and what affects its rows.

    ``values`` may contain more than the output: columns from below, for plans that refer past their children.
    """

    output: tuple[Attribute, ...] = ()
    values: Mapping[int, Value] = field(default_factory=dict)
    uses: frozenset[Use] = NO_USES
    known: bool = True

    @property
    def is_open(self) -> bool:
        """Whether the plan does not say which columns it has."""
        return any(column.is_optional for column in self.output)

    @property
    def required(self) -> tuple[Attribute, ...]:
        """The columns that it has for certain."""
        return tuple(column for column in self.output if not column.is_optional)

    def fitted(self, width: int) -> "Relation | None":
        """The relation with ``width`` columns; None if it is not certain that it has these, and no others."""
        required = self.required
        return replace(self, output=required) if len(required) == width else None

    def value(self, position: int) -> Value:
        """The value of an output column; unknown after the last."""
        if position >= len(self.output):
            return UNKNOWN
        return self.values.get(self.output[position].id, UNKNOWN)


#: The result of a plan that says nothing about its columns.
UNREADABLE = Relation(known=False)
