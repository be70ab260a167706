"""What only another run of the application contains is drawn, whatever the order of the events."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.events import read_event
from core.identity import dataset_id
from core.replacing import replace
from parser.application_facts import RunFacts
from parser.merge import merge
from pipeline import shared_facts
from pipeline.publish import record
from pipeline.services import Services
from tests.storage.runs import new_run
from tests.support.fixtures import new_universe
from tests.support.orders import backwards, follow_up, once, shuffled_and_doubled
from tests.support.tiers import sweep

FAULTS = Path(__file__).parents[1] / "parser" / "faults"
SCENARIOS = ["08_multi_insert_spark41_variant", "14_foreach_batch_columns", "15_foreach_batch_merge"]

Order = Callable[[list[bytes]], list[bytes]]


def bodies(scenario: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((FAULTS / scenario).glob("[0-9]*.json"))]


def shown(found: list[bytes], services: Services) -> Mapping[str, Any]:
    here = new_universe(services)
    here.deliver_all(found)
    while follow_up(here, shared_facts.REASON):
        pass
    return here.processes()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_facts, "_SPREAD_SECONDS", 0)


@pytest.mark.parametrize("scenario", sweep(SCENARIOS, SCENARIOS[-1:]))
@pytest.mark.parametrize("order", sweep([backwards, shuffled_and_doubled], [shuffled_and_doubled]))
def test_any_order_of_the_events_gives_the_same_result(order: Order, scenario: str, services: Services) -> None:
    in_order = shown(bodies(scenario), services)
    assert all(process["inputs"] and process["columns"] for process in in_order.values())
    assert shown(order(bodies(scenario)), services) == in_order


def test_facts_reported_during_a_write_count_in_the_end(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker processes the run with the fact, and the replay that this causes, before this worker continues."""
    events = bodies(SCENARIOS[1])
    in_order = shown(events, services)
    here = new_universe(services)

    def others_say_it() -> None:
        here.deliver_all(events)
        follow_up(here, shared_facts.REASON)

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.record", once(record, others_say_it))
        here.deliver_all(events)
    assert here.processes() == in_order


def test_a_run_without_new_facts_enqueues_no_other(services: Services) -> None:
    here = new_universe(services)
    here.deliver_all(bodies(SCENARIOS[0]))
    while follow_up(here, shared_facts.REASON):
        pass
    here.deliver_all(bodies(SCENARIOS[0]))
    assert follow_up(here, shared_facts.REASON) == 0


@pytest.mark.parametrize(("has_plan", "is_left"), [(True, False), (False, True)], ids=["plan", "no plan"])
def test_facts_that_the_plan_of_a_run_does_not_have_any_more_are_taken_back(
    has_plan: bool, is_left: bool, services: Services
) -> None:
    """A run without a plan has no facts of its own yet."""
    planned = next(each for each in map(read_event, bodies(SCENARIOS[0])) if each.plan)
    run = merge([planned if has_plan else replace(planned, plan=())])
    facts, application = RunFacts(leaves={"leaf": dataset_id("n", "a")}), new_run()
    shared_facts._announce(application, run, facts, services)
    shared_facts._announce(application, run, RunFacts(), services)
    assert bool(services.facts.facts(application, "a", "z")) == is_left
