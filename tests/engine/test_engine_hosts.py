"""Several hosts, hosts that stop, and storage: the local host and Azure's trigger engine do the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import ACCOUNT_KEY, ACCOUNT_NAME, Azurite
from tests.engine.hosts import TriggerApp
from tests.local.host.sample import eventually, prepared
from tests.support.storage_proxy import storage_proxy

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine hosts")]
POISON = "webjobs-blobtrigger-poison"


def test_two_hosts_share_all_work(app: TriggerApp) -> None:
    numbers = [f"{number:02}" for number in range(20)]
    with app.runner() as first, app.runner() as second:
        for number in numbers:
            app.put((first, second)[int(number) % 2], f"runs/{number}", "x")
            app.send_plain(number)
        app.until_reported("on_blob", len(numbers))
        app.until_reported("on_message", len(numbers))
        for queue in (app.blob_queue, app.queue("work")):
            eventually(lambda queue=queue: app.count(queue) == 0, "the end of all messages")  # type: ignore[misc]
    assert app.names() == [f"runs/{number}" for number in numbers]
    assert sorted(app.bodies()) == numbers


def test_a_host_that_stops_lets_its_functions_end(app: TriggerApp) -> None:
    runner = app.runner().start()
    app.put(runner, "runs/a", "hold a")
    app.send_plain("hold b")
    app.until_reported("on_blob", 1)
    app.until_reported("on_message", 1)
    runner.ask_to_stop()
    app.release("a")
    app.release("b")
    eventually(lambda: not runner.is_running, "the end of the host")
    assert (app.count(app.blob_queue), app.count(app.queue("work"))) == (0, 0)
    assert (app.names(), app.bodies()) == (["runs/a"], ["hold b"])


def test_a_host_that_is_killed_leaves_its_messages_hidden(app: TriggerApp) -> None:
    runner = app.runner().start()
    app.put(runner, "runs/a", "hold a")
    app.send_plain("hold b")
    app.until_reported("on_blob", 1)
    app.until_reported("on_message", 1)
    runner.kill()
    with app.runner() as other:
        app.put(other, "runs/b", "x")
        app.until_reported("on_blob", 2)
        eventually(lambda: app.count(app.blob_queue) == 1, "the end of the other blob")
    # They come back when their lock ends; tests/real waits for that.
    assert (app.count(app.queue("work")), app.messages(app.queue("work")), app.messages(app.blob_queue)) == (1, [], [])


def test_a_blob_that_is_written_again_while_it_is_fetched_is_fetched_again(app: TriggerApp) -> None:
    with storage_proxy(app.azurite.connection_string) as proxy:
        written: list[str] = []

        def write(method: str, path: str) -> None:
            if method == "GET" and path.endswith("/runs/a") and not written:
                written.append(path)
                app.upload("runs/a", "new")

        proxy.before = write
        app.through = proxy.connection_string
        with app.runner("on_blob") as runner:
            app.put(runner, "runs/a", "old")
            app.until_reported("on_blob", 1)
            eventually(lambda: app.count(app.blob_queue) == 0, "the end of the message")
        gets = [sent.status for sent in proxy.sent if sent.path.endswith("/runs/a") and sent.method == "GET"]
    assert [report["content"] for report in app.reports("on_blob")] == ["new"]
    # For the ETag that was requested before, then the whole blob, which one of them requests as a range.
    assert gets in ([412, 200], [412, 206])


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Azurite, str]]:
    """An Azurite with two accounts, and the connection string of the second one."""
    with monkeypatch.context() as patch:
        patch.setenv("AZURITE_ACCOUNTS", f"{ACCOUNT_NAME}:{ACCOUNT_KEY};hostaccount:{ACCOUNT_KEY}")
        azurite = Azurite(tmp_path / "azurite.log")
        azurite.start()
    try:
        yield azurite, azurite.connection_string.replace(ACCOUNT_NAME, "hostaccount")
    finally:
        azurite.stop()


def test_a_host_keeps_its_own_things_in_its_own_account(
    runs_on: str, accounts: tuple[Azurite, str], tmp_path: Path
) -> None:
    azurite, host_storage = accounts
    app = prepared(TriggerApp(azurite, tmp_path, runs_on=runs_on, host_storage=host_storage))
    app.source = "LogsAndContainerScan"
    try:
        with app.runner():
            app.upload("runs/bad", "fail")
            app.send_plain("fail")
            eventually(lambda: app.messages(POISON), "poison")
            eventually(lambda: app.messages(f"{app.queue('work')}-poison"), "poison")
    finally:
        app.kill_all()
    own = {app.queue("seen"), app.queue("work"), app.container}
    assert made(azurite.connection_string) - own == {POISON, f"{app.queue('work')}-poison"}
    assert made(host_storage) == {app.blob_queue, "azure-webjobs-hosts"}


def made(connection: str) -> set[str]:
    """The names of all queues and containers of an account."""
    queues = {str(each.name) for each in QueueServiceClient.from_connection_string(connection).list_queues()}
    return queues | {each.name for each in BlobServiceClient.from_connection_string(connection).list_containers()}
