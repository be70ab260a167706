"""What becomes of work that failed is what its error says; and a failure is repeated at a growing distance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import errors
from core.errors import Fate, SparklinError
from core.identity import run_key
from core.settings import Settings
from pipeline import retries
from pipeline.receive import receive
from purview.refusals import ReferenceMissing, UnusableType
from storage.faults import Conflict
from storage.retry_queue import RetryPointer, RetryQueue
from storage.rows import MissingBlob
from tests.pipeline.test_retries import a_write, enqueued, hasty, letters, with_services
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

REASON, REMEDY = "it did not work", "do it by hand"
#: One of each class of errors that work on a stored event may raise.
AT_WORK: list[SparklinError] = [
    SparklinError(REASON),
    errors.TryLater(REASON),
    errors.StorageUnavailable(REASON),
    errors.CatalogUnavailable(REASON),
    errors.LeaseLost(REASON),
    MissingBlob(REASON),
    Conflict(REASON),
    errors.Refused(REASON, REMEDY),
    errors.CatalogRefused(400, "", REASON, REMEDY),
    errors.UnreadableEvent(REASON, REMEDY),
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
def test_work_that_failed_is_retried_or_put_aside_as_its_error_says(
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


@pytest.mark.parametrize(("body", "path"), [(b"{}", "$.run"), (b"no JSON", "$"), (b"", "")])
def test_what_is_no_event_is_rejected_and_not_stored(universe: Universe, body: bytes, path: str) -> None:
    before = _stored(universe)
    known, now = universe.services, datetime.now(UTC)
    status, answer = receive(body, {}, known.limits, known.receiver_rules, known.events, now)
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


def test_what_is_forbidden_is_asked_once_whatever_notifications_come(universe: Universe) -> None:
    services = replace(universe.services, settings=replace(universe.services.settings, purview_collection="finance"))
    here = with_services(universe, services)
    universe.fail(count=100, path="entity/bulk$", method="POST", status=403)
    universe.forget_calls()
    here.deliver_all([a_write("START"), a_write(), a_write("START"), a_write()])
    ((_, remedy),) = letters(here)
    assert "Data Curator on the collection finance" in remedy
    assert universe.calls("POST", "/atlas/v2/entity/bulk") == 1
    assert here.statuses([a_write("START"), a_write()]) == ["DeadLettered", "DeadLettered"]


def test_storage_that_fails_while_a_failure_is_noted_costs_no_retry(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose rows cannot be marked is on the queue all the same."""
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
