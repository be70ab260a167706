"""The columns that a parsed query may name at a place, and what a name there means."""

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
class Unlisted:
    """A relation whose columns are not listed: it has those that are named, and ``attributes`` grows by them."""

    qualifier: str
    attributes: list[Node]
    make: Callable[[str], Node]

    def column(self, name: str) -> Node:
        """The attribute of this name, made if it is new."""
        for attribute in self.attributes:
            if _same(str(attribute.params["name"]), name):
                return attribute
        self.attributes.append(self.make(name))
        return self.attributes[-1]


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that expressions may name, in the order in which ``*`` lists them.

    ``unlisted`` are relations that may have further ones, ``around`` is the scope of the query around a subquery.
    """

    columns: tuple[Column, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()
    around: "Scope | None" = None

    def __add__(self, other: "Scope") -> "Scope":
        return replace(self, columns=self.columns + other.columns, unlisted=self.unlisted + other.unlisted)

    def under(self, qualifier: str) -> "Scope":
        """The same columns behind a new alias."""
        return replace(
            self,
            columns=tuple(replace(column, qualifier=qualifier) for column in self.columns),
            unlisted=tuple(replace(relation, qualifier=qualifier) for relation in self.unlisted),
        )

    def star(self, qualifier: str = "") -> tuple[Column, ...] | None:
        """The columns that ``*`` or ``qualifier.*`` stands for; None if unknown."""
        if any(not qualifier or _same(relation.qualifier, qualifier) for relation in self.unlisted):
            return None
        return tuple(column for column in self.columns if not qualifier or _same(column.qualifier, qualifier))

    def find(self, parts: tuple[str, ...]) -> Node | None:
        """The meaning of a name here, or else in the query around; None if it has none, or several.

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
        return self._unlisted(parts) or (self.around.find(parts) if self.around else None)

    def _unlisted(self, parts: tuple[str, ...]) -> Node | None:
        """A column of the one relation that may have it: the one named before the dot, else the only one."""
        named = [relation for relation in self.unlisted if len(parts) > 1 and _same(relation.qualifier, parts[0])]
        if len(named) == 1:
            return _fields(named[0].column(parts[1]), parts[2:])
        if len(self.unlisted) == 1 and not named and not self.columns:
            return _fields(self.unlisted[0].column(parts[0]), parts[1:])
        return None

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
