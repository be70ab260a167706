"""When the circuits open and close, for all workers of the app. Time is the test's own."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from core.catalog_model import AssetName
from core.circuits import Circuit
from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, CatalogUnavailable, CircuitOpen, SparklinError
from purview.catalog import Catalog
from purview.circuit_breaker import CircuitBreaker, Circuits, LocalCircuits
from purview.retry_policy import RetryPolicy
from tests.purview.clock import Time
from tests.purview.helpers import SQL, DataMap
from tests.support.processes import PATIENCE

NAME = AssetName(SQL, "mssql://s/d/dbo/t")
DOWN = CatalogUnavailable("it failed 5 times, last with 503")
POLICY = RetryPolicy(budget=1)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def circuits() -> LocalCircuits:
    return LocalCircuits()


@pytest.fixture
def breaker(circuits: LocalCircuits, time: Time) -> CircuitBreaker:
    return CircuitBreaker(POLICY, circuits, time)


def failing(breaker: CircuitBreaker, error: BaseException, collection: str = "") -> None:
    """An upload that ends with an error."""
    with pytest.raises(type(error)), breaker.upload(collection):
        raise error


def succeeding(breaker: CircuitBreaker, collection: str = "") -> None:
    with breaker.upload(collection):
        pass


def under_way(breaker: CircuitBreaker, collection: str = "") -> Callable[[Exception], None]:
    """An upload that has begun; the result lets it fail."""
    upload = breaker.upload(collection)
    upload.__enter__()

    def fail(error: Exception) -> None:
        assert not upload.__exit__(type(error), error, None)

    return fail


def held_back_for(breaker: CircuitBreaker, collection: str = "") -> float:
    """The wait that is returned to an upload that must not call the catalogue."""
    with pytest.raises(CircuitOpen, match="was not asked") as caught:
        succeeding(breaker, collection)
    return caught.value.retry_after or 0.0


def test_after_a_failure_uploads_fail_at_once_and_say_why(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    assert held_back_for(breaker) == pytest.approx(5)
    time.now += 4
    assert 0 < held_back_for(breaker) <= 5
    with pytest.raises(CircuitOpen, match="last with 503"):
        breaker.check()


def test_another_worker_is_held_back_too(circuits: LocalCircuits, breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    other = CircuitBreaker(POLICY, circuits, time)
    assert held_back_for(other) == pytest.approx(5)
    time.now += 5
    succeeding(other)
    succeeding(breaker)


def test_the_success_of_the_trial_closes_the_circuit(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    time.now += 5
    succeeding(breaker)
    with breaker.upload(""):
        succeeding(breaker)
    failing(breaker, DOWN)
    assert held_back_for(breaker) == pytest.approx(5)


def test_the_open_time_doubles_up_to_a_minute_while_trials_fail(breaker: CircuitBreaker, time: Time) -> None:
    open_times = []
    for _ in range(6):
        failing(breaker, DOWN)
        open_times.append(held_back_for(breaker))
        time.now += open_times[-1]
    assert open_times == pytest.approx([5, 10, 20, 40, 60, 60])


def test_one_upload_of_the_app_tries_at_a_time(circuits: LocalCircuits, breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    time.now += 5
    with breaker.upload("") as is_open:
        assert not is_open()
        assert held_back_for(CircuitBreaker(POLICY, circuits, time)) == pytest.approx(5)


def test_only_one_of_two_simultaneous_trials_is_made(
    circuits: LocalCircuits, breaker: CircuitBreaker, time: Time
) -> None:
    failing(breaker, DOWN)
    time.now += 5
    stale = Stale(circuits)
    late = CircuitBreaker(POLICY, stale, time)
    with breaker.upload(""):
        assert held_back_for(late) == pytest.approx(5)
    assert stale.refused == 1


@pytest.mark.parametrize("error", [KeyError("our own"), CatalogConflict("409"), KeyboardInterrupt()])
def test_a_trial_that_ends_without_a_verdict_leaves_it_to_the_next(
    breaker: CircuitBreaker, time: Time, error: BaseException
) -> None:
    failing(breaker, DOWN)
    time.now += 5
    failing(breaker, error)
    with breaker.upload(""):
        assert held_back_for(breaker) == pytest.approx(5)


def test_a_trial_whose_worker_crashes_is_replaced_after_three_minutes(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    time.now += 5
    crashed = breaker.upload("")
    crashed.__enter__()
    time.now += 179
    assert held_back_for(breaker) == pytest.approx(5)
    time.now += 2
    succeeding(breaker)
    succeeding(breaker)


def test_a_refusal_of_the_content_is_an_answer_and_closes_the_circuit(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, DOWN)
    time.now += 5
    failing(breaker, CatalogRefused(400, "ATLAS-400-00-036", "invalid", ""))
    with breaker.upload(""):
        succeeding(breaker)


def test_uploads_that_fail_at_the_same_time_count_once(breaker: CircuitBreaker) -> None:
    uploads = [under_way(breaker) for _ in range(8)]
    for fail in uploads:
        fail(DOWN)
    assert held_back_for(breaker) == pytest.approx(5)


def test_an_upload_under_way_sees_that_the_circuit_has_opened(breaker: CircuitBreaker) -> None:
    with breaker.upload("") as is_open:
        assert not is_open()
        failing(breaker, DOWN)
        assert is_open()


@pytest.mark.parametrize(("asked", "waited"), [(3, 5), (45, 45), (6 * 86400, 60), (1e300, 60)])
def test_a_wait_that_is_asked_for_holds_for_all_up_to_a_minute(
    breaker: CircuitBreaker, asked: float, waited: float
) -> None:
    failing(breaker, CatalogUnavailable("429", asked))
    assert held_back_for(breaker) == pytest.approx(waited)


def test_without_an_open_time_the_circuit_never_opens(circuits: LocalCircuits, time: Time) -> None:
    breaker = CircuitBreaker(RetryPolicy(open_seconds=0), circuits, time)
    failing(breaker, DOWN)
    succeeding(breaker)


def test_a_forbidden_collection_holds_back_its_own_uploads_only(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, CatalogDenied(403, "", "no role", "grant it"), "finance")
    assert held_back_for(breaker, "finance") == pytest.approx(5)
    succeeding(breaker, "sales")
    succeeding(breaker)
    breaker.check()
    time.now += 5
    succeeding(breaker, "finance")


def test_an_upload_may_be_the_trial_of_two_circuits(breaker: CircuitBreaker, time: Time) -> None:
    failing(breaker, CatalogDenied(403, "", "no role", "grant it"), "finance")
    failing(breaker, DOWN)
    time.now += 5
    with breaker.upload("finance"):
        assert held_back_for(breaker, "sales") == pytest.approx(5)
    with breaker.upload("finance"):
        succeeding(breaker, "finance")


def test_a_trial_that_one_circuit_stops_does_not_block_the_other(breaker: CircuitBreaker, time: Time) -> None:
    of_account, of_finance = under_way(breaker), under_way(breaker, "finance")
    of_account(DOWN)
    time.now += 4
    of_finance(CatalogDenied(403, "", "no role", "grant it"))
    time.now += 2
    assert held_back_for(breaker, "finance") == pytest.approx(5)
    succeeding(breaker, "sales")


@dataclass(frozen=True)
class Case:
    """What the Data Map does, the error that results, and which uploads the error holds back."""

    fault: Mapping[str, Any]
    error: type[SparklinError]
    own: bool = False
    others: bool = False


CASES = [
    Case({"status": 401}, CatalogDenied, own=True, others=True),
    Case({"status": 403}, CatalogDenied, own=True),
    Case({"status": 423}, CatalogDenied),
    Case({"status": 404}, CatalogDenied),
    Case({"status": 302}, CatalogDenied),
    Case({"status": 409}, CatalogConflict),
    Case({"status": 412}, CatalogConflict),
    Case({"status": 429}, CatalogUnavailable, own=True, others=True),
    Case({"status": 429, "retryAfter": 518400}, CatalogUnavailable, own=True, others=True),
    Case({"status": 500}, CatalogUnavailable, own=True, others=True),
    Case({"status": 503}, CatalogUnavailable, own=True, others=True),
    Case({"drop": True}, CatalogUnavailable, own=True, others=True),
    Case({"hang": PATIENCE}, CatalogUnavailable, own=True, others=True),
    Case({"status": 400}, CatalogRefused),
    Case({"status": 413}, CatalogRefused),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.fault))
def test_what_each_answer_means(data_map: DataMap, time: Time, case: Case) -> None:
    policy = RetryPolicy(read=0.5 if "hang" in case.fault else PATIENCE, budget=0.2, first_wait=0.01)
    breaker = CircuitBreaker(policy, LocalCircuits(), time)
    data_map.fail(count=1000, **case.fault)
    catalog = Catalog(data_map.url, "none", retry_policy=policy, breaker=breaker)
    with catalog, pytest.raises(SparklinError) as caught, catalog.upload_turn("finance"):
        catalog.find([NAME])
    assert type(caught.value) is case.error
    assert (is_open(breaker, "finance"), is_open(breaker, "sales")) == (case.own, case.others)


def is_open(breaker: CircuitBreaker, collection: str) -> bool:
    try:
        breaker.check(collection)
    except CircuitOpen:
        return True
    return False


class Stale:
    """Circuits of which the first read is out of date by the time of the write."""

    def __init__(self, circuits: Circuits) -> None:
        self._circuits = circuits
        self._first: Mapping[str, Circuit] | None = circuits.read()
        self.refused = 0

    def read(self) -> Mapping[str, Circuit]:
        first, self._first = self._first, None
        return first or self._circuits.read()

    def write(self, circuit: Circuit) -> bool:
        written = self._circuits.write(circuit)
        self.refused += not written
        return written


@pytest.mark.parametrize(
    ("error", "policy", "opens"),
    [
        (DOWN, POLICY, True),
        (DOWN, RetryPolicy(open_seconds=0), False),
        (CircuitOpen("all slots are in use"), POLICY, False),
        (CatalogDenied(403, "", "no", ""), POLICY, True),
        (CatalogDenied(401, "", "no", ""), POLICY, True),
        (CatalogDenied(404, "", "no", ""), POLICY, False),
        (CatalogRefused(400, "", "no", ""), POLICY, False),
        (CatalogConflict("changed"), POLICY, False),
    ],
    ids=lambda value: f"{type(value).__name__}{getattr(value, 'status', '')}" if isinstance(value, Exception) else None,
)
def test_only_errors_that_concern_more_than_one_upload_open_a_circuit(
    error: SparklinError, policy: RetryPolicy, opens: bool, circuits: LocalCircuits, time: Time
) -> None:
    failing(CircuitBreaker(policy, circuits, time), error)
    assert bool(circuits.read()) == opens


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DOWN, ("WARNING", "unavailable", "account", 1, 5)),
        (CatalogDenied(403, "", "no", ""), ("ERROR", "denied", "collection root", 1, 5)),
    ],
    ids=["unavailable", "denied"],
)
def test_an_open_circuit_is_logged(
    error: SparklinError, line: tuple[object, ...], breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture
) -> None:
    failing(breaker, error)
    (record,) = caplog.records
    facts = json.loads(record.message.removeprefix("step "))
    assert (record.levelname, facts["outcome"], facts["scope"], facts["failures"], facts["seconds"]) == line
