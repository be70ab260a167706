"""The type system, and the table that defines it."""

import json

import pytest

from local.data_map.make_types import TABLE, make_types
from local.data_map.types import TypeSystem

TYPES = TypeSystem.built_in()


@pytest.mark.parametrize(
    ("name", "ancestor", "expected"),
    [
        ("azure_sql_table", "DataSet", True),
        ("azure_sql_schema", "DataSet", False),
        ("azure_datalake_gen2_filesystem", "DataSet", True),
        ("azure_synapse_dedicated_sql_table", "azure_synapse_sql_table", True),
        ("azure_synapse_copy_operation", "Process", True),
        ("databricks_process", "Process", True),
        ("databricks_table", "DataSet", True),
        ("fabric_lakehouse_path", "DataSet", True),
        ("fabric_synapse_notebook", "Process", True),
        ("snowflake_table", "DataSet", True),
        ("fs_path", "DataSet", True),
        ("tabular_schema", "column", False),
    ],
)
def test_supertypes(name: str, ancestor: str, expected: bool) -> None:
    assert TYPES.entity(name).is_a(ancestor) is expected


def test_types_with_a_column_mapping() -> None:
    owners = {name for name in TYPES.names if "columnMapping" in TYPES.entity(name).own}
    assert {"azure_synapse_operation", "adf_copy_activity", "bigquery_query", "databricks_process"} <= owners
    assert len(owners) == 17
    assert "columnMapping" not in TYPES.entity("spark_process").attributes


@pytest.mark.parametrize(
    ("name", "relationship"),
    [
        ("azure_sql_table", "azure_sql_table_columns"),
        ("tabular_schema", "tabular_schema_columns"),
        ("oracle_table", "oracle_table_table_columns"),
        ("databricks_table", "databricks_table_columns"),
        ("fabric_lakehouse_table", "fabric_lakehouse_table_columns"),
    ],
)
def test_types_know_where_their_columns_are(name: str, relationship: str) -> None:
    kind = TYPES.entity(name)
    assert kind.columns is not None
    assert kind.ends[kind.columns][0].relationship == relationship


def test_every_type_can_be_built() -> None:
    assert len([TYPES.entity(name) for name in TYPES.names]) >= 399


def test_table_is_compact() -> None:
    assert TABLE.stat().st_size < 300_000


def test_make_types() -> None:
    dump = {
        "base_and_relevant_entityDefs": [
            {
                "name": "DataSet",
                "superTypes": [],
                "subTypes": ["named_only"],
                "serviceType": "core",
                "attributeDefs": [
                    {"name": "a", "typeName": "string", "isOptional": False},
                    {"name": "b", "typeName": "int", "isOptional": True},
                ],
                "options": {"schemaElementsAttribute": "parts"},
            }
        ],
        "all_type_names_2021": ["DataSet", "named_only"],
        "types_with_columnMapping_attribute_2021": ["named_only"],
        "relationshipDefs": [
            {
                "name": "r",
                "relationshipCategory": "COMPOSITION",
                "endDef1": {"type": "DataSet", "name": "parts", "cardinality": "SET", "isContainer": True},
                "endDef2": {"type": "named_only", "name": "whole", "cardinality": "SINGLE", "isContainer": False},
            }
        ],
    }
    made = json.loads(json.dumps(make_types(dump)))
    assert made["entityTypes"]["DataSet"] == {
        "superTypes": [],
        "serviceType": "core",
        "attributes": {"a": "string!", "b": "int"},
        "columns": "parts",
    }
    assert made["entityTypes"]["named_only"] == {
        "superTypes": ["DataSet"],
        "partial": True,
        "attributes": {"columnMapping": "string"},
    }
    assert made["relationshipTypes"]["r"] == {
        "category": "COMPOSITION",
        "end1": ["DataSet", "parts", "SET", True],
        "end2": ["named_only", "whole", "SINGLE", False],
    }
