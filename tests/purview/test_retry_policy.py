"""The maximum cost of faults in an upload, for all its requests together. The test controls the time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.catalog_model import AssetName
from core.errors import CatalogUnavailable
from core.threads import in_threads
from purview.catalog import Catalog
from purview.circuit_breaker import CircuitBreaker, LocalCircuits
from purview.retry_policy import RetryBudget, RetryPolicy, current_budget
from purview.uploader import upload
from tests.purview.clock import Time
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
POLICY = RetryPolicy(connect=1, read=5)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def catalog(data_map: DataMap, time: Time) -> Iterator[Catalog]:
    """A catalogue with the retry policy of the product."""
    breaker = CircuitBreaker(POLICY, LocalCircuits(), time)
    with Catalog(data_map.url, "none", retry_policy=POLICY, breaker=breaker, clock=time, sleep=time.sleep) as catalog:
        yield catalog


def write(catalog: Catalog) -> None:
    upload(WORK, resolve_all(WORK), catalog, MemoryCache(), MemoryRecord(), ThreadLocks())


def exhaust(catalog: Catalog, data_map: DataMap) -> None:
    """An upload that finds everything unavailable."""
    data_map.fail(status=503, count=SEVERAL)
    with pytest.raises(CatalogUnavailable):
        write(catalog)


def test_an_upload_tolerates_faults_for_twenty_seconds(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    exhaust(catalog, data_map)
    assert 10 <= time.slept <= 20


def test_all_requests_of_an_upload_share_the_budget(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    """Each request alone would succeed."""
    for path in ("uniqueAttribute", "search/query", "entity/bulk$"):
        data_map.fail(path=path, status=429, retryAfter=8)
    with pytest.raises(CatalogUnavailable):
        write(catalog)
    assert time.slept == 16
    assert data_map.entities() == []


def test_short_faults_of_several_requests_are_waited_out(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    for path in ("uniqueAttribute", "search/query", "entity/bulk$"):
        data_map.fail(path=path, status=500, count=2)
    write(catalog)
    assert time.slept < 10
    assert len(data_map.entities(RESOURCE_SET)) == 2


def test_the_wait_that_a_response_asks_for_is_kept(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    data_map.fail(path="entity/bulk$", status=429, retryAfter=15)
    write(catalog)
    assert time.slept == 15


def test_a_long_wait_is_left_to_the_queue(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    data_map.fail(status=429, retryAfter=45)
    with pytest.raises(CatalogUnavailable) as caught:
        write(catalog)
    assert (caught.value.retry_after, time.slept) == (45, 0)


def test_healthy_work_spends_no_budget(catalog: Catalog, data_map: DataMap, time: Time) -> None:
    with catalog.upload_turn():
        for _ in range(5):
            catalog.find([NAME])
            time.now += 100
        data_map.fail(status=503, count=3)
        catalog.find([NAME])


def test_an_upload_under_way_gives_up_at_its_next_fault_once_the_circuit_is_open(
    catalog: Catalog, data_map: DataMap, time: Time
) -> None:
    with catalog.upload_turn():
        catalog.find([NAME])
        with ThreadPoolExecutor(1) as other:
            other.submit(exhaust, catalog, data_map).result()
        slept = time.slept
        with pytest.raises(CatalogUnavailable):
            catalog.find([NAME])
    assert time.slept == slept


def test_a_request_outside_of_an_upload_is_sent_even_while_the_circuit_is_open(
    catalog: Catalog, data_map: DataMap
) -> None:
    exhaust(catalog, data_map)
    data_map.heal()
    assert catalog.find([NAME]) == {}


def test_threads_that_fail_at_the_same_time_spend_the_budget_together(time: Time) -> None:
    budget = RetryBudget(20, time)
    budget.begin_failing(time.now)
    budget.begin_failing(time.now)
    time.now += 5
    assert budget.seconds_left() == 15
    budget.end_failing()
    time.now += 2
    budget.end_failing()
    time.now += 100
    assert budget.seconds_left() == 13
    budget.begin_failing(time.now - 3)
    assert budget.seconds_left() == 10


def test_threads_spend_the_budget_of_their_upload(catalog: Catalog) -> None:
    with catalog.upload_turn():
        here = current_budget()
        assert here is not None
        assert in_threads(lambda _: current_budget(), range(3), 3) == [here] * 3
    assert current_budget() is None
