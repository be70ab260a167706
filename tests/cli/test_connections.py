"""Commands work with the rights of a reader, and create nothing in a storage account."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from azure.storage.blob import generate_account_sas
from typer.testing import CliRunner, Result

from cli import connections
from cli.main import app
from core.errors import SettingsError
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


@pytest.mark.parametrize(
    "words", [["status"], ["show", "a job"], ["replay", "--dead-letters"], ["relink"], ["rebuild", "--dry-run"]]
)
def test_an_account_that_the_app_has_not_used_is_reported_in_a_sentence(
    services: Services, storage_accounts: StorageAccounts, words: list[str]
) -> None:
    empty = storage_accounts.new()
    before = missing_parts(connect(empty), 15)
    result = sparklin(services, empty.connection_string, *words)
    sentence, next_step = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no event was received yet" in sentence
    assert next_step == (
        "`sparklin doctor` names what is missing. The app creates it with its first event; if it has received events "
        "before: `sparklin rebuild` restores lost tables from the stored events."
    )
    assert missing_parts(connect(empty), 15) == before


STACK = {"storage": "s", "dataMap": "http://127.0.0.1:1"}


def started(folder: Path, content: str = json.dumps(STACK)) -> None:
    """A stack was started in a folder, which left this file."""
    (folder / ".local").mkdir()
    (folder / ".local" / "stack.json").write_text(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no local stack here (.local/stack.json); go to the checkout where it runs, or start it with"),
        ("{half", ".local/stack.json cannot be read; `make down`, then `make up` writes it again"),
        ('{"storage": "s"}', ".local/stack.json is not complete; `make down`, then `make up` writes it again"),
        ('{"dataMap": "d"}', ".local/stack.json is not complete; `make down`, then `make up` writes it again"),
    ],
)
def test_a_stack_that_is_not_there_is_explained(
    content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        started(tmp_path, content)

    with pytest.raises(typer.Exit) as exited:
        connections.stack_values()

    assert (exited.value.exit_code, capsys.readouterr().err[: len(said)]) == (2, said)


def test_the_settings_of_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    started(tmp_path)

    assert connections.stack_settings() == {
        "LINEAGE_STORAGE": "s",
        "PURVIEW_ENDPOINT": "http://127.0.0.1:1",
        "PURVIEW_AUTH": "none",
    }


OR_LOCAL = "or use --local for the stack of `make up`"


@pytest.mark.parametrize(
    ("error", "local", "has_stack", "hinted"),
    [
        (SettingsError(("a",)), False, True, ("a", OR_LOCAL)),
        (SettingsError(("a",)), False, False, ("a",)),
        (SettingsError(("a",)), True, True, ("a",)),
    ],
)
def test_an_error_mentions_the_local_stack_where_it_helps(
    error: SettingsError,
    local: bool,
    has_stack: bool,
    hinted: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if has_stack:
        started(tmp_path)

    with pytest.raises(SettingsError) as caught, connections._hinting(local=local):
        raise error

    assert caught.value.problems == hinted
