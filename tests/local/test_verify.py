"""``sparklin verify`` on the local stack: every claim, what it reports, and that nothing is left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from typer.testing import CliRunner, Result

from cli.main import app
from cli.verification import catalogue_types, log_queries, processing, receiving
from cli.verification.claim import Claim, State
from cli.verification.log_queries import alert_queries
from cli.verification.report import Cleaner
from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from storage.clients import CONTAINERS, TABLES, StorageClients, connect
from tests.support.health import wait_until_healthy
from tests.support.processes import ROOT

# A stack of its own: what other tests sent must not be processed while this test looks at what is left.
pytestmark = pytest.mark.xdist_group("verify")

SCHEMA = json.loads((ROOT / "docs" / "contracts" / "verify.schema.json").read_text("utf-8"))
CLAIMS = [claim for part in (receiving, catalogue_types, processing, log_queries) for claim in part.ALL]
# What only Azure, or a setting, can show.
UNKNOWN_HERE = {"private mode", "collection", "alerts' queries", "log lines", "key tags"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("verify"), in_memory=True) as running:
        wait_until_healthy(running.receiver)
        yield running


def run(stack: Stack, folder: Path, *options: str) -> Result:
    assert stack.data_map
    environment = {
        "LINEAGE_STORAGE": stack.azurite.connection_string,
        "PURVIEW_ENDPOINT": stack.data_map.url,
        "PURVIEW_AUTH": "none",
        "SPARKLIN_RECEIVER": stack.receiver,
        "SPARKLIN_FUNCTION_KEY": stack.keys.function,
    }
    return CliRunner().invoke(app, ["verify", "--report", str(folder / "report"), *options], env=environment)


def stored(clients: StorageClients) -> list[str]:
    """The rows and blobs of the app, without locks and the version's row."""
    rows = [
        f"{name}/{row['PartitionKey']}/{row['RowKey']}"
        for name in TABLES
        for row in clients.table(name).list_entities()
    ]
    blobs = [f"{name}/{blob}" for name in CONTAINERS for blob in clients.container(name).list_blob_names()]
    kept = ("EventMetadata/version", "EventMetadata/closed", "EventMetadata/migration", "locks/")
    return sorted(each for each in rows + blobs if not each.startswith(kept))


def entities(stack: Stack) -> Any:
    assert stack.data_map
    return requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()


def test_every_claim_is_walked_through_and_nothing_is_left(stack: Stack, tmp_path: Path) -> None:
    clients = connect(StorageConnection(connection_string=stack.azurite.connection_string))
    before = stored(clients), entities(stack)

    result = run(stack, tmp_path)

    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, SCHEMA)
    assert shown["network"] == "public"
    states = {claim["name"]: claim["state"] for claim in shown["claims"]}
    assert states.keys() == {claim.name for claim in CLAIMS}
    assert {name for name, state in states.items() if state == "unknown"} - {"timer"} == UNKNOWN_HERE, result.stdout
    assert (stored(clients), entities(stack)) == before
    texts = [result.stdout, (tmp_path / "report.md").read_text(), (tmp_path / "report.json").read_text()]
    secrets = (stack.keys.function, stack.azurite.connection_string, "127.0.0.1")
    assert [secret for secret in secrets for text in texts if secret in text] == []
    assert all(f"{claim['claim']} |" in texts[1] for claim in shown["claims"])


@pytest.mark.exhaustive
def test_a_delivery_that_does_not_come_is_a_refuted_claim(stack: Stack, tmp_path: Path) -> None:
    stack.misdeliver_events(drop=True)
    try:
        result = run(stack, tmp_path, "--wait", "2")
    finally:
        stack.misdeliver_events()

    assert result.exit_code == 1
    (claim,) = (each for each in json.loads(result.stdout)["claims"] if each["name"] == "blob trigger")
    assert (claim["state"], claim["seen"]) == ("refuted", "not processed within 2 s")


def test_names_and_secrets_are_taken_out_of_what_was_seen() -> None:
    claim = Claim("a", "b", "c").judged(
        True, "key s3cret at stx.blob.core.windows.net, 01a204f9-ced0-75cb-96b6-56e74817518a"
    )

    plain = Cleaner(["s3cret"], hash_names=False).claim(claim)
    hashed = Cleaner(["s3cret"], hash_names=True).claim(claim)

    assert plain.seen == "key … at stx.blob.core.windows.net, 01a204f9-ced0-75cb-96b6-56e74817518a"
    assert hashed.seen.count("name-") == 2
    assert hashed.state is State.VERIFIED


def test_the_queries_of_all_alerts_are_those_of_the_template() -> None:
    found = alert_queries(ROOT / "infra" / "azuredeploy.json")

    assert len(found) == (ROOT / "infra" / "modules" / "alerts.bicep").read_text("utf-8").count("query: '''")


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.name for claim in CLAIMS])
def test_a_claim_names_a_page_that_exists(claim: Claim) -> None:
    page, _, anchor = claim.page.partition("#")
    text = (ROOT / page).read_text("utf-8")
    anchors = {
        line.lstrip("# ").strip().lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")
    }

    assert not anchor or anchor in anchors
