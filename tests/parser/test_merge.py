"""All events of a run make one picture, whatever their order."""

from itertools import permutations

import pytest

from core.event_model import RunEvent
from parser.merge import RunState, merge
from tests.support.corpus import SPARK_35, events
from tests.support.events import dataset, run_event

STATES = [
    (["START"], RunState.OPEN),
    (["START", "RUNNING", "OTHER"], RunState.OPEN),
    (["START", "COMPLETE"], RunState.COMPLETED),
    (["COMPLETE"], RunState.COMPLETED),
    (["START", "FAIL", "COMPLETE"], RunState.FAILED),
    (["COMPLETE", "ABORT"], RunState.FAILED),
]


@pytest.mark.parametrize(("types", "state"), STATES)
def test_a_failure_counts_whatever_comes_before_or_after_it(types: list[str], state: RunState) -> None:
    found = [run_event(event_type, minute=minute) for minute, event_type in enumerate(types)]
    assert {merge(order).state for order in permutations(found)} == {state}


def one_run(scenario: str) -> list[RunEvent]:
    """The events of the scenario's run that has the most, at most five of them."""
    by_run: dict[str, list[RunEvent]] = {}
    for event in events(f"{SPARK_35}/{scenario}"):
        by_run.setdefault(event.run_key, []).append(event)
    return max(by_run.values(), key=len)[-5:]


@pytest.mark.parametrize("scenario", ["tutorial_customer_master", "failing_udf_plain_spark", "union_two_inputs"])
def test_every_order_and_repetition_of_recorded_events_merges_alike(scenario: str) -> None:
    found = one_run(scenario)
    expected = merge(found)
    assert all(merge([*order, order[0]]) == expected for order in permutations(found))


def test_inputs_and_outputs_of_all_events_are_united() -> None:
    start = run_event("START", inputs=[dataset("a")], outputs=[])
    complete = run_event("COMPLETE", inputs=[], outputs=[dataset("t")])
    run = merge([complete, start])
    assert [found.dataset.id.name for found in (*run.inputs, *run.outputs)] == ["a", "t"]


@pytest.mark.parametrize("spelling", ["raw/a", "/raw/a", "raw/a/", "raw//a", "raw/a/day=2024-01-02", "raw/a/y=1/m=2"])
def test_one_dataset_is_one_dataset_in_every_spelling(spelling: str) -> None:
    upper = "ABFSS://data@ContosoLake.dfs.core.windows.net/"
    run = merge([run_event(inputs=[dataset("raw/a"), dataset(spelling), dataset(spelling, namespace=upper)])])
    assert [found.dataset.id.name for found in run.inputs] == ["raw/a"]


def test_the_last_word_on_a_schema_is_completes_unless_it_says_nothing() -> None:
    start = run_event("START", outputs=[dataset("t", ["guess"])])
    complete = run_event("COMPLETE", outputs=[dataset("t", ["a", "b"])])
    silent = run_event("COMPLETE", outputs=[dataset("t")])
    assert [field.name for field in merge([complete, start]).outputs[0].dataset.fields] == ["a", "b"]
    assert [field.name for field in merge([silent, start]).outputs[0].dataset.fields] == ["guess"]
