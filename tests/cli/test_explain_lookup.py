"""``sparklin explain --lookup``: what a real Data Map has of a dataset."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from typer.testing import CliRunner, Result

from cli.main import app
from local.data_map.server import running

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contracts/explain.schema.json").read_text("utf-8"))
LAKE = "abfss://raw@lake.dfs.core.windows.net"
HOST = "https://lake.dfs.core.windows.net/raw"
RESOURCE_SET, PATH = "azure_datalake_gen2_resource_set", "azure_datalake_gen2_path"


@pytest.fixture(scope="module")
def data_map() -> Iterator[str]:
    with running() as url:
        yield url


def run(data_map: str, *words: str, stdin: str = "") -> Result:
    environment = {"PURVIEW_ENDPOINT": data_map, "PURVIEW_AUTH": "none", "LINEAGE_STORAGE": ""}
    return CliRunner().invoke(app, ["explain", "--lookup", *words], input=stdin, env=environment)


def looked_up(data_map: str, namespace: str, name: str) -> dict[str, Any]:
    result = run(data_map, namespace, name)
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(answer, SCHEMA)
    return answer


def scanned(data_map: str, type_name: str, qualified_name: str) -> dict[str, str]:
    """Put an asset into the Data Map as a scan would: what ``explain`` reports about it."""
    entity = {"typeName": type_name, "guid": "-1", "attributes": {"qualifiedName": qualified_name, "name": "x"}}
    answer = requests.post(f"{data_map}/datamap/api/atlas/v2/entity/bulk", json={"entities": [entity]}, timeout=30)
    return {"type": type_name, "qualifiedName": qualified_name, "guid": answer.json()["guidAssignments"]["-1"]}


def test_an_asset_that_does_not_exist_would_be_created(data_map: str) -> None:
    answer = looked_up(data_map, LAKE, "nothing/here")
    assert answer["asset"] is None
    assert {candidate["guid"] for candidate in answer["candidates"]} == {None}


def test_existing_names_show_their_guid(data_map: str) -> None:
    folder = scanned(data_map, PATH, f"{HOST}/crm/exact/")
    answer = looked_up(data_map, LAKE, "crm/exact")
    assert answer["asset"] == folder
    assert [item for item in answer["candidates"] if item["guid"]] == [folder]


def test_a_resource_set_is_preferred_to_a_folder(data_map: str) -> None:
    scanned(data_map, PATH, f"{HOST}/crm/both/")
    wanted = scanned(data_map, RESOURCE_SET, f"{HOST}/crm/both/{{SparkPartitions}}")
    assert looked_up(data_map, LAKE, "crm/both")["asset"] == wanted


def test_the_search_finds_an_asset_without_an_exact_name(data_map: str) -> None:
    table = scanned(data_map, "azure_sql_table", "mssql://srv.database.windows.net/Shop/dbo/Orders")
    answer = looked_up(data_map, "sqlserver://srv.database.windows.net", "shop.dbo.orders")
    assert answer["asset"] == table
    assert {candidate["guid"] for candidate in answer["candidates"]} == {None}


def test_lines_are_looked_up_one_by_one(data_map: str) -> None:
    folder = scanned(data_map, PATH, f"{HOST}/crm/lines/")
    lines = "\n".join(json.dumps({"namespace": LAKE, "name": name}) for name in ("crm/lines", "crm/other"))
    result = run(data_map, "--jsonl", stdin=lines)
    assert [json.loads(line)["asset"] for line in result.stdout.splitlines()] == [folder, None]


def test_without_an_endpoint_the_setting_is_named() -> None:
    result = run("", LAKE, "x")
    assert result.exit_code == 2
    assert "PURVIEW_ENDPOINT is missing" in result.stderr
    assert "LINEAGE_STORAGE" not in result.stderr


def test_an_unavailable_catalogue_is_an_error() -> None:
    result = run("http://127.0.0.1:9", LAKE, "x")
    assert result.exit_code != 0
    assert result.stdout == ""


def test_people_see_what_is_in_the_catalogue(data_map: str) -> None:
    folder = scanned(data_map, PATH, f"{HOST}/crm/text/")

    found = run(data_map, LAKE, "crm/text", "--text").stdout.splitlines()
    missing = run(data_map, LAKE, "crm/none", "--text").stdout.splitlines()

    assert f"    in the catalogue: {folder['guid']}" in found
    assert f"asset used: {PATH} {HOST}/crm/text/ ({folder['guid']})" in found
    assert "asset used: none: it would be created" in missing
    assert not any("in the catalogue:" in line for line in missing)
