"""What is the same dataset or run, however it is spelled."""

import pytest

from core.identity import (
    column_name,
    dataset_id,
    is_file_namespace,
    is_folder_name,
    is_guid,
    plain_name,
    run_key,
    unquoted,
)

LAKE = "abfss://data@contosolake.dfs.core.windows.net"

SAME = [
    (LAKE, "/raw/crm/customer", LAKE, "raw/crm/customer"),
    (LAKE, "raw//crm/customer/", LAKE, "raw/crm/customer"),
    ("abfs://data@ContosoLake.dfs.core.windows.net/", "raw", LAKE, "raw"),
    (LAKE, "raw/day=2024-01-01/hour=3", LAKE, "raw"),
    (LAKE, "day=2024-01-01", LAKE, "day=2024-01-01"),
    ("s3a://Bucket", "k", "s3://bucket", "k"),
    ("wasb://c@h", "k", "wasbs://c@h", "k"),
    ("postgresql://Host:5432", "db.public.t", "postgres://host:5432", "db.public.t"),
    ("sqlserver://Host:1433;database=DB", "DB.dbo.T", "sqlserver://host:1433", "DB.dbo.T"),
    ("sqlserver://Host:1433;database=DB;password=x", "dbo.T", "sqlserver://host:1433", "DB.dbo.T"),
    ("sqlserver://Host;databaseName=DB", "[dbo].[T]", "sqlserver://host", "DB.[dbo].[T]"),
    ("sqlserver://Host;instanceName=I;database=DB", "T", "sqlserver://host;instanceName=I", "DB.T"),
    ("sqlserver://h;databaseName={My Db}", "dbo.t", "sqlserver://h", "[My Db].dbo.t"),
    ("sqlserver://h;database=Db", "DB.dbo.t", "sqlserver://h", "DB.dbo.t"),
    ("sqlserver://h;database=Db", "[db].dbo.t", "sqlserver://h", "[db].dbo.t"),
    ("sqlserver://h;database=Db", "Dbx.dbo.t", "sqlserver://h", "Db.Dbx.dbo.t"),
    ("sqlserver://h;database=A;databasename=B;Database=C", "t", "sqlserver://h", "A.t"),
    ("sqlserver://h;encrypt=true", "dbo.t", "sqlserver://h", "dbo.t"),
    ("sqlserver://h;instanceName=I", "t", "sqlserver://h;instanceName=I", "t"),
    ("sqlserver://h;instanceName=I;database=Db", "Db.dbo.t", "sqlserver://h;instanceName=I", "Db.dbo.t"),
    ("sqlserver://;serverName=SRV;port=1433;database=Db", "dbo.t", "sqlserver://srv:1433", "Db.dbo.t"),
    ("sqlserver://;server=SRV;portNumber=1", "dbo.t", "sqlserver://srv:1", "dbo.t"),
    ("sqlserver://;serverName=a::1;database=Db", "dbo.t", "sqlserver://[a::1]", "Db.dbo.t"),
    ("sqlserver://;serverName=[A::1];port=5;database=Db", "dbo.t", "sqlserver://[a::1]:5", "Db.dbo.t"),
    ("sqlserver://;serverName=a:1;database=Db", "dbo.t", "sqlserver://a:1", "Db.dbo.t"),
    ("sqlserver://;database=Db", "dbo.t", "sqlserver://", "Db.dbo.t"),
    # A query belongs to the whole address.
    ("sqlserver://h;database=Db", "(select 1) q", "sqlserver://h;database=Db", "(select 1) q"),
    ("sqlserver://h;database=Db", " SELECT 1", "sqlserver://h;database=Db", "SELECT 1"),
    ("sqlserver://h;database=Db", "xCOMPLEX", "sqlserver://h;database=Db", "xCOMPLEX"),
    ("postgres://h;database=Db", "t", "postgres://h;database=Db", "t"),
    ("postgres://me:secret@Host:5432/shop?password=x", "t", "postgres://host:5432/shop", "t"),
    ("oracle:thin:scott/tiger@//h:1521/orcl", "HR.T", "oracle:thin://h:1521/orcl", "HR.T"),
    (LAKE, "raw/day.csv?sv=1&sig=secret", LAKE, "raw/day.csv"),
    (" file ", " /tmp/x ", "file", "tmp/x"),
    ("kafka://broker:9092", "topic=x/y=z", "kafka://broker:9092", "topic=x/y=z"),
]


@pytest.mark.parametrize(("namespace", "name", "expected_namespace", "expected_name"), SAME)
def test_one_dataset_has_one_spelling(namespace: str, name: str, expected_namespace: str, expected_name: str) -> None:
    found = dataset_id(namespace, name)
    assert (found.namespace, found.name) == (expected_namespace, expected_name)


@pytest.mark.parametrize(("namespace", "name"), [(LAKE, "/raw/Crm"), ("mysql://h", "a.b"), ("x", "y=1/z=2")])
def test_a_spelling_is_final(namespace: str, name: str) -> None:
    found = dataset_id(namespace, name)
    assert dataset_id(found.namespace, found.name) == found


def test_names_keep_their_case() -> None:
    assert dataset_id(LAKE, "Raw") != dataset_id(LAKE, "raw")


def test_which_namespaces_contain_files() -> None:
    assert is_file_namespace(LAKE)
    assert not is_file_namespace("postgres://h")


@pytest.mark.parametrize(
    ("namespace", "name", "is_folder"),
    [
        (LAKE, "raw/crm", False),
        (LAKE, "raw/crm/", True),
        (LAKE, "raw/day=2024-01-01", True),
        (LAKE, "raw/part-00000-5d1f0a3e-2b7c-4f6e-9a57-1c2d3e4f5a6b-c000.snappy.parquet", True),
        (LAKE, " / ", False),
        ("postgres://h", "shop.public.t", False),
        ("postgres://h", "raw/day=2024-01-01", False),
    ],
)
def test_which_names_can_only_be_those_of_folders(namespace: str, name: str, is_folder: bool) -> None:
    assert is_folder_name(namespace, name) is is_folder


QUOTED = [
    ("id", "id"),
    ('"id"', "id"),
    ('"i"', "i"),
    ('"a ""b"""', 'a "b"'),
    ('""', '""'),
    ('"', '"'),
    ('"id', '"id'),
    ('id"', 'id"'),
    ("", ""),
]


@pytest.mark.parametrize(("name", "expected"), QUOTED)
def test_a_name_is_read_without_the_quotes_around_it(name: str, expected: str) -> None:
    assert unquoted(name) == expected


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("snowflake://org-account", '"Order Id"', "Order Id"),
        ("Snowflake://org-account", '"ID"', "ID"),
        ("postgres://h", '"ID"', '"ID"'),
        (LAKE, '"ID"', '"ID"'),
    ],
)
def test_only_the_columns_of_snowflake_come_in_quotes(namespace: str, name: str, expected: str) -> None:
    assert column_name(namespace, name) == expected


@pytest.mark.parametrize("spelling", ["Sales Lake", "sales%20lake", "SALES%2520LAKE"])
def test_all_spellings_of_a_name_in_onelake_have_one_form(spelling: str) -> None:
    assert plain_name(spelling) == "sales lake"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01a204f9-ced0-75cb-96b6-56e74817518a", True),
        ("01A204F9-CED0-75CB-96B6-56E74817518A", True),
        ("01a204f9ced075cb96b656e74817518a", False),
        ("{01a204f9-ced0-75cb-96b6-56e74817518a}", False),
        ("", False),
    ],
)
def test_what_a_guid_is(text: str, expected: bool) -> None:
    assert is_guid(text) is expected


RUNS = [
    ("01A204F9-CED0-75CB-96B6-56E74817518A", "01a204f9-ced0-75cb-96b6-56e74817518a"),
    ("01a204f9-ced0-75cb-96b6-56e74817518a", "01a204f9-ced0-75cb-96b6-56e74817518a"),
]


@pytest.mark.parametrize(("run_id", "expected"), RUNS)
def test_a_uuid_is_its_own_key(run_id: str, expected: str) -> None:
    assert run_key(run_id) == expected


@pytest.mark.parametrize(
    "run_id", ["", "../../etc", "a/b\\c#d?e", "\x00", "\ud800", "😀" * 5000, "{01a204f9-ced0-75cb-96b6-56e74817518a}"]
)
def test_every_other_run_id_becomes_a_safe_key(run_id: str) -> None:
    key = run_key(run_id)
    assert len(key) == 34
    assert key.startswith("x-")
    assert int(key[2:], 16) >= 0
