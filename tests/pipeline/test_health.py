"""``GET /api/health``."""

from pathlib import Path

from core.settings import Settings, StorageConnection
from core.version import VERSION
from local.azurite import Azurite
from pipeline.health import KEPT_SECONDS, StorageCheck, health_report


def test_a_new_deployment_is_healthy_before_its_first_event(tmp_path: Path) -> None:
    with Azurite(tmp_path / "log") as azurite:
        settings = Settings(lineage_storage=StorageConnection(azurite.connection_string), purview_endpoint="")
        assert health_report(settings) == (200, {"status": "ok", "version": VERSION})


def test_storage_out_of_reach_is_told_without_secrets(tmp_path: Path) -> None:
    with Azurite(tmp_path / "log") as azurite:
        connection = azurite.connection_string
    settings = Settings(lineage_storage=StorageConnection(connection), purview_endpoint="", storage_budget_seconds=0.5)
    assert health_report(settings) == (503, {"status": "storage is unavailable", "version": VERSION})


def test_storage_is_asked_once_in_a_while() -> None:
    now, asked = [0.0], [0]

    def ask() -> bool:
        asked[0] += 1
        return asked[0] > 1

    check = StorageCheck(ask, clock=lambda: now[0])
    assert [check(), check(), asked[0]] == [False, False, 1]
    now[0] = KEPT_SECONDS + 1
    assert [check(), check(), asked[0]] == [True, True, 2]
