"""Blob functions with the scan in place of Event Grid: the local host and Azure's trigger engine do the same."""

import pytest

from tests.engine.hosts import TriggerApp
from tests.local.host.sample import eventually

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine scan")]
HOSTS = "azure-webjobs-hosts"


@pytest.fixture
def scanned(app: TriggerApp) -> TriggerApp:
    app.source = "LogsAndContainerScan"
    return app


def state(app: TriggerApp, kind: str) -> list[str]:
    """What hosts keep of the app, of one kind."""
    return sorted(app.blobs.get_container_client(HOSTS).list_blob_names(name_starts_with=f"{kind}/{app.container}/"))


def receipt(app: TriggerApp, blob: str) -> str:
    etag = app.blobs.get_blob_client(app.container, blob).get_blob_properties().etag
    return f"blobreceipts/{app.container}/Host.Functions.on_blob/{etag}/{app.container}/{blob}"


def test_each_version_of_a_blob_runs_once_and_leaves_a_receipt(scanned: TriggerApp) -> None:
    scanned.upload("runs/a b/ü.json", "before")
    scanned.upload("other/outside", "x")
    with scanned.runner() as runner:
        scanned.until_told("on_blob", 1)
        assert state(scanned, "locks") == [f"locks/{scanned.container}/WebJobs.Internal.Blobs.Listener"]
        scanned.upload("runs/later", "x")
        scanned.until_told("on_blob", 2)
        first = receipt(scanned, "runs/later")
        scanned.upload("runs/later", "again")
        scanned.until_told("on_blob", 3)
        expected = sorted([first, receipt(scanned, "runs/later"), receipt(scanned, "runs/a b/ü.json")])
        eventually(lambda: state(scanned, "blobreceipts") == expected, "the receipts")
        runner.stop()
        scanned.upload("runs/between", "x")
        runner.start()
        scanned.until_told("on_blob", 4)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert scanned.names() == ["runs/a b/ü.json", "runs/between", "runs/later", "runs/later"]


def test_a_blob_that_is_written_again_or_deleted_before_its_turn_runs_as_it_is_then(scanned: TriggerApp) -> None:
    with scanned.runner(blobs__maxDegreeOfParallelism="1"):
        scanned.upload("runs/first", "hold a")
        scanned.until_told("on_blob", 1)
        for name in ("deleted", "written again"):
            scanned.upload(f"runs/{name}", "old")
        eventually(lambda: scanned.count(scanned.blob_queue) == 3, "the messages")
        scanned.blobs.get_blob_client(scanned.container, "runs/deleted").delete_blob()
        scanned.upload("runs/written again", "new")
        eventually(lambda: scanned.count(scanned.blob_queue) == 4, "the message of the new version")
        scanned.let_go("a")
        scanned.until_told("on_blob", 2)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert [told["content"] for told in scanned.tellings("on_blob")] == ["hold a", "new"]


def test_a_blob_that_was_given_up_has_its_receipt_and_is_not_tried_again(scanned: TriggerApp) -> None:
    with scanned.runner() as runner:
        scanned.upload("runs/bad", "fail")
        scanned.until_told("on_blob", 3)
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of the message")
        assert state(scanned, "blobreceipts") == [receipt(scanned, "runs/bad")]
        runner.stop()
        scanned.upload("runs/good", "x")
        runner.start()
        scanned.until_told("on_blob", 4)
    assert scanned.names() == ["runs/bad"] * 3 + ["runs/good"]


def test_a_container_that_is_missing_is_found_when_it_is_there(scanned: TriggerApp) -> None:
    scanned.blobs.delete_container(scanned.container)
    with scanned.runner() as runner:
        scanned.blobs.create_container(scanned.container)
        scanned.upload("runs/a", "x")
        scanned.until_told("on_blob", 1)
        assert runner.is_running


# On an account of its own: after the other tests, the engine sometimes scans the container minutes later only.
@pytest.mark.xdist_group("engine scan by two hosts")
def test_two_hosts_share_what_one_of_them_scans(scanned: TriggerApp) -> None:
    names = [f"runs/{number:02}" for number in range(20)]
    with scanned.runner(), scanned.runner():
        for name in names:
            scanned.upload(name, "x")
        scanned.until_told("on_blob", len(names))
        eventually(lambda: scanned.count(scanned.blob_queue) == 0, "the end of all messages")
    assert scanned.names() == names
