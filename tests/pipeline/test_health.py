"""``GET /api/health``."""

import threading
import time
from collections.abc import Callable

from core.settings import Settings
from core.storage_connection import StorageConnection
from core.version import VERSION
from pipeline.health import KEPT_SECONDS, StorageCheck, health_report
from tests.support.storage_accounts import StorageAccounts


def first_report(settings: Settings) -> tuple[int, dict[str, str]]:
    """The first report after the one that the app is starting."""
    deadline = time.monotonic() + 120
    report = health_report(settings)
    while report[1]["status"] == "starting" and time.monotonic() < deadline:
        time.sleep(0.02)
        report = health_report(settings)
    return report


def test_a_new_deployment_is_healthy_before_its_first_event(storage_accounts: StorageAccounts) -> None:
    settings = Settings(lineage_storage=storage_accounts.new(), purview_endpoint="")
    assert first_report(settings) == (200, {"status": "ok", "version": VERSION})


def test_unavailable_storage_is_reported_without_secrets(unreachable: StorageConnection) -> None:
    settings = Settings(lineage_storage=unreachable, purview_endpoint="", storage_budget_seconds=0.5)
    assert first_report(settings) == (503, {"status": "storage is unavailable", "version": VERSION})


def test_storage_is_asked_once_in_a_while() -> None:
    now, asked = [0.0], [0]

    def ask() -> bool:
        asked[0] += 1
        return asked[0] > 1

    check = StorageCheck(ask, clock=lambda: now[0], start=lambda task: task())
    assert [check(), check(), asked[0]] == [False, False, 1]
    now[0] = KEPT_SECONDS + 1
    assert [check(), check(), asked[0]] == [True, True, 2]


def test_no_request_waits_for_storage_and_one_check_runs_at_a_time() -> None:
    waiting: list[Callable[[], None]] = []
    check = StorageCheck(lambda: True, start=waiting.append)
    assert [check(), check(), check(), len(waiting)] == [None, None, None, 1]
    waiting[0]()
    assert [check(), len(waiting)] == [True, 1]


def test_a_check_that_fails_unexpectedly_is_repeated() -> None:
    now, raised = [0.0], threading.Event()

    def ask() -> bool:
        if not raised.is_set():
            raised.set()
            raise OSError
        return True

    def start(task: Callable[[], None]) -> None:
        try:
            task()
        except OSError:
            return

    check = StorageCheck(ask, clock=lambda: now[0], start=start)
    assert check() is False
    now[0] = KEPT_SECONDS
    assert check() is True
