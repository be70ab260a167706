"""Two workers on one run, or one process, at the worst moment: the last one has seen all events."""

import json
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobLeaseClient

from core.errors import CatalogUnavailable
from core.identity import run_key
from parser.merge import merge
from pipeline import retries
from pipeline.publish import record
from pipeline.run import process_run
from pipeline.services import Services
from purview import uploader
from storage import locks
from storage.clients import LOCKS
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.retry_queue import RetryPointer, RetryQueue
from tests.pipeline.test_retries import a_write, hasty, with_services
from tests.support.events import body, dataset, event
from tests.support.orders import once
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")


class Crash(BaseException):
    """The worker dies: nothing catches this."""


def crash() -> None:
    raise Crash


def from_source(source: str, event_type: str = "COMPLETE", run: str = "run-1", minute: float = 0) -> bytes:
    written = dataset("t", ["a"], {"a": [(source, "x")]})
    return body(event(event_type, run=run, minute=minute, inputs=[dataset(source, ["x"])], outputs=[written]))


def in_notebook(sent: bytes) -> bytes:
    """The same event, with the notebook."""
    event = json.loads(sent)
    event["run"]["facets"]["environment-properties"]["environment-properties"] = {
        "spark.databricks.notebook.path": "/Shared/Load"
    }
    return json.dumps(event).encode()


def test_a_run_is_not_left_waiting_by_a_worker_that_saw_less(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, complete = a_write("START"), a_write()
    monkeypatch.setattr(EventStore, "mark", once(EventStore.mark, lambda: universe.deliver(complete)))
    universe.deliver(start)
    assert universe.statuses([start, complete]) == ["Processed", "Processed"]


def test_a_retry_of_what_another_worker_did_meanwhile_ends_the_matter(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise CatalogUnavailable("this worker failed, while the other did not")

    here = with_services(universe, hasty(universe.services))
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.retries.process_run", once(process_run, fails, late=True))
        here.deliver(a_write())
    assert here.statuses([a_write()]) == ["Retrying"]
    retries.attempt(RetryPointer(run_key(here.run_id("run-1")), 1, datetime.now(UTC)), here.services)
    assert here.statuses([a_write()]) == ["Processed"]


def test_a_retry_that_is_immediate_decides_the_final_state(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    """This happens if the worker that enqueued it stalls."""

    def take_at_once(queue: RetryQueue, pointer: RetryPointer, delay: float) -> None:
        retries.attempt(pointer, universe.services)

    monkeypatch.setattr(RetryQueue, "enqueue", take_at_once)
    monkeypatch.setattr("pipeline.run.merge", once(merge, lambda: 1 / 0))
    universe.deliver(a_write())
    assert universe.statuses([a_write()]) == ["Processed"]


def test_an_event_that_is_processed_while_it_is_swept_up_is_not_left_retrying(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_services(universe, hasty(universe.services, sweep_after_minutes=0))
    here.post(a_write())

    def take_at_once(queue: RetryQueue, pointer: RetryPointer, delay: float) -> None:
        # The sweep also finds what other tests left.
        if pointer.run_key == run_key(here.run_id("run-1")):
            retries.attempt(pointer, here.services)

    monkeypatch.setattr(RetryQueue, "enqueue", take_at_once)
    retries.sweep(here.services)
    assert here.statuses([a_write()]) == ["Processed"]


def test_a_worker_that_saw_less_and_dies_leaves_nothing_stale(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete, fail = a_write(), a_write("FAIL")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.record", once(record, crash, late=True))
        patch.setattr("pipeline.run.merge", once(merge, lambda: _unpatched(universe, patch, fail)))
        with pytest.raises(Crash):
            universe.deliver(complete)
    universe.deliver(complete)
    universe.deliver(fail)
    assert universe.processes() == {}
    universe.deliver(from_source("later", run="later", minute=60))
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["later"]


def test_a_worker_that_saw_less_leaves_no_process_behind(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    complete, start = a_write(), in_notebook(a_write("START"))
    monkeypatch.setattr("pipeline.run.record", once(record, lambda: universe.deliver(start)))
    universe.deliver(complete)
    assert list(universe.processes()) == ["Shared/Load → t"]
    (row,) = [row for row in universe.services.details.all() if f"{universe.name}/nb#" in row.qualified_name]
    assert row.process_guid == ""


def test_a_worker_whose_lock_was_taken_over_does_not_have_the_last_word(
    universe: Universe, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stalls for longer than its lease, just before it uploads; another one shows a newer run meanwhile."""

    def taken_over() -> None:
        (row,) = [row for row in services.details.all() if universe.name in row.qualified_name]
        name = locks._blob_name(row.qualified_name)
        BlobLeaseClient(services.clients.container(LOCKS).get_blob_client(name)).break_lease(0)
        universe.deliver(from_source("tuesday", run="2", minute=60))

    monkeypatch.setattr(uploader, "upload", once(uploader.upload, taken_over))
    universe.deliver(from_source("monday", run="1"))
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["monday", "tuesday"]


def test_other_notifications_do_not_process_a_dead_lettered_run_again(universe: Universe) -> None:
    universe.fail(count=100, path="entity/bulk", status=400)
    universe.deliver(a_write())
    assert universe.statuses([a_write()]) == [Status.DEAD_LETTERED.value]
    universe.forget_calls()
    universe.deliver(a_write())
    assert universe.calls() == 0


def _unpatched(universe: Universe, patch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Let another worker process an event, which is not to be overtaken and does not die."""
    with patch.context() as other:
        other.setattr("pipeline.run.record", record)
        other.setattr("pipeline.run.merge", merge)
        universe.deliver(sent)
