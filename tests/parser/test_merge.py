"""All events of a run give one lineage, whatever their order."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from core.event_model import (
    ColumnLineageFacet,
    ColumnRef,
    Dataset,
    DatasetId,
    EventDataset,
    InputField,
    RunEvent,
    Symlink,
)
from core.replacing import replace
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


def written(number: int, facet: ColumnLineageFacet | None = None, **more: Any) -> RunEvent:
    """An event that writes ``t``, as one of several of its run."""
    output = EventDataset(Dataset(DatasetId("abfss://lake", "t"), **more), facet)
    return replace(run_event(minute=number), outputs=(output,), digest=str(number))


def test_the_symlinks_of_all_events_are_united() -> None:
    one, other = Symlink("hive", "db.t", "TABLE"), Symlink("glue", "db.t", "TABLE")
    run = merge([written(1, symlinks=(one,)), written(2, symlinks=(other, one)), written(3)])
    assert [output.dataset.symlinks for output in run.outputs] == [(other, one)]


def facet(rows: str = "", **fields: str) -> ColumnLineageFacet:
    """A facet with one source for each column, "" for none, and perhaps one for the whole dataset."""

    def sources(name: str) -> tuple[InputField, ...]:
        return (InputField(ColumnRef(DatasetId("abfss://lake", "s"), name)),) if name else ()

    return ColumnLineageFacet({column: sources(name) for column, name in fields.items()}, sources(rows))


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        (None, None, None),
        (facet(a="x"), None, facet(a="x")),
        (None, facet(a="x"), facet(a="x")),
        (facet(a="x", b="y"), facet(a="z"), facet(a="z", b="y")),
        # Events without content add nothing.
        (facet(a="x"), facet(a=""), facet(a="x")),
        (facet(rows="x"), facet(), facet(rows="x")),
        (facet(rows="x"), facet(rows="y"), facet(rows="y")),
    ],
)
def test_for_each_column_the_last_facet_with_content_counts(
    old: ColumnLineageFacet | None, new: ColumnLineageFacet | None, merged: ColumnLineageFacet | None
) -> None:
    (output,) = merge([written(2, new), written(1, old)]).outputs
    assert output.column_lineage == merged


def test_what_an_agent_mixes_up_in_one_event_is_mixed_up_in_the_run() -> None:
    both = tuple(InputField(ColumnRef(DatasetId("abfss://lake", "s"), name), (("DIRECT", ""),)) for name in "xy")
    mixed_up = ColumnLineageFacet({"a": both, "b": both}, both)
    for order in permutations([written(1, mixed_up), written(2, facet(c="z"))]):
        (output,) = merge(order).outputs
        assert output.column_lineage
        assert output.column_lineage.mingled == {"a", "b"}


@pytest.mark.parametrize(("first", "then"), [({"storage_layer": "delta"}, {}), ({}, {"storage_layer": "delta"})])
def test_a_format_that_one_event_tells_stays(first: Mapping[str, Any], then: Mapping[str, Any]) -> None:
    (output,) = merge([written(1, **first), written(2, **then)]).outputs
    assert output.dataset.storage_layer == "delta"


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True), (True, True)])
def test_what_one_event_names_as_a_folder_is_one(first: bool, then: bool) -> None:
    (output,) = merge([written(1, is_folder=first), written(2, is_folder=then)]).outputs
    assert output.dataset.is_folder


def test_the_last_value_of_a_property_that_is_not_empty_counts() -> None:
    first = run_event(environment={"a": "1", "b": "1", "c": "1", "d": "1", "e": "1"})
    then = run_event(minute=1, environment={"a": "2", "b": "", "c": None, "d": [], "e": {}})
    assert merge([then, first]).environment == {"a": "2", "b": "1", "c": "1", "d": "1", "e": "1"}


def test_the_last_type_of_job_and_of_processing_that_an_event_names() -> None:
    first = replace(run_event(), job_type="JOB", processing_type="BATCH")
    silent = run_event(minute=1)
    assert (merge([first, silent]).job_type, merge([first, silent]).processing_type) == ("JOB", "BATCH")
    assert (merge([silent]).job_type, merge([silent]).processing_type) == ("", "")
