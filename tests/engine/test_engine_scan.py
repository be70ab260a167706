"""Blob functions with the scan in place of Event Grid: the local host and Azure's trigger engine do the same.

On Azurite the engine scans otherwise than in Azure (the SDK's ``ScanContainersStrategy``): of the blobs it lists, it
takes those that were written after the newest of the scan before, in whole seconds. A blob of a second that a scan has
already seen is never run, unless the host restarts. So `store` gives each blob its own second.
"""

import time

import pytest

from tests.engine.hosts import TriggerApp
from tests.local.host.sample import eventually
from tests.support.processes import until

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine scan")]
HOSTS = "azure-webjobs-hosts"


@pytest.fixture
def scanned(app: TriggerApp) -> TriggerApp:
    app.source = "LogsAndContainerScan"
    return app


def store(app: TriggerApp, name: str, content: str = "x") -> None:
    """Put a blob into the app's container, in a later second than all existing blobs."""
    blobs = list(app.blobs.get_container_client(app.container).list_blobs())
    newest = max((blob.last_modified.timestamp() for blob in blobs), default=0.0)
    until(lambda: time.time() >= newest + 1)
    app.upload(name, content)


def state(app: TriggerApp, kind: str) -> list[str]:
    """What hosts keep of the app, of one kind."""
    return sorted(app.blobs.get_container_client(HOSTS).list_blob_names(name_starts_with=f"{kind}/{app.container}/"))


def receipt(app: TriggerApp, blob: str) -> str:
    etag = app.blobs.get_blob_client(app.container, blob).get_blob_properties().etag
    return f"blobreceipts/{app.container}/Host.Functions.on_blob/{etag}/{app.container}/{blob}"


def test_each_version_of_a_blob_runs_once_and_leaves_a_receipt(scanned: TriggerApp) -> None:
    store(scanned, "runs/a b/ü.json", "before")
    store(scanned, "other/outside")
    with scanned.runner() as runner:
        scanned.until_reported("on_blob", 1)
        assert state(scanned, "locks") == [f"locks/{scanned.container}/WebJobs.Internal.Blobs.Listener"]
        store(scanned, "runs/later")
        scanned.until_reported("on_blob", 2)
        first = receipt(scanned, "runs/later")
        store(scanned, "runs/later", "again")
        scanned.until_reported("on_blob", 3)
        expected = sorted([first, receipt(scanned, "runs/later"), receipt(scanned, "runs/a b/ü.json")])
        eventually(lambda: state(scanned, "blobreceipts") == expected, "the receipts")
        runner.stop()
        store(scanned, "runs/between")
        runner.start()
        scanned.until_reported("on_blob", 4)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert scanned.names() == ["runs/a b/ü.json", "runs/between", "runs/later", "runs/later"]


def test_a_blob_that_is_rewritten_or_deleted_before_its_turn_runs_in_its_new_state(scanned: TriggerApp) -> None:
    with scanned.runner(blobs__maxDegreeOfParallelism="1"):
        store(scanned, "runs/first", "hold a")
        scanned.until_reported("on_blob", 1)
        for name in ("deleted", "written again"):
            store(scanned, f"runs/{name}", "old")
        eventually(lambda: scanned.count(scanned.blob_queue) == 3, "the messages")
        scanned.blobs.get_blob_client(scanned.container, "runs/deleted").delete_blob()
        store(scanned, "runs/written again", "new")
        eventually(lambda: scanned.count(scanned.blob_queue) == 4, "the message of the new version")
        scanned.release("a")
        scanned.until_reported("on_blob", 2)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert [report["content"] for report in scanned.reports("on_blob")] == ["hold a", "new"]


def test_a_blob_that_was_given_up_has_its_receipt_and_is_not_tried_again(scanned: TriggerApp) -> None:
    with scanned.runner() as runner:
        store(scanned, "runs/bad", "fail")
        scanned.until_reported("on_blob", 3)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of the message")
        assert state(scanned, "blobreceipts") == [receipt(scanned, "runs/bad")]
        runner.stop()
        store(scanned, "runs/good")
        runner.start()
        scanned.until_reported("on_blob", 4)
    assert scanned.names() == ["runs/bad"] * 3 + ["runs/good"]


def test_a_missing_container_is_found_once_it_exists(scanned: TriggerApp) -> None:
    scanned.blobs.delete_container(scanned.container)
    with scanned.runner() as runner:
        scanned.blobs.create_container(scanned.container)
        store(scanned, "runs/a")
        scanned.until_reported("on_blob", 1)
        assert runner.is_running


def test_a_second_host_runs_what_the_first_one_scans(scanned: TriggerApp) -> None:
    names = [f"runs/{number:02}" for number in range(20)]
    for name in names:
        scanned.upload(name, "hold a" if name == names[0] else "x")
    with scanned.runner(blobs__maxDegreeOfParallelism="1"):
        scanned.until_reported("on_blob", 1)
        with scanned.runner():
            scanned.until_reported("on_blob", len(names))
            scanned.release("a")
            eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert scanned.names() == names
