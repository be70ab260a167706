"""Retries, dead letters and lost notifications."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from cli.tasks import replay_runs
from core.envelope import read_envelope
from core.event_fields import digest
from core.identity import run_key
from pipeline import retries
from pipeline.services import Services
from storage.event_rows import Status
from storage.retry_queue import STORED, RetryPointer, RetryQueue, decode, encode
from storage.sweep import Sweep
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

LAST = retries.HOST_ATTEMPTS - 1


def a_write(event_type: str = "COMPLETE", run: str = "run-1") -> bytes:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    return body(event(event_type, run=run, inputs=[dataset("s", ["x"])], outputs=[written]))


def enqueued(universe: Universe, run: str = "run-1") -> list[RetryPointer]:
    """The pointers to a run that are due on the retry queue, each once; other tests leave messages there too."""
    queue = universe.services.clients.queue()
    found = [decode(base64.b64decode(message.content)) for message in queue.receive_messages(visibility_timeout=600)]
    return [pointer for pointer in found if pointer.run_key == run_key(universe.run_id(run))]


def hasty(services: Services, **settings: object) -> Services:
    """The same services, waiting no time before a retry."""
    return replace(services, settings=replace(services.settings, retry_first_delay_seconds=0, **settings))  # type: ignore[arg-type]


def with_services(universe: Universe, services: Services) -> Universe:
    """The universe with other services, and with its own sweeps: no other test has closed an hour for them."""

    def own(task: str, status: Status) -> Sweep:
        return Sweep(services.clients, services.events, f"{task}-{universe.name}", [status])

    lost, unended, retrying = (
        own("lost", Status.RECEIVED),
        own("unended", Status.WAITING),
        own("retrying", Status.RETRYING),
    )
    return Universe(universe.name, replace(services, lost=lost, unended=unended, retrying=retrying))


def letters(universe: Universe, run: str = "run-1") -> list[tuple[str, str]]:
    """(reason, remedy) of the dead letters of a run."""
    store = universe.services.dead_letters
    found = [store.read(name) for name in store.names(run_key(universe.run_id(run)))]
    return [(letter.reason, letter.remedy) for letter in found if letter]


def test_a_run_that_fails_for_now_is_enqueued_with_its_reason(universe: Universe) -> None:
    here = with_services(universe, hasty(universe.services))
    here.fail(count=100, path="entity/bulk", status=503)
    here.deliver(a_write())
    (pointer,) = enqueued(here)
    assert (pointer.attempt, "503" in pointer.reason) == (1, True)
    assert here.statuses([a_write()]) == ["Retrying"]
    assert letters(here) == []


def test_other_events_of_a_run_that_is_to_be_retried_start_no_retries_of_their_own(universe: Universe) -> None:
    here = with_services(universe, replace(universe.services))
    here.fail(count=100, path="entity/bulk", status=503)
    here.deliver(a_write())
    here.forget_calls()
    here.deliver(a_write("START"))
    assert here.calls() == 0
    assert here.statuses([a_write("START")]) == ["Received"]
    retries.attempt(RetryPointer(run_key(here.run_id("run-1")), 1, datetime.now(UTC)), here.services)
    requests.delete(f"{here.services.settings.purview_endpoint}/_control/faults", timeout=60)
    retries.attempt(RetryPointer(run_key(here.run_id("run-1")), 2, datetime.now(UTC)), here.services)
    assert here.statuses([a_write("START"), a_write()]) == ["Processed", "Processed"]


def test_a_run_that_the_receiver_announced_is_processed(universe: Universe) -> None:
    status, _ = universe.post(a_write())
    assert status == 202
    RetryQueue(universe.services.clients).announce(run_key(universe.run_id("run-1")))
    (pointer,) = enqueued(universe)

    retries.retry(encode(pointer).encode(), universe.services)

    assert universe.statuses([a_write()]) == ["Processed"]


def test_an_announcement_starts_no_attempt_while_a_retry_is_due_later(universe: Universe) -> None:
    universe.post(a_write())
    key = run_key(universe.run_id("run-1"))
    universe.services.run_records.note_retry(key, datetime.now(UTC) + timedelta(hours=1))
    message = encode(RetryPointer(key, attempt=0, first_failed=datetime.now(UTC), reason=STORED)).encode()

    retries.retry(message, universe.services)

    assert universe.statuses([a_write()]) == ["Received"]


def test_a_retry_that_succeeds_ends_the_matter(universe: Universe) -> None:
    here = with_services(universe, hasty(universe.services))
    here.fail(count=100, path="entity/bulk", status=503)
    here.deliver(a_write())
    requests.delete(f"{here.services.settings.purview_endpoint}/_control/faults", timeout=60)
    pointer = {"run": run_key(here.run_id("run-1")), "attempt": 1, "firstFailed": "2024-05-01T12:00:00+00:00"}
    retries.retry(json.dumps(pointer).encode(), here.services)
    assert list(here.processes()) == ["nb → t"]
    assert here.statuses([a_write()]) == ["Processed"]


def test_after_a_day_a_run_is_dead_lettered_with_its_reason(universe: Universe) -> None:
    universe.post(a_write())
    universe.fail(count=100, path="entity/bulk", status=503)
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 9, yesterday), universe.services)
    ((reason, remedy),) = letters(universe)
    assert "503" in reason
    assert "sparklin replay" in remedy
    assert universe.statuses([a_write()]) == ["DeadLettered"]


def test_what_the_content_causes_is_dead_lettered_at_once(universe: Universe) -> None:
    universe.fail(count=100, path="entity/bulk", status=400)
    universe.deliver(a_write())
    ((_, remedy),) = letters(universe)
    assert "sparklin preview" in remedy
    assert enqueued(universe) == []


@pytest.mark.parametrize("status", [401, 403, 404, 423])
def test_what_an_operator_may_change_is_retried(universe: Universe, status: int) -> None:
    here = with_services(universe, hasty(universe.services))
    here.fail(count=100, path="entity/bulk", status=status)
    here.deliver(a_write())
    assert [pointer.attempt for pointer in enqueued(here)] == [1]
    assert (here.statuses([a_write()]), letters(here)) == (["Retrying"], [])


def test_a_fault_of_our_own_is_retried_too(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    here = with_services(universe, hasty(universe.services))
    monkeypatch.setattr("pipeline.run.merge", lambda _events: 1 / 0)
    here.deliver(a_write())
    (pointer,) = enqueued(here)
    assert "ZeroDivisionError" in pointer.reason


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"not json", b'{"run": 5}', b"\xff"])
def test_a_message_that_is_not_a_pointer_is_dead_lettered(universe: Universe, text: bytes) -> None:
    before = set(universe.services.dead_letters.names())
    retries.retry(text, universe.services)
    assert len(set(universe.services.dead_letters.names()) - before) == 1


def test_a_blob_that_the_trigger_gave_up_joins_the_retries(universe: Universe) -> None:
    here = with_services(universe, hasty(universe.services))
    here.post(a_write())
    container, _, name = here.blob(a_write()).partition("/")
    message = {"Type": "BlobTrigger", "FunctionId": "Host.Functions.parse", "BlobType": "BlockBlob"}
    message |= {"ContainerName": container, "BlobName": name, "ETag": '"0x1"'}
    retries.poisoned(json.dumps(message).encode(), here.services)
    assert [pointer.attempt for pointer in enqueued(here)] == [1]


def failed_once(universe: Universe) -> RetryPointer:
    """The pointer of a run whose first attempt failed, because Purview was unavailable."""
    universe.fail(count=100, path="entity/bulk", status=503)
    universe.deliver(a_write())
    (pointer,) = enqueued(universe)
    universe.services.clients.queue().clear_messages()
    return pointer


def test_a_retry_that_kills_the_worker_again_and_again_is_dead_lettered(universe: Universe) -> None:
    here = with_services(universe, hasty(universe.services))
    pointer = failed_once(here)
    for _ in range(retries.HOST_ATTEMPTS):
        here.services.run_records.begin(pointer.run_key, "")
    retries.retry_poisoned(encode(pointer).encode(), here.services)
    ((reason, remedy),) = letters(here)
    assert "the worker ended" in reason
    assert "memory" in remedy
    assert here.statuses([a_write()]) == ["DeadLettered"]
    assert enqueued(here) == []


@pytest.mark.parametrize(("earlier", "deaths"), [(0, 0), (0, 1), (0, LAST), (1, LAST)])
def test_a_retry_that_the_host_gave_up_without_its_workers_ending_is_retried(
    universe: Universe, earlier: int, deaths: int
) -> None:
    """Workers that died before the retry was enqueued do not count."""
    here = with_services(universe, hasty(universe.services))
    pointer = replace(failed_once(here), at_work=earlier)
    for _ in range(earlier + deaths):
        here.services.run_records.begin(pointer.run_key, "")
    retries.retry_poisoned(encode(pointer).encode(), here.services)
    (again,) = enqueued(here)
    assert (again.attempt, again.first_failed, again.at_work) == (2, pointer.first_failed, earlier + deaths)
    assert "storage was unavailable" in again.reason
    assert (letters(here), here.statuses([a_write()])) == ([], ["Retrying"])


def test_a_retry_that_the_host_gave_up_after_a_day_is_dead_lettered(universe: Universe) -> None:
    universe.post(a_write())
    pointer = RetryPointer(run_key(universe.run_id("run-1")), 9, datetime.now(UTC) - timedelta(hours=25))
    retries.retry_poisoned(encode(pointer).encode(), universe.services)
    ((reason, remedy),) = letters(universe)
    assert ("storage was unavailable" in reason, "sparklin replay" in remedy) == (True, True)


def test_the_host_makes_as_many_attempts_as_host_json_says() -> None:
    host = json.loads((Path(__file__).parents[2] / "host.json").read_text())
    assert host["extensions"]["queues"]["maxDequeueCount"] == retries.HOST_ATTEMPTS


@pytest.mark.parametrize("blob", ["openlineage/other.json", "openlineage/runs/x/y.json", "locks/abc", ""])
def test_a_blob_that_is_not_an_event_is_skipped(universe: Universe, blob: str) -> None:
    retries.stored(blob, universe.services)
    retries.poisoned(json.dumps({"BlobName": blob.partition("/")[2]}).encode(), universe.services)
    assert universe.processes() == {}


def test_an_event_whose_notification_got_lost_is_swept_up(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    here = with_services(universe, hasty(universe.services, sweep_after_minutes=0))
    monkeypatch.setattr(retries, "SPREAD_SECONDS", 0)
    here.post(a_write())
    retries.sweep(here.services)
    retries.sweep(here.services)
    (pointer,) = enqueued(here)
    assert (pointer.attempt, pointer.reason, pointer.settle) == (0, retries.LOST_NOTIFICATION, False)
    assert here.statuses([a_write()]) == ["Retrying"]
    retries.attempt(pointer, here.services)
    assert list(here.processes()) == ["nb → t"]


def test_a_run_with_events_in_several_hours_is_swept_up_once(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_services(universe, hasty(universe.services, sweep_after_minutes=0))
    monkeypatch.setattr(retries, "SPREAD_SECONDS", 0)
    for number, event_type in enumerate(("START", "RUNNING", "COMPLETE")):
        sent = here.own(a_write(event_type))
        received = datetime.now(UTC) - timedelta(hours=number)
        here.services.events.put(read_envelope(sent), digest(sent), sent, received)
    retries.sweep(here.services)
    assert len(enqueued(here)) == 1
    rows = here.services.events.rows_of(here.services.events.names(run_key(here.run_id("run-1"))))
    assert [row.status.value for row in rows] == ["Retrying"] * 3


def test_a_run_whose_retry_got_lost_is_swept_up(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    here = with_services(universe, hasty(universe.services))
    monkeypatch.setattr(retries, "SPREAD_SECONDS", 0)
    lost = failed_once(here)
    requests.delete(f"{here.services.settings.purview_endpoint}/_control/faults", timeout=60)
    retries.sweep(here.services)
    assert enqueued(here) == []
    _let_hours_pass(monkeypatch, 2)
    retries.sweep(here.services)
    retries.sweep(here.services)
    (pointer, *more) = enqueued(here)
    assert (pointer.run_key, pointer.reason, pointer.settle) == (lost.run_key, "its retry got lost", False)
    # The rows have storage's own time, which has not passed, so another sweep finds the event again.
    assert len(more) == 1
    retries.attempt(pointer, here.services)
    assert here.statuses([a_write()]) == ["Processed"]


def test_a_run_whose_retry_is_still_to_come_is_not_swept_up(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_services(universe, hasty(universe.services))
    pointer = failed_once(here)
    here.services.run_records.note_retry(pointer.run_key, datetime.now(UTC) + timedelta(hours=1))
    _let_hours_pass(monkeypatch, 2)
    retries.sweep(here.services)
    assert enqueued(here) == []


def test_a_lost_replay_of_an_old_run_is_swept_up(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    here = with_services(universe, hasty(universe.services))
    monkeypatch.setattr(retries, "SPREAD_SECONDS", 0)
    here.deliver(a_write())
    now = datetime.now(UTC)
    for hour in here.services.retrying.open_hours(now, now):
        here.services.retrying._close(hour)
    _let_hours_pass(monkeypatch, 2)
    runs = [run_key(here.run_id("run-1"))]
    wanted = replay_runs.candidates(runs, here.services, force=True, settle=False)
    assert len(list(replay_runs.enqueue(wanted, here.services, force=True))) == 1
    here.services.clients.queue().clear_messages()
    retries.sweep(here.services)
    assert [pointer.reason for pointer in enqueued(here)] == ["its retry got lost"]


def _let_hours_pass(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    later = datetime.now(UTC) + timedelta(hours=hours, minutes=1)
    monkeypatch.setattr(retries, "_now", lambda: later)


def test_a_run_that_never_ends_is_settled_after_a_while(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    here = with_services(universe, hasty(universe.services, settle_after_minutes=0))
    monkeypatch.setattr(retries, "SPREAD_SECONDS", 0)
    here.deliver(a_write("START"))
    assert here.processes() == {}
    assert here.statuses([a_write("START")]) == ["Waiting"]
    retries.sweep(here.services)
    (pointer,) = enqueued(here)
    assert (pointer.attempt, pointer.settle) == (0, True)
    retries.attempt(pointer, here.services)
    assert list(here.processes()) == ["nb → t"]
    assert here.statuses([a_write("START")]) == ["Processed"]


@pytest.mark.parametrize("message", [b"[]", b"null", b"no JSON", b"{}"])
def test_a_poison_message_of_others_starts_no_retry(
    universe: Universe, message: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RetryPointer] = []
    monkeypatch.setattr(RetryQueue, "enqueue", lambda _queue, pointer, _delay: asked.append(pointer))
    retries.poisoned(message, universe.services)
    assert asked == []
