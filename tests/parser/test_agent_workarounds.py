"""False statements of agents are dropped, depending on their version; everything else is kept."""

from typing import Any

import pytest

from core.event_model import ColumnLineageFacet, ColumnRef, DatasetId, InputField, RunEvent
from core.events import read_event
from core.replacing import replace
from parser.agent_workarounds import MOST_DATASETS, without_mingled, without_phantoms, without_rdd_columns
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.corpus import events
from tests.support.events import LAKE, body, dataset, event
from tests.support.lineage import runs_of
from tests.support.plans import attribute, node

ROWS = node("sql.execution.LogicalRDD", output=[attribute("a", 1), attribute("b", 2)])


def with_rows(agent: str, plan: list[dict[str, Any]] = ROWS) -> RunEvent:
    """A write of two inputs, of which the first has the columns of an RDD in the plan."""
    drawn = {"x": [("rows", "a"), ("other", "k")], "y": [("other", "k")]}
    inputs = [dataset("rows", ["a", "b"]), dataset("other", ["k"])]
    whole = event(inputs=inputs, outputs=[dataset("out", ["x", "y"], drawn), dataset("plain", ["z"])])
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": plan}
    whole["producer"] = f"https://github.com/OpenLineage/OpenLineage/tree/{agent}/integration/spark"
    return read_event(body(whole))


def columns(read: RunEvent) -> list[list[str]]:
    return [[field.name for field in item.dataset.fields] for item in read.inputs]


def sources(read: RunEvent) -> dict[str, list[str]]:
    facet = read.outputs[0].column_lineage
    assert facet
    return {
        name: [f"{entry.column.dataset.name}.{entry.column.column}" for entry in entries]
        for name, entries in facet.fields.items()
    }


@pytest.mark.parametrize("agent", ["0.4.0", "1.22.0", "1.43.0"])
def test_columns_of_an_rdd_are_not_those_of_the_file_behind_it(agent: str) -> None:
    read = with_rows(agent)
    assert read.agent == agent
    found = without_rdd_columns(read)
    assert columns(found) == [[], ["k"]]
    assert sources(found) == {"x": ["other.k"], "y": ["other.k"]}
    assert found.outputs[1] == read.outputs[1]


@pytest.mark.parametrize("agent", ["1.44.0", "1.53.0", "2.0.0", ""])
def test_later_agents_are_believed(agent: str) -> None:
    read = with_rows(agent)
    assert without_rdd_columns(read) is read


@pytest.mark.parametrize(
    "plan",
    [
        node("sql.execution.LogicalRDD", output=[attribute("a", 1)]),
        node("sql.execution.LogicalRDD", output=[attribute("b", 2), attribute("a", 1)]),
        node("sql.execution.LogicalRDD", output=[]),
        node("sql.execution.LogicalRDD", output=[[], 5, ["a"]]),
        node("sql.execution.datasources.LogicalRelation", output=[attribute("a", 1), attribute("b", 2)]),
        [],
    ],
    ids=["fewer columns", "another order", "no columns", "broken", "a file", "no plan"],
)
def test_an_input_with_other_columns_than_the_rdd_is_left_alone(plan: list[dict[str, Any]]) -> None:
    read = with_rows("1.22.0", plan)
    assert without_rdd_columns(read) is read


REAL, VIEW, OTHER = DatasetId("file", "/data/src"), DatasetId("file", "/spark/warehouse/v"), DatasetId("file", "/o/t")


def facet(*gives: tuple[str, DatasetId, str]) -> ColumnLineageFacet:
    fields: dict[str, tuple[InputField, ...]] = {}
    for name, source, column in gives:
        fields[name] = (*fields.get(name, ()), InputField(ColumnRef(source, column)))
    return ColumnLineageFacet(fields, ())


TWICE = facet(("x", REAL, "a"), ("x", VIEW, "a"), ("y", REAL, "b"))


def datasets(found: ColumnLineageFacet) -> set[DatasetId]:
    return {entry.column.dataset for entries in found.fields.values() for entry in entries}


def test_a_view_named_together_with_its_folder_is_dropped() -> None:
    assert datasets(without_phantoms(TWICE, "1.22.0", [])) == {REAL}


@pytest.mark.parametrize("agent", ["1.21.0", "1.23.0", "1.2.2", ""])
def test_only_one_version_invents_datasets(agent: str) -> None:
    assert without_phantoms(TWICE, agent, []) is TWICE


KEPT: dict[str, tuple[ColumnLineageFacet, list[DatasetId]]] = {
    "an input": (TWICE, [VIEW]),
    "the folder is an input": (TWICE, [REAL]),
    "it gives more than the other": (facet(("x", REAL, "a"), ("x", VIEW, "a"), ("y", VIEW, "b")), []),
    "it gives another column": (facet(("x", REAL, "a"), ("x", VIEW, "c")), []),
    "it is alone": (facet(("x", VIEW, "a")), []),
    "it is not below a warehouse": (facet(("x", REAL, "a"), ("x", OTHER, "a")), []),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_may_be_a_dataset_is_kept(case: str) -> None:
    facets, inputs = KEPT[case]
    assert datasets(without_phantoms(facets, "1.22.0", inputs)) == datasets(facets)


@pytest.mark.parametrize(("more", "left"), [(MOST_DATASETS - 2, 1), (MOST_DATASETS - 1, 0)])
def test_more_datasets_than_can_be_compared_are_all_kept(more: int, left: int) -> None:
    others = [("z", DatasetId("file", f"/n/{number}"), "q") for number in range(more)]
    facets = facet(("x", REAL, "a"), ("x", VIEW, "a"), *others)
    assert len(datasets(facets)) - len(datasets(without_phantoms(facets, "1.22.0", []))) == left


SETS = "openlineage-1.53.0_spark-3.5.9_plan/plain_subqueries_sets"


def columns_of_sets(*, with_plan: bool) -> dict[str, dict[str, list[str]]]:
    """By sink: the columns that the source columns of each of its columns have."""
    sent = events(SETS) if with_plan else [replace(each, plan=()) for each in events(SETS)]
    lineages = [each for run in runs_of(sent) for each in derive(merge(run), LineageRules()).lineages]
    return {
        each.sink.id.name.rpartition("/")[2]: {c.name: [ref.column for ref in c.sources] for c in each.columns}
        for each in lineages
    }


def test_only_the_plan_gives_the_sources_of_a_set_operation() -> None:
    plain, planned = columns_of_sets(with_plan=False), columns_of_sets(with_plan=True)
    assert (plain["except_all"], planned["except_all"]) == (
        {"id": [], "label": []},
        {"id": ["site_id"], "label": ["region"]},
    )
    assert (plain["intersect_union"], planned["intersect_union"]) == (
        {"k": [], "txt": []},
        {"k": ["meter_id", "owner_id"], "txt": ["serial", "region"]},
    )
    assert plain["anti"] == planned["anti"] == {"sn": ["serial"], "maker": ["props"]}


def test_a_note_says_which_sources_are_mixed_up() -> None:
    sent = [replace(each, plan=()) for each in events(SETS)]
    notes = {
        each.sink.id.name.rpartition("/")[2]: [note.text for note in each.notes]
        for run in runs_of(sent)
        for each in derive(merge(run), LineageRules()).lineages
    }
    assert notes["except_all"] == [
        "The agent names all columns of EXCEPT ALL or INTERSECT ALL as sources of id, label, so none of them is shown. "
        "Events with the logical plan contain the real ones."
    ]
    assert notes["anti"] == []


def test_the_note_names_the_columns_that_are_mixed_up_and_no_constant() -> None:
    entries = [
        {"namespace": LAKE, "name": "s", "field": column, "transformations": [{"type": "DIRECT"}]} for column in "ab"
    ]
    sent = event(inputs=[dataset("s", "ab")], outputs=[dataset("t", "xyz", {})])
    facet = sent["outputs"][0]["facets"]["columnLineage"]
    facet |= {"fields": {name: {"inputFields": entries} for name in "xy"}, "dataset": entries}
    (lineage,) = derive(merge([read_event(body(sent))]), LineageRules()).lineages
    assert [note.text.partition(" as sources of ")[2][:8] for note in lineage.notes] == ["x, y, so"]


def used(*columns: str, kind: str = "DIRECT") -> tuple[InputField, ...]:
    return tuple(InputField(ColumnRef(REAL, column), ((kind, "IDENTITY"),)) for column in columns)


@pytest.mark.parametrize(
    ("fields", "everywhere", "expected"),
    [
        ({"x": used("a", "b"), "y": used("b", "a")}, used("a", "b"), {"x", "y"}),
        ({"x": used("a", "b"), "y": used("a", "b"), "z": used("a")}, used("a", "b"), {"x", "y"}),
        ({"x": used("a", "b"), "y": used("a", "b")}, (), set()),
        ({"x": used("a", "b"), "y": used("a", "b")}, used("a", "b", kind="INDIRECT"), set()),
        ({"x": used("a", "b"), "y": used("a", "b")}, used("a", "b", "c"), set()),
        ({"x": used("a", "b"), "y": used("b")}, used("a", "b"), set()),
        ({"x": used("a"), "y": used("a")}, used("a"), set()),
    ],
    ids=[
        "all columns",
        "next to one that is reported",
        "nothing for all rows",
        "only filters",
        "not all of them",
        "one column may be computed from all",
        "one source",
    ],
)
def test_columns_are_mixed_up_if_several_have_all_sources_that_the_agent_lists_for_every_row(
    fields: dict[str, tuple[InputField, ...]], everywhere: tuple[InputField, ...], expected: set[str]
) -> None:
    assert without_mingled(ColumnLineageFacet(fields, everywhere)).mingled == expected
