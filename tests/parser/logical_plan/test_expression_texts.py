"""What a plan's expressions and conditions are called: tables and folders by their last name, columns behind it."""

import pytest

from core.event_model import DatasetId
from parser.logical_plan.expression_texts import ExpressionTexts, names_of
from parser.logical_plan.leaves import Assigned
from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.tree import tree
from parser.logical_plan.value import Relation
from tests.support.plans import Nodes, alias, attribute, function, literal, node, operator, project, read

ORDERS = read({"id": 1, "amount": 2}, "shop.orders")
FOLDER = read({"id": 11, "rate": 12})
FOUND: Assigned = {
    0: frozenset({DatasetId("file", "/lake/orders")}),
    1: frozenset({DatasetId("file", "/lake/fx/rates.v2"), DatasetId("file", "/lake/zz/other")}),
}
INNER = {"joinType": {"object": "org.apache.spark.sql.catalyst.plans.Inner$"}}
SAME_ID = function("EqualTo", attribute("id", 1), attribute("id", 11))


def texts_of(nodes: Nodes, found: Assigned = FOUND) -> tuple[tuple[str, ...], list[str | None]]:
    """The conditions of a query, and the expressions of its columns."""
    plan, walk = tree(nodes), new_walk()
    assert plan
    result: Relation = walk.relation(plan)
    texts = ExpressionTexts(names_of(walk, found))
    return texts.conditions(walk), [texts.expression(result.value(at)) for at in range(len(result.output))]


def joined(*more: Nodes) -> Nodes:
    return operator("Join", ORDERS, FOLDER, condition=more[0] if more else SAME_ID, **INNER)


def test_a_table_is_called_by_its_name_and_a_folder_by_the_end_of_its_path() -> None:
    product = alias(function("Multiply", attribute("amount", 2), attribute("rate", 12)), "total", 31)
    assert texts_of(project(joined(), product)) == (("INNER: orders.id = v2.id",), ["orders.amount * v2.rate"])


@pytest.mark.parametrize("found", [{}, {0: frozenset[DatasetId]()}])
def test_what_is_not_known_to_be_a_dataset_has_the_bare_name_of_its_column(found: Assigned) -> None:
    upper = alias(function("Upper", attribute("rate", 12)), "r", 31)
    assert texts_of(project(FOLDER, upper), found)[1] == ["upper(rate)"]


def test_a_column_that_is_copied_unchanged_has_no_text() -> None:
    assert texts_of(project(ORDERS, attribute("id", 1)))[1] == [None]


def test_a_column_that_was_computed_below_is_replaced_by_its_expression() -> None:
    below = project(ORDERS, alias(function("Upper", attribute("id", 1)), "u", 31))
    assert texts_of(project(below, alias(function("Lower", attribute("u", 31)), "l", 32)))[1] == [
        "lower(upper(orders.id))"
    ]


def generated(generator: Nodes, width: int) -> Nodes:
    output = [attribute(name, 50 + at) for at, name in enumerate(["m", "n"][:width])]
    return operator("Generate", ORDERS, generator=generator, generatorOutput=output)


PYTHON = node("sql.catalyst.expressions.PythonUDF", attribute("amount", 2), name="f")
TABLE_FUNCTION = node("sql.catalyst.expressions.PythonUDTF", attribute("amount", 2), name="g")
MADE = {
    "a generator of one column": (generated(function("Explode", attribute("id", 1)), 1), "explode(orders.id)"),
    "a generator of two": (generated(function("PosExplode", attribute("id", 1)), 2), "posexplode(orders.id).m"),
    "a stack of two": (
        generated(function("Stack", literal("1"), attribute("id", 1), attribute("amount", 2)), 2),
        "stack('1', orders.id, orders.amount).m",
    ),
    "rows that are repeated": (
        generated(function("ReplicateRows", literal("2"), function("Lower", attribute("id", 1))), 1),
        "lower(orders.id)",
    ),
    "a Python function": (
        operator("BatchEvalPython", ORDERS, udfs=[PYTHON], resultAttrs=[attribute("m", 50)]), "f(orders.amount)"
    ),
    "a table function": (
        operator("BatchEvalPythonUDTF", ORDERS, udtf=TABLE_FUNCTION, resultAttrs=[attribute("m", 50)]),
        "g(orders.amount)",
    ),
    "an expansion": (operator("Expand", ORDERS, projections=[[attribute("id", 1)]], output=[attribute("m", 50)]),
                     "orders.id"),
}  # fmt: skip


@pytest.mark.parametrize(("below", "text"), MADE.values(), ids=MADE.keys())
def test_a_column_that_an_operator_made_is_replaced_by_its_expression(below: Nodes, text: str) -> None:
    upper = alias(function("Upper", attribute("m", 50)), "u", 31)
    assert texts_of(project(below, upper))[1] == [f"upper({text})"]


def test_each_column_of_repeated_rows_is_the_one_at_its_position() -> None:
    rows = generated(
        function("ReplicateRows", literal("2"), attribute("id", 1), function("Lower", attribute("id", 1))), 2
    )
    assert texts_of(project(rows, attribute("m", 50), attribute("n", 51)))[1] == ["orders.id", "lower(orders.id)"]


def test_each_condition_is_listed_once_in_the_order_of_the_plan() -> None:
    positive = function("GreaterThan", attribute("amount", 2), literal("0"))
    filtered = operator("Filter", operator("Filter", joined(), condition=positive), condition=positive)
    assert texts_of(filtered)[0] == ("INNER: orders.id = v2.id", "WHERE: orders.amount > '0'")


def test_text_literals_can_be_hidden() -> None:
    plan, walk = (
        tree(operator("Filter", ORDERS, condition=function("EqualTo", attribute("id", 1), literal("x")))),
        new_walk(),
    )
    assert plan
    walk.relation(plan)
    assert ExpressionTexts(names_of(walk, FOUND), show_literals=False).conditions(walk) == ("WHERE: orders.id = '…'",)


def test_a_lateral_join_without_a_subquery_is_a_join() -> None:
    lateral = operator("LateralJoin", ORDERS, FOLDER, condition=SAME_ID, **INNER)
    conditions, columns = texts_of(project(lateral, alias(function("Upper", attribute("rate", 12)), "r", 31)))
    assert (conditions, columns) == (("INNER: orders.id = v2.id",), ["upper(v2.rate)"])


def test_is_not_null_that_follows_from_a_join_is_not_the_users() -> None:
    not_null = function("IsNotNull", attribute("id", 1))
    assert texts_of(operator("Filter", joined(), condition=not_null))[0] == ("INNER: orders.id = v2.id",)
    assert texts_of(operator("Filter", ORDERS, condition=not_null))[0] == ("WHERE: orders.id IS NOT NULL",)
