"""Resolves a parsed plan, operator by operator from the leaves: scopes, names, ``*`` and subqueries.

What each operator does with the names is a rule of ``resolution``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.event_model import Dataset
from parser.logical_plan.budget import MOST_COLUMNS, check
from parser.logical_plan.scope import Column, Scope, Unlisted, named_parts, numbering
from parser.logical_plan.tree import Node, tree

_DEEPEST = 100
_QUERIES = ("query", "asSelect", "child")
_SUBQUERIES = {"ScalarSubquery", "ListQuery", "Exists"}

#: A resolved operator, and the columns that may be named above it.
Result = tuple[Node, Scope]
Tables = Callable[[tuple[str, ...]], Dataset | None]


class UnresolvableError(Exception):
    """Something cannot be resolved; no part of the plan is used then."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The queries of WITH by their names, of which the first ``visible`` may be named here, and those around it."""

    queries: Mapping[str, tuple[int, Node]]
    visible: int
    around: "Shared | None"

    def find(self, name: str) -> "tuple[Node, Shared] | None":
        """The query of a name, and the queries that it may name itself: those before it, and those around it."""
        if (found := self.queries.get(name)) and found[0] < self.visible:
            return found[1], replace(self, visible=found[0])
        return self.around.find(name) if self.around else None


class Resolver:
    """Resolves one plan. ``rules`` are those of the operators, by their class."""

    def __init__(self, tables: Tables, rules: "Mapping[str, Rule]") -> None:
        self._tables = tables
        self._rules = rules
        self._attribute = numbering()
        self._columns = 0

    def spend(self, columns: int) -> None:
        """Count columns in scope: a query of WITH, and ``*``, may repeat them without end.

        :raises PlanTooLargeError: there are too many
        """
        self._columns += columns
        check(self._columns, MOST_COLUMNS)

    def operator(self, node: Node, around: Scope, shared: Shared | None, depth: int) -> Result:
        """An operator and all below it; ``shared`` are the queries of WITH by their names.

        :raises UnresolvableError: it cannot be resolved
        """
        if depth > _DEEPEST:
            raise UnresolvableError
        rule = self._rules.get(node.kind)
        if rule is None and not node.children and node.params.get("output"):
            return _resolved_leaf(node)
        if node.kind == "With":
            queries = {name: (number, query) for number, (name, query) in enumerate(_ctes(node))}
            return self.operator(node.children[0], around, Shared(queries, len(queries), shared), depth + 1)
        if node.kind == "UnresolvedRelation":
            return self._relation(node, around, shared, depth)
        if rule is None:
            raise UnresolvableError
        children = [self.operator(child, around, shared, depth + 1) for child in _inputs(node)]
        return rule(Place(self, node, children, around, shared, depth))

    def leaf(self, dataset: Dataset, alias: str) -> Result:
        attributes = [self.attribute(field.name, field.type) for field in dataset.fields]
        scope = Scope(tuple(Column(alias, field.name, a) for field, a in zip(dataset.fields, attributes, strict=True)))
        if not dataset.fields:
            scope = Scope(unlisted=(Unlisted(alias, attributes, self.attribute),))
        return Node("LogicalRelation", {"output": attributes, "dataset": dataset.id}), scope

    def attribute(self, name: str, data_type: str = "") -> Node:
        return self._attribute(name, data_type)

    def _relation(self, node: Node, around: Scope, shared: Shared | None, depth: int) -> Result:
        parts = named_parts(node, "multipartIdentifier") or named_parts(node, "nameParts")
        if shared and len(parts) == 1 and (found := shared.find(parts[0].lower())):
            query, before = found
            plan, scope = self.operator(query, around, before, depth + 1)
            return plan, scope.under(parts[0])
        dataset = self._tables(parts)
        if dataset is None:
            raise UnresolvableError
        return self.leaf(dataset, parts[-1])


class Place:
    """One operator with its resolved inputs, and how expressions are resolved here."""

    def __init__(
        self, resolver: Resolver, node: Node, inputs: Sequence[Result], around: Scope, shared: Shared | None,
        depth: int,
    ) -> None:  # fmt: skip
        self.resolver, self.node, self.shared, self.depth = resolver, node, shared, depth
        self.inputs = tuple(plan for plan, _ in inputs)
        self.scopes = tuple(scope for _, scope in inputs)
        resolver.spend(1 + sum(len(scope.columns) for scope in self.scopes))
        self.scope = Scope(
            tuple(column for scope in self.scopes for column in scope.columns),
            tuple(relation for scope in self.scopes for relation in scope.unlisted),
            around,
        )

    def made(self, kind: str = "", **params: Any) -> Node:
        """The operator with its resolved inputs, and with these parameters instead of its own."""
        return Node(kind or self.node.kind, {**self.node.params, **params}, self.inputs)

    def expression(self, expression: Node) -> Node:
        """An expression with attributes for the names in scope; a name that is not found stays a name."""
        done: dict[int, Node] = {}
        for node in reversed(list(expression.walk())):
            done[id(node)] = self._resolved(node, tuple(done.pop(id(child)) for child in node.children))
        return done[id(expression)]

    def listed(self, parameter: str) -> list[Node]:
        """The named expressions of a list, with ``*`` written out."""
        found: list[Node] = []
        for expression in self.node.trees(parameter):
            if expression.kind == "UnresolvedStar":
                qualifier = (named_parts(expression, "target") or ("",))[-1]
                columns = self.scope.star(qualifier)
                if columns is None:
                    raise UnresolvableError
                self.resolver.spend(len(columns))
                found.extend(column.attribute for column in columns)
            else:
                found.append(self._named(self.expression(expression)))
        return found

    def _named(self, expression: Node) -> Node:
        if expression.kind in ("Alias", "AttributeReference"):
            return expression
        inner = expression.children[0] if expression.kind == "UnresolvedAlias" else expression
        if inner.kind == "AttributeReference":
            return inner
        named = inner.params.get("name") if inner.kind == "GetStructField" else ""
        attribute = self.resolver.attribute(named if isinstance(named, str) else "")
        return Node("Alias", attribute.params, (inner,))

    def _resolved(self, node: Node, children: tuple[Node, ...]) -> Node:
        if node.kind == "UnresolvedAttribute":
            return self.scope.find(named_parts(node, "nameParts")) or node
        if node.kind == "UnresolvedStar":
            return Node("Literal", {"value": "1", "dataType": "integer"})
        if node.kind in _SUBQUERIES and (query := node.tree("plan")):
            inner, _ = self.resolver.operator(query, self.scope, self.shared, self.depth + 1)
            return Node(node.kind, {**node.params, "plan": inner}, children)
        return node if children == node.children else Node(node.kind, node.params, children)


Rule = Callable[[Place], Result]


def _inputs(node: Node) -> Sequence[Node]:
    if node.children:
        return node.children
    return [query for name in _QUERIES if (query := node.tree(name))][:1]


def _ctes(node: Node) -> Iterable[tuple[str, Node]]:
    """The queries of WITH: tuples of a name and a plan."""
    listed = node.params.get("cteRelations")
    for pair in listed if isinstance(listed, list) else []:
        name, query = (pair.get("_1"), tree(pair.get("_2"))) if isinstance(pair, dict) else (None, None)
        if not isinstance(name, str) or query is None:
            raise UnresolvableError
        yield name.lower(), query


def _resolved_leaf(node: Node) -> Result:
    output = node.trees("output")
    if any(attribute.kind != "AttributeReference" for attribute in output):
        raise UnresolvableError
    return node, Scope(tuple(Column("", attribute_name(attribute), attribute) for attribute in output))


def attribute_name(node: Node) -> str:
    name = node.params.get("name")
    return name if isinstance(name, str) else ""
