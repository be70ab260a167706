"""Small logical plans made by hand, in Catalyst's JSON: lists of nodes in pre-order."""

from typing import Any

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
