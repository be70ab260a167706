"""Small logical plans made by hand, in Catalyst's JSON: lists of nodes in pre-order."""

from collections.abc import Mapping
from typing import Any

from core.events import read_event
from core.lineage_model import Lineage
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.events import body, dataset, event

Nodes = list[dict[str, Any]]


def node(kind: str, *children: Nodes, **params: Any) -> Nodes:
    """A node with its children behind it."""
    own = {"class": f"org.apache.spark.{kind}", "num-children": len(children), **params}
    return [own, *(item for child in children for item in child)]


def attribute(name: str, number: int) -> Nodes:
    return node("sql.catalyst.expressions.AttributeReference", name=name, dataType="string", exprId={"id": number})


def alias(child: Nodes, name: str, number: int) -> Nodes:
    return node("sql.catalyst.expressions.Alias", child, child=0, name=name, exprId={"id": number})


def literal(value: object) -> Nodes:
    return node("sql.catalyst.expressions.Literal", value=value, dataType="string")


def function(kind: str, *children: Nodes) -> Nodes:
    return node(f"sql.catalyst.expressions.{kind}", *children)


def read(columns: dict[str, int], table: str = "") -> Nodes:
    """A relation with these columns (name to id); ``table`` is ``database.table``."""
    database, _, name = table.partition(".")
    catalog = {"catalogTable": {"identifier": {"table": name, "database": database}}} if table else {}
    output = [attribute(column, number) for column, number in columns.items()]
    return node("sql.execution.datasources.LogicalRelation", output=output, **catalog)


def operator(kind: str, *children: Nodes, **params: Any) -> Nodes:
    more = {"child": 0} if len(children) == 1 else {"children": list(range(len(children)))}
    return node(f"sql.catalyst.plans.logical.{kind}", *children, **more, **params)


def insert(query: Nodes, names: str) -> Nodes:
    """An insert into a folder; ``names`` as Spark writes them, ``[a, b]``."""
    return node("sql.execution.datasources.InsertIntoHadoopFsRelationCommand", query, query=0, outputColumnNames=names)


def project(child: Nodes, *listed: Nodes) -> Nodes:
    return operator("Project", child, projectList=list(listed))


def drawn(
    plan: Nodes, inputs: list[dict[str, Any]], names: str, facet: Mapping[str, list[tuple[str, str]]] | None = None
) -> dict[str, list[str]]:
    """By sink column: ``folder.column`` of its sources; ``facet`` is what the columnLineage facet adds."""
    lineage = lineage_of(plan, inputs, names, facet)
    return {c.name: [f"{s.dataset.name}.{s.column}" for s in c.sources] for c in lineage.columns}


def lineage_of(
    plan: Nodes, inputs: list[dict[str, Any]], names: str, facet: Mapping[str, list[tuple[str, str]]] | None = None
) -> Lineage:
    """All that is known of a write into a folder with these columns, ``[a, b]``."""
    content = event(inputs=inputs, outputs=[dataset("out", names.strip("[]").split(", "), facet)])
    content["run"]["facets"]["spark.logicalPlan"] = {"plan": plan}
    (lineage,) = derive(merge([read_event(body(content))]), LineageRules()).lineages
    return lineage


def named(name: str) -> Nodes:
    """A column as parsed: ``a``, ``t.a``, ``t.struct.field``."""
    return node("sql.catalyst.analysis.UnresolvedAttribute", nameParts=f"[{name.replace('.', ', ')}]")


def relation(name: str, alias_name: str = "") -> Nodes:
    """A table or view as parsed."""
    read_it = node("sql.catalyst.analysis.UnresolvedRelation", multipartIdentifier=f"[{name.replace('.', ', ')}]")
    return aliased(read_it, alias_name) if alias_name else read_it


def aliased(query: Nodes, name: str) -> Nodes:
    return operator("SubqueryAlias", query, identifier={"name": name, "qualifier": []})


def called(name: str, *arguments: Nodes) -> Nodes:
    """A function as parsed."""
    return node("sql.catalyst.analysis.UnresolvedFunction", *arguments, name={"funcName": name})


def unnamed(expression: Nodes) -> Nodes:
    """An expression without AS, as parsed."""
    return node("sql.catalyst.analysis.UnresolvedAlias", expression, child=0)


def star(of: str = "") -> Nodes:
    return node("sql.catalyst.analysis.UnresolvedStar", **({"target": f"[{of}]"} if of else {}))


def insert_statement(query: Nodes, columns: str = "") -> Nodes:
    """INSERT INTO as parsed, perhaps with a list of columns, ``[a, b]``."""
    return operator("InsertIntoStatement", query, query=0, userSpecifiedCols=columns or [])
