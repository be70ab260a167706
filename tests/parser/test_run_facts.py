"""The facts that a run gives to the other runs of its application."""

from typing import Any

import pytest

from core.event_model import DatasetId
from core.events import read_event
from parser.application_facts import MOST_LEAVES, Needs
from parser.logical_plan.plan_model import PlanFacts
from parser.merge import MergedRun, merge
from parser.run_facts import facts_of, is_micro_batch, needs_of
from tests.support.events import body, dataset, event
from tests.support.plans import Nodes, operator, read

READ, WRITTEN = [dataset("s", ["x"])], [dataset("t", ["a"])]


@pytest.mark.parametrize(
    ("processing", "inputs", "outputs", "expected"),
    [
        ("STREAMING", READ, [], True),
        ("STREAMING", READ, WRITTEN, False),
        ("STREAMING", [], [], False),
        ("BATCH", READ, [], False),
        ("", READ, [], False),
    ],
)
def test_a_micro_batch_is_of_a_stream_reads_and_names_no_sink(
    processing: str, inputs: list[Any], outputs: list[Any], expected: bool
) -> None:
    assert is_micro_batch(run_of(processing, inputs, outputs)) is expected


def run_of(
    processing: str, inputs: list[Any], outputs: list[Any], plan: Nodes | None = None, spark: Any = ()
) -> MergedRun:
    content = event(inputs=inputs, outputs=outputs, plan=plan)
    content["run"]["facets"].update(spark)
    content["job"]["facets"] = {"jobType": {"processingType": processing, "integration": "SPARK", "jobType": "JOB"}}
    return merge([read_event(body(content))])


@pytest.mark.parametrize(("processing", "expected"), [("BATCH", MOST_LEAVES), ("STREAMING", 0)])
def test_a_run_tells_others_the_leaves_of_its_plans_unless_it_is_of_a_stream(processing: str, expected: int) -> None:
    one, other = ({f"{name}:{at:02}": DatasetId("file", name) for at in range(MOST_LEAVES)} for name in "ba")
    facts = facts_of(run_of(processing, READ, WRITTEN), [PlanFacts(one), PlanFacts(other)])
    assert facts.leaves == dict(list(other.items())[:expected])


@pytest.mark.parametrize(
    ("processing", "outputs", "expected"),
    [("STREAMING", [], (("x", "string"),)), ("STREAMING", WRITTEN, None), ("BATCH", [], None)],
)
def test_only_a_micro_batch_tells_others_its_rows(
    processing: str, outputs: list[Any], expected: tuple[tuple[str, str], ...] | None
) -> None:
    batch = facts_of(run_of(processing, READ, outputs, read({"x": 1})), []).batch
    assert (batch.columns if batch else None) == expected


@pytest.mark.parametrize(
    ("spark", "expected"),
    [
        ({"processing_engine": {"version": "3.3.4"}}, False),
        ({"processing_engine": {"version": "3.4.0"}}, True),
        ({"processing_engine": {"version": "3.10.1"}}, True),
        ({"processing_engine": {"version": "4.0.1.5-preview"}}, True),
        ({"processing_engine": {"version": "unknown"}}, False),
        ({}, False),
    ],
)
def test_a_micro_batch_tells_whether_its_spark_marks_rows_of_datasets(spark: dict[str, Any], expected: bool) -> None:
    batch = facts_of(run_of("STREAMING", READ, [], read({"x": 1}), spark), []).batch
    assert batch is not None
    assert batch.marks_datasets is expected


def files(name: str, number: int, is_streaming: object) -> Nodes:
    first, *output = read({name: number})
    return [{**first, "isStreaming": is_streaming}, *output]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (read({"x": 3, "y": 9}), None),
        (files("x", 3, is_streaming=False), None),
        (files("x", 3, is_streaming=True), 3),
        (operator("Union", files("x", 3, True), files("x", 8, True), files("x", 9, False)), 8),
    ],
)
def test_a_micro_batch_tells_the_largest_id_of_the_files_of_its_stream(plan: Nodes, expected: int | None) -> None:
    batch = facts_of(run_of("STREAMING", READ, [], plan), []).batch
    assert batch is not None
    assert batch.last_id == expected


@pytest.mark.parametrize(
    ("processing", "reads_rows", "expected"),
    [("BATCH", True, True), ("BATCH", False, False), ("STREAMING", True, False), ("STREAMING", False, False)],
)
def test_a_run_lacks_a_micro_batch_if_it_reads_rows_and_is_none_itself(
    processing: str, reads_rows: bool, expected: bool
) -> None:
    plans = [PlanFacts(open=frozenset({"k"})), PlanFacts(open=frozenset({"l"}), reads_rows=reads_rows)]
    needs = needs_of(run_of(processing, READ, WRITTEN), plans, ["db.t"])
    assert needs == Needs(frozenset({"db.t"}), frozenset({"k", "l"}), expected)


@pytest.mark.parametrize(
    ("namespace", "kind", "name", "expected"),
    [
        ("file", "TABLE", "db.t", ["db.t"]),
        ("file", "table", "Catalog.DB.T", ["db.t"]),
        ("file", "TABLE", "t", []),
        ("file", "LOCATION", "db.t", []),
        ("hive://metastore", "TABLE", "db.t", []),
    ],
)
def test_a_run_tells_others_the_folders_of_the_tables_that_it_writes(
    namespace: str, kind: str, name: str, expected: list[str]
) -> None:
    sink = dataset("w/t", ["a"], namespace=namespace)
    sink["facets"]["symlinks"] = {"identifiers": [{"namespace": "hive", "name": name, "type": kind}]}
    facts = facts_of(run_of("BATCH", [sink], [sink]), [])
    assert (list(facts.tables), facts.batch) == (expected, None)
