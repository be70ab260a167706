"""Columns of every kind of table arrive in the catalogue, attached to their table."""

from collections.abc import Sequence
from itertools import count

import pytest

from core.catalog_model import Asset, AssetName
from core.event_model import Field
from purview import schema as schemas
from purview.catalog import Catalog
from purview.limits import NAME_BYTES
from purview.schema import _FORMS, Addition, added_columns, column_names, schema, storable_fields
from tests.purview.helpers import DataMap

TABLE = AssetName("azure_blob_path", "https://lake/ä")
#: The bytes that the name of a column of this table may have.
ROOM = NAME_BYTES - len(TABLE.qualified_name.encode()) - 20
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


def to(guid: str, relation: str, **more: str) -> dict[str, dict[str, str]]:
    return {relation: {"guid": guid, **more}}


HEAD = ("tabular_schema", "-1", {"associatedDataSets": [{"guid": "g"}]})


@pytest.mark.parametrize(
    ("type_name", "schema_guid", "unknown", "expected"),
    [
        ("azure_sql_table", "", (), [("azure_sql_column", "-1", to("g", "table"))]),
        ("azure_sql_table", "s", (), [("azure_sql_column", "-1", to("g", "table"))]),
        ("azure_sql_table", "", ["azure_sql_column"], [HEAD, ("column", "-2", to("-1", "composeSchema"))]),
        ("azure_sql_table", "s", ["azure_sql_column"], [("column", "-1", to("s", "composeSchema"))]),
        ("azure_sql_table", "s", ["azure_sql_column", "column"], []),
        (
            "hive_table",
            "",
            ["azure_sql_column"],
            [("hive_column", "-1", to("g", "table", relationshipType="hive_table_columns"))],
        ),
        ("azure_blob_path", "", (), [HEAD, ("column", "-2", to("-1", "composeSchema"))]),
        ("azure_blob_path", "s", ["azure_sql_column"], [("column", "-1", to("s", "composeSchema"))]),
        ("azure_blob_path", "", ["tabular_schema"], []),
    ],
)
def test_columns_that_are_added_refer_to_their_table_or_its_schema(
    type_name: str, schema_guid: str, unknown: Sequence[str], expected: list[tuple[str, str, object]]
) -> None:
    addition = Addition(Asset(AssetName(type_name, "scheme://host/table"), "g"), FIELDS[:1], schema_guid)
    added = added_columns(addition, (str(-number) for number in count(1)), frozenset(unknown))
    found = [(each["typeName"], each["guid"], each["relationshipAttributes"]) for each in added.entities]
    assert (found, added.relationships) == (expected, None)
    assert added.columns == ({"id"} if expected else set())


@pytest.mark.parametrize(
    ("names", "kept", "left_out"),
    [
        ([], [], 0),
        ([""], [], 1),
        (["a", "b", "a"], ["a", "b"], 0),
        (["a", "", "b"], ["a", "b"], 1),
        (["a" * ROOM, "b" * (ROOM + 1)], ["a" * ROOM], 1),
        (["ä" * (ROOM // 2), "ä" * (ROOM // 2) + "aa"], ["ä" * (ROOM // 2)], 1),
        (["a", "b", "c"], ["a", "b", "c"], 0),
        (["a", "b", "c", "d", "", "a"], ["a", "b", "c"], 2),
    ],
    ids=["none", "only empty", "twice", "empty", "long", "bytes", "many", "too many"],
)
def test_fields_that_no_column_can_have_are_left_out_and_counted(
    names: Sequence[str], kept: Sequence[str], left_out: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "REFERENCES", 3)
    fields = [Field(name, str(number)) for number, name in enumerate(names)]
    assert storable_fields(TABLE, fields) == tuple(fields[names.index(name)] for name in kept)
    made = schema(TABLE, fields, (str(-number) for number in count(1)), frozenset())
    assert (made.columns, [note.text.partition(" ")[0] for note in made.notes]) == (
        frozenset(kept),
        [str(left_out)] if left_out else [],
    )


def test_a_column_may_have_the_name_of_its_kind_of_table_or_the_plain_one() -> None:
    plain = AssetName("column", "q#__tabular_schema//a")
    assert column_names(AssetName("azure_blob_path", "q"), "a") == (plain,)
    assert column_names(AssetName("azure_sql_table", "q"), "a") == (AssetName("azure_sql_column", "q#a"), plain)
