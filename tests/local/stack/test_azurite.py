"""Azurite as a part: all three services answer, data and ports outlive a restart."""

from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import Azurite, runner
from local.stack.stack_error import StackError


def test_all_three_services_answer(tmp_path: Path) -> None:
    with Azurite(tmp_path / "log") as azurite:
        text = azurite.connection_string
        assert list(BlobServiceClient.from_connection_string(text).list_containers()) == []
        assert list(QueueServiceClient.from_connection_string(text).list_queues()) == []
        with TableServiceClient.from_connection_string(text) as tables:
            assert list(tables.list_tables()) == []


def test_data_and_ports_outlive_a_restart(tmp_path: Path) -> None:
    with Azurite(tmp_path / "log", tmp_path / "data") as azurite:
        before = azurite.connection_string
        BlobServiceClient.from_connection_string(before).create_container("kept")
        azurite.restart()
        assert azurite.connection_string == before
        found = BlobServiceClient.from_connection_string(before).list_containers()
        assert [container.name for container in found] == ["kept"]


def test_without_its_modules_the_command_to_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_PROGRAM", tmp_path / "node_modules" / "azurite" / "dist" / "src" / "azurite.js")
    with pytest.raises(StackError, match="make install"):
        Azurite(tmp_path / "log").start()


@pytest.mark.exhaustive
def test_a_port_in_use_is_in_the_message(tmp_path: Path) -> None:
    with Azurite(tmp_path / "first.log") as first:
        second = Azurite(tmp_path / "second.log", ports=first._known_ports())
        with pytest.raises(StackError, match=r"(?s)azurite ended while starting.*second\.log"):
            second.start()


def test_an_address_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="has not been started"):
        _ = Azurite(tmp_path / "log").connection_string
