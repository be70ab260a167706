"""What ``sparklin status`` and ``sparklin doctor`` report about the folders that events are collected from."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from cli.checks.check import State
from cli.checks.folders import check_folders
from cli.main import app
from core.folder_address import folder_address
from core.settings import Settings
from pipeline.collect import collect
from pipeline.services import Services, build
from storage.clients import StorageClients
from tests.support.events import body, dataset, event

CONTRACT = json.loads((Path(__file__).parents[2] / "docs" / "contracts" / "status.schema.json").read_text("utf-8"))
LINEAGE = "Sales.Lakehouse/Files/Lineage"


@pytest.fixture
def folders(services: Services, storage_clients: StorageClients) -> Iterator[dict[str, str]]:
    """The addresses of a folder with events, one without files, and one that does not exist."""
    workspace = storage_clients.blobs.create_container(f"workspace-{uuid.uuid4()}")
    written = body(event(run=str(uuid.uuid4()), outputs=[dataset("out")]))
    workspace.upload_blob(f"{LINEAGE}/lineage_1", written + b"\n{half\n")
    url = str(workspace.url)
    yield {"good": f"{url}/{LINEAGE}", "empty": f"{url}/Other.Lakehouse", "missing": f"{url}x/{LINEAGE}"}
    workspace.delete_container()


def settings(services: Services, folders: dict[str, str]) -> Settings:
    return replace(services.settings, event_folders=tuple(map(folder_address, folders.values())))


def status(services: Services, folders: dict[str, str], *options: str) -> Any:
    environment = {
        "LINEAGE_STORAGE": services.settings.lineage_storage.connection_string,
        "PURVIEW_ENDPOINT": services.settings.purview_endpoint,
        "PURVIEW_AUTH": "none",
        "EVENT_FOLDERS": "\n".join(folders.values()),
    }
    result = CliRunner().invoke(app, ["status", "--since", "1m", *options], env=environment)
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, CONTRACT)
    return shown["folders"]


def test_status_shows_how_far_each_folder_is(services: Services, folders: dict[str, str]) -> None:
    assert [each["checked"] for each in status(services, folders)] == [None] * 3
    collect(build(settings(services, folders)))

    good, empty, missing = status(services, folders)

    counts = ("files", "pendingFiles", "pendingBytes", "kept", "ignored", "rejected")
    assert [good[name] for name in counts] == [1, 0, 0, 1, 0, 1]
    assert [empty[name] for name in counts] == [0] * 6
    assert (good["error"], empty["error"]) == ("", "")
    assert good["checked"]
    assert "ContainerNotFound" in missing["error"]


def test_doctor_says_what_is_wrong_with_each_folder(services: Services, folders: dict[str, str]) -> None:
    good, empty, missing = check_folders(settings(services, folders))

    assert (good.state, empty.state, missing.state) == (State.OK, State.NOTE, State.WRONG)
    assert "1 files" in good.found
    assert "EVENT_FOLDERS" in missing.repair


@pytest.mark.usefixtures("storage_clients")
def test_without_folders_there_is_nothing_to_say(services: Services) -> None:
    assert list(check_folders(services.settings)) == []
    assert status(services, {}) == []
