"""The whole catalogue depends on which events were stored, not on their order: each order has its own world."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from core.settings import Settings
from local.data_map.server import running
from pipeline.services import build
from storage.clients import connect, provision
from tests.support import catalogue
from tests.support.corpus import bodies
from tests.support.storage_accounts import StorageAccounts
from tests.support.universe import Universe

APPLICATION = "agents/1.36.0_spark-3.5.1"

Order = Callable[[list[bytes]], list[bytes]]


@pytest.fixture
def new_world(storage_accounts: StorageAccounts) -> Iterator[Callable[[], Universe]]:
    """Creates worlds with the same name, each with its own storage and Data Map."""
    with ExitStack() as stack:

        def make() -> Universe:
            data_map = stack.enter_context(running())
            storage = storage_accounts.new()
            provision(connect(storage))
            services = build(Settings(lineage_storage=storage, purview_endpoint=data_map, purview_auth="none"))
            stack.callback(services.catalog.close)
            return Universe("shuffled", services)

        yield make


def picture(universe: Universe) -> list[str]:
    """Everything that the Data Map shows, except guids."""
    return catalogue.picture(universe.services.settings.purview_endpoint)


def shuffled(seed: int) -> Order:
    def order(events: list[bytes]) -> list[bytes]:
        return random.Random(seed).sample(events, len(events))

    return order


@pytest.mark.exhaustive
def test_every_order_of_an_applications_events_leaves_the_same_catalogue(new_world: Callable[[], Universe]) -> None:
    # Without later columns, these orders leave other columns of a folder that is written and read in parts.
    orders: list[Order] = [list, shuffled(1), shuffled(3), lambda events: events[::-1]]
    pictures = []
    for order in orders:
        universe = new_world()
        universe.deliver_all(order(bodies(APPLICATION)))
        pictures.append(picture(universe))
    assert len(pictures[0]) > 50
    for other in pictures[1:]:
        assert other == pictures[0]


@pytest.mark.exhaustive
def test_concurrent_events_leave_the_same_catalogue(new_world: Callable[[], Universe]) -> None:
    one, many = new_world(), new_world()
    one.deliver_all(bodies(APPLICATION))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(many.deliver, shuffled(1)(bodies(APPLICATION))))
    assert picture(many) == picture(one)
