"""Commands work with the rights of a reader, and create nothing in a storage account."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import generate_account_sas
from typer.testing import CliRunner, Result

from cli.main import app
from pipeline.services import Services
from storage.clients import connect, missing_parts
from tests.support.events import body, dataset, event
from tests.support.storage_accounts import StorageAccounts
from tests.support.universe import Universe


@pytest.fixture
def reader(services: Services) -> str:
    """A connection string with which blobs and tables can be read and listed, and queues not even that."""
    parts = dict(
        part.split("=", 1) for part in services.settings.lineage_storage.connection_string.rstrip(";").split(";")
    )
    until = datetime.now(UTC) + timedelta(hours=1)
    token = generate_account_sas(parts["AccountName"], parts["AccountKey"], "sco", "rl", until, services="bt")
    kept = {name: value for name, value in parts.items() if name.endswith(("Protocol", "Endpoint"))}
    return ";".join(f"{name}={value}" for name, value in {**kept, "SharedAccessSignature": token}.items())


def sparklin(services: Services, storage: str, *words: str) -> Result:
    known = {"LINEAGE_STORAGE": storage, "PURVIEW_ENDPOINT": services.settings.purview_endpoint, "PURVIEW_AUTH": "none"}
    return CliRunner().invoke(app, words, env=known)


@pytest.mark.parametrize("command", ["status", "show"])
def test_a_reader_can_run_reading_commands(universe: Universe, reader: str, command: str) -> None:
    universe.deliver(body(event(run="run-1", inputs=[dataset("s")], outputs=[dataset("t")])))
    words = {"status": ["status"], "show": ["show", universe.run_id("run-1")]}
    result = sparklin(universe.services, reader, *words[command])
    assert result.exit_code == 0, result.stderr
    assert "Processed" in json.dumps(json.loads(result.stdout))


@pytest.mark.parametrize("words", [["status"], ["show", "a job"], ["replay", "--dead-letters"], ["relink"]])
def test_an_account_that_the_app_has_not_used_is_reported_in_a_sentence(
    services: Services, storage_accounts: StorageAccounts, words: list[str]
) -> None:
    empty = storage_accounts.new()
    before = missing_parts(connect(empty), 15)
    result = sparklin(services, empty.connection_string, *words)
    sentence, next_step = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has not started yet" in sentence
    assert next_step == (
        "`sparklin doctor` names what is missing. Start the app, or if it has run before: `sparklin rebuild` restores "
        "lost tables from the stored events."
    )
    assert missing_parts(connect(empty), 15) == before
