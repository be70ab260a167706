"""``sparklin preview``: files of events in, what would be uploaded out."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.corpus import CORPUS, SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.tiers import recorded

CONTRACT = json.loads((CORPUS.parent.parent / "docs" / "contracts" / "preview.schema.json").read_text())
TUTORIAL = f"{SPARK_35}/tutorial_customer_master"


def preview(*paths: Path, exit_code: int = 0) -> Any:
    """The JSON that the command prints, checked against its contract."""
    result = CliRunner().invoke(app, ["preview", *map(str, paths)])
    assert result.exit_code == exit_code, result.stderr
    shown = json.loads(result.stdout) if result.stdout else None
    if shown is not None:
        jsonschema.validate(shown, CONTRACT)
    return shown


@pytest.mark.parametrize("scenario", recorded("/"))
def test_the_output_for_every_recording_fits_the_schema(scenario: str) -> None:
    shown = preview(CORPUS / scenario)
    names = [item["process"]["qualifiedName"] for item in shown]
    assert names == sorted(set(names))
    for item in shown:
        mapped = {
            (m["DatasetMapping"]["Source"], m["DatasetMapping"]["Sink"]) for m in item["process"]["columnMapping"]
        }
        inputs = {asset["qualifiedName"] for asset in item["process"]["inputs"]}
        outputs = {asset["qualifiedName"] for asset in item["process"]["outputs"]}
        assert mapped <= {(source, sink) for source in inputs for sink in outputs}


def test_the_tutorial_is_shown_as_expected_by_hand() -> None:
    (item,) = preview(CORPUS / TUTORIAL)
    lake = "https://contosolake.dfs.core.windows.net"
    sink = f"{lake}/curated/customer_master_delta/{{SparkPartitions}}"
    customer = f"{lake}/data/raw/crm/customer/{{SparkPartitions}}"
    address = f"{lake}/data/raw/crm/address/{{SparkPartitions}}"
    assert item["runs"] == ["01a204f9-ced0-75cb-96b6-56e74817518a"]
    assert item["process"]["qualifiedName"] == f"sparklin://contoso-syn/customer_master#{sink}"
    assert item["process"]["name"] == "customer_master → customer_master_delta"
    assert [asset["qualifiedName"] for asset in item["process"]["inputs"]] == [address, customer]
    assert {asset["typeName"] for asset in item["process"]["inputs"]} == {"azure_datalake_gen2_resource_set"}
    columns = {column["column"]: column["from"] for column in item["columns"]}
    assert columns == {
        "customer_id": [[customer, "id"]],
        "full_name": [[customer, "first_name"], [customer, "last_name"]],
        "city": [[address, "city"]],
        "address_updated": [[address, "updated"]],
        "area": [[address, "street"]],
        "country": [[address, "country"], [customer, "country"]],
        "source_system": [],
        "rn": [],
        "email_masked": [[customer, "email"]],
    }
    uses = {tuple(use) for column in item["columns"] if column["column"] == "area" for use in column["indirect"]}
    assert uses == {
        (customer, "id", "JOIN"),
        (address, "customer_id", "JOIN"),
        (customer, "created", "FILTER"),
        (address, "zip", "CONDITIONAL"),
    }


def test_every_way_of_packing_the_same_events_shows_the_same(tmp_path: Path) -> None:
    found = bodies(TUTORIAL)
    random.Random(7).shuffle(found)
    lines, array, packed, folder = (tmp_path / name for name in ("a.jsonl", "b.json", "c.json.gz", "folder"))
    lines.write_bytes(b"\n".join(json.dumps(json.loads(body)).encode() for body in found))
    array.write_bytes(b"[" + b",".join(found) + b"]")
    packed.write_bytes(gzip.compress(lines.read_bytes()))
    (folder / "deep").mkdir(parents=True)
    for number, content in enumerate(found):
        (folder / "deep" / f"{number}.json").write_bytes(b"\xef\xbb\xbf" + content)
    (folder / "notes.txt").write_text("no events here")
    expected = preview(CORPUS / TUTORIAL)
    assert [preview(path) for path in (lines, array, packed, folder)] == [expected] * 4
    assert preview(folder, folder, lines) == expected


UNREADABLE = [
    (b"", "empty"),
    (b"hello", "JSON"),
    (b'{"a": 1}', "$.run"),
    (b"\x1f\x8bbroken", ""),
    (b'{"schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"}', "without a run"),
]


@pytest.mark.parametrize(("content", "reason"), UNREADABLE)
def test_unreadable_files_are_named_and_the_rest_is_shown(tmp_path: Path, content: bytes, reason: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(content)
    alone = CliRunner().invoke(app, ["preview", str(broken)])
    assert (alone.exit_code, alone.stdout) == (1, "")
    beside = CliRunner().invoke(app, ["preview", str(broken), str(CORPUS / TUTORIAL)])
    assert beside.exit_code == 0
    assert f"{broken}: " in beside.stderr
    assert reason in beside.stderr
    assert len(json.loads(beside.stdout)) == 1


def test_usage_errors(tmp_path: Path) -> None:
    for arguments in (["preview"], ["preview", str(tmp_path / "missing")], ["preview", "--unheard-of"]):
        assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_failed_run_is_not_shown() -> None:
    names = [item["process"]["name"] for item in preview(CORPUS / f"{SPARK_35}/failing_udf_plain_spark")]
    assert names == ["nb_fail → verified_orders_ok"]


def test_nothing_to_show_is_an_empty_list() -> None:
    assert preview(CORPUS / f"{SPARK_35}/no_lineage_actions") == []


def test_a_folder_without_event_files_is_named(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    (other / "_e.json").write_bytes(bodies(TUTORIAL)[0])
    said = "no event files (.json, .json.gz, JSON lines) in"

    alone = CliRunner().invoke(app, ["preview", str(empty), str(other)])
    beside = CliRunner().invoke(app, ["preview", str(empty), str(CORPUS / TUTORIAL)])

    assert (alone.exit_code, alone.stderr) == (1, f"{said} {empty}\n{said} {other}\n")
    assert (beside.exit_code, beside.stderr) == (0, f"{said} {empty}\n")


@pytest.mark.parametrize(
    ("ends", "beginning"), [([], "The run has"), (["COMPLETE"], "1 of 2 runs have"), (["FAIL"], "The")]
)
def test_a_run_without_an_end_gets_a_note(tmp_path: Path, ends: list[str], beginning: str) -> None:
    for number, kind in enumerate(["START", *ends]):
        made = event(kind, run=f"run-{number}", inputs=[dataset("s")], outputs=[dataset("t")])
        (tmp_path / f"{number}.json").write_bytes(body(made))

    (item,) = preview(tmp_path)

    (text,) = [note["text"] for note in item["notes"] if note["code"] == "not-ended"]
    assert text.startswith(beginning)
    assert "SETTLE_AFTER_MINUTES" in text


def test_an_ended_run_gets_no_such_note() -> None:
    (item,) = preview(CORPUS / TUTORIAL)

    assert "not-ended" not in [note["code"] for note in item["notes"]]


def test_help_says_what_is_read() -> None:
    shown = " ".join(CliRunner().invoke(app, ["preview", "--help"]).stdout.replace("│", " ").split())

    assert "an array of events" in shown
    assert "names that begin with _ or . are skipped" in shown


def test_what_spark_writes_is_a_folder_whatever_its_name_looks_like(tmp_path: Path) -> None:
    written = event(inputs=[dataset("raw/in.csv", ["a"])], outputs=[dataset("out/orders.parquet", ["a"])])
    (tmp_path / "1.json").write_bytes(body(written))
    (item,) = preview(tmp_path)
    (source,), (sink,) = item["process"]["inputs"], item["process"]["outputs"]
    assert (source["typeName"], source["qualifiedName"].rpartition("/")[2]) == ("azure_datalake_gen2_path", "in.csv")
    assert sink["typeName"] == "azure_datalake_gen2_resource_set"
    assert sink["qualifiedName"].endswith("/out/orders.parquet/{SparkPartitions}")
