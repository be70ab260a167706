"""Values and relations: what is known about the columns that a plan creates."""

from collections.abc import Callable

import pytest

from parser.logical_plan.value import (
    CONSTANT,
    LITERAL,
    MOST_NESTED,
    UNKNOWN,
    Attribute,
    Relation,
    Value,
    combined,
    decided,
    one_of,
)

A, B, C = (Value(frozenset({(0, name)})) for name in "abc")
BY_C = Value(A.sources, frozenset({((0, "c"), "FILTER")}))
OPEN = Value(B.sources, known=False)


def struct(*fields: Value) -> Value:
    return Value(combined(fields).sources, fields=fields)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], CONSTANT),
        ([A], A),
        ([A, B, A], Value(A.sources | B.sources)),
        ([A, BY_C], BY_C),
        ([BY_C, decided(B, [A])], Value(A.sources | B.sources, BY_C.uses | {((0, "a"), "CONDITIONAL")})),
        ([A, OPEN], Value(A.sources | B.sources, known=False)),
        ([OPEN, A], Value(A.sources | B.sources, known=False)),
        # Neither what is made of literals nor a struct stays one where it is only an argument.
        ([LITERAL, LITERAL], CONSTANT),
        ([struct(A, B)], Value(A.sources | B.sources)),
    ],
)
def test_what_is_computed_from_values_has_the_sources_of_all(values: list[Value], expected: Value) -> None:
    assert combined(values) == expected


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ([struct(A, B), struct(B, C)], [A.sources | B.sources, B.sources | C.sources]),
        # NULL is a struct of any width.
        ([struct(A, B), LITERAL], [A.sources, B.sources]),
        ([struct(A, B), struct(A)], []),
        ([struct(A, B), C], []),
        ([A, B], []),
        ([LITERAL], []),
        ([], []),
        # A constant of another width, which Spark would refuse, adds nothing.
        ([struct(A, B), Value(fields=(LITERAL, LITERAL, LITERAL), literal=True)], [A.sources, B.sources]),
    ],
)
def test_one_of_several_structs_of_one_width_is_a_struct(values: list[Value], fields: list[object]) -> None:
    assert [field.sources for field in one_of(values).fields] == fields


@pytest.mark.parametrize(
    ("value", "conditions", "expected"),
    [
        (A, [], A),
        (A, [C], Value(A.sources, frozenset({((0, "c"), "CONDITIONAL")}))),
        (A, [BY_C], Value(A.sources, frozenset({((0, "a"), "CONDITIONAL"), ((0, "c"), "FILTER")}))),
        (A, [CONSTANT], A),
        (A, [UNKNOWN], Value(A.sources, known=False)),
        (A, [CONSTANT, UNKNOWN], Value(A.sources, known=False)),
        (OPEN, [CONSTANT], OPEN),
    ],
)
def test_conditions_decide_about_a_value(value: Value, conditions: list[Value], expected: Value) -> None:
    assert decided(value, conditions) == expected


@pytest.mark.parametrize("same", [lambda value: one_of([value, value]), lambda value: decided(value, [C])])
def test_a_value_that_is_in_a_struct_several_times_is_looked_at_once(same: Callable[[Value], Value]) -> None:
    value = A
    for _ in range(40):  # with 2**40 paths to the innermost
        value = struct(value, value)
    first, second = same(value).fields
    assert first is second
    assert first.sources == A.sources


@pytest.mark.parametrize("same", [lambda value: one_of([value, value]), lambda value: decided(value, [C])])
def test_fields_of_structs_in_very_many_structs_are_not_told_apart(same: Callable[[Value], Value]) -> None:
    value = struct(A, B)
    for _ in range(5_000):
        value = struct(value)
    value, depth = same(value), 0
    while value.fields:
        value, depth = value.fields[0], depth + 1
    assert depth == MOST_NESTED
    assert value.sources == A.sources | B.sources


def test_a_relation_gives_values_by_position_and_is_independent_of_others() -> None:
    relation = Relation((Attribute(1, "a"), Attribute(2, "b")), {1: A})

    assert [relation.value(position) for position in range(4)] == [A, UNKNOWN, UNKNOWN, UNKNOWN]
