"""Columns of every kind of table arrive in the catalogue, attached to their table."""

from itertools import count

import pytest

from core.catalog_model import AssetName
from core.event_model import Field
from purview.catalog import Catalog
from purview.schema import _FORMS, schema
from tests.purview.helpers import DataMap

FIELDS = (Field("id", "long"), Field("größe", "struct<a:int>"))


@pytest.mark.parametrize("type_name", [*_FORMS, "azure_datalake_gen2_resource_set", "azure_blob_path", "DataSet"])
def test_columns_are_attached_to_their_table(type_name: str, catalog: Catalog, data_map: DataMap) -> None:
    name = AssetName(type_name, "scheme://host/table")
    columns = schema(name, FIELDS, (str(-number) for number in count(2)), frozenset())
    asset = {
        "typeName": type_name,
        "guid": "-1",
        "attributes": {"qualifiedName": name.qualified_name, "name": "table"},
        "relationshipAttributes": columns.relationships,
    }
    catalog.upload([*columns.entities, asset])
    created = [each for each in data_map.entities() if each["attributes"]["name"] in ("id", "größe")]
    assert len(created) == 2
    related = set()
    for each in created:
        ((parent,),) = each["relationships"].values()
        related.add(tuple(parent))
    types = {"string", "long", "struct<a:int>"}
    assert all(types & set(map(str, each["attributes"].values())) for each in created)
    assert related in (
        {(type_name, name.qualified_name)},
        {("tabular_schema", f"{name.qualified_name}#__tabular_schema")},
    )
    if related == {("tabular_schema", f"{name.qualified_name}#__tabular_schema")}:
        relationships = data_map.entity("tabular_schema")["relationships"]
        assert [type_name, name.qualified_name] in [each for ends in relationships.values() for each in ends]


@pytest.mark.parametrize(
    ("type_name", "table", "expected"),
    [
        ("azure_sql_table", "mssql://s/d/dbo/t", "mssql://s/d/dbo/t#id"),
        ("hive_table", "db.t@ws.azuredatabricks.net", "db.t.id@ws.azuredatabricks.net"),
        ("hive_table", "db.t", "db.t.id"),
        ("oracle_table", "oracle://h/S/T", "oracle://h/S/T/id"),
        ("databricks_table", "databricks://m/catalogs/c/schemas/s/tables/t{x}", None),
        ("azure_blob_path", "https://a.blob.core.windows.net/c/p", None),
    ],
)
def test_columns_are_named_as_scans_name_them(type_name: str, table: str, expected: str | None) -> None:
    forms = {
        "databricks_table": f"{table}/columns/id",
        "azure_blob_path": f"{table}#__tabular_schema//id",
    }
    columns = schema(AssetName(type_name, table), FIELDS[:1], (str(-number) for number in count(1)), frozenset())
    assert columns.entities[-1]["attributes"]["qualifiedName"] == (expected or forms[type_name])


def test_columns_of_a_type_that_the_catalogue_lacks_are_plain_ones() -> None:
    name = AssetName("fabric_lakehouse_table", "https://app.fabric.microsoft.com/x")
    columns = schema(name, FIELDS, (str(-n) for n in count(1)), frozenset({"fabric_lakehouse_table_column"}))
    assert [entity["typeName"] for entity in columns.entities] == ["tabular_schema", "column", "column"]


def test_without_any_type_for_columns_there_are_none() -> None:
    name = AssetName("azure_blob_path", "https://x")
    assert schema(name, FIELDS, (str(-n) for n in count(1)), frozenset({"column"})).entities == ()
