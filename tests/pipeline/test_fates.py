"""Failed work is treated as its error says, and repeated failures are retried at growing intervals."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import errors
from core.envelope import read_envelope
from core.errors import Fate, SparklinError
from core.event_fields import digest
from core.identity import run_key
from core.settings import Settings
from pipeline import retries
from pipeline.receive import receive
from purview.circuit_breaker import CircuitBreaker
from purview.refusals import ReferenceMissing, UnusableType
from storage.faults import Conflict
from storage.retry_queue import RetryPointer, RetryQueue
from storage.rows import MissingBlob
from tests.pipeline.test_retries import a_write, enqueued, hasty, letters, with_services
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

REASON, REMEDY = "it did not work", "do it by hand"
#: One error of each class that work on a stored event may raise.
AT_WORK: list[SparklinError] = [
    SparklinError(REASON),
    errors.TryLater(REASON),
    errors.StorageUnavailable(REASON),
    errors.CatalogUnavailable(REASON),
    errors.CatalogDenied(403, "", REASON, REMEDY),
    errors.CircuitOpen(REASON),
    errors.CatalogConflict(REASON),
    errors.LeaseLost(REASON),
    MissingBlob(REASON),
    Conflict(REASON),
    errors.Refused(REASON, REMEDY),
    errors.CatalogRefused(400, "", REASON, REMEDY),
    errors.UnreadableEvent(REASON, REMEDY),
    errors.UnreadableHistory(REASON, REMEDY),
    UnusableType(400, "", REASON, REMEDY),
    ReferenceMissing(404, "", REASON, REMEDY),
]
#: What is no matter of stored events.
AT_THE_DOOR = {errors.BadRequest, errors.BadEvent, errors.SettingsError}


def classes(above: type[SparklinError] = SparklinError) -> Iterator[type[SparklinError]]:
    """A class of errors of the product and all below it."""
    yield above
    for each in above.__subclasses__():
        if not each.__module__.startswith(("local.", "cli.")):
            yield from classes(each)


def test_no_class_of_errors_is_left_out() -> None:
    assert {type(error) for error in AT_WORK} | AT_THE_DOOR == set(classes())


@pytest.mark.parametrize("error", AT_WORK, ids=lambda error: type(error).__name__)
def test_work_that_failed_is_retried_or_dead_lettered_as_its_error_says(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, error: SparklinError
) -> None:
    here = with_services(universe, hasty(universe.services))
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.merge", lambda _events: _raise(error))
        here.deliver(a_write())
    retried = [REASON in pointer.reason for pointer in enqueued(here)]
    found = (here.statuses([a_write()]), retried, letters(here))
    expected = {
        Fate.RETRY: (["Retrying"], [True], []),
        Fate.DEAD_LETTER: (["DeadLettered"], [], [(REASON, REMEDY)]),
    }
    assert found == expected[error.fate]


@pytest.mark.parametrize(("sent", "path"), [(b"{}", "$.run"), (b"no JSON", "$"), (b"", "")])
def test_what_is_no_event_is_rejected_and_not_stored(universe: Universe, sent: bytes, path: str) -> None:
    before = _stored(universe)
    known, now = universe.services, datetime.now(UTC)
    status, answer = receive(sent, {}, known.receiver, now)
    assert (status, answer["status"], path in answer["reason"]) == (400, "rejected", True)
    assert _stored(universe) == before


def test_with_wrong_settings_the_app_does_not_start() -> None:
    with pytest.raises(errors.SettingsError, match=r"LINEAGE_STORAGE.*PURVIEW_ENDPOINT") as caught:
        Settings.from_env({})
    assert caught.value.fate is Fate.REJECT


class Asked:
    """The retries that are asked for, with their delays, instead of the queue."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.retries: list[tuple[RetryPointer, float]] = []
        monkeypatch.setattr(RetryQueue, "enqueue", lambda _queue, *asked: self.retries.append(asked))


def test_the_distance_of_retries_doubles_from_a_minute_to_an_hour_and_is_spread(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    monkeypatch.setattr("pipeline.retries.process_run", lambda *_, **__: _raise(errors.CatalogUnavailable(REASON)))
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 0, datetime.now(UTC)), universe.services)
    for _ in range(8):
        retries.attempt(asked.retries[-1][0], universe.services)
    exact = [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    ratios = [delay / wanted for (_, delay), wanted in zip(asked.retries, exact, strict=True)]
    assert all(0.8 <= ratio <= 1.2 for ratio in ratios)
    assert len(set(ratios)) == len(ratios), "runs that failed together must not come back together"


def test_a_longer_wait_that_the_catalogue_asks_for_is_kept(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    universe.fail(count=100, path="entity/bulk", status=429, retryAfter=500)
    universe.deliver(a_write())
    assert [delay for _, delay in asked.retries] == [500]


def test_a_dead_letter_names_the_run_since_when_it_failed_and_what_to_do(universe: Universe) -> None:
    universe.post(a_write())
    universe.fail(count=100, path="entity/bulk", status=503)
    since = datetime.now(UTC) - timedelta(hours=25)
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 9, since), universe.services)
    store = universe.services.dead_letters
    (letter,) = [store.read(name) for name in store.names(run_key(universe.run_id("run-1")))]
    assert letter is not None
    assert letter.run_key == run_key(universe.run_id("run-1"))
    assert letter.details == {"attempts": 10, "firstFailed": since.isoformat()}
    now = datetime.now(UTC)
    (row,) = [row for row in universe.services.events.rows(now, now) if row.run_key == letter.run_key]
    assert row.message == f"{letter.reason}. {letter.remedy}"


@pytest.mark.parametrize("asked", [6 * 86400, 10**9])
def test_no_wait_that_is_asked_for_is_longer_than_an_hour(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, asked: int
) -> None:
    waits = Asked(monkeypatch)
    universe.fail(count=100, path="entity/bulk", status=429, retryAfter=asked)
    universe.deliver(a_write())
    assert [delay for _, delay in waits.retries] == [3600]


def test_a_run_is_tried_once_more_before_it_is_given_up(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    monkeypatch.setattr("pipeline.retries.process_run", lambda *_, **__: _raise(errors.CatalogUnavailable(REASON)))
    since = datetime.now(UTC) - timedelta(hours=23, minutes=50)
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 20, since), universe.services)
    ((pointer, delay),) = asked.retries
    assert (pointer.attempt, pointer.first_failed) == (21, since)
    assert 500 < delay <= 600


def test_while_the_circuit_is_open_a_retry_goes_back_to_the_queue_unprocessed(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its delay is at most about ten minutes, so that the backlog is processed soon after Purview is back."""
    asked = Asked(monkeypatch)
    monkeypatch.setattr(CircuitBreaker, "check", lambda *_: _raise(errors.CircuitOpen(REASON, 5)))
    monkeypatch.setattr("pipeline.retries.process_run", lambda *_, **__: pytest.fail("it was processed"))
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 12, datetime.now(UTC)), universe.services)
    ((pointer, delay),) = asked.retries
    assert pointer.attempt == 13
    assert 480 <= delay <= 720


NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def fail(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, error: SparklinError, number: int, since: datetime
) -> list[tuple[RetryPointer, float]]:
    """Let an attempt at noon end with an error; returns the retries that it asked for."""
    asked = Asked(monkeypatch)
    monkeypatch.setattr(retries, "_now", lambda: NOW)
    monkeypatch.setattr(retries, "process_run", lambda *_, **__: _raise(error))
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), number, since), universe.services)
    return asked.retries


@pytest.mark.parametrize(
    ("number", "age", "is_given_up"),
    [(9, DAY, True), (9, DAY - timedelta(seconds=1), False), (0, 2 * DAY, False)],
    ids=["a day", "almost", "first attempt"],
)
def test_a_run_is_given_up_a_day_after_its_first_failure(
    number: int, age: timedelta, is_given_up: bool, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = fail(universe, monkeypatch, errors.CatalogUnavailable(REASON), number, NOW - age)
    assert (len(asked), len(letters(universe))) == ((0, 1) if is_given_up else (1, 0))


@pytest.mark.parametrize(
    ("error", "number", "status"),
    [
        (errors.CatalogUnavailable(REASON), 0, "Retrying"),
        (errors.CatalogUnavailable(REASON), 1, "Retrying"),
        (errors.CircuitOpen(REASON), 0, "Retrying"),
        (errors.CircuitOpen(REASON), 1, "Received"),
    ],
)
def test_only_a_retry_that_goes_back_unprocessed_leaves_its_events_as_they_are(
    error: SparklinError, number: int, status: str, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    universe.post(a_write())
    assert len(fail(universe, monkeypatch, error, number, NOW)) == 1
    assert universe.statuses([a_write()]) == [status]


def test_hours_whose_events_wait_for_a_retry_are_read_again_once_it_may_be_overdue(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_services(universe, universe.services)
    old, new = NOW - retries.RETRY_OVERDUE, NOW - retries.RETRY_OVERDUE + timedelta(hours=1)
    for event_type, received in (("START", old), ("COMPLETE", new)):
        sent = here.own(a_write(event_type))
        here.services.events.put(read_envelope(sent), digest(sent), sent, received)
        here.services.retrying._close(received)
    fail(here, monkeypatch, errors.CatalogUnavailable(REASON), 1, NOW)
    assert here.services.retrying.open_hours(old, new) == (old,)


@pytest.mark.parametrize(
    ("is_replay", "age", "left"),
    [(True, timedelta(seconds=1), 0), (True, timedelta(), 1), (False, timedelta(seconds=1), 1)],
    ids=["replay", "newer than the replay", "retry"],
)
def test_a_replay_that_succeeds_drops_the_dead_letters_before_it(
    is_replay: bool, age: timedelta, left: int, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "process_run", lambda *_, **__: None)
    run = run_key(universe.run_id("run-1"))
    universe.services.dead_letters.put(run, REASON, REMEDY, {}, NOW - age)
    retries.attempt(RetryPointer(run, 0, NOW, replay=is_replay), universe.services)
    assert len(letters(universe)) == left


def test_what_is_forbidden_waits_for_the_role_that_is_missing(universe: Universe) -> None:
    services = replace(universe.services, settings=replace(universe.services.settings, purview_collection="finance"))
    here = with_services(universe, services)
    universe.fail(count=100, path="entity/bulk$", method="POST", status=403)
    universe.forget_calls()
    here.deliver_all([a_write("START"), a_write(), a_write("START"), a_write()])
    assert universe.calls("POST", "/atlas/v2/entity/bulk") == 1
    assert letters(here) == []
    now = datetime.now(UTC)
    rows = {row.event_type: row for row in here.services.events.rows(now, now) if row.job_namespace == here.name}
    assert rows["COMPLETE"].status.value == "Retrying"
    assert "Data Curator on the collection finance" in rows["COMPLETE"].message


def test_a_run_that_is_given_up_names_the_role_that_is_missing(universe: Universe) -> None:
    universe.post(a_write())
    universe.fail(count=100, path="entity/bulk", status=403)
    since = datetime.now(UTC) - timedelta(hours=25)
    retries.attempt(RetryPointer(run_key(universe.run_id("run-1")), 9, since), universe.services)
    ((_, remedy),) = letters(universe)
    assert "Data Curator" in remedy
    assert remedy.endswith("Then run: sparklin replay --dead-letters")


def two_writes() -> bytes:
    """A run with two sinks, and so with two processes."""
    sinks = [dataset(name, ["a"], {"a": [("s", "x")]}) for name in ("t", "u")]
    return body(event(inputs=[dataset("s", ["x"])], outputs=sinks))


@pytest.mark.parametrize(("status", "fate"), [(409, "Retrying"), (412, "Retrying"), (400, "DeadLettered")])
def test_what_concerns_one_process_keeps_no_other_from_being_shown(universe: Universe, status: int, fate: str) -> None:
    universe.fail(path="entity/bulk$", method="POST", status=status)
    universe.deliver(two_writes())
    assert len(universe.processes()) == 1
    assert universe.statuses([two_writes()]) == [fate]


def test_a_failed_processing_is_not_counted_as_under_way(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_key(universe.run_id("run-1"))
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.merge", lambda _events: _raise(errors.CatalogUnavailable(REASON)))
        universe.deliver(a_write())
    record = universe.services.run_records.read(run)
    assert (record.at_work, record.processed) == (0, "")
    retries.attempt(RetryPointer(run, 1, datetime.now(UTC)), universe.services)
    record = universe.services.run_records.read(run)
    assert (record.at_work, bool(record.processed)) == (0, True)


def test_storage_that_fails_while_a_failure_is_noted_costs_no_retry(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose rows cannot be marked is on the queue anyway."""
    asked = Asked(monkeypatch)
    unreachable = errors.StorageUnavailable("tables are unavailable")
    monkeypatch.setattr("pipeline.retries.process_run", lambda *_, **__: _raise(unreachable))
    for owner, name in (("event_store.EventStore", "mark"), ("run_records.RunRecords", "note_retry")):
        monkeypatch.setattr(f"storage.{owner}.{name}", lambda *_: _raise(unreachable))
    universe.deliver(a_write())
    assert [pointer.reason for pointer, _ in asked.retries] == ["tables are unavailable"]


def _raise(error: Exception) -> Any:
    raise error


def _stored(universe: Universe) -> int:
    return len(list(universe.services.clients.container("openlineage").list_blob_names()))
