"""Every entry of the tables of operators and functions: an expression of its class, and the SQL text."""

import pytest

from parser.logical_plan.sql import function_names, names
from parser.logical_plan.sql.render import sql_text
from parser.logical_plan.tree import Node

A, B, C = (Node("AttributeReference", {"name": name, "dataType": "string"}) for name in "abc")


def text(expression: Node) -> str:
    return sql_text(expression, lambda attribute: str(attribute.params["name"]))


def of(kind: str, *children: Node, **params: object) -> Node:
    return Node(kind, params, children)


def literal(value: str | None) -> Node:
    return Node("Literal", {"value": value, "dataType": "integer"})


@pytest.mark.parametrize("kind", names.INFIX)
def test_an_operator_is_written_between_its_operands(kind: str) -> None:
    word, _ = names.INFIX[kind]
    assert word == f" {word.strip()} "
    assert text(of(kind, A, B)) == f"a{word}b"


#: Operators of Spark's grammar, the loosest first; those on one line bind equally.
GRAMMAR = (
    "OR",
    "AND",
    "= <=> > >= < <= LIKE ILIKE RLIKE",
    "|",
    "^",
    "&",
    "+ -",
    "* / DIV %",
)
LEVELS = {word: level for level, line in enumerate(GRAMMAR) for word in line.split()}


@pytest.mark.parametrize("outer", names.INFIX)
def test_operands_get_parentheses_where_the_grammar_of_spark_needs_them(outer: str) -> None:
    """On the left for a looser operator, on the right also for an equal one; never a = b = c."""
    around = names.INFIX[outer][0]
    level, comparison = LEVELS[around.strip()], LEVELS["="]
    for inner, (within, _) in names.INFIX.items():
        own = LEVELS[within.strip()]
        plain, wrapped = f"a{within}b", f"(a{within}b)"
        left = wrapped if own < level or own == level == comparison else plain
        right = plain if own > level or (outer == inner and outer in ("And", "Or")) else wrapped
        assert text(of(outer, of(inner, A, B), C)) == f"{left}{around}c"
        assert text(of(outer, C, of(inner, A, B))) == f"c{around}{right}"


@pytest.mark.parametrize("kind", names.NEGATED)
def test_a_negated_comparison_has_its_own_word(kind: str) -> None:
    inner = of(kind, A, of("ListQuery")) if kind == "InSubquery" else of(kind, A, B)
    shown = {"In": "(b)", "InSet": "(…)", "InSubquery": "(subquery)"}.get(kind, "b")
    assert text(of("Not", inner)) == f"a{names.NEGATED[kind]}{shown}"
    assert text(inner) != text(of("Not", inner))


@pytest.mark.parametrize("kind", names.PREFIX)
def test_a_sign_is_written_before_its_operand(kind: str) -> None:
    assert text(of(kind, A)) == f"{names.PREFIX[kind]}a"
    assert text(of(kind, of("Add", A, B))) == f"{names.PREFIX[kind]}(a + b)"


@pytest.mark.parametrize("kind", names.PATTERN_LISTS)
def test_lists_of_patterns_are_not_in_the_json(kind: str) -> None:
    assert text(of(kind, A)) == f"a{names.PATTERN_LISTS[kind]}"


@pytest.mark.parametrize("kind", sorted(function_names.FUNCTIONS.keys() - names.SCHEMA_PARAMETERS.keys()))
def test_a_function_is_called_by_its_name_in_sql(kind: str) -> None:
    assert text(of(kind, A)) == f"{function_names.FUNCTIONS[kind]}(a)"


@pytest.mark.parametrize("kind", function_names.FUNCTIONS)
def test_only_functions_with_a_name_unlike_their_class_are_listed(kind: str) -> None:
    assert function_names.FUNCTIONS[kind] != function_names.snake_case(kind)


@pytest.mark.parametrize("kind", sorted(function_names.NAMED_FUNCTIONS))
@pytest.mark.parametrize("parameter", function_names.NAME_PARAMETERS)
def test_a_class_of_many_functions_has_the_name_in_a_parameter(kind: str, parameter: str) -> None:
    assert text(of(kind, A, **{parameter: "mask"})) == "mask(a)"
    assert text(of(kind, A)) == "udf(a)"


@pytest.mark.parametrize("kind", names.LEADING_PARAMETERS)
def test_a_parameter_is_written_before_the_arguments(kind: str) -> None:
    name = function_names.FUNCTIONS.get(kind) or function_names.snake_case(kind)
    assert text(of(kind, A, **{names.LEADING_PARAMETERS[kind]: 3})) == f"{name}(3, a)"


@pytest.mark.parametrize("kind", names.SCHEMA_PARAMETERS)
def test_a_type_is_written_after_the_arguments(kind: str) -> None:
    expression = of(kind, A, **{names.SCHEMA_PARAMETERS[kind]: "integer"})
    assert text(expression) == f"{function_names.FUNCTIONS[kind]}(a, 'INT')"


@pytest.mark.parametrize("kind", sorted(names.WITHOUT_ARGUMENTS))
def test_the_keys_of_a_window_are_no_arguments(kind: str) -> None:
    assert text(of(kind, A)) == f"{function_names.snake_case(kind)}()"


@pytest.mark.parametrize(("kind", "position"), [(kind, at) for kind, found in names.DEFAULTS.items() for at in found])
def test_what_spark_fills_in_at_the_end_is_not_shown(kind: str, position: int) -> None:
    before = [A] * position
    shown = text(of(kind, *before))
    assert text(of(kind, *before, literal(names.DEFAULTS[kind][position]))) == shown
    assert text(of(kind, *before, literal("77"))) == f"{shown.removesuffix(')')}, 77)"


@pytest.mark.parametrize("kind", sorted(names.NULLS_AS_ARGUMENT))
def test_ignored_nulls_are_an_argument_of_some(kind: str) -> None:
    assert text(of(kind, A, ignoreNulls=True)) == f"{function_names.snake_case(kind)}(a, true)"
    assert text(of("Lag", A, ignoreNulls=True)) == "lag(a) IGNORE NULLS"


@pytest.mark.parametrize("kind", names.TRIMS)
def test_what_is_trimmed_is_named_by_its_side(kind: str) -> None:
    assert text(of(kind, A, B)) == f"trim({names.TRIMS[kind]} b FROM a)"


@pytest.mark.parametrize("kind", names.SUBQUERIES)
def test_a_subquery_is_a_word(kind: str) -> None:
    assert text(of(kind)) == names.SUBQUERIES[kind]


@pytest.mark.parametrize("kind", sorted(names.TRANSPARENT))
def test_what_spark_puts_around_an_expression_is_not_shown(kind: str) -> None:
    assert text(of(kind, of("Add", A, B))) == "a + b"


@pytest.mark.parametrize("kind", names.WRAPPED_IN_PARAMETER)
def test_an_expression_in_a_parameter_is_shown_as_it_is(kind: str) -> None:
    column = {"class": "org.apache.spark.sql.catalyst.expressions.AttributeReference", "num-children": 0, "name": "a"}
    assert text(of(kind, **{names.WRAPPED_IN_PARAMETER[kind]: [column]})) == "a"


@pytest.mark.parametrize("method", sorted(names.TRANSPARENT_METHODS))
def test_checks_of_char_and_varchar_are_not_shown(method: str) -> None:
    assert text(of("StaticInvoke", A, literal("10"), functionName=method)) == "a"


@pytest.mark.parametrize("kind", sorted(names.CASTS))
def test_casts_name_their_type(kind: str) -> None:
    word = "try_cast" if kind == "TryCast" else "CAST"
    parameter = "target" if kind == "UpCast" else "dataType"
    assert text(of(kind, A, **{parameter: "double"})) == f"{word}(a AS DOUBLE)"
