"""``sparklin explain``: names in, one line of JSON out, each fault reported with its place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from cli.main import app

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contracts/explain.schema.json").read_text("utf-8"))
LAKE = "abfss://raw@lake.dfs.core.windows.net"
HOST = "https://lake.dfs.core.windows.net/raw"
GUIDS = {"Sales": "0f6c6f8e-1111-4a4a-8b8b-000000000001", "Sales/L.Lakehouse": "0f6c6f8e-2222-4a4a-8b8b-000000000002"}
TABLE = (
    "https://app.fabric.microsoft.com/groups/0f6c6f8e-1111-4a4a-8b8b-000000000001"
    "/lakehouses/0f6c6f8e-2222-4a4a-8b8b-000000000002/tables/t"
)


def run(*words: str, stdin: str | bytes = "", **environment: str) -> Result:
    return CliRunner().invoke(app, ["explain", *words], input=stdin, env=environment)


def answers(result: Result) -> list[dict[str, Any]]:
    """The lines of stdout, each checked against the contract."""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    return lines


def asked(*questions: Mapping[str, Any], **environment: str) -> list[dict[str, Any]]:
    result = run("--jsonl", stdin="\n".join(json.dumps(question) for question in questions), **environment)
    assert result.exit_code == 0, result.stderr
    return answers(result)


def test_one_name_gives_one_line() -> None:
    result = run(LAKE, "/crm/customer")

    assert result.exit_code == 0
    assert answers(result) == [
        {
            "type": "azure_datalake_gen2_resource_set",
            "qualifiedName": f"{HOST}/crm/customer/{{SparkPartitions}}",
            "rule": "adls-gen2",
            "candidates": [
                {"type": kind, "qualifiedName": f"https://lake.{host}.core.windows.net/raw/crm/customer{tail}"}
                for kind, host, tail in [
                    ("azure_datalake_gen2_resource_set", "dfs", "/{SparkPartitions}"),
                    ("azure_datalake_gen2_path", "dfs", "/"),
                    ("azure_datalake_gen2_path", "dfs", ""),
                    ("azure_blob_resource_set", "blob", "/{SparkPartitions}"),
                    ("azure_blob_path", "blob", "/"),
                    ("azure_blob_path", "blob", ""),
                ]
            ],
            "notes": [],
        }
    ]


def test_empty_name_is_the_container() -> None:
    assert answers(run(LAKE, ""))[0]["qualifiedName"] == HOST


def test_name_in_other_scripts_is_printed_unchanged() -> None:
    result = run(LAKE, "/umsätze/売上")

    assert "/umsätze/売上/" in result.stdout
    answers(result)


def test_a_lone_surrogate_is_still_json() -> None:
    found = asked({"namespace": LAKE, "name": "a\ud83d"})

    assert found[0]["qualifiedName"] == f"{HOST}/a\ud83d/{{SparkPartitions}}"


def test_a_partition_folder_means_a_folder() -> None:
    line = asked({"namespace": LAKE, "name": "x.parquet/day=1"})[0]

    assert line["qualifiedName"] == f"{HOST}/x.parquet/{{SparkPartitions}}"
    assert answers(run(LAKE, "x.parquet/day=1")) == [line]


def test_lines_are_answered_in_their_order() -> None:
    found = asked(*({"namespace": LAKE, "name": f"t{n}x"} for n in range(5)))

    assert [line["qualifiedName"] for line in found] == [f"{HOST}/t{n}x/{{SparkPartitions}}" for n in range(5)]


@pytest.mark.parametrize(
    "mount_points",
    [[{"mountPoint": "/mnt/raw", "source": f"{LAKE}/x"}], {"/mnt/raw": f"{LAKE}/x"}],
    ids=["as in the facet", "as a mapping"],
)
def test_mount_points(mount_points: object) -> None:
    found = asked({"namespace": "dbfs", "name": "/mnt/raw/t", "context": {"mountPoints": mount_points}})

    assert found[0]["qualifiedName"] == f"{HOST}/x/t/{{SparkPartitions}}"


def test_context_of_the_line() -> None:
    onelake = {"namespace": "abfss://Sales@onelake.dfs.fabric.microsoft.com", "name": "L.Lakehouse/Tables/t"}
    found = asked(
        {**onelake, "context": {"oneLakeIds": GUIDS}},
        {"namespace": "hive://h:9083", "name": "d.t", "context": {"hiveCluster": "prod"}},
        {"namespace": "unitycatalog://adb", "name": "c.s.t", "context": {"metastoreIds": {"adb": "m1"}}},
        {"namespace": "sqlserver://h", "name": "d.s.t", "context": {"sqlKinds": {"h": "azure_sql_dw_table"}}},
        {**onelake, "context": None, "facets": None},
    )

    assert [line["qualifiedName"] for line in found[:3]] == [
        TABLE,
        "d.t@prod",
        "databricks://m1/catalogs/c/schemas/s/tables/t",
    ]
    assert found[3]["type"] == "azure_sql_dw_table"
    assert found[4]["type"] == "DataSet"
    assert {note["code"] for note in found[4]["notes"]} == {"onelake-id-unknown"}


def test_settings_are_the_defaults_of_the_context(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "own"\nscheme = "x"\ntype = "t"\nqualified_name = "q/{name}"', "utf-8")
    found = asked(
        {"namespace": "abfss://Sales@onelake.dfs.fabric.microsoft.com", "name": "L.Lakehouse/Tables/t"},
        {"namespace": "hive://h:9083", "name": "d.t"},
        {"namespace": "hive://h:9083", "name": "d.t", "context": {"hiveCluster": "other"}},
        {"namespace": "unitycatalog://adb", "name": "c.s.t"},
        {"namespace": "sqlserver://h", "name": "d.s.t"},
        {"namespace": "x://h", "name": "n"},
        ONELAKE_IDS=json.dumps(GUIDS),
        HIVE_CLUSTER="prod",
        METASTORE_IDS='{"adb": "m1"}',
        SQL_KINDS='{"h/d": "azure_sql_dw_table"}',
        NAME_RULES_FILE=str(rules),
    )

    assert [line["qualifiedName"] for line in found] == [
        TABLE,
        "d.t@prod",
        "d.t@other",
        "databricks://m1/catalogs/c/schemas/s/tables/t",
        "mssql://h/d/s/t",
        "q/n",
    ]


def test_symlinks_facet_is_read_as_in_events() -> None:
    link = {"namespace": "hive://meta:9083", "name": "crm.customer", "type": "TABLE"}
    found = asked(
        {"namespace": LAKE, "name": "x", "facets": {"symlinks": {"identifiers": [link, {"name": 3}, "?"]}}},
        {"namespace": LAKE, "name": "x", "facets": {"symlinks": "odd", "storage": {"storageLayer": 1}}},
    )

    assert {"type": "hive_table", "qualifiedName": "crm.customer@meta"} in found[0]["candidates"]
    assert len(found[1]["candidates"]) == 6


def test_a_storage_facet_means_a_folder() -> None:
    found = asked({"namespace": LAKE, "name": "t.parquet", "facets": {"storage": {"storageLayer": "delta"}}})

    assert found[0]["type"] == "azure_datalake_gen2_resource_set"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", "must be a JSON object"),
        (b'{"name": "n"}', "field 'namespace' is missing"),
        (b'{"namespace": "n"}', "field 'name' is missing"),
        (b'{"namespace": "n", "name": 3}', "field 'name' must be a string"),
        (b'{"namespace": "", "name": ""}', "namespace and name are both empty"),
        (b'{"namespace": " ", "name": "/"}', "namespace and name are both empty"),
        (b'{"namespace": "n", "name": "", "facets": []}', "field 'facets' must be an object"),
        (b'{"namespace": "n", "name": "", "context": 1}', "field 'context' must be an object"),
        (b'{"namespace": "n", "name": "", "context": {"hiveCluster": 1}}', "field 'context.hiveCluster'"),
        (b'{"namespace": "n", "name": "", "context": {"sqlKinds": {"h": 1}}}', "field 'context.sqlKinds.h'"),
        (b'{"namespace": "n", "name": "", "context": {"mountPoints": 1}}', "field 'context.mountPoints'"),
        (b'{"namespace": "n", "name": "", "context": {"mountPoints": [1]}}', "field 'context.mountPoints[0]'"),
        (
            b'{"namespace": "n", "name": "", "context": {"mountPoints": [{"mountPoint": "/m"}]}}',
            "field 'context.mountPoints[0].source' is missing",
        ),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_answered(line: bytes, said: str) -> None:
    good = json.dumps({"namespace": LAKE, "name": "t"}).encode()

    result = run("--jsonl", stdin=b"\n".join([good, b"", line, good]))

    assert result.exit_code == 0
    first, fault, last = answers(result)
    assert first == last
    assert fault["error"].startswith("line 3: ")
    assert said in fault["error"]
    assert fault["error"] in result.stderr


def test_an_unknown_key_of_the_context_is_only_a_warning() -> None:
    result = run("--jsonl", stdin='{"namespace": "n", "name": "", "context": {"cluster": 1}}')

    assert result.exit_code == 0
    assert "line 1: context.cluster is unknown" in result.stderr


def test_byte_order_mark_and_windows_line_ends() -> None:
    result = run("--jsonl", stdin=b'\xef\xbb\xbf{"namespace": "kafka://b", "name": "t"}\r\n\r\n')

    assert [line["qualifiedName"] for line in answers(result)] == ["kafka://b/t"]


def test_no_lines_no_answers() -> None:
    result = run("--jsonl")

    assert (result.exit_code, result.stdout) == (0, "")


def test_context_on_the_command_line() -> None:
    assert answers(run("hive://h", "d.t", "--context", '{"hiveCluster": "prod"}'))[0]["qualifiedName"] == "d.t@prod"


@pytest.mark.parametrize(
    "words",
    [
        [],
        [LAKE],
        ["--jsonl", LAKE, "t"],
        ["--jsonl", "--context", "{}"],
        ["", ""],
        [" ", "/"],
        [LAKE, "t", "more"],
        [LAKE, "t", "--nope"],
        [LAKE, "t", "--context", "{"],
        [LAKE, "t", "--context", '{"hiveCluster": 1}'],
    ],
)
def test_wrong_usage_is_exit_2(words: list[str]) -> None:
    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_wrong_setting_is_named() -> None:
    result = run(LAKE, "t", ONELAKE_IDS="3")

    assert result.exit_code == 2
    assert "ONELAKE_IDS" in result.stderr


def test_fault_in_the_rules_file_is_named(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "own"\nscheme = 3', "utf-8")

    result = run(LAKE, "t", NAME_RULES_FILE=str(rules))

    assert result.exit_code == 2
    assert "rule 'own', field 'scheme'" in result.stderr


def test_a_person_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    result = CliRunner().invoke(app, ["explain", "abfss://S@onelake.dfs.fabric.microsoft.com", "L.Lakehouse/Tables/t"])

    assert "rule: onelake-lakehouse-table" in result.stdout
    assert "note:" in result.stdout
    assert "{" not in result.stdout


def test_help() -> None:
    result = run("--help")

    assert result.exit_code == 0
    assert "--jsonl" in result.stdout
