"""The whole way on real storage and a real Data Map, without the function host."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.settings import Settings, StorageConnection
from local.data_map.server import running
from purview.catalog import Catalog
from purview.patience import Patience
from services import Services, build
from tests.support.universe import Universe


@pytest.fixture(scope="session")
def data_map() -> Iterator[str]:
    """The address of a Data Map."""
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def services(storage_connection: StorageConnection, data_map: str) -> Iterator[Services]:
    """Services with little patience for the catalogue, so that faults show soon."""
    built = build(Settings(lineage_storage=storage_connection, purview_endpoint=data_map, purview_auth="none"))
    patience = Patience(connect=1, read=2, budget=0.3, first_wait=0.01, rest=0)
    with Catalog(data_map, "none", patience=patience) as catalog:
        yield replace(built, catalog=catalog)


@pytest.fixture
def universe(services: Services) -> Universe:
    return new_universe(services)


def new_universe(services: Services) -> Universe:
    """A universe that nobody else has."""
    return Universe(f"test-{uuid.uuid4().hex[:12]}", services)
