"""Resolves the names of a parsed plan, so that it can be walked.

Up to agent 0.4.0 the plan of a COMPLETE is the statement as parsed: relations, columns and ``*`` are names. They are
resolved as Spark does it, by scope and alias, against the schemas of the event's inputs. If a relation is none of the
inputs (a view, or two tables of one name), or the statement has an unknown form, there is no result.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from core.event_model import Dataset, DatasetId
from parser.logical_plan.resolver import Place, Resolver, Result, Rule, Tables, UnresolvableError, attribute_name
from parser.logical_plan.scope import Column, Scope, named_parts
from parser.logical_plan.tree import Node, expression_id, object_name

_PASSING = {
    "Distinct", "Filter", "GlobalLimit", "LocalLimit", "Repartition", "RepartitionByExpression", "Sort", "Tail",
    "UnresolvedHint", "ResolvedHint", "WithWindowDefinition", "View", "Sample", "Subquery",
}  # fmt: skip
_STATEMENTS = {
    "InsertIntoStatement", "CreateTableAsSelectStatement", "ReplaceTableAsSelectStatement", "CreateTable",
    "InsertIntoHadoopFsRelationCommand", "InsertIntoDir", "CreateViewStatement", "CreateViewCommand",
}  # fmt: skip
_GENERATED = {"explode": ("col",), "posexplode": ("pos", "col")}


def is_parsed(plan: Node) -> bool:
    """Whether a plan is as parsed, with names that are not resolved."""
    return any(node.kind.startswith("Unresolved") for node in plan.walk())


def resolved(plan: Node, tables: Tables) -> Node | None:
    """The plan with attributes instead of names; None if that is not possible for all of it.

    ``tables`` gives the dataset of a relation by the parts of its name, or None. Its leaves have the parameter
    ``dataset``.

    :raises PlanTooLargeError: it would have too many columns
    """
    try:
        return Resolver(tables, _RULES).operator(plan, Scope(), None, 0)[0]
    except UnresolvableError:
        return None


def among(datasets: Iterable[Dataset]) -> Tables:
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


def _scope_of(expressions: Iterable[Node], below: Scope) -> Scope:
    """What may be named above a projection: its columns; those taken as they are keep the alias of their table."""
    columns = {expression_id(column.attribute): column for column in below.columns}
    found = []
    for expression in expressions:
        known = columns.get(expression_id(expression))
        attribute = expression if expression.kind == "AttributeReference" else _reference(expression)
        found.append(Column(known.qualifier if known else "", attribute_name(expression), attribute))
    return Scope(tuple(found))


def _reference(alias: Node) -> Node:
    return Node("AttributeReference", {"name": alias.params.get("name"), "exprId": alias.params.get("exprId")})


def _project(place: Place) -> Result:
    listed = place.listed("projectList")
    return place.made(projectList=listed), _scope_of(listed, place.scope)


def _aggregate(place: Place) -> Result:
    """Also with GROUPING SETS, which have other names for the same lists."""
    sets = place.node.kind == "GroupingSets"
    listed = place.listed("aggregations" if sets else "aggregateExpressions")
    keys = [place.expression(key) for key in place.node.trees("groupByExprs" if sets else "groupingExpressions")]
    return place.made("Aggregate", aggregateExpressions=listed, groupingExpressions=keys), _scope_of(
        listed, place.scope
    )


def _filter(place: Place) -> Result:
    condition = place.node.tree("condition") or place.node.tree("havingCondition")
    return place.made("Filter", condition=place.expression(condition) if condition else None), place.scope


def _passing(place: Place) -> Result:
    order = [place.expression(item) for item in place.node.trees("order")]
    return place.made(order=order), place.scope


def _alias(place: Place) -> Result:
    identifier = place.node.params.get("identifier") or place.node.params.get("alias")
    name = identifier.get("name") if isinstance(identifier, Mapping) else identifier
    if not isinstance(name, str):
        raise UnresolvableError
    return place.made(), place.scope.under(name)


def _column_aliases(place: Place) -> Result:
    """``AS t(a, b)`` renames all columns."""
    names = named_parts(place.node, "outputColumnNames")
    columns = place.scope.columns
    if len(names) != len(columns):
        raise UnresolvableError
    made = [
        Node("Alias", place.resolver.attribute(n).params, (c.attribute,)) for n, c in zip(names, columns, strict=True)
    ]
    qualified = tuple(Column(c.qualifier, n, _reference(a)) for c, n, a in zip(columns, names, made, strict=True))
    return place.made("Project", projectList=made), Scope(qualified)


def _join(place: Place) -> Result:
    kind = place.node.params.get("joinType")
    if isinstance(kind, Mapping) and isinstance(kind.get("product-class"), str):
        return _using_join(place, kind)
    condition = place.node.tree("condition")
    made = place.made(condition=place.expression(condition) if condition else None)
    return made, place.scopes[0] if object_name(kind) in ("LeftSemi", "LeftAnti") else place.scope


def _using_join(place: Place, kind: Mapping[str, Any]) -> Result:
    """USING (a, b): each of these columns occurs once, from the left side, or from the right side of a RIGHT JOIN."""
    names = {name.strip().lower() for name in str(kind.get("usingColumns", "")).strip("[]").split(",")}
    outer = object_name(kind.get("tpe"))
    if not str(kind.get("product-class")).endswith("UsingJoin") or outer == "FullOuter" or len(place.scopes) != 2:
        raise UnresolvableError
    left, right = place.scopes[::-1] if outer == "RightOuter" else place.scopes
    rest = tuple(column for column in right.columns if column.name.lower() not in names)
    scope = left if outer in ("LeftSemi", "LeftAnti") else left + Scope(rest)
    pairs = [Node("EqualTo", {}, (a, b)) for n in sorted(names) if (a := left.find((n,))) and (b := right.find((n,)))]
    condition = pairs[0] if len(pairs) == 1 else Node("And", {}, tuple(pairs))
    return place.made(joinType={"object": outer}, condition=condition), scope


def _first_side(place: Place) -> Result:
    """UNION, INTERSECT, EXCEPT: the names are those of the first side."""
    return place.made(), place.scopes[0]


def _generate(place: Place) -> Result:
    generator = place.node.tree("generator")
    if generator is None:
        raise UnresolvableError
    function = generator.params.get("name")
    called = function.get("funcName") if isinstance(function, Mapping) else ""
    names = [named_parts(node, "nameParts")[-1:] for node in place.node.trees("generatorOutput")]
    made = [place.resolver.attribute(name) for (name,) in names] if all(names) else []
    made = made or [place.resolver.attribute(name) for name in _GENERATED.get(str(called).lower(), ())]
    if not made:
        raise UnresolvableError
    qualifier = place.node.params.get("qualifier")
    alias = qualifier if isinstance(qualifier, str) else ""
    scope = place.scope + Scope(tuple(Column(alias, attribute_name(attribute), attribute) for attribute in made))
    return place.made(generator=place.expression(generator), generatorOutput=made), scope


def _rows(place: Place) -> Result:
    """``VALUES (…)``"""
    attributes = [place.resolver.attribute(name) for name in named_parts(place.node, "names")]
    scope = Scope(tuple(Column("", attribute_name(attribute), attribute) for attribute in attributes))
    return Node("LocalRelation", {"output": attributes}), scope


def _statement(place: Place) -> Result:
    return place.made(query=0), place.scope


_RULES: Mapping[str, Rule] = {
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
