"""Hand-written plans, for cases without a recorded plan: which edges are claimed, and which are not."""

from typing import Any

import pytest

from core.events import read_event
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.events import body, dataset, event
from tests.support.plans import alias, attribute, drawn, function, insert, literal, node, operator, project, read

ONE = read({"a": 1, "b": 2})
TWIN = read({"a": 11, "b": 12})
OTHER = read({"k": 21, "v": 22})
FOLDERS = [dataset("one", ["a", "b"]), dataset("other", ["k", "v"])]
TWINS = [dataset("one", ["a", "b"]), dataset("twin", ["a", "b"])]


def test_a_computed_column_comes_from_all_its_arguments_through_any_number_of_projections() -> None:
    lower = project(ONE, alias(function("Upper", attribute("a", 1)), "x", 5), attribute("b", 2))
    plan = insert(project(lower, alias(function("Concat", attribute("x", 5), attribute("b", 2)), "c", 6)), "[c]")
    assert drawn(plan, FOLDERS, "[c]") == {"c": ["one.a", "one.b"]}


def test_a_literal_has_no_source() -> None:
    assert drawn(insert(project(ONE, alias(literal("x"), "c", 6)), "[c]"), FOLDERS, "[c]") == {"c": []}


def test_a_condition_gives_no_value() -> None:
    case = function("CaseWhen", function("IsNull", attribute("a", 1)), attribute("b", 2), literal("x"))
    assert drawn(insert(project(ONE, alias(case, "c", 6)), "[c]"), FOLDERS, "[c]") == {"c": ["one.b"]}


@pytest.mark.parametrize("open_at", [0, 1, 2])
@pytest.mark.parametrize("kind", ["CaseWhen", "If"])
def test_a_choice_over_a_value_that_is_not_known_keeps_the_sources_of_the_facet(kind: str, open_at: int) -> None:
    parts = [attribute("a", 1), attribute("b", 2), literal("x")]
    parts[open_at] = attribute("missing", 99)
    plan = insert(project(ONE, alias(function(kind, *parts), "c", 6)), "[c]")
    assert drawn(plan, FOLDERS, "[c]", {"c": [("other", "v")]})["c"][-1] == "other.v"


def test_a_choice_whose_values_are_all_known_needs_no_facet() -> None:
    choice = function("If", attribute("a", 1), attribute("b", 2), literal("x"))
    plan = insert(project(ONE, alias(choice, "c", 6)), "[c]")
    assert drawn(plan, FOLDERS, "[c]", {"c": [("other", "v")]}) == {"c": ["one.b"]}


def test_two_reads_with_the_same_columns_cannot_be_distinguished() -> None:
    joined = operator("Join", ONE, TWIN, joinType={"object": "org.apache.spark.sql.catalyst.plans.Inner$"})
    plan = insert(project(joined, attribute("a", 1), attribute("b", 12)), "[a, b]")
    assert drawn(plan, TWINS, "[a, b]") == {"a": [], "b": []}


def test_where_a_value_takes_the_same_column_of_all_of_them_it_does_not_matter() -> None:
    plan = insert(operator("Union", ONE, TWIN), "[a, b]")
    assert drawn(plan, TWINS, "[a, b]") == {"a": ["one.a", "twin.a"], "b": ["one.b", "twin.b"]}


def test_one_read_of_several_folders_is_all_of_them() -> None:
    assert drawn(insert(ONE, "[a, b]"), TWINS, "[a, b]") == {"a": ["one.a", "twin.a"], "b": ["one.b", "twin.b"]}


def test_a_table_is_identified_by_its_name_whatever_its_columns() -> None:
    inputs = [dataset("warehouse/sales.db/one", ["a", "b"]), dataset("warehouse/sales.db/twin", ["a", "b"])]
    plan = insert(read({"a": 1, "b": 2}, table="sales.twin"), "[a, b]")
    assert drawn(plan, inputs, "[a, b]")["a"] == ["warehouse/sales.db/twin.a"]


def test_a_subquery_may_read_what_is_no_input_so_its_columns_prove_nothing() -> None:
    subquery = node("sql.catalyst.expressions.ScalarSubquery", plan=TWIN)
    plan = insert(project(ONE, alias(subquery, "c", 6), attribute("b", 2)), "[c, b]")
    assert drawn(plan, [dataset("one", ["a", "b"])], "[c, b]") == {"c": [], "b": ["one.b"]}


@pytest.mark.parametrize("kind", ["Intersect", "Except"])
def test_set_operations_take_values_from_the_left(kind: str) -> None:
    plan = insert(operator(kind, ONE, OTHER), "[a, b]")
    assert drawn(plan, FOLDERS, "[a, b]") == {"a": ["one.a"], "b": ["one.b"]}


@pytest.mark.parametrize("kind", ["MapPartitions", "FlatMapGroupsInPandas"])
def test_what_the_users_program_does_with_rows_is_not_claimed(kind: str) -> None:
    rows = operator(kind, ONE, output=[attribute("a", 31)])
    assert drawn(insert(rows, "[a]"), FOLDERS, "[a]") == {"a": []}


def test_the_columns_of_an_operator_that_is_not_known_have_unknown_sources_and_it_is_reported() -> None:
    plan = insert(operator("NewInSpark9", ONE), "[a, b]")
    assert drawn(plan, FOLDERS, "[a, b]") == {"a": [], "b": []}
    content = event(inputs=FOLDERS, outputs=[dataset("out", ["a", "b"])])
    content["run"]["facets"]["spark.logicalPlan"] = {"plan": plan}
    (lineage,) = derive(merge([read_event(body(content))]), LineageRules()).lineages
    assert [note.text for note in lineage.notes if note.code == "plan-operator-unknown"] == [
        "The logical plan has operators that are not known: NewInSpark9."
    ]


def test_a_plan_of_ten_thousand_operators_is_read() -> None:
    plan = ONE
    for _ in range(10_000):
        plan = [
            {"class": "org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias", "num-children": 1, "child": 0},
            *plan,
        ]
        if len(plan) > 10_000:
            break
    assert drawn(insert(plan, "[a, b]"), FOLDERS, "[a, b]")["a"] == ["one.a"]


BROKEN: list[object] = [[], [{}], [{"class": "X", "num-children": 3}], ["x"], None, 7, {"class": "X"}, [[[[]]]]]


@pytest.mark.parametrize("plan", BROKEN, ids=range(len(BROKEN)))
def test_a_plan_that_is_none_does_not_cost_the_rest(plan: Any) -> None:
    assert drawn(plan, FOLDERS, "[a]") == {}
