"""examples/tutorial.py runs unchanged against the local Data Map, and says clearly what is wrong."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.data_map.server import running

TUTORIAL = Path(__file__).parent.parent.parent / "examples" / "tutorial.py"
LAKE = "https://contosolake.dfs.core.windows.net"


@pytest.fixture
def data_map() -> Iterator[str]:
    with running() as address:
        yield address


def tutorial(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(TUTORIAL)], env=variables, capture_output=True, text=True, timeout=60
    )


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def stored(data_map: str) -> dict[str, Any]:
    return {entity["attributes"]["name"]: entity for entity in get(f"{data_map}/_control/entities")}


def test_it_draws_two_sources_into_one_sink(data_map: str) -> None:
    run = tutorial(PURVIEW_ENDPOINT=data_map)

    assert run.returncode == 0, run.stderr
    entities = stored(data_map)
    process = entities.pop("build_customer_master → customer_master")
    assert set(entities) == {"customer", "address", "customer_master"}
    assert {entity["typeName"] for entity in entities.values()} == {"azure_datalake_gen2_resource_set"}
    assert process["typeName"] == "azure_synapse_operation"
    name = {short: entity["attributes"]["qualifiedName"] for short, entity in entities.items()}
    assert {qualified for _type, qualified in process["relationships"]["inputs"]} == {name["customer"], name["address"]}
    assert [qualified for _type, qualified in process["relationships"]["outputs"]] == [name["customer_master"]]


def test_the_columns_name_the_assets_that_were_made(data_map: str) -> None:
    tutorial(PURVIEW_ENDPOINT=data_map)
    entities = stored(data_map)
    mapping = json.loads(entities["build_customer_master → customer_master"]["attributes"]["columnMapping"])

    pairs = {(entry["DatasetMapping"]["Source"], entry["DatasetMapping"]["Sink"]) for entry in mapping}
    sink = entities["customer_master"]["attributes"]["qualifiedName"]
    assert pairs == {(entities[name]["attributes"]["qualifiedName"], sink) for name in ("customer", "address")}
    assert {"Source": "last_name", "Sink": "full_name"} in mapping[0]["ColumnMapping"]


def test_it_prints_guids_and_where_to_look(data_map: str) -> None:
    printed = tutorial(PURVIEW_ENDPOINT=data_map).stdout
    sink = stored(data_map)["customer_master"]["guid"]

    assert len(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}  azure_", printed)) == 4
    assert f"See it at {data_map}/asset/{sink}\n" in printed
    with urllib.request.urlopen(f"{data_map}/asset/{sink}", timeout=60) as page:
        assert page.status == 200


def test_a_second_run_makes_nothing_new(data_map: str) -> None:
    first = tutorial(PURVIEW_ENDPOINT=data_map)
    second = tutorial(PURVIEW_ENDPOINT=f"{data_map}/")

    assert first.stdout == second.stdout
    assert len(get(f"{data_map}/_control/entities")) == 4


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({}, "PURVIEW_ENDPOINT"),
        ({"PURVIEW_ENDPOINT": "https://contoso.purview.azure.com"}, "AZURE_TENANT_ID"),
        (
            {"PURVIEW_ENDPOINT": "https://contoso.purview.azure.com", "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"},
            "AZURE_CLIENT_SECRET",
        ),
    ],
)
def test_a_missing_variable_is_named(variables: dict[str, str], missing: str) -> None:
    run = tutorial(**variables)

    assert run.returncode == 1
    assert run.stderr.startswith(f"{missing} is not set. It is ")
    assert "Traceback" not in run.stderr


def test_a_refusal_is_reported(data_map: str) -> None:
    refusal = {"status": 403, "body": '{"errorCode": "ATLAS-403-00-001", "errorMessage": "not authorized"}'}
    control = urllib.request.Request(f"{data_map}/_control/faults", data=json.dumps(refusal).encode(), method="POST")
    urllib.request.urlopen(control, timeout=60).close()

    run = tutorial(PURVIEW_ENDPOINT=data_map)

    assert run.returncode == 1
    assert f"{data_map} refused the upload: " in run.stderr
    assert "not authorized" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_unavailable_service_is_reported() -> None:
    run = tutorial(PURVIEW_ENDPOINT="http://127.0.0.1:9")

    assert run.returncode == 1
    assert run.stderr.startswith("The upload to http://127.0.0.1:9 failed: ")
    assert "Traceback" not in run.stderr
