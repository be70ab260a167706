"""The services of a process are built once, and in time."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError, StorageUnavailable
from core.settings import Settings, StorageConnection
from pipeline.services import LazyServices
from storage import clients
from tests.storage.conftest import connection_to


def settings(storage: StorageConnection) -> Settings:
    return Settings(
        lineage_storage=storage, purview_endpoint="http://127.0.0.1:9", purview_auth="none", storage_budget_seconds=1.5
    )


def test_events_that_come_at_once_share_what_is_built_once(
    storage_connection: StorageConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[StorageConnection] = []

    def connect(connection: StorageConnection) -> clients.StorageClients:
        connected.append(connection)
        return clients.connect(connection)

    monkeypatch.setattr("pipeline.services.connect", connect)
    services = LazyServices(settings(storage_connection))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: services(), range(16)))
    assert all(each is found[0] for each in found)
    assert len(connected) == 1


def test_a_wrong_file_of_rules_is_told_at_the_start(storage_connection: StorageConnection, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\nnonsense = 1\n")
    with pytest.raises(SettingsError, match="nonsense"):
        LazyServices(replace(settings(storage_connection), name_rules_file=str(file)))


def test_events_that_come_while_storage_is_silent_are_all_told() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        services = LazyServices(settings(connection_to(silent.getsockname()[1])))

        def refused(_: int) -> bool:
            with pytest.raises(StorageUnavailable):
                services()
            return True

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(refused, range(4)))
