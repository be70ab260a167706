"""What faults may cost an upload, and the rest that all uploads take after that. Time is the test's own."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import CatalogRefused, CatalogUnavailable
from core.model import AssetName
from core.threads import in_threads
from purview.catalog import Catalog
from purview.retry_policy import Breaker, RetryBudget, RetryPolicy, current_allowance
from purview.uploader import upload
from tests.purview.helpers import (
    RESOURCE_SET,
    SQL,
    DataMap,
    MemoryCache,
    MemoryRecord,
    ThreadLocks,
    copy_of,
    folder,
    resolve_all,
)

NAME = AssetName(SQL, "mssql://s/d/dbo/t")
WORK = copy_of(folder("raw"), folder("gold"), "id")
SEVERAL = 1000


class Time:
    """A clock that only sleeping, or the test, moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def patient(data_map: DataMap, time: Time) -> Iterator[Catalog]:
    """A catalogue with the patience of the product."""
    with Catalog(
        data_map.url, "none", patience=RetryPolicy(connect=1, read=5), clock=time, sleep=time.sleep
    ) as catalog:
        yield catalog


def write(catalog: Catalog) -> None:
    upload(WORK, resolve_all(WORK), catalog, MemoryCache(), MemoryRecord(), ThreadLocks())


def exhaust(catalog: Catalog, data_map: DataMap) -> CatalogUnavailable:
    """An upload that finds everything down."""
    data_map.fail(status=503, count=SEVERAL)
    with pytest.raises(CatalogUnavailable) as caught:
        write(catalog)
    data_map.forget_calls()
    return caught.value


def refused_for(catalog: Catalog) -> float:
    """For how long an upload is told to wait that is not even tried."""
    with pytest.raises(CatalogUnavailable, match="left alone") as caught:
        write(catalog)
    return caught.value.retry_after or 0


def test_an_upload_bears_faults_for_twenty_seconds(patient: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(patient, data_map)
    assert 10 <= time.slept <= 20


def test_all_requests_of_an_upload_share_that(patient: Catalog, data_map: DataMap, time: Time) -> None:
    """Each request by itself would come through."""
    for path in ("uniqueAttribute", "search/query", "entity/bulk$"):
        data_map.fail(path=path, status=429, retryAfter=8)
    with pytest.raises(CatalogUnavailable):
        write(patient)
    assert time.slept == 16
    assert data_map.entities() == []


def test_short_faults_of_several_requests_are_sat_out(patient: Catalog, data_map: DataMap, time: Time) -> None:
    for path in ("uniqueAttribute", "search/query", "entity/bulk$"):
        data_map.fail(path=path, status=500, count=2)
    write(patient)
    assert time.slept < 10
    assert len(data_map.entities(RESOURCE_SET)) == 2


def test_a_wait_that_is_asked_for_is_kept(patient: Catalog, data_map: DataMap, time: Time) -> None:
    data_map.fail(path="entity/bulk$", status=429, retryAfter=15)
    write(patient)
    assert time.slept == 15


def test_healthy_work_costs_no_patience(patient: Catalog, data_map: DataMap, time: Time) -> None:
    with patient.patience():
        for _ in range(5):
            patient.find([NAME])
            time.now += 100
        data_map.fail(status=503, count=3)
        patient.find([NAME])


def test_after_that_uploads_fail_at_once_for_a_while(patient: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    assert refused_for(patient) == pytest.approx(5)
    time.now += 4
    assert 0 < refused_for(patient) <= 5
    assert data_map.calls() == {}


def test_then_an_upload_tries_and_its_success_lets_all_go_on(patient: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    time.now += 5
    write(patient)
    write(patient)
    assert len(data_map.entities(RESOURCE_SET)) == 2
    exhaust(patient, data_map)
    assert refused_for(patient) == pytest.approx(5)


def test_the_rest_doubles_up_to_a_minute_while_trials_fail(patient: Catalog, data_map: DataMap, time: Time) -> None:
    rests = []
    for _ in range(6):
        exhaust(patient, data_map)
        rests.append(refused_for(patient))
        time.now += rests[-1]
    assert rests == pytest.approx([5, 10, 20, 40, 60, 60])


def test_a_trial_that_only_reads_well_does_not_begin_anew(patient: Catalog, data_map: DataMap, time: Time) -> None:
    """Where reading works and writing does not, uploads are let through and the rest goes on doubling."""
    rests = []
    data_map.fail(path="entity/bulk$", method="POST", status=503, count=SEVERAL)
    for _ in range(3):
        with pytest.raises(CatalogUnavailable, match="failed"):
            write(patient)
        rests.append(refused_for(patient))
        time.now += rests[-1]
    assert rests == pytest.approx([5, 10, 20])


def test_one_upload_tries_at_a_time(patient: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    time.now += 5
    with patient.patience():
        with ThreadPoolExecutor(1) as other:
            assert other.submit(refused_for, patient).result() == pytest.approx(5)
        patient.find([NAME])
        with ThreadPoolExecutor(1) as other:
            other.submit(write, patient).result()


def test_a_trial_that_ends_without_an_answer_leaves_it_to_the_next(
    patient: Catalog, data_map: DataMap, time: Time
) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    time.now += 5
    with pytest.raises(KeyError), patient.patience():
        raise KeyError
    write(patient)


def test_a_refusal_is_an_answer(patient: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    time.now += 5
    data_map.fail(status=403)
    with pytest.raises(CatalogRefused):
        write(patient)
    write(patient)


def test_a_long_wait_that_is_asked_for_is_left_to_the_queue_and_holds_for_all(
    patient: Catalog, data_map: DataMap, time: Time
) -> None:
    data_map.fail(status=429, retryAfter=45)
    with pytest.raises(CatalogUnavailable) as caught:
        write(patient)
    assert caught.value.retry_after == 45
    assert time.slept == 0
    assert refused_for(patient) == pytest.approx(45)
    time.now += 45
    write(patient)


def test_an_endless_wait_is_tried_after_a_minute(patient: Catalog, data_map: DataMap) -> None:
    data_map.fail(status=429, retryAfter=86400)
    with pytest.raises(CatalogUnavailable):
        write(patient)
    assert refused_for(patient) == pytest.approx(60)


def test_an_upload_that_is_under_way_gives_up_at_its_next_fault(
    patient: Catalog, data_map: DataMap, time: Time
) -> None:
    with patient.patience():
        patient.find([NAME])
        with ThreadPoolExecutor(1) as other:
            other.submit(exhaust, patient, data_map).result()
        slept = time.slept
        with pytest.raises(CatalogUnavailable):
            patient.find([NAME])
    assert time.slept == slept
    assert refused_for(patient) == pytest.approx(5)


def test_a_request_outside_of_an_upload_is_tried_in_any_case(patient: Catalog, data_map: DataMap) -> None:
    exhaust(patient, data_map)
    data_map.heal()
    assert patient.find([NAME]) == {}


def test_no_rest_where_none_is_wished(data_map: DataMap, time: Time) -> None:
    patience = RetryPolicy(connect=1, read=5, rest=0)
    with Catalog(data_map.url, "none", patience=patience, clock=time, sleep=time.sleep) as catalog:
        exhaust(catalog, data_map)
        data_map.heal()
        write(catalog)


def test_threads_that_fail_at_the_same_time_lose_it_together(time: Time) -> None:
    allowance = RetryBudget(20, time)
    allowance.begin_loss(time.now)
    allowance.begin_loss(time.now)
    time.now += 5
    assert allowance.left() == 15
    allowance.end_loss()
    time.now += 2
    allowance.end_loss()
    time.now += 100
    assert allowance.left() == 13
    allowance.begin_loss(time.now - 3)
    assert allowance.left() == 10


def test_threads_work_on_the_allowance_of_their_upload(patient: Catalog) -> None:
    with patient.patience():
        here = current_allowance()
        assert here is not None
        assert in_threads(lambda _: current_allowance(), range(3), 3) == [here] * 3
    assert current_allowance() is None


def test_many_uploads_at_once_lengthen_the_rest_once(time: Time) -> None:
    breaker = Breaker(RetryPolicy(), time)
    allowances = [RetryBudget(20, time, breaker) for _ in range(8)]
    for allowance in allowances:
        breaker.enter(allowance)
    for allowance in allowances:
        allowance.exhausted()
    with pytest.raises(CatalogUnavailable) as caught:
        breaker.enter(RetryBudget(20, time, breaker))
    assert caught.value.retry_after == 5
