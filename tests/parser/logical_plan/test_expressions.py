"""Which children of an expression give its value, and which only decide: every class that a table lists."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from parser.logical_plan import collection_functions, expressions
from parser.logical_plan.tree import tree
from parser.logical_plan.value import LITERAL, UNKNOWN, Value
from tests.support.plans import Nodes, attribute, called, function, literal, node

A, B, C = attribute("a", 1), attribute("b", 2), attribute("c", 3)
MISSING = attribute("missing", 99)
FIRST = literal("1")
COLUMNS: Mapping[int, Value] = {
    number: Value(frozenset({(0, name)})) for number, name in ((1, "a"), (2, "b"), (3, "c"))
}
SUBQUERY = Value(frozenset({(1, "inner")}))

#: The columns that give the value, and those that influence it, with the kind of influence.
Found = tuple[str, dict[str, str]]


def value(expression: Nodes) -> Value:
    found = tree(expression)
    assert found
    return expressions.evaluate(found, COLUMNS, lambda _plan, _columns: SUBQUERY, lambda _steps: None)


def read(expression: Nodes) -> Found:
    """``("a b", {"c": "CONDITIONAL"})``."""
    found = value(expression)
    return " ".join(sorted(name for _, name in found.sources)), {name: kind for (_, name), kind in found.uses}


def struct(*columns: Nodes) -> Nodes:
    """A struct of these columns, with the fields f0, f1, …"""
    named = [part for number, column in enumerate(columns) for part in (literal(f"f{number}"), column)]
    return function("CreateNamedStruct", *named)


def field(of: Nodes, ordinal: int) -> Nodes:
    return node("sql.catalyst.expressions.GetStructField", of, child=0, ordinal=ordinal)


def test_by_default_every_child_gives_value() -> None:
    assert read(function("Add", A, function("Upper", B))) == ("a b", {})


@pytest.mark.parametrize("kind", sorted(expressions._WITHOUT_VALUE))
def test_the_children_of_these_give_no_value(kind: str) -> None:
    assert value(function(kind, A)) == Value()


@pytest.mark.parametrize("kind", sorted(expressions._LITERALS))
def test_literals_are_the_same_in_all_rows(kind: str) -> None:
    assert value(function(kind)) == LITERAL
    assert value(function("Upper", function(kind))).literal


@pytest.mark.parametrize("kind", sorted(expressions._VARYING))
def test_these_differ_from_row_to_row_although_their_arguments_are_literals(kind: str) -> None:
    assert not value(function(kind, FIRST)).literal


@pytest.mark.parametrize("kind", sorted(expressions._UNREADABLE))
def test_what_cannot_be_read_is_unknown(kind: str) -> None:
    assert value(function(kind)) == UNKNOWN
    assert not value(function("Upper", function(kind))).known


@pytest.mark.parametrize(("kind", "parameter"), expressions._REFERENCES_IN.items())
def test_references_that_hold_their_column_in_a_parameter(kind: str, parameter: str) -> None:
    expression = f"sql.catalyst.expressions.{kind}"
    assert read(function("Upper", node(expression, **{parameter: A}))) == ("a", {})
    assert value(node(expression)) == UNKNOWN


def test_a_column_that_no_operator_below_has_is_unknown() -> None:
    assert value(MISSING) == UNKNOWN


@pytest.mark.parametrize("kind", sorted(expressions._SUBQUERIES))
@pytest.mark.parametrize("parameter", ["plan", "query"])
def test_a_subquery_gives_its_first_column_decided_by_what_it_refers_to(kind: str, parameter: str) -> None:
    expression = node(f"sql.catalyst.expressions.{kind}", A, **{parameter: function("OneRowRelation")})
    assert read(expression) == ("inner", {"a": "JOIN"})
    assert value(function(kind, A)) == UNKNOWN


@pytest.mark.parametrize("kind", sorted(expressions._CHOOSE))
def test_a_filter_chooses_among_the_elements_of_its_first_child(kind: str) -> None:
    assert read(function(kind, A, B)) == ("a", {"b": "CONDITIONAL"})


@pytest.mark.parametrize("kind", sorted(collection_functions._ELEMENT_OF))
def test_an_element_of_structs_is_a_struct_and_its_position_is_part_of_the_value(kind: str) -> None:
    element = function(kind, struct(A, B), C)
    assert read(element) == ("a b c", {})
    assert [read(field(element, ordinal)) for ordinal in (0, 1)] == [("a c", {}), ("b c", {})]


@pytest.mark.parametrize("kind", sorted(expressions._ANY_OF))
def test_one_of_several_structs_is_a_struct(kind: str) -> None:
    one = function(kind, struct(A, B), struct(B, C))
    assert read(one) == ("a b c", {})
    assert [read(field(one, ordinal)) for ordinal in (0, 1)] == [("a b", {}), ("b c", {})]


@pytest.mark.parametrize("kind", sorted(collection_functions._ELEMENTS))
def test_where_and_how_often_structs_are_put_into_an_array_is_no_part_of_their_fields(kind: str) -> None:
    given = collection_functions._ELEMENTS[kind]
    array = function(kind, *(struct(A, B) if position in given else C for position in range(max(given) + 2)))
    assert read(array) == ("a b c", {})
    assert [read(field(array, ordinal)) for ordinal in (0, 1)] == [("a", {}), ("b", {})]
    assert not value(function(kind)).sources


def test_strings_that_are_concatenated_have_no_fields() -> None:
    assert not value(function("Concat", A, struct(B, C))).fields


def test_a_constant_struct_of_another_width_gives_no_fields() -> None:
    chosen = function("Coalesce", struct(A, B), struct(FIRST, FIRST, FIRST))
    assert [read(field(chosen, ordinal))[0] for ordinal in (0, 1)] == ["a", "b"]


WINDOW = function("WindowSpecDefinition", B)
FILTERED = node("sql.catalyst.expressions.aggregate.AggregateExpression", function("Sum", A), B, filter=B)
PIVOT = node("sql.catalyst.expressions.aggregate.PivotFirst", A, B, pivotColumn=0, valueColumn=1)
LIST = node("sql.catalyst.expressions.ListQuery", plan=function("OneRowRelation"))

MAP = function("CreateMap", A, B, FIRST, C)  # the keys a and 1, the values b and c
X, Y, Z = (node("sql.catalyst.expressions.NamedLambdaVariable", name=name, exprId={"id": number}) for name, number in
           (("x", 51), ("y", 52), ("z", 53)))  # fmt: skip


def each(array: Nodes, made: Nodes, *variables: Nodes) -> Nodes:
    """``transform(array, variables -> made)``"""
    return function("ArrayTransform", array, function("LambdaFunction", made, *variables))


RULES: dict[str, tuple[Nodes, Found]] = {
    "CaseWhen": (function("CaseWhen", A, B, C), ("b c", {"a": "CONDITIONAL"})),
    "If": (function("If", A, B, C), ("b c", {"a": "CONDITIONAL"})),
    "AggregateExpression": (FILTERED, ("a", {"b": "CONDITIONAL"})),
    "WindowExpression": (function("WindowExpression", A, WINDOW), ("a", {"b": "WINDOW"})),
    "UnresolvedFunction": (called("coalesce", A, B), ("a b", {})),
    "Alias": (node("sql.catalyst.expressions.Alias", A, child=0, exprId={"id": 9}), ("a", {})),
    "CreateNamedStruct": (struct(A, B), ("a b", {})),
    "CreateMap": (field(function("MapEntries", MAP), 0), ("a", {})),
    "MapFromArrays": (field(function("MapEntries", function("MapFromArrays", A, B)), 1), ("b", {})),
    "MapEntries": (function("MapEntries", MAP), ("a b c", {})),
    "MapKeys": (function("MapKeys", MAP), ("a", {})),
    "MapValues": (function("MapValues", MAP), ("b c", {})),
    "ArraysZip": (field(function("ArraysZip", A, B), 1), ("b", {})),
    "ArrayTransform": (each(A, function("Add", X, B), X), ("a b", {})),
    "LambdaFunction": (function("LambdaFunction", function("Add", X, B), X), ("b", {})),
    "InSubquery": (function("InSubquery", A, LIST), ("a", {"inner": "JOIN"})),
    "In": (function("In", A, B, LIST), ("a b", {"inner": "JOIN"})),
    "GetStructField": (field(struct(A, B), 1), ("b", {})),
    "GetArrayStructFields": (
        node("sql.catalyst.expressions.GetArrayStructFields", function("CollectList", struct(A, B)), ordinal=0),
        ("a", {}),
    ),
    "PivotFirst": (PIVOT, ("b", {"a": "CONDITIONAL"})),
}


def aggregated(array: Nodes, start: Nodes, step: Nodes, finish: Nodes) -> Nodes:
    """``aggregate(array, start, (y, x) -> step, z -> finish)``"""
    steps = [function("LambdaFunction", step, Y, X), function("LambdaFunction", finish, Z)]
    return function("ArrayAggregate", array, start, *steps)


def of(kind: str, *arguments: Nodes, made: Nodes, variables: Sequence[Nodes] = (X, Y)) -> Nodes:
    """``kind(arguments, (x, y) -> made)``"""
    return function(kind, *arguments, function("LambdaFunction", made, *variables))


STRUCTS = function("CollectList", struct(A, B))
X0, X1, Y0, Y1, Z0, Z1 = (field(variable, ordinal) for variable in (X, Y, Z) for ordinal in (0, 1))
START = struct(FIRST, FIRST)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (each(STRUCTS, X1, X), "b"),
        (each(STRUCTS, function("Upper", X), X), "a b"),
        (each(STRUCTS, FIRST, X), "a b"),  # their number
        (each(STRUCTS, C, X), "c"),
        (each(STRUCTS, Y, X, Y), "a b"),  # the position
        (field(each(STRUCTS, struct(X1, X0), X), 0), "b"),
        (each(each(STRUCTS, struct(X1, X0), X), X0, X), "b"),
        (each(function("ArrayFilter", STRUCTS, function("LambdaFunction", X0, X)), X1, X), "b"),
        (each(function("CreateArray", STRUCTS), each(X, Y1, Y), X), "b"),
        (each(C, each(STRUCTS, function("Add", X, Y0), Y), X), "a c"),
        (each(function("MapEntries", MAP), X1, X), "b c"),
        (of("ZipWith", STRUCTS, C, made=function("Add", X0, Y)), "a c"),
        (of("ZipWith", STRUCTS, C, made=FIRST), "a b c"),
        (field(of("ZipWith", A, B, made=struct(Y, X)), 0), "b"),
        (aggregated(STRUCTS, FIRST, function("Add", Y, X1), Z), "b"),
        (aggregated(STRUCTS, C, function("Add", Y, X1), Z), "b c"),
        (aggregated(STRUCTS, FIRST, function("Add", Y, FIRST), Z), "a b"),
        (aggregated(STRUCTS, START, struct(function("Add", Y0, X0), function("Add", Y1, X1)), Z1), "b"),
        (aggregated(STRUCTS, START, struct(X0, X1), Z1), "b"),
        # Fields that come from each other, or from all of the struct, are not told apart.
        (aggregated(STRUCTS, START, struct(function("Add", Y1, X0), function("Add", Y1, X1)), Z1), "a b"),
        (aggregated(STRUCTS, START, struct(X0, function("Add", function("Hash", Y), X1)), Z1), "a b"),
        (aggregated(STRUCTS, START, struct(X0, aggregated(C, FIRST, Y, Z)), Z0), "a c"),
        (of("TransformValues", MAP, made=function("Add", Y, B)), "a b c"),
        (function("MapKeys", of("TransformValues", MAP, made=function("Add", Y, B))), "a"),
        (function("MapValues", of("TransformValues", MAP, made=Y)), "b c"),
        (function("MapValues", of("TransformValues", MAP, made=X)), "a"),
        (function("MapKeys", of("TransformKeys", MAP, made=function("Add", X, C))), "a c"),
        (function("MapValues", of("TransformKeys", MAP, made=X)), "b c"),
        (function("MapKeys", of("MapZipWith", MAP, MAP, made=Y)), "a"),
        (function("MapValues", of("MapZipWith", MAP, C, made=Z, variables=(X, Y, Z))), "c"),
        (function("MapKeys", function("MapFromEntries", STRUCTS)), "a"),
        (function("MapValues", function("MapFromEntries", STRUCTS)), "b"),
        (function("MapValues", function("MapFromEntries", C)), "c"),
    ],
)  # fmt: skip
def test_what_a_function_makes_of_elements_comes_from_what_it_uses_of_them(expression: Nodes, expected: str) -> None:
    assert read(expression)[0] == expected


@pytest.mark.parametrize("kind", sorted(collection_functions.VARIABLES_OF))
@pytest.mark.parametrize("count", range(5))
def test_functions_of_elements_with_too_few_or_too_many_arguments_can_be_read(kind: str, count: int) -> None:
    made = function("LambdaFunction", X, X, Y)
    for arguments in ([made] * count, [A] * count, [*[A] * count, made], [*[A] * count, function("LambdaFunction")]):
        assert read(function(kind, *arguments))[0] in ("", "a")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (struct(X, B, function("Add", Y, C)), ["a", "b", "a c"]),
        # x is the element of the inner array alone.
        (struct(each(C, function("Upper", X), X), B, FIRST), ["c", "b", ""]),
        (struct(each(C, function("Add", X, Y), X), B, FIRST), ["a c", "b", ""]),
        (function("Upper", X), ["a", "a", "a"]),
    ],
    ids=["element and position", "an inner element", "both", "no struct"],
)
def test_a_field_of_what_becomes_of_elements_comes_from_the_array_if_it_refers_to_them(
    made: Nodes, expected: list[str]
) -> None:
    variables = [Y] if "LambdaFunction" in str(made) else [X, Y]
    assert [read(field(each(A, made, *variables), ordinal))[0] for ordinal in range(3)] == expected


@pytest.mark.parametrize(
    "map_",
    [C, function("ElementAt", function("CreateMap", FIRST, function("CreateMap", A, B)), C)],
    ids=["of a dataset", "in a map"],
)
@pytest.mark.parametrize("kind", ["MapEntries", "MapKeys", "MapValues"])
def test_keys_and_values_of_a_map_that_the_query_does_not_build_here_are_not_told_apart(kind: str, map_: Nodes) -> None:
    of_map = function(kind, map_)
    assert [read(field(of_map, ordinal)) for ordinal in (0, 1)] == [read(map_)] * 2


@pytest.mark.parametrize("kind", sorted(collection_functions._VALUE_OF))
@pytest.mark.parametrize(
    "map_",
    [
        function("CreateMap", A, struct(B, C)),
        function("MapFromArrays", A, function("CollectList", struct(B, C))),
        function("MapFromEntries", function("CollectList", struct(A, struct(B, C)))),
        function("MapConcat", function("CreateMap", A, struct(B, C)), function("CreateMap", A, struct(B, C))),
        function("GetArrayItem", function("CreateArray", function("CreateMap", A, struct(B, C))), FIRST),
    ],
    ids=["map", "of arrays", "of entries", "one of several", "in an array"],
)
def test_the_field_of_a_struct_in_a_map_is_neither_its_keys_nor_its_values(kind: str, map_: Nodes) -> None:
    fields = [read(field(function(kind, map_, FIRST), ordinal))[0] for ordinal in (0, 1)]
    # What the query takes from an array may be an array itself, whose structs have one field, a struct of two.
    is_unclear = kind != "GetMapValue" and "GetArrayItem" in str(map_)
    assert fields == (["a b c", "a b c"] if is_unclear else ["b", "c"])


@pytest.mark.parametrize("kind", sorted(collection_functions._VALUE_OF))
def test_the_key_or_position_is_part_of_a_value_that_it_finds(kind: str) -> None:
    found = function(kind, function("CreateMap", FIRST, struct(A, B)), C)
    assert [read(field(found, ordinal))[0] for ordinal in (0, 1)] == ["a c", "b c"]


@pytest.mark.parametrize(
    "kind", sorted(collection_functions.ARRAYS_OF - {"MapKeys", "MapValues", "GetArrayStructFields"})
)
def test_an_array_of_maps_is_no_map(kind: str) -> None:
    map_ = function("CreateMap", A, B)
    is_made = kind in collection_functions.VARIABLES_OF
    array = function(kind, C, function("LambdaFunction", map_, X)) if is_made else function(kind, map_)
    assert value(map_).is_map
    assert not value(array).is_map
    assert value(array).fields


def test_keys_and_values_of_a_map_are_arrays() -> None:
    map_ = function("CreateMap", function("CreateMap", A, B), function("CreateMap", B, C))
    in_struct = node("sql.catalyst.expressions.GetArrayStructFields", function("CollectList", struct(map_)), ordinal=0)
    arrays = [function("MapKeys", map_), function("MapValues", map_), in_struct]
    assert [(value(array).is_map, len(value(array).fields)) for array in arrays] == [(False, 1)] * 3


def test_an_array_of_structs_with_one_field_is_no_map() -> None:
    array = function("CreateArray", struct(struct(A, B)))
    inner = field(function("ElementAt", array, FIRST), 0)
    assert [read(field(inner, ordinal))[0] for ordinal in (0, 1)] == ["a", "b"]


def test_maps_and_arrays_without_children_have_no_sources() -> None:
    for kind in ("CreateMap", "MapFromArrays", "MapEntries", "MapKeys", "MapValues", "ArraysZip", "LambdaFunction"):
        assert not value(function(kind)).sources


@pytest.mark.parametrize(("chosen", "given"), [(None, 1), (0, None), ("0", 1), (0, 2), (2, 1), (None, None)], ids=repr)
def test_a_pivot_whose_columns_cannot_be_read_comes_from_all_of_its_children(chosen: object, given: object) -> None:
    pivot = node("sql.catalyst.expressions.aggregate.PivotFirst", A, B, pivotColumn=chosen, valueColumn=given)
    assert read(pivot) == ("a b", {})


def test_every_rule_has_a_case() -> None:
    tables = (
        expressions._CHOOSE | expressions._ANY_OF | collection_functions._ELEMENT_OF | collection_functions._VALUE_OF
    )
    functions = collection_functions._ELEMENTS.keys() | collection_functions.VARIABLES_OF.keys() | {"MapFromEntries"}
    assert expressions._RULES.keys() == RULES.keys() | tables | functions
    assert expressions._BY_NAME.keys() == BY_NAME.keys()


@pytest.mark.parametrize("kind", RULES)
def test_which_children_give_the_value_and_which_decide(kind: str) -> None:
    expression, expected = RULES[kind]
    assert read(expression) == expected


BY_NAME: dict[str, tuple[tuple[Nodes, ...], Found]] = {
    "if": ((A, B, C), ("b c", {"a": "CONDITIONAL"})),
    "nvl2": ((A, B, C), ("b c", {"a": "CONDITIONAL"})),
    "nullif": ((A, B), ("a", {})),
    "filter": ((A, B), ("a", {"b": "CONDITIONAL"})),
    "map_filter": ((A, B), ("a", {"b": "CONDITIONAL"})),
    "ntile": ((A,), ("", {})),
}


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
@pytest.mark.parametrize("name", BY_NAME)
def test_functions_that_are_known_by_name_only(name: str, spelling: Callable[[str], str]) -> None:
    arguments, expected = BY_NAME[name]
    assert read(called(spelling(name), *arguments)) == expected


@pytest.mark.parametrize("kind", ["CaseWhen", "If"])
@pytest.mark.parametrize("open_at", [0, 1, 2])
def test_a_choice_is_known_only_if_its_conditions_and_values_are(kind: str, open_at: int) -> None:
    parts = [A, B, C]
    assert value(function(kind, *parts)).known
    parts[open_at] = MISSING
    assert not value(function(kind, *parts)).known


def test_conditions_also_determine_the_fields_of_a_struct() -> None:
    chosen = function("If", C, struct(A, B), struct(B, A))
    assert read(field(chosen, 0)) == ("a b", {"c": "CONDITIONAL"})


def test_a_case_without_else_and_with_several_conditions() -> None:
    assert read(function("CaseWhen", A, FIRST, B, C)) == ("c", {"a": "CONDITIONAL", "b": "CONDITIONAL"})


def test_a_field_that_the_struct_does_not_have_comes_from_all_of_it() -> None:
    assert read(field(struct(A, B), 2)) == ("a b", {})
    assert read(field(struct(A, B), -1)) == ("a b", {})
    assert read(field(A, 0)) == ("a", {})


def test_the_work_is_counted_by_the_columns_of_expressions_with_several_children() -> None:
    steps: list[int] = []
    found = tree(function("Concat", function("Add", A, B), C))
    assert found
    expressions.evaluate(found, COLUMNS, lambda *_: UNKNOWN, steps.append)
    assert steps == [2, 3]
