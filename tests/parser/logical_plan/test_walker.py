"""The walk over a plan: what it spends, the types of columns, and unions of which only one side gives values."""

import pytest

from parser.logical_plan.budget import PlanTooLargeError
from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.tree import tree
from parser.logical_plan.value import Relation
from parser.logical_plan.walker import Walk, data_type
from tests.support.plans import Nodes, alias, attribute, function, literal, node, operator, project, read

A, B = attribute("a", 1), attribute("b", 2)
ONE, OTHER = read({"a": 1, "b": 2}), read({"k": 21, "v": 22})


def walked(nodes: Nodes) -> tuple[Relation, Walk]:
    plan, walk = tree(nodes), new_walk()
    assert plan
    return walk.relation(plan), walk


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        # One for each operator, and one for each of its columns and of what affects its rows.
        (ONE, 3),
        (operator("SubqueryAlias", ONE), 6),
        (project(ONE, A), 5),
        # A use costs one where it is found, and one in each operator above.
        (operator("Sort", ONE, order=[B]), 3 + 1 + 4),
        (operator("Sort", ONE, order=[A, B]), 3 + (1 + 2) + 5),
        # So do the sources and conditions of an expression of several arguments.
        (project(ONE, alias(function("Concat", A, B), "c", 5)), 3 + 2 + 2),
        (project(ONE, alias(function("If", A, B, B), "c", 5)), 3 + 2 + 2),
        (project(ONE, alias(function("Upper", A), "c", 5)), 3 + 2),
    ],
)
def test_the_work_of_a_walk_is_limited(monkeypatch: pytest.MonkeyPatch, query: Nodes, steps: int) -> None:
    monkeypatch.setattr("parser.logical_plan.walker.MOST_STEPS", steps)
    assert walked(query)[1].steps == steps
    monkeypatch.setattr("parser.logical_plan.walker.MOST_STEPS", steps - 1)
    with pytest.raises(PlanTooLargeError):
        walked(query)


def typed(kind: object) -> Nodes:
    return [{**A[0], "dataType": kind}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (typed("int"), "int"),
        (alias(typed("int"), "x", 5), "int"),
        (alias(alias(typed("int"), "x", 5), "y", 6), "int"),
        (node("sql.catalyst.expressions.Cast", typed("int"), dataType="double"), "double"),
        (alias(node("sql.catalyst.expressions.Cast", typed("int"), dataType="double"), "x", 5), "double"),
        (typed({"type": "struct", "fields": []}), "struct"),
        (typed({"type": 5}), ""),
        (typed(None), ""),
        (alias(function("Upper", A), "x", 5), ""),
        (node("sql.catalyst.expressions.Alias", dataType="int"), "int"),
    ],
)
def test_the_type_of_an_expression(expression: Nodes, expected: str) -> None:
    found = tree(expression)
    assert found
    assert data_type(found) == expected


UNITED = operator("Union", ONE, OTHER)
LEFT, BOTH = {"a"}, {"a", "k"}


def repeated(below: Nodes, kind: str = "ReplicateRows") -> Nodes:
    generator = function(kind, attribute("count", 9), A)
    return operator("Generate", below, generator=generator, generatorOutput=[attribute("x", 50)])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (repeated(UNITED), LEFT),
        (repeated(operator("Aggregate", UNITED, groupingExpressions=[A], aggregateExpressions=[A])), LEFT),
        (repeated(operator("Filter", operator("Filter", UNITED))), LEFT),
        (repeated(UNITED, "Stack"), BOTH),
        (operator("Filter", UNITED, generator=function("ReplicateRows", A)), BOTH),
        (repeated(operator("Join", UNITED, read({"z": 31}), condition=None)), BOTH),
        (operator("Generate", UNITED, generator=None, generatorOutput=[]), BOTH),
    ],
    ids=["at once", "grouped", "below others", "another generator", "no generator", "below a join", "an empty one"],
)
def test_of_a_union_whose_rows_are_repeated_only_the_left_side_gives_values(query: Nodes, expected: set[str]) -> None:
    rows, _ = walked(query)
    assert {name for _, name in rows.value(0).sources} == expected


def side(column: str, number: int, mark: object) -> Nodes:
    """One side of EXCEPT ALL, whose rows have a mark of the side."""
    return project(read({column: number}), alias(literal(mark), "vcol", number + 100), attribute(column, number))


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (("1", "-1", "-1"), {"a"}),
        (("1", "1", "-1"), {"a", "b"}),
        (("true", "true", None), {"a", "b"}),
        ((None, None, None), {"a"}),
    ],
)
def test_a_left_side_that_is_a_union_gives_values_of_all_its_children(
    marks: tuple[object, ...], expected: set[str]
) -> None:
    sides = [side(name, number, mark) for name, number, mark in zip("abc", (11, 12, 13), marks, strict=True)]
    rows, _ = walked(repeated(operator("Union", *sides)))
    assert {name for _, name in rows.value(1).sources} == expected
