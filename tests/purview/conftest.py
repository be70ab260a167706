"""The room's tests run against the local Data Map, which keeps Atlas' rules behind the same HTTP as Purview."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from local.data_map.server import running
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy
from tests.purview.helpers import DataMap, MemoryCache, MemoryRecord, ThreadLocks


@pytest.fixture(scope="session")
def _server() -> Iterator[DataMap]:
    with running() as url:
        data_map = DataMap(url)
        yield data_map
        data_map.close()


@pytest.fixture
def own_data_map() -> Iterator[DataMap]:
    """A Data Map for a single test: requests that it abandons may arrive after its end."""
    with running() as url, closing(DataMap(url)) as data_map:
        yield data_map


@pytest.fixture
def data_map(_server: DataMap) -> DataMap:
    _server.reset()
    return _server


@pytest.fixture
def catalog(data_map: DataMap) -> Iterator[Catalog]:
    policy = RetryPolicy(budget=5, first_wait=0.01)
    with Catalog(data_map.url, "none", retry_policy=policy) as catalog:
        yield catalog


@pytest.fixture
def cache() -> MemoryCache:
    return MemoryCache()


@pytest.fixture
def record() -> MemoryRecord:
    return MemoryRecord()


@pytest.fixture
def locks() -> ThreadLocks:
    return ThreadLocks()
