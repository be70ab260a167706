"""A read of Delta's change feed reads the table; the three columns that the feed adds are none of the table's."""

from collections.abc import Mapping
from typing import Any

from core.lineage_model import Lineage
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.events import dataset, run_event

TABLE = ("id", "amount")
FEED = ("_change_type", "_commit_version", "_commit_timestamp")


def attribute(number: int, name: str) -> Mapping[str, Any]:
    return {
        "class": "org.apache.spark.sql.catalyst.expressions.AttributeReference",
        "num-children": 0,
        "name": name,
        "dataType": "string",
        "exprId": {"id": number, "jvmId": "a"},
    }


def written(*, plan: bool) -> Lineage:
    """``SELECT id, amount, _change_type FROM table_changes('orders', 1)``, written to a folder."""
    columns = (*TABLE, *FEED)
    chosen = [0, 1, 2]
    nodes = [
        {
            "class": "org.apache.spark.sql.execution.datasources.InsertIntoHadoopFsRelationCommand",
            "num-children": 1,
            "query": 0,
            "outputColumnNames": "[id, amount, _change_type]",
        },
        {
            "class": "org.apache.spark.sql.catalyst.plans.logical.Project",
            "num-children": 1,
            "projectList": [[attribute(at, columns[at])] for at in chosen],
            "child": 0,
        },
        {
            "class": "org.apache.spark.sql.execution.datasources.LogicalRelation",
            "num-children": 0,
            "output": [[attribute(at, name)] for at, name in enumerate(columns)],
        },
    ]
    names = [columns[at] for at in chosen]
    event = run_event(
        inputs=[dataset("orders", columns)],
        outputs=[dataset("changes", names, {name: [("orders", name)] for name in names})],
        plan=nodes if plan else None,
    )
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    return lineage


def edges(lineage: Lineage) -> dict[str, list[str]]:
    return {column.name: [source.column for source in column.sources] for column in lineage.columns}


def test_the_table_is_read_without_the_columns_of_the_feed() -> None:
    for plan in (False, True):
        lineage = written(plan=plan)
        assert [field.name for field in lineage.inputs[0].fields] == list(TABLE)
        assert edges(lineage) == {"id": ["id"], "amount": ["amount"], "_change_type": []}
