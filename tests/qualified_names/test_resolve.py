"""The names of datasets: cases.jsonl is the specification, one case per line, each with the source of its fact."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.explain_input import from_line
from core.catalog_model import AssetName, NameContext, Resolution
from core.event_model import Dataset, DatasetId, Symlink
from core.identity import dataset_id, is_folder_name
from core.replacing import replace
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['namespace']} {case['name']}"[:90])
def test_raw_spellings_give_what_normal_ones_give(case: Mapping[str, Any]) -> None:
    question = from_line(json.dumps(case).encode())
    namespace, name = case["namespace"], case["name"]
    dataset = replace(question.dataset, is_folder=is_folder_name(namespace, name))
    normal = replace(dataset, id=dataset_id(namespace, name))

    assert resolve(dataset, question.context, RULES) == resolve(normal, question.context, RULES)


@pytest.mark.parametrize(
    ("namespace", "name", "qualified_name"),
    [
        (LAKE, "x.parquet/day=1", f"{HOST}/x.parquet/{{SparkPartitions}}"),
        (LAKE, "/x.parquet//year=2024/month=1/", f"{HOST}/x.parquet/{{SparkPartitions}}"),
        (f"{LAKE}/x.parquet", "day=1", f"{HOST}/x.parquet/{{SparkPartitions}}"),
        ("s3://bucket", "x.parquet/day=1", "s3://bucket/x.parquet/{SparkPartitions}"),
        ("dbfs", "/mnt/lake/x.parquet/day=1", f"{HOST}/x.parquet/{{SparkPartitions}}"),
        (LAKE, "/in//x.parquet/", f"{HOST}/in/x.parquet/{{SparkPartitions}}"),
        # A file within a partition, and one from which nothing was removed.
        (LAKE, "x.parquet/day=1/a.csv", f"{HOST}/x.parquet/day=1/a.csv"),
        (LAKE, "/in//x.parquet", f"{HOST}/in/x.parquet"),
    ],
)
def test_partition_folders_or_a_final_slash_indicate_a_folder(namespace: str, name: str, qualified_name: str) -> None:
    context = NameContext(mount_points={"/mnt/lake": LAKE})

    found = resolve(Dataset(DatasetId(namespace, name)), context, RULES)

    assert found.asset.qualified_name == qualified_name
    assert found.dataset.id == dataset_id(namespace, name)


@pytest.mark.parametrize(
    ("namespace", "name", "same_namespace", "same_name"),
    [
        (f"{LAKE}/crm", "customer", LAKE, "crm/customer"),
        (f"{LAKE}/crm/", "", LAKE, "crm"),
        (f"{LAKE}/in", "orders.csv", LAKE, "in/orders.csv"),
        (f"{LAKE}/crm?sig=abc", "customer", LAKE, "crm/customer"),
        ("abfss://Sales@onelake.dfs.fabric.microsoft.com/L.Lakehouse/Tables", "t",
         "abfss://Sales@onelake.dfs.fabric.microsoft.com", "L.Lakehouse/Tables/t"),
        ("s3a://bucket/R&D/day=1", "x", "s3://bucket", "R&D/day=1/x"),
        ("gs://bucket/data", "orders", "gs://bucket", "data/orders"),
        ("hdfs://nn:8020/data", "orders", "hdfs://nn:8020", "data/orders"),
        ("dbfs:/mnt/lake/crm", "t", "dbfs", "mnt/lake/crm/t"),
        ("dbfs://adb-1.2/mnt/lake", "crm/t", "dbfs://adb-1.2", "mnt/lake/crm/t"),
        ("dbfs:/user/hive/warehouse", "t", "dbfs", "user/hive/warehouse/t"),
        ("file:/lake", "t", "file", "lake/t"),
        ("file:///lake", "t", "file://", "lake/t"),
    ],
)  # fmt: skip
def test_the_path_in_the_namespace_is_put_before_the_name(
    namespace: str, name: str, same_namespace: str, same_name: str
) -> None:
    context = NameContext(mount_points={"/mnt/lake": LAKE}, hive_cluster="prod")

    found, same = resolved(namespace, name, context), resolved(same_namespace, same_name, context)

    assert (found.candidates, found.rule) == (same.candidates, same.rule)
    assert found.short_name == same.short_name
    assert found.dataset.id == dataset_id(namespace, name)


@pytest.mark.parametrize(("namespace", "name"), [("sqlserver://h/inst", "d.s.t"), ("postgres://h/d", "s.t")])
def test_path_of_a_database_stays_in_the_namespace(namespace: str, name: str) -> None:
    assert resolved(namespace, name).asset.type_name != "DataSet"


def test_folder_is_looked_up_as_resource_set_then_pattern_then_folder_then_path() -> None:
    assert looked_up(LAKE, "weblogs/en-us/17") == [
        ("azure_datalake_gen2_resource_set", f"{HOST}/weblogs/en-us/17/{{SparkPartitions}}"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/weblogs/{{LOC}}/{{N}}/{{SparkPartitions}}"),
        ("azure_datalake_gen2_path", f"{HOST}/weblogs/en-us/17/"),
        ("azure_datalake_gen2_path", f"{HOST}/weblogs/en-us/17"),
    ]


def test_date_folders_are_looked_up_as_a_date_and_as_numbers() -> None:
    sets = [name for kind, name in looked_up(LAKE, "in/2024/01/31/eu") if kind.endswith("resource_set")]

    assert sets == [
        f"{HOST}/in/2024/01/31/eu/{{SparkPartitions}}",
        f"{HOST}/in/{{Year}}/{{Month}}/{{Day}}/eu/{{SparkPartitions}}",
        f"{HOST}/in/{{N}}/{{N}}/{{N}}/eu/{{SparkPartitions}}",
    ]


def test_file_is_looked_up_as_file_then_pattern_then_as_a_folder_of_that_name() -> None:
    assert looked_up(LAKE, "in/orders_7.csv") == [
        ("azure_datalake_gen2_path", f"{HOST}/in/orders_7.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_{{N}}.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_7.csv/{{SparkPartitions}}"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/orders_{{N}}.csv/{{SparkPartitions}}"),
        ("azure_datalake_gen2_path", f"{HOST}/in/orders_7.csv/"),
    ]


def test_the_pattern_of_a_file_is_not_that_of_a_folder() -> None:
    assert looked_up(LAKE, "in/sales_v2.csv") == [
        ("azure_datalake_gen2_path", f"{HOST}/in/sales_v2.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/sales_v{{N}}.csv"),
        ("azure_datalake_gen2_resource_set", f"{HOST}/in/sales_v2.csv/{{SparkPartitions}}"),
        ("azure_datalake_gen2_path", f"{HOST}/in/sales_v2.csv/"),
    ]


@pytest.mark.parametrize(
    ("namespace", "kinds", "base"),
    [
        ("s3://b", ("aws_s3_v2_object", "aws_s3_v2_directory"), "s3://b"),
        (LAKE, ("azure_datalake_gen2_path", "azure_datalake_gen2_path"), HOST),
        ("wasbs://raw@lake.blob.core.windows.net", ("azure_blob_path", "azure_blob_path"), HOST.replace("dfs", "blob")),
        ("adl://a.azuredatalakestore.net", ("azure_datalake_gen1_path",) * 2, "adl://a.azuredatalakestore.net"),
    ],
)
def test_extension_is_in_lower_case_for_files_only(namespace: str, kinds: tuple[str, str], base: str) -> None:
    names = [name for name in resolved(namespace, "In/Orders.CSV").candidates if name.qualified_name.startswith(base)]

    assert [name for name in names if not name.type_name.endswith("resource_set")] == [
        AssetName(kinds[0], f"{base}/In/Orders.csv"),
        AssetName(kinds[1], f"{base}/In/Orders.CSV/"),
        AssetName(kinds[1], f"{base}/In/Orders.CSV"),
    ]


def test_name_of_a_folder_keeps_its_case() -> None:
    assert looked_up(LAKE, "crm/My.Table")[-1] == ("azure_datalake_gen2_path", f"{HOST}/crm/My.Table")
    assert not any("Orders.csv" in name for _, name in looked_up(LAKE, "Orders.CSV", storage_layer="delta"))


def test_the_datasets_own_host_is_looked_up_first() -> None:
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
def test_the_table_format_distinguishes_a_folder_from_a_file(layer: str) -> None:
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
def test_the_short_name_is_the_one_that_people_use(namespace: str, name: str, short: str) -> None:
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
        ("cassandra://h:9042", "ks.t", "no-rule", "'cassandra://h:9042'"),
        ("MyStore", "Thing", "no-rule", "NAME_RULES_FILE"),
        ("", "t", "no-rule", "''"),
        ("sqlserver://h", "d." * 2100 + "t", "name-too-long", "4 KB"),
    ],
)
def test_note_says_what_is_missing(namespace: str, name: str, code: str, said: str) -> None:
    found = resolved(namespace, name)

    assert found.asset.type_name == "DataSet"
    assert {note.code for note in found.notes} == {code}
    assert any(said in note.text for note in found.notes)
    assert all(note.dataset for note in found.notes)


def test_a_namespace_that_is_too_long_is_named_by_its_scheme_and_a_hash() -> None:
    namespace = "sqlserver://" + "h" * 5000

    found = resolved(namespace, "t")

    digest = hashlib.sha256(namespace.encode()).hexdigest()
    assert found.asset == AssetName("DataSet", f"sqlserver:{digest[:32]}/t")


@pytest.mark.parametrize(
    ("namespace", "name", "is_named"),
    [
        ("https://lake", "n" * (4096 - 12), True),
        ("https://lake", "n" * (4096 - 11), False),
        ("mystore12345678://" + "h" * 4078, "", True),
        ("mystore12345678://" + "h" * 4079, "", False),
    ],
)
def test_rules_are_tried_on_names_of_up_to_4_kb(namespace: str, name: str, is_named: bool) -> None:
    found = resolved(namespace, name)

    assert ("name-too-long" not in {note.code for note in found.notes}) is is_named
    if is_named or len(namespace) <= 4096:
        assert found.asset.qualified_name == "/".join(part for part in (namespace, name) if part)
    else:
        digest = hashlib.sha256(namespace.encode()).hexdigest()
        assert found.asset.qualified_name == f"mystore12345678:{digest[:32]}"


@pytest.mark.parametrize(
    ("namespace", "name", "database"),
    [
        ("sqlserver://host:1433", "dbo.orders", "dbo"),
        ("sqlserver://host:14330", "[DBO].[orders]", "DBO"),
        ("sqlserver://srv.database.windows.net", "guest.orders", "guest"),
        ("sqlserver://ws.sql.azuresynapse.net", "sys.tables", "sys"),
        ("postgres://h", "public.orders", "public"),
        ("postgres://h", "Information_Schema.tables", "Information_Schema"),
    ],
)
def test_schema_is_never_taken_for_the_database(namespace: str, name: str, database: str) -> None:
    found = resolved(namespace, name)

    assert (found.asset.type_name, found.asset.qualified_name) == ("DataSet", f"{namespace}/{name}")
    assert [note.code for note in found.notes] == ["database-missing"]
    assert f"{database!r} in {name} is a schema" in found.notes[0].text
    assert found.notes[0].dataset == found.dataset.id


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("sqlserver://h", "shop.orders"),
        ("sqlserver://h", "shop.dbo.orders"),
        ("sqlserver://h", "dbo.sales.orders"),
        ("sqlserver://h", "dbo..orders"),
        ("sqlserver://h;database=shop", "dbo.orders"),
        ("jdbc:sqlserver://h;databaseName=shop", "dbo.orders"),
        ("postgres://h/shop", "public.orders"),
        ("postgres://h/public", "orders"),
        ("mysql://h", "sys.orders"),
        ("oracle://h", "sys.orders"),
        ("hive://h", "public.orders"),
    ],
)
def test_no_note_where_the_database_is_known(namespace: str, name: str) -> None:
    assert resolved(namespace, name).notes == ()


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
def test_generic_names_contain_no_password(namespace: str) -> None:
    found = resolved(namespace, "t")

    assert "hunter2" not in repr((found.candidates, [note.text for note in found.notes]))
