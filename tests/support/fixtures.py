"""All steps on real storage and a real Data Map, without the function host."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.data_map.server import running
from pipeline.services import Services, build
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy
from storage.clients import StorageClients
from tests.support.universe import Universe

_CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"

Sparklin = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def data_map() -> Iterator[str]:
    """The address of a Data Map that the tests of a module share."""
    with running() as url:
        yield url


@pytest.fixture
def no_faults_left(data_map: str) -> Iterator[None]:
    """Faults that a test sets in the Data Map do not affect the next test."""
    yield
    requests.delete(f"{data_map}/_control/faults", timeout=60)


@pytest.fixture(scope="module")
def services(
    storage_clients: StorageClients, storage_connection: StorageConnection, data_map: str
) -> Iterator[Services]:
    """Services on storage with all its parts, with little patience for the catalogue, so that faults show soon."""
    built = build(Settings(lineage_storage=storage_connection, purview_endpoint=data_map, purview_auth="none"))
    policy = RetryPolicy(budget=0.3, first_wait=0.01, open_seconds=0)
    with Catalog(data_map, "none", retry_policy=policy) as catalog:
        yield replace(built, catalog=catalog)


@pytest.fixture
def universe(services: Services) -> Universe:
    return new_universe(services)


@pytest.fixture
def sparklin(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sparklin:
    """Runs ``sparklin … --local`` against the services, as after ``make up``: its exit code and what it printed."""
    connection = services.settings.lineage_storage.connection_string
    (tmp_path / ".local").mkdir()
    stack = {"storage": connection, "dataMap": services.settings.purview_endpoint}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack))
    monkeypatch.chdir(tmp_path)

    def run(command: str, *options: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [command, "--local", *options])
        assert result.exit_code < 2, result.stderr
        shown = json.loads(result.stdout)
        jsonschema.validate(shown, json.loads((_CONTRACTS / f"{command}.schema.json").read_text()))
        return result.exit_code, shown

    return run


def new_universe(services: Services) -> Universe:
    """A universe that no other test uses."""
    return Universe(f"test-{uuid.uuid4().hex[:12]}", services)
