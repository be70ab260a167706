"""A parsed plan, whose names nobody has resolved, becomes one that can be walked.

Up to agent 0.4.0 the plan of a COMPLETE is the statement as parsed: relations, columns and ``*`` are names. They are
resolved as Spark does it, by scope and alias, against the schemas of the event's inputs. Where a relation is none of
the inputs (a view, or two tables of one name), or the statement has a form that is not known here, there is no result.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.model import Dataset, DatasetId
from parser.logical_plan.budget import MOST_COLUMNS, check
from parser.logical_plan.scope import Column, Scope, Unlisted, named_parts, numbering
from parser.logical_plan.tree import Node, expression_id, object_name, tree

_DEEPEST = 100
_PASSING = {
    "Distinct", "Filter", "GlobalLimit", "LocalLimit", "Repartition", "RepartitionByExpression", "Sort", "Tail",
    "UnresolvedHint", "ResolvedHint", "WithWindowDefinition", "View", "Sample", "Subquery",
}  # fmt: skip
_STATEMENTS = {
    "InsertIntoStatement", "CreateTableAsSelectStatement", "ReplaceTableAsSelectStatement", "CreateTable",
    "InsertIntoHadoopFsRelationCommand", "InsertIntoDir", "CreateViewStatement", "CreateViewCommand",
}  # fmt: skip
_QUERIES = ("query", "asSelect", "child")
_SUBQUERIES = {"ScalarSubquery", "ListQuery", "Exists"}
_GENERATED = {"explode": ("col",), "posexplode": ("pos", "col")}

#: A resolved operator, and what may be named above it.
_Result = tuple[Node, Scope]


class _OpenError(Exception):
    """Something cannot be resolved; no part of the plan is used then."""


def is_parsed(plan: Node) -> bool:
    """Whether a plan is one as parsed, with names that are not resolved."""
    return any(node.kind.startswith("Unresolved") for node in plan.walk())


def resolved(plan: Node, tables: Callable[[tuple[str, ...]], Dataset | None]) -> Node | None:
    """The plan with attributes instead of names; None if that is not possible for all of it.

    ``tables`` gives the dataset of a relation by the parts of its name, or None. Its leaves have the parameter
    ``dataset``.

    :raises PlanTooLargeError: it would have too many columns
    """
    try:
        return _Resolver(tables).operator(plan, Scope(), {}, 0)[0]
    except _OpenError:
        return None


def among(datasets: Iterable[Dataset]) -> Callable[[tuple[str, ...]], Dataset | None]:
    """The one dataset that a relation may be: its folder or table has the relation's name."""
    by_name: dict[str, dict[DatasetId, Dataset]] = {}
    for dataset in datasets:
        for name in (dataset.id.name, *(link.name for link in dataset.symlinks)):
            last = name.replace("/", ".").rpartition(".")[2].lower()
            by_name.setdefault(last, {})[dataset.id] = dataset

    def find(parts: tuple[str, ...]) -> Dataset | None:
        known = by_name.get(parts[-1].lower(), {}) if parts else {}
        return next(iter(known.values())) if len(known) == 1 else None

    return find


class _Resolver:
    def __init__(self, tables: Callable[[tuple[str, ...]], Dataset | None]) -> None:
        self._tables = tables
        self._attribute = numbering()
        self._columns = 0

    def spend(self, columns: int) -> None:
        """Count columns in scope: a query of WITH, and ``*``, may repeat them without end.

        :raises PlanTooLargeError: there are too many
        """
        self._columns += columns
        check(self._columns, MOST_COLUMNS)

    def operator(self, node: Node, around: Scope, shared: Mapping[str, Node], depth: int) -> _Result:
        """An operator and all below it; ``shared`` are the queries of WITH by their names.

        :raises _OpenError: it cannot be resolved
        """
        if depth > _DEEPEST:
            raise _OpenError
        rule = _RULES.get(node.kind)
        if rule is None and not node.children and node.params.get("output"):
            return _resolved_leaf(node)
        if node.kind == "With":
            return self.operator(node.children[0], around, {**shared, **dict(_ctes(node))}, depth + 1)
        if node.kind == "UnresolvedRelation":
            return self._relation(node, around, shared, depth)
        if rule is None:
            raise _OpenError
        children = [self.operator(child, around, shared, depth + 1) for child in _inputs(node)]
        return rule(_Place(self, node, children, around, shared, depth))

    def leaf(self, dataset: Dataset, alias: str) -> _Result:
        attributes = [self.attribute(field.name, field.type) for field in dataset.fields]
        scope = Scope(tuple(Column(alias, field.name, a) for field, a in zip(dataset.fields, attributes, strict=True)))
        if not dataset.fields:
            scope = Scope(unlisted=(Unlisted(alias, attributes, self.attribute),))
        return Node("LogicalRelation", {"output": attributes, "dataset": dataset.id}), scope

    def attribute(self, name: str, data_type: str = "") -> Node:
        return self._attribute(name, data_type)

    def _relation(self, node: Node, around: Scope, shared: Mapping[str, Node], depth: int) -> _Result:
        parts = named_parts(node, "multipartIdentifier") or named_parts(node, "nameParts")
        if len(parts) == 1 and parts[0].lower() in shared:
            query, scope = self.operator(shared[parts[0].lower()], around, shared, depth + 1)
            return query, scope.under(parts[0])
        dataset = self._tables(parts)
        if dataset is None:
            raise _OpenError
        return self.leaf(dataset, parts[-1])


class _Place:
    """One operator with its resolved inputs, and how expressions are resolved here."""

    def __init__(
        self, resolver: _Resolver, node: Node, inputs: Sequence[_Result], around: Scope, shared: Mapping[str, Node],
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
        """An expression with attributes for the names in scope; what is not found stays a name."""
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
                    raise _OpenError
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
            raise _OpenError
        yield name.lower(), query


def _resolved_leaf(node: Node) -> _Result:
    output = node.trees("output")
    if any(attribute.kind != "AttributeReference" for attribute in output):
        raise _OpenError
    return node, Scope(tuple(Column("", _name(attribute), attribute) for attribute in output))


def _name(node: Node) -> str:
    name = node.params.get("name")
    return name if isinstance(name, str) else ""


def _scope_of(expressions: Iterable[Node], below: Scope) -> Scope:
    """What may be named above a projection: its columns; those taken as they are keep the alias of their table."""
    columns = {expression_id(column.attribute): column for column in below.columns}
    found = []
    for expression in expressions:
        known = columns.get(expression_id(expression))
        attribute = expression if expression.kind == "AttributeReference" else _reference(expression)
        found.append(Column(known.qualifier if known else "", _name(expression), attribute))
    return Scope(tuple(found))


def _reference(alias: Node) -> Node:
    return Node("AttributeReference", {"name": alias.params.get("name"), "exprId": alias.params.get("exprId")})


def _project(place: _Place) -> _Result:
    listed = place.listed("projectList")
    return place.made(projectList=listed), _scope_of(listed, place.scope)


def _aggregate(place: _Place) -> _Result:
    """Also with GROUPING SETS, which name the same lists otherwise."""
    sets = place.node.kind == "GroupingSets"
    listed = place.listed("aggregations" if sets else "aggregateExpressions")
    keys = [place.expression(key) for key in place.node.trees("groupByExprs" if sets else "groupingExpressions")]
    return place.made("Aggregate", aggregateExpressions=listed, groupingExpressions=keys), _scope_of(
        listed, place.scope
    )


def _filter(place: _Place) -> _Result:
    condition = place.node.tree("condition") or place.node.tree("havingCondition")
    return place.made("Filter", condition=place.expression(condition) if condition else None), place.scope


def _passing(place: _Place) -> _Result:
    order = [place.expression(item) for item in place.node.trees("order")]
    return place.made(order=order), place.scope


def _alias(place: _Place) -> _Result:
    identifier = place.node.params.get("identifier") or place.node.params.get("alias")
    name = identifier.get("name") if isinstance(identifier, Mapping) else identifier
    if not isinstance(name, str):
        raise _OpenError
    return place.made(), place.scope.under(name)


def _column_aliases(place: _Place) -> _Result:
    """``AS t(a, b)`` renames all columns."""
    names = named_parts(place.node, "outputColumnNames")
    columns = place.scope.columns
    if len(names) != len(columns):
        raise _OpenError
    made = [
        Node("Alias", place.resolver.attribute(n).params, (c.attribute,)) for n, c in zip(names, columns, strict=True)
    ]
    qualified = tuple(Column(c.qualifier, n, _reference(a)) for c, n, a in zip(columns, names, made, strict=True))
    return place.made("Project", projectList=made), Scope(qualified)


def _join(place: _Place) -> _Result:
    kind = place.node.params.get("joinType")
    if isinstance(kind, Mapping) and isinstance(kind.get("product-class"), str):
        return _using_join(place, kind)
    condition = place.node.tree("condition")
    made = place.made(condition=place.expression(condition) if condition else None)
    return made, place.scopes[0] if object_name(kind) in ("LeftSemi", "LeftAnti") else place.scope


def _using_join(place: _Place, kind: Mapping[str, Any]) -> _Result:
    """USING (a, b): each of these columns stands once, taken from the left side, or the right one of a RIGHT JOIN."""
    names = {name.strip().lower() for name in str(kind.get("usingColumns", "")).strip("[]").split(",")}
    outer = object_name(kind.get("tpe"))
    if not str(kind.get("product-class")).endswith("UsingJoin") or outer == "FullOuter" or len(place.scopes) != 2:
        raise _OpenError
    left, right = place.scopes[::-1] if outer == "RightOuter" else place.scopes
    rest = tuple(column for column in right.columns if column.name.lower() not in names)
    scope = left if outer in ("LeftSemi", "LeftAnti") else left + Scope(rest)
    pairs = [Node("EqualTo", {}, (a, b)) for n in sorted(names) if (a := left.find((n,))) and (b := right.find((n,)))]
    condition = pairs[0] if len(pairs) == 1 else Node("And", {}, tuple(pairs))
    return place.made(joinType={"object": outer}, condition=condition), scope


def _first_side(place: _Place) -> _Result:
    """UNION, INTERSECT, EXCEPT: the names are those of the first side."""
    return place.made(), place.scopes[0]


def _generate(place: _Place) -> _Result:
    generator = place.node.tree("generator")
    if generator is None:
        raise _OpenError
    function = generator.params.get("name")
    called = function.get("funcName") if isinstance(function, Mapping) else ""
    names = [named_parts(node, "nameParts")[-1:] for node in place.node.trees("generatorOutput")]
    made = [place.resolver.attribute(name) for (name,) in names] if all(names) and names else []
    made = made or [place.resolver.attribute(name) for name in _GENERATED.get(str(called).lower(), ())]
    if not made:
        raise _OpenError
    qualifier = place.node.params.get("qualifier")
    alias = qualifier if isinstance(qualifier, str) else ""
    scope = place.scope + Scope(tuple(Column(alias, _name(attribute), attribute) for attribute in made))
    return place.made(generator=place.expression(generator), generatorOutput=made), scope


def _rows(place: _Place) -> _Result:
    """``VALUES (…)``"""
    attributes = [place.resolver.attribute(name) for name in named_parts(place.node, "names")]
    scope = Scope(tuple(Column("", _name(attribute), attribute) for attribute in attributes))
    return Node("LocalRelation", {"output": attributes}), scope


def _statement(place: _Place) -> _Result:
    return replace(
        place.made(), params={**place.node.params, "query": place.inputs[0] if place.inputs else None}
    ), place.scope


_RULES: dict[str, Callable[[_Place], _Result]] = {
    **dict.fromkeys(_PASSING, _passing),
    **dict.fromkeys(_STATEMENTS, _statement),
    "Aggregate": _aggregate,
    "Except": _first_side,
    "Filter": _filter,
    "Generate": _generate,
    "GroupingSets": _aggregate,
    "Intersect": _first_side,
    "Join": _join,
    "OneRowRelation": lambda place: (place.node, Scope()),
    "Project": _project,
    "SubqueryAlias": _alias,
    "Union": _first_side,
    "UnresolvedHaving": _filter,
    "UnresolvedInlineTable": _rows,
    "UnresolvedSubqueryColumnAliases": _column_aliases,
}
