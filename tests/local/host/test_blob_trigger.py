"""Blob functions under the local host: what runs, how often, and how it ends, for both sources.

What the webhook answers, what a function gets and where failures end is in tests/engine, as for Azure's own engine.
"""

from pathlib import Path
from typing import Any

import pytest

from local.azurite import Azurite
from local.stack.parts import FunctionHost
from tests.local.host.sample import SampleApp, ask, encoded, eventually, sample_app
from tests.support.storage_proxy import Sent, StorageProxy, storage_proxy
from tests.support.tiers import sweep

pytestmark = pytest.mark.xdist_group("host blobs")

SOURCES = ("EventGrid", "LogsAndContainerScan")


def app_of(source: str, azurite: Azurite, folder: Path) -> SampleApp:
    """The sample app with that source."""
    return sample_app(azurite, folder, source=source)


def names(reports: list[dict[str, Any]], container: str) -> list[str]:
    """The blobs' names without their container, sorted."""
    return sorted(str(report["name"]).removeprefix(f"{container}/") for report in reports)


@pytest.mark.parametrize("source", sweep(SOURCES, SOURCES[:1]))
def test_a_new_blob_runs_once(source: str, azurite: Azurite, tmp_path: Path) -> None:
    app = app_of(source, azurite, tmp_path)
    with app.host():
        app.upload("runs/a b/é.json", "hello", {"hour": "2026"})
        (report,) = app.until_reported("on_blob", 1)
    assert (report["name"], report["content"]) == (f"{app.container}/runs/a b/é.json", "hello")
    assert report["metadata"] == {"hour": "2026"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("source", SOURCES)
def test_a_restart_runs_what_arrived_meanwhile_and_repeats_nothing(
    source: str, azurite: Azurite, tmp_path: Path
) -> None:
    app = app_of(source, azurite, tmp_path)
    app.upload("runs/before.json", "1")
    host = app.host()
    with host:
        app.until_reported("on_blob", 1)
    app.upload("runs/between.json", "2")
    with host:
        app.until_reported("on_blob", 2)
        app.upload("runs/after.json", "3")
        reports = app.until_reported("on_blob", 3)
    assert names(reports, app.container) == ["runs/after.json", "runs/before.json", "runs/between.json"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("source", "ran"),
    [("EventGrid", ["other/x.json", "runs/y.json"]), ("LogsAndContainerScan", ["runs/y.json"])],
)
def test_only_the_scan_looks_at_the_path(source: str, ran: list[str], azurite: Azurite, tmp_path: Path) -> None:
    app = app_of(source, azurite, tmp_path)
    with app.host():
        app.upload("other/x.json", "1")
        app.upload("runs/y.json", "2")
        assert names(app.until_reported("on_blob", len(ran)), app.container) == ran


@pytest.mark.exhaustive
def test_a_blob_that_is_written_again_runs_again(app: SampleApp) -> None:
    with app.host():
        app.upload("runs/a.json", "first")
        app.until_reported("on_blob", 1)
        app.upload("runs/a.json", "second")
        assert [report["content"] for report in app.until_reported("on_blob", 2)] == ["first", "second"]


@pytest.mark.exhaustive
def test_a_killed_hosts_blob_is_delivered_to_another(app: SampleApp) -> None:
    app.upload("runs/a.json", "hold for ever")
    first = app.host().start()
    app.until_reported("on_blob", 1)
    first.kill()
    app.host().start()
    assert names(app.until_reported("on_blob", 2), app.container) == ["runs/a.json"] * 2


@pytest.mark.exhaustive
def test_the_lock_of_a_blob_in_work_is_renewed(app: SampleApp) -> None:
    with storage_proxy(app.azurite.connection_string) as proxy:
        app.through = proxy.connection_string
        app.upload("runs/a.json", "hold a")
        with app.host("--lock-seconds", "4"):
            app.until_reported("on_blob", 1)
            for renewals in (1, 2):
                eventually(lambda count=renewals: len(locks(proxy)) >= count, "a renewal")  # type: ignore[misc]
            app.release("a")


def locks(proxy: StorageProxy) -> list[Sent]:
    """The requests that locked a message of the blob queue again."""
    return [
        sent
        for sent in proxy.sent
        if "blobtrigger" in sent.path
        and sent.query.get("visibilitytimeout") == "4"
        and sent.method == "PUT"
        and sent.status == 204
    ]


@pytest.mark.exhaustive
def test_two_hosts_share_the_blobs(app: SampleApp) -> None:
    with app.host(), app.host():
        for number in range(30):
            app.upload(f"runs/{number:02}.json", "x")
        reports = app.until_reported("on_blob", 30)
    assert names(reports, app.container) == [f"runs/{number:02}.json" for number in range(30)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("misdelivery", "count"), [({"copies": 2}, 2), ({"shuffle": True}, 1)])
def test_events_can_come_twice_or_in_another_order(app: SampleApp, misdelivery: dict[str, Any], count: int) -> None:
    with app.host() as host:
        misdeliver(host, misdelivery)
        app.upload("runs/first.json", "x")
        app.until_reported("on_blob", count)
        misdeliver(host, {})
        app.upload("runs/last.json", "x")
        reports = app.until_reported("on_blob", count + 1)
    assert names(reports, app.container) == ["runs/first.json"] * count + ["runs/last.json"]


@pytest.mark.exhaustive
def test_events_can_get_lost(app: SampleApp) -> None:
    with app.host() as host:
        misdeliver(host, {"drop": True})
        app.upload("runs/first.json", "x")
        sent = app.blobs.get_container_client("local-event-grid")
        prefix = f"blobreceipts/{app.container}/"
        eventually(
            lambda: [blob for blob in sent.list_blobs(prefix, include=["metadata"]) if not blob.metadata], "the loss"
        )
        misdeliver(host, {})
        app.upload("runs/last.json", "x")
        assert names(app.until_reported("on_blob", 1), app.container) == ["runs/last.json"]


@pytest.mark.exhaustive
def test_events_can_be_held_back(app: SampleApp) -> None:
    with app.host() as host:
        misdeliver(host, {"hold": True})
        app.upload("runs/first.json", "x")
        for number in range(3):  # Time in which it would have arrived.
            app.send(encoded(str(number)))
            app.until_reported("on_message", number + 1)
        assert app.reports("on_blob") == []
        misdeliver(host, {})
        assert names(app.until_reported("on_blob", 1), app.container) == ["runs/first.json"]


def misdeliver(host: FunctionHost, how: dict[str, Any]) -> None:
    """Let events go wrong from now on."""
    master = {"x-functions-key": host.keys.master}
    assert ask(host, "PUT", "/admin/local/events", headers=master, json=how).status_code == 200


def test_the_webhook_wants_its_key(served: FunctionHost) -> None:
    address = "/runtime/webhooks/blobs?functionName=Host.Functions.on_blob"
    assert ask(served, "POST", address, json=[]).status_code == 401
    assert ask(served, "POST", f"{address}&code={served.keys.function}", json=[]).status_code == 401
    header = {"aeg-event-type": "Notification"}
    assert ask(served, "POST", f"{address}&code={served.keys.system}", json=[], headers=header).status_code == 202


@pytest.mark.exhaustive
def test_what_event_grid_sent_is_remembered_apart_from_the_hosts_receipts(azurite: Azurite, tmp_path: Path) -> None:
    for source, container in ((SOURCES[0], "local-event-grid"), (SOURCES[1], "azure-webjobs-hosts")):
        app = app_of(source, azurite, tmp_path)
        with app.host():
            app.upload("runs/a", "x")
            app.until_reported("on_blob", 1)
        receipts = app.blobs.get_container_client(container).list_blobs(f"blobreceipts/{app.container}/")
        etag = app.blobs.get_blob_client(app.container, "runs/a").get_blob_properties().etag
        assert [receipt.name.split("/", 3)[2:] for receipt in receipts] == [
            ["Host.Functions.on_blob", f"{etag}/{app.container}/runs/a"]
        ]


@pytest.mark.exhaustive
def test_a_blob_function_can_be_run_by_hand(app: SampleApp) -> None:
    with app.host() as host:
        misdeliver(host, {"drop": True})
        app.upload("runs/a.json", "x")
        answer = ask(
            host,
            "POST",
            "/admin/functions/on_blob",
            headers={"x-functions-key": host.keys.master},
            json={"input": f"{app.container}/runs/a.json"},
        )
        assert answer.status_code == 202
        app.until_reported("on_blob", 1)


@pytest.mark.exhaustive
def test_a_host_outlives_its_storage(tmp_path: Path) -> None:
    with Azurite(tmp_path / "azurite.log", tmp_path / "data") as azurite:
        app = sample_app(azurite, tmp_path)
        with app.host() as host:
            app.upload("runs/before.json", "x")
            app.until_reported("on_blob", 1)
            azurite.stop()
            eventually(lambda: "WARNING" in host.output(), "a warning")
            azurite.start()
            app.upload("runs/after.json", "x")
            assert names(app.until_reported("on_blob", 2), app.container) == ["runs/after.json", "runs/before.json"]
            assert host.is_running
