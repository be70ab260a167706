"""What is the same dataset or run, however it is spelled."""

import pytest

from core.identity import dataset_id, is_file_namespace, run_key

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


def test_which_namespaces_hold_files() -> None:
    assert is_file_namespace(LAKE)
    assert not is_file_namespace("postgres://h")


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
