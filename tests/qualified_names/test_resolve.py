"""The names of datasets: cases.jsonl is the specification, a line a case, each with where its fact comes from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.explain_input import from_line
from core.identity import dataset_id
from core.model import AssetName, Dataset, NameContext, Resolution, Symlink
from qualified_names.resolve import resolve
from qualified_names.rules import load

CASES = [json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text("utf-8").splitlines()]
RULES = load()
LAKE = "abfss://raw@lake.dfs.core.windows.net"
HOST = "https://lake.dfs.core.windows.net/raw"


def resolved(namespace: str, name: str, context: NameContext | None = None, **more: Any) -> Resolution:
    return resolve(Dataset(dataset_id(namespace, name), **more), context or NameContext(), RULES)


def looked_up(namespace: str, name: str, context: NameContext | None = None, **more: Any) -> list[tuple[str, str]]:
    """All candidates, without those of the account's other host."""
    names = resolved(namespace, name, context, **more).candidates
    return [(name.type_name, name.qualified_name) for name in names if ".blob." not in name.qualified_name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['namespace']} {case['name']}"[:90])
def test_case(case: Mapping[str, Any]) -> None:
    question = from_line(json.dumps(case).encode())
    found = resolve(question.dataset, question.context, RULES)

    assert (found.asset.type_name, found.asset.qualified_name) == (case["type"], case["qualifiedName"])
    assert found.rule == case["rule"]
    assert found.candidates[0] == found.asset
    assert len(set(found.candidates)) == len(found.candidates)


def test_cases_are_many_and_have_sources() -> None:
    assert len(CASES) >= 150
    assert all(case["source"] for case in CASES)


def test_every_shipped_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES.rules} <= {case["rule"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['namespace']} {case['name']}"[:90])
def test_raw_spellings_give_what_normal_ones_give(case: Mapping[str, Any]) -> None:
    question = from_line(json.dumps(case).encode())
    raw = Dataset(type(question.dataset.id)(case["namespace"], case["name"]))

    assert resolve(raw, question.context, RULES) == resolve(question.dataset, question.context, RULES)


def test_folder_is_looked_up_as_resource_set_then_pattern_then_folder_then_path() -> None:
    assert looked_up(LAKE, "weblogs/en-us/17") == [
        ("azure_datalake_gen2_resource_set", f"{HOST}/weblogs/en-us/17/{{SparkPartitions}}"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/weblogs/{{LOC}}/{{N}}/{{SparkPartitions}}"),
        ("azure_datalake_gen2_path", f"{HOST}/weblogs/en-us/17/"),
        ("azure_datalake_gen2_path", f"{HOST}/weblogs/en-us/17"),
    ]


def test_date_folders_are_looked_up_as_a_date_and_as_numbers() -> None:
    sets = [name for kind, name in looked_up(LAKE, "in/2024/01/31") if kind.endswith("resource_set")]

    assert sets == [
        f"{HOST}/in/2024/01/31/{{SparkPartitions}}",
        f"{HOST}/in/{{Year}}/{{Month}}/{{Day}}/{{SparkPartitions}}",
        f"{HOST}/in/{{N}}/{{N}}/{{N}}/{{SparkPartitions}}",
    ]


def test_file_is_looked_up_as_file_then_pattern_then_as_a_folder_of_that_name() -> None:
    assert looked_up(LAKE, "in/orders_7.csv") == [
        ("azure_datalake_gen2_path", f"{HOST}/in/orders_7.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_{{N}}.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_7.csv/{{SparkPartitions}}"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_{{N}}.csv/{{SparkPartitions}}"),
        ("azure_datalake_gen2_path", f"{HOST}/in/orders_7.csv/"),
    ]


def test_own_host_is_looked_up_before_the_other() -> None:
    hosts = [name.qualified_name.partition(".")[2][:4] for name in resolved(LAKE, "a/b").candidates]

    assert hosts == ["dfs."] * 3 + ["blob"] * 3
    types = {name.type_name for name in resolved(LAKE, "a/b").candidates if ".blob." in name.qualified_name}
    assert types == {"azure_blob_resource_set", "azure_blob_path"}


def test_percent_signs_are_looked_up_decoded_too() -> None:
    assert ("azure_datalake_gen2_path", f"{HOST}/a b/") in looked_up(LAKE, "a%20b")


def test_views_and_former_sql_dw_are_looked_up_under_the_same_name() -> None:
    names = resolved("sqlserver://srv.database.windows.net", "db.dbo.t").candidates

    assert [name.type_name for name in names] == [
        "azure_sql_table", "azure_sql_view", "azure_sql_dw_table", "azure_sql_dw_view",
    ]  # fmt: skip
    assert {name.qualified_name for name in names} == {"mssql://srv.database.windows.net/db/dbo/t"}


def test_unquoted_names_are_looked_up_in_capitals_too() -> None:
    names = resolved("oracle://ora:1521", "xe.hr.emp").candidates

    assert AssetName("oracle_table", "oracle://ora/HR/EMP") in names
    assert names[0] == AssetName("oracle_table", "oracle://ora/hr/emp")


@pytest.mark.parametrize("layer", ["delta", "iceberg"])
def test_table_format_tells_a_folder_from_a_file(layer: str) -> None:
    found = resolved(LAKE, "people.parquet", storage_layer=layer)

    assert found.asset == AssetName("azure_datalake_gen2_resource_set", f"{HOST}/people.parquet/{{SparkPartitions}}")


@pytest.mark.parametrize(
    ("namespace", "name", "short"),
    [
        (LAKE, "crm/customer", "customer"),
        (LAKE, "crm/orders.csv", "orders.csv"),
        (LAKE, "crm/customer/part-00000-aa.csv", "customer"),
        (LAKE, "", "raw"),
        ("sqlserver://srv.database.windows.net", "db.[my schema].[my.table]", "my.table"),
        ("abfss://ws@onelake.dfs.fabric.microsoft.com", "L.Lakehouse/Tables/dbo/customer", "customer"),
        ("unity-catalog", "main.crm.customer", "customer"),
        ("azurecosmos://a.documents.azure.com/dbs/shop", "colls/orders", "orders"),
        ("kafka://b:9092", "shop.clicks", "shop.clicks"),
        ("s3://bucket", "", "bucket"),
        ("", "", "unknown"),
    ],
)
def test_short_name_is_what_people_say(namespace: str, name: str, short: str) -> None:
    assert resolved(namespace, name).short_name == short


def test_table_symlink_gives_the_short_name() -> None:
    link = Symlink(f"{LAKE}/warehouse", "crm.customer", "TABLE")

    found = resolved(LAKE, "warehouse/x17", symlinks=(link,))

    assert found.short_name == "customer"
    assert found.asset.qualified_name == f"{HOST}/warehouse/x17/{{SparkPartitions}}"


def test_catalogue_symlink_is_looked_up_last() -> None:
    context = NameContext(metastore_ids={"adb": "ms"})
    link = Symlink("unity-catalog", "main.crm.customer", "TABLE")

    found = resolved(LAKE, "x17", context, symlinks=(link,))

    assert found.asset.qualified_name == f"{HOST}/x17/{{SparkPartitions}}"
    assert found.candidates[-2:] == (
        AssetName("databricks_table", "databricks://ms/catalogs/main/schemas/crm/tables/customer"),
        AssetName("databricks_view", "databricks://ms/catalogs/main/schemas/crm/views/customer"),
    )


def test_catalogue_comes_first_where_it_hides_the_location() -> None:
    context = NameContext(metastore_ids={"adb": "ms"})
    link = Symlink("unity-catalog", "main.crm.customer", "TABLE")

    found = resolved(LAKE, "__unitystorage/catalogs/c/tables/t", context, symlinks=(link,))

    assert (found.rule, found.asset.type_name) == ("unity-catalog-without-host", "databricks_table")
    assert found.candidates[0] == found.asset
    assert found.candidates[-1].type_name == "azure_blob_path"


def test_note_says_what_the_catalogue_of_a_hidden_location_would_need() -> None:
    link = Symlink("unity-catalog", "main.crm.customer", "TABLE")

    found = resolved(LAKE, "__unitystorage/catalogs/c/tables/t", symlinks=(link,))

    assert found.rule == "adls-gen2"
    assert [note.code for note in found.notes] == ["metastore-id-unknown"]


def test_catalogue_symlink_that_needs_a_setting_changes_nothing() -> None:
    link = Symlink("unity-catalog", "main.crm.customer", "TABLE")

    assert resolved(LAKE, "x", symlinks=(link,)).candidates == resolved(LAKE, "x").candidates


@pytest.mark.parametrize(
    ("namespace", "name", "code", "said"),
    [
        ("abfss://Sales@onelake.dfs.fabric.microsoft.com", "L.Lakehouse/Tables/t", "onelake-id-unknown", '"Sales"'),
        ("abfss://Sales@onelake.dfs.fabric.microsoft.com", "L.Lakehouse/Files/t", "onelake-id-unknown", "ONELAKE_IDS"),
        ("unitycatalog://adb.net", "c.s.t", "metastore-id-unknown", "METASTORE_IDS"),
        ("unity-catalog", "c.s.t", "metastore-id-unknown", '"unity-catalog"'),
        ("dbfs", "user/hive/warehouse/t", "hive-cluster-unknown", "HIVE_CLUSTER"),
        ("dbfs", "mnt/raw/t", "mount-unknown", "/mnt/raw"),
        ("sqlserver://srv.database.windows.net", "t", "name-not-understood", "'t'"),
        ("sqlserver://srv.database.windows.net;database=d", "COMPLEX", "query-as-source", "query"),
        ("file", "lake/t", "local-file", "machine"),
        ("sqlserver://h", "d." * 2100 + "t", "name-too-long", "4 KB"),
    ],
)
def test_note_says_what_is_missing(namespace: str, name: str, code: str, said: str) -> None:
    found = resolved(namespace, name)

    assert found.asset.type_name == "DataSet"
    assert {note.code for note in found.notes} == {code}
    assert any(said in note.text for note in found.notes)
    assert all(note.dataset for note in found.notes)


def test_note_names_both_keys_of_onelake() -> None:
    found = resolved("abfss://Sales@onelake.dfs.fabric.microsoft.com", "Lake.Lakehouse/Tables/t")

    assert [note.text.partition("add the key ")[2] for note in found.notes] == [
        '"Sales" to ONELAKE_IDS.', '"Sales/Lake.Lakehouse" to ONELAKE_IDS.',
    ]  # fmt: skip


@pytest.mark.parametrize(
    "namespace",
    [
        "sqlserver://h:1433;user=sa;password=hunter2",
        "foo://sa:hunter2@h:1",
        "foo://h/db?user=sa&password=hunter2",
        "jdbc:foo://h/db?Password=hunter2",
    ],
)
def test_generic_names_hold_no_password(namespace: str) -> None:
    assert "hunter2" not in repr(resolved(namespace, "t").candidates)
