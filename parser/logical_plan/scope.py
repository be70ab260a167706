"""Which columns a parsed query may name at a place, and what a name there means."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from parser.logical_plan.tree import Node, expression_id


@dataclass(frozen=True, slots=True)
class Column:
    """A column in scope: the table or alias before its dot ("" for none), its name, and the attribute it is."""

    qualifier: str
    name: str
    attribute: Node


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that expressions may name, in the order in which ``*`` lists them.

    ``around`` is the scope of the query that a subquery stands in.
    """

    columns: tuple[Column, ...] = ()
    around: "Scope | None" = None

    def __add__(self, other: "Scope") -> "Scope":
        return replace(self, columns=self.columns + other.columns)

    def under(self, qualifier: str) -> "Scope":
        """The same columns behind a new alias."""
        return replace(self, columns=tuple(replace(column, qualifier=qualifier) for column in self.columns))

    def star(self, qualifier: str = "") -> tuple[Column, ...]:
        """What ``*`` or ``qualifier.*`` stands for."""
        return tuple(column for column in self.columns if not qualifier or _same(column.qualifier, qualifier))

    def find(self, parts: tuple[str, ...]) -> Node | None:
        """What a name means here, or else in the query around; None if it means nothing, or several things.

        ``parts`` are those between the dots: a column, a field in it, and before it table and database.
        """
        for skipped in (1, 2, 0):
            if len(parts) > skipped:
                qualifier = parts[skipped - 1] if skipped else None
                found = {expression_id(c.attribute): c.attribute for c in self._named(parts[skipped], qualifier)}
                if len(found) == 1:
                    return _fields(next(iter(found.values())), parts[skipped + 1 :])
                if found:
                    return None
        return self.around.find(parts) if self.around else None

    def _named(self, name: str, qualifier: str | None) -> Iterable[Column]:
        for column in self.columns:
            if _same(column.name, name) and (qualifier is None or _same(column.qualifier, qualifier)):
                yield column


def named_parts(node: Node, parameter: str) -> tuple[str, ...]:
    """The parts of a name that Spark writes as ``[db, table]``; () if there is none."""
    text = node.params.get(parameter)
    return tuple(text[1:-1].split(", ")) if isinstance(text, str) and text.startswith("[") else ()


def numbering() -> Callable[[str, str], Node]:
    """Makes attributes (name, type) with ids that no plan of Spark's has: below zero."""
    last = -1

    def make(name: str, data_type: str = "") -> Node:
        nonlocal last
        last -= 1
        return Node("AttributeReference", {"name": name, "dataType": data_type, "exprId": {"id": last}})

    return make


def _fields(attribute: Node, names: Iterable[str]) -> Node:
    for name in names:
        attribute = Node("GetStructField", {"name": name}, (attribute,))
    return attribute


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
