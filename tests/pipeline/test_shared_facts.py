"""What only another run of the application contains is drawn, whatever the order of the events."""

import base64
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline import retries, shared_facts
from pipeline.services import Services
from storage.retry_queue import decode
from tests.support.fixtures import new_universe
from tests.support.universe import Universe

FAULTS = Path(__file__).parents[1] / "parser" / "faults"
SCENARIOS = ["08_multi_insert_spark41_variant", "14_foreach_batch_columns", "15_foreach_batch_merge"]

Order = Callable[[list[bytes]], list[bytes]]


def bodies(scenario: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((FAULTS / scenario).glob("[0-9]*.json"))]


def backwards(found: list[bytes]) -> list[bytes]:
    return found[::-1]


def shuffled_and_doubled(found: list[bytes]) -> list[bytes]:
    return random.Random(7).sample([*found, *found], 2 * len(found))


def follow_up(here: Universe) -> int:
    """Process the runs that were enqueued because another one says what they lack; how many."""
    queue, count = here.services.clients.queue(), 0
    for message in queue.receive_messages(visibility_timeout=600):
        pointer = base64.b64decode(message.content)
        if decode(pointer).reason == shared_facts.REASON:
            retries.retry(pointer, here.services)
            count += 1
        queue.delete_message(message)
    return count


def shown(found: list[bytes], services: Services) -> Mapping[str, Any]:
    here = new_universe(services)
    here.deliver_all(found)
    while follow_up(here):
        pass
    return here.processes()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_facts, "_SPREAD_SECONDS", 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("order", [backwards, shuffled_and_doubled])
def test_any_order_of_the_events_comes_to_the_same(order: Order, scenario: str, services: Services) -> None:
    in_order = shown(bodies(scenario), services)
    assert all(process["inputs"] and process["columns"] for process in in_order.values())
    assert shown(order(bodies(scenario)), services) == in_order


def test_a_run_that_says_nothing_new_enqueues_nobody(services: Services) -> None:
    here = new_universe(services)
    here.deliver_all(bodies(SCENARIOS[0]))
    while follow_up(here):
        pass
    here.deliver_all(bodies(SCENARIOS[0]))
    assert follow_up(here) == 0
