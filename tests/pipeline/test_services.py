"""The services of a process are built once, and in time."""

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import SettingsError, StorageUnavailable
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.stack.parts import ROOT
from pipeline.lazy_services import LazyServices
from pipeline.receive import Receiver, receive
from storage import clients
from storage.clients import CONTAINERS, TABLES
from storage.request_budget import budget
from tests.support.events import body, dataset, event
from tests.support.storage_accounts import StorageAccounts
from tests.support.storage_proxy import StorageProxy, storage_proxy
from tests.support.unavailable_storage import connection_to

EVENT = body(event(outputs=[dataset("t")]))
ANOTHER = body(event(outputs=[dataset("t")], minute=1))


def settings(storage: StorageConnection) -> Settings:
    return Settings(
        lineage_storage=storage, purview_endpoint="http://127.0.0.1:9", purview_auth="none", storage_budget_seconds=1.5
    )


def test_concurrent_events_share_what_is_built_once(
    storage_connection: StorageConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[StorageConnection] = []

    def connect(connection: StorageConnection, *, makes_missing: bool) -> clients.StorageClients:
        connected.append(connection)
        return clients.connect(connection, makes_missing=makes_missing)

    monkeypatch.setattr("pipeline.lazy_services.connect", connect)
    services = LazyServices(settings(storage_connection))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: services(), range(16)))
    assert all(each is found[0] for each in found)
    assert len(connected) == 1


def test_a_wrong_rules_file_is_reported_at_the_start(storage_connection: StorageConnection, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\nnonsense = 1\n")
    with pytest.raises(SettingsError, match="nonsense"):
        LazyServices(replace(settings(storage_connection), name_rules_file=str(file)))


def test_nothing_is_sent_before_an_event_needs_it() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        services = LazyServices(settings(connection_to(silent.getsockname()[1])))()
        with budget(1), pytest.raises(StorageUnavailable):
            services.run_records.read("run")
        silent.setblocking(False)
        silent.accept()[0].close()


@pytest.fixture
def empty(storage_accounts: StorageAccounts) -> str:
    """Storage in which nothing has been created yet."""
    return storage_accounts.new().connection_string


def receiver_of(proxy: StorageProxy) -> Receiver:
    built = settings(StorageConnection(connection_string=proxy.connection_string))
    return LazyServices(replace(built, storage_budget_seconds=60)).receiver


def test_the_first_event_makes_everything_at_once_and_takes_two_round_trips_more(empty: str) -> None:
    """Creations wait for each other here, so they would not end if they were sent one by one."""
    count = len(CONTAINERS) + len(TABLES) + 1
    together = threading.Barrier(count, timeout=60)

    def wait_for_the_others(method: str, path: str) -> None:
        if len(path.strip("/").split("/")) == 2 and method in ("PUT", "POST") and "EventMetadata" not in path:
            together.wait()

    with storage_proxy(empty) as proxy:
        proxy.before = wait_for_the_others
        status, _ = receive(EVENT, {}, receiver_of(proxy), datetime.now(UTC))
        sent = [(each.method, each.status) for each in proxy.sent]
        proxy.before = lambda _method, _path: None
        proxy.sent.clear()
        assert receive(ANOTHER, {}, receiver_of(proxy), datetime.now(UTC))[0] == 202
        warm = [(each.method, each.status) for each in proxy.sent]
    assert status == 202
    assert warm == [("POST", 201), ("PUT", 201)]
    assert (sent[0], sorted(status for _, status in sent[1:-2]), sent[-2:]) == (("POST", 404), [201] * count, warm)


def test_storage_in_which_nothing_may_be_made_is_reported(empty: str, caplog: pytest.LogCaptureFixture) -> None:
    with storage_proxy(empty) as proxy:
        proxy.refuses = lambda method, path: method in ("PUT", "POST") and path.endswith(("Tables", "openlineage"))
        status, answer = receive(EVENT, {}, receiver_of(proxy), datetime.now(UTC))
    assert (status, "HTTP 404" in answer["reason"]) == (503, True)
    assert "storage could not create containers, tables and queues: HTTP 403" in caplog.messages


def test_what_only_receives_imports_no_parser_and_no_catalogue() -> None:
    environment = {"LINEAGE_STORAGE": "UseDevelopmentStorage=true", "PURVIEW_ENDPOINT": "http://127.0.0.1:9"}
    code = "import sys, function_app; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ran.stdout.split())
    assert {"receiver", "storage"} <= loaded
    assert loaded & {"parser", "purview", "pyapacheatlas"} == set()
