"""Catalyst expressions as Spark SQL: recorded ones (render_cases.json), hand-made ones, damaged and huge ones."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parser.logical_plan.sql import function_names
from parser.logical_plan.sql import names as sql_names
from parser.logical_plan.sql.names import Level
from parser.logical_plan.sql.render import Text, condition_text, sql, sql_text
from parser.logical_plan.tree import Node, tree
from tests.support.tiers import sweep

RECORDED = json.loads((Path(__file__).parent / "render_cases.json").read_text())
PACKAGE = "org.apache.spark.sql.catalyst.expressions"


def name_of(attribute: Node) -> str:
    return str(attribute.params.get("name") or attribute.params["nameParts"]).strip("[]").replace(", ", ".")


def of(kind: str, *children: Node, **params: Any) -> Node:
    return Node(kind, params, children)


def attribute(name: str, data_type: object = "integer") -> Node:
    return of("AttributeReference", name=name, dataType=data_type, exprId={"id": sum(name.encode())})


def lit(value: str | None, data_type: object = "integer") -> Node:
    return of("Literal", value=value, dataType=data_type)


def nested(*nodes: Node) -> list[dict[str, Any]]:
    """Trees without children as Spark nests them in a parameter: a list of nodes."""
    return [{"class": f"{PACKAGE}.{node.kind}", "num-children": 0, **node.params} for node in nodes]


def scala(name: str) -> dict[str, str]:
    return {"object": f"{PACKAGE}.{name}$"}


#: A query with LIMIT, ``[GlobalLimit, Project, leaf]``.
LIMITED = [
    {"class": "x.GlobalLimit", "num-children": 1},
    {"class": "x.Project", "num-children": 1, "projectList": [nested(attribute("a"))]},
    {"class": "x.OneRowRelation", "num-children": 0},
]


def window(function: Node, order: Sequence[Node] = (), frame: Node | None = None) -> Node:
    bounds = frame or of("UnspecifiedFrame$")
    positions = list(range(len(order)))
    spec = of(
        "WindowSpecDefinition", *order, bounds, partitionSpec=[], orderSpec=positions, frameSpecification=len(order)
    )
    return of("WindowExpression", function, spec, windowFunction=0, windowSpec=1)


def frame(kind: str, lower: Node, upper: Node) -> Node:
    return of("SpecifiedWindowFrame", lower, upper, frameType=scala(kind), lower=0, upper=1)


def sort(node: Node, direction: str = "Ascending", nulls: str = "NullsFirst") -> Node:
    return of("SortOrder", node, direction=scala(direction), nullOrdering=scala(nulls))


def chain(kind: str, *nodes: Node) -> Node:
    """a, b, c as kind(kind(a, b), c)."""
    first, *rest = nodes
    for node in rest:
        first = of(kind, first, node)
    return first


A, B, C, D = (attribute(name) for name in "abcd")
X = of("NamedLambdaVariable", name="x", dataType="integer", exprId={"id": 9})
ONE = lit("1")
EQUAL = of("EqualTo", A, B)
PERSON = {"type": "struct", "fields": [{"name": "home", "type": {"type": "struct", "fields": [{"name": "my street"}]}}]}
SHORTS = {"type": "array", "elementType": "short"}
UNBOUNDED, CURRENT = of("UnboundedPreceding$"), of("CurrentRow$")
SUM_A = of("AggregateExpression", of("Sum", A), isDistinct=False)
UNSCALED = of("AggregateExpression", of("Average", of("UnscaledValue", A)), isDistinct=False)

HAND_MADE = [
    # Literals
    (lit("it's", "string"), "'it''s'"),
    (lit("x", "string collate UTF8_LCASE"), "'x'"),
    (lit("18262", "date"), "DATE '2020-01-01'"),
    (lit("2020-01-01", "date"), "DATE '2020-01-01'"),
    (lit("99999999999", "date"), "DATE '99999999999'"),
    (lit("1577836800000000", "timestamp_ntz"), "TIMESTAMP_NTZ '2020-01-01 00:00:00'"),
    (lit("true", "boolean"), "true"),
    (lit("-3"), "-3"),
    (lit("1.50", "decimal(3,2)"), "1.50"),
    (lit("1.0E-5", "double"), "1.0E-5"),
    (lit("NaN", "double"), "CAST('NaN' AS DOUBLE)"),
    (lit(None, "string"), "NULL"),
    (lit("[B@1b2c3d", "binary"), "X'…'"),
    (lit("Evaluator@7f3a", "object"), "Evaluator…"),
    (lit("[1,2]", {"type": "array", "elementType": "integer"}), "[1,2]"),
    (lit("7 days", "calendarinterval"), "INTERVAL '7 days'"),
    (lit("14", "interval year to month"), "INTERVAL '1-2' YEAR TO MONTH"),
    (lit("-14", "interval month"), "INTERVAL '-1-2' YEAR TO MONTH"),
    (lit("24", "interval year"), "INTERVAL '2-0' YEAR TO MONTH"),
    (lit("--5", "interval month"), "INTERVAL '--5'"),
    (lit("86399000000", "interval hour"), "INTERVAL '0 23:59:59' DAY TO SECOND"),
    (lit("172800000001", "interval day"), "INTERVAL '2 00:00:00.000001' DAY TO SECOND"),
    (lit("9" * 19, "interval month"), "INTERVAL '833333333333333333-3' YEAR TO MONTH"),
    (lit("9" * 20, "interval month"), f"INTERVAL '{'9' * 20}'"),
    (lit("7", "interval"), "INTERVAL '7'"),
    (lit("1F", "binary"), "X'1F'"),
    (lit("yesterday", "timestamp"), "TIMESTAMP 'yesterday'"),
    (of("Literal", value=True, dataType="object"), "true"),
    (of("Literal", value=7, dataType="object"), "7"),
    (of("Literal", value=2**64, dataType="object"), "…"),
    (of("Literal", value=2**64 - 1, dataType="object"), str(2**64 - 1)),
    (lit("-93784500000", "interval day to second"), "INTERVAL '-1 02:03:04.5' DAY TO SECOND"),
    # Types
    (of("Cast", A, dataType="long"), "CAST(a AS BIGINT)"),
    (of("TryCast", A, dataType="decimal(10,2)"), "try_cast(a AS DECIMAL(10,2))"),
    (of("UpCast", A, target="string"), "CAST(a AS STRING)"),
    (of("Cast", A, dataType="integer"), "a"),
    (of("Cast", ONE, dataType="double"), "1"),
    (of("Cast", lit("1.5", "double"), dataType="integer"), "CAST(1.5 AS INT)"),
    (of("Cast", lit("1", "string"), dataType="integer"), "CAST('1' AS INT)"),
    (of("Cast", A, dataType=PERSON), "CAST(a AS STRUCT<home: STRUCT<`my street`: …>>)"),
    (of("Cast", A, dataType={"type": "map", "keyType": "string", "valueType": SHORTS}),
     "CAST(a AS MAP<STRING, ARRAY<SMALLINT>>)"),
    (of("Cast", A), "CAST(a AS …)"),
    (of("Cast", A, dataType={"type": "udt", "sqlType": SHORTS}), "CAST(a AS ARRAY<SMALLINT>)"),
    (of("Cast", A, dataType={"type": "unheard"}), "CAST(a AS …)"),
    (of("Cast", A, dataType={"type": "struct", "fields": [{"name": True, "type": "null"}, 5]}),
     "CAST(a AS STRUCT<true: VOID>)"),
    # Operators and parentheses
    (chain("Subtract", A, B, C), "a - b - c"),
    (of("Subtract", A, of("Subtract", B, C)), "a - (b - c)"),
    (of("Multiply", of("Add", A, B), C), "(a + b) * c"),
    (of("Add", A, of("Multiply", B, C)), "a + b * c"),
    (of("UnaryMinus", lit("-1")), "-(-1)"),
    (of("Subtract", A, lit("-1")), "a - -1"),
    (of("IntegralDivide", A, of("Remainder", B, C)), "a DIV (b % c)"),
    (of("BitwiseOr", A, of("BitwiseAnd", B, of("BitwiseNot", C))), "a | b & ~c"),
    (of("And", of("Or", A, B), C), "(a OR b) AND c"),
    (of("Or", A, of("And", B, of("And", C, D))), "a OR b AND c AND d"),
    (of("EqualTo", EQUAL, of("IsNull", C)), "(a = b) = (c IS NULL)"),
    (of("EqualNullSafe", A, of("Add", B, C)), "a <=> b + c"),
    (of("Like", A, lit("N%", "string"), escapeChar="\\"), "a LIKE 'N%'"),
    (of("Like", A, lit("N/%", "string"), escapeChar="/"), "a LIKE 'N/%' ESCAPE '/'"),
    (of("LikeAll", A, patterns=None), "a LIKE ALL (…)"),
    (of("RLike", A, lit("^N", "string")), "a RLIKE '^N'"),
    (of("In", A, ONE, lit("2")), "a IN (1, 2)"),
    (of("InSet", A, hset=None), "a IN (…)"),
    (of("Between", of("And"), replacement=0, input=nested(A), lower=nested(B), upper=nested(C)), "a BETWEEN b AND c"),
    # NOT
    (of("Not", EQUAL), "a <> b"),
    (of("Not", of("In", A, ONE)), "a NOT IN (1)"),
    (of("Not", of("Like", A, lit("N%", "string"))), "a NOT LIKE 'N%'"),
    (of("Not", of("IsNull", A)), "a IS NOT NULL"),
    (of("Not", of("EqualNullSafe", A, B)), "NOT (a <=> b)"),
    (of("Not", of("StartsWith", A, B)), "NOT startswith(a, b)"),
    (of("And", of("Not", A), B), "NOT a AND b"),
    # Subqueries
    (of("ScalarSubquery", plan=[]), "(subquery)"),
    (of("ScalarSubquery", plan=LIMITED), "(SELECT a)"),
    (of("Not", of("Exists", A, plan=[])), "NOT EXISTS (subquery)"),
    (of("InSubquery", A, of("ListQuery"), values=[0], query=1), "a IN (subquery)"),
    (of("Not", of("InSubquery", A, B, of("ListQuery"))), "(a, b) NOT IN (subquery)"),
    (of("In", A, of("ListQuery")), "a IN (subquery)"),
    # Conditions
    (of("CaseWhen", of("GreaterThan", A, ONE), B), "CASE WHEN a > 1 THEN b END"),
    (of("If", of("IsNull", A), B, C), "if(a IS NULL, b, c)"),
    # What Spark puts around an expression
    (of("Alias", of("KnownNotNull", of("Empty2Null", A)), name="z"), "a"),
    (of("Multiply", of("CheckOverflow", of("Add", A, B)), C), "(a + b) * c"),
    (of("Add", of("PromotePrecision", of("Cast", A, dataType="decimal(12,2)")), B), "a + b"),
    (of("OuterReference", e=nested(A)), "a"),
    (of("MakeDecimal", of("AggregateExpression", of("Sum", of("UnscaledValue", A)))), "sum(a)"),
    (of("Divide", UNSCALED, lit("100.0", "double")), "avg(a)"),
    (of("StaticInvoke", A, lit("10"), functionName="varcharTypeWriteSideCheck", arguments=[0, 1]), "a"),
    # Functions
    (of("DateFormatClass", A, lit("yyyy", "string")), "date_format(a, 'yyyy')"),
    (of("TruncTimestamp", lit("day", "string"), A), "date_trunc('day', a)"),
    (of("ArrayContains", A, ONE), "array_contains(a, 1)"),
    (of("MonotonicallyIncreasingID"), "monotonically_increasing_id()"),
    (of("FromUTCTimestamp", A, B), "from_utc_timestamp(a, b)"),
    (of("SomethingNew", A, of("SHA9000Sum", B)), "something_new(a, sha9000_sum(b))"),
    (of("", A), "expression(a)"),
    (of("Add", A), "add(a)"),
    (of("RegExpReplace", A, B, C, ONE), "regexp_replace(a, b, c)"),
    (of("Substring", A, lit("2"), lit("2147483647")), "substring(a, 2)"),
    (of("StringTrimLeft", A, B), "trim(LEADING b FROM a)"),
    (of("StringTrim", A), "trim(a)"),
    (of("TimestampAdd", ONE, A, unit="HOUR"), "timestampadd(HOUR, 1, a)"),
    (of("AtLeastNNonNulls", A, B, n=1), "at_least_n_non_nulls(1, a, b)"),
    (of("JsonToStructs", A, schema=PERSON["fields"][0]["type"]), "from_json(a, 'STRUCT<`my street`: …>')"),  # type: ignore[index]
    (of("Nvl", of("Coalesce", A, B), left=nested(A), right=nested(B), child=0), "nvl(a, b)"),
    (of("ParseToDate", of("Cast", A), left=nested(A), format=nested(B), child=0), "to_date(a, b)"),
    (of("PythonUDF", A, name="mask", children=[0]), "mask(a)"),
    (of("ScalaUDF", A, udfName="shout", children=[0]), "shout(a)"),
    (of("ScalaUDF", A, function=None), "udf(a)"),
    (of("StaticInvoke", A, functionName="fromString", arguments=[0]), "fromString(a)"),
    (of("Invoke", lit("Evaluator@1", "object"), A, functionName="evaluate", arguments=[1]), "evaluate(a)"),
    (of("GeneratorOuter", of("Explode", A)), "explode_outer(a)"),
    (of("Stack", lit("2"), A, B), "stack(2, a, b)"),
    # Before the analysis
    (of("UnresolvedAttribute", nameParts="[v, cost]"), "v.cost"),
    (of("UnresolvedFunction", A, name={"funcName": "f", "database": "db"}, arguments=[0]), "db.f(a)"),
    (of("UnresolvedFunction", A, nameParts="[sum]", isDistinct=True, arguments=[0]), "sum(DISTINCT a)"),
    (of("UnresolvedFunction", A, EQUAL, nameParts="[sum]", arguments=[0], filter=nested(EQUAL)),
     "sum(a) FILTER (WHERE a = b)"),
    (of("UnresolvedFunction", of("UnresolvedStar"), nameParts="[count]", arguments=[0]), "count(*)"),
    (of("UnresolvedFunction", A, nameParts="[lag]", arguments=[0], ignoreNulls=True), "lag(a) IGNORE NULLS"),
    (of("UnresolvedStar", target="[v]"), "v.*"),
    (of("UnresolvedAlias", of("UnresolvedExtractValue", A, lit("street", "string"))), "a.street"),
    (of("UnresolvedExtractValue", A, ONE), "a[1]"),
    (of("UnresolvedWindowExpression", of("Rank"), windowSpec={"name": "w"}), "rank() OVER w"),
    # Inside values
    (of("GetStructField", of("GetStructField", attribute("p", PERSON), ordinal=0), ordinal=0), "p.home.`my street`"),
    (of("GetStructField", A, ordinal=2), "a._3"),
    (of("GetStructField", of("CreateNamedStruct", lit("k", "string"), A), ordinal=0), "named_struct('k', a).k"),
    (of("GetArrayStructFields", A, field={"name": "value"}), "a.value"),
    (of("GetArrayItem", of("Add", A, B), ONE), "(a + b)[1]"),
    (of("ElementAt", A, ONE), "element_at(a, 1)"),
    # Lambdas
    (of("ArrayTransform", A, of("LambdaFunction", of("Add", X, ONE), X)), "transform(a, x -> x + 1)"),
    (of("ArrayAggregate", A, ONE, of("LambdaFunction", X, X, B), of("LambdaFunction", X, X)),
     "aggregate(a, 1, (x, b) -> x)"),
    # Aggregates and windows
    (of("AggregateExpression", of("Count", ONE), isDistinct=False), "count(*)"),
    (of("AggregateExpression", of("Count", A, B), isDistinct=True), "count(DISTINCT a, b)"),
    (of("AggregateExpression", of("First", A, ignoreNulls=True), isDistinct=False), "first(a, true)"),
    (of("AggregateExpression", of("Sum", of("Cast", A, dataType="long"))), "sum(a)"),
    (of("AggregateExpression", of("Sum", of("Cast", attribute("s", "string"), dataType="long"))),
     "sum(CAST(s AS BIGINT))"),
    (window(SUM_A), "sum(a) OVER ()"),
    (window(of("Rank", A), [sort(A, "Descending", "NullsLast")]), "rank() OVER (ORDER BY a DESC)"),
    (window(SUM_A, [sort(A, nulls="NullsLast")], frame("RangeFrame", UNBOUNDED, CURRENT)),
     "sum(a) OVER (ORDER BY a NULLS LAST)"),
    (window(SUM_A, [sort(A)], frame("RowFrame", lit("-2"), ONE)),
     "sum(a) OVER (ORDER BY a ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)"),
    (window(SUM_A, [sort(A)], frame("RangeFrame", of("UnaryMinus", B), of("UnboundedFollowing$"))),
     "sum(a) OVER (ORDER BY a RANGE BETWEEN b PRECEDING AND UNBOUNDED FOLLOWING)"),
    (window(of("Lag", A, ONE, lit(None, "null")), [sort(A)], frame("RowFrame", lit("-1"), lit("-1"))),
     "lag(a) OVER (ORDER BY a)"),
    (window(of("Lead", A, lit("2"), lit(None), ignoreNulls=True)), "lead(a, 2) IGNORE NULLS OVER ()"),
]  # fmt: skip


@pytest.mark.parametrize("case", RECORDED, ids=[case["case"] for case in RECORDED])
def test_recorded_expressions(case: dict[str, Any]) -> None:
    expression = tree(case["expression"])
    assert expression
    assert sql_text(expression, name_of) == case["text"]


@pytest.mark.parametrize(("expression", "text"), HAND_MADE, ids=[row[1] for row in HAND_MADE])
def test_hand_made_expressions(expression: Node, text: str) -> None:
    assert sql_text(expression, name_of) == text


def not_null(node: Node) -> Node:
    return of("IsNotNull", node)


FIELD = of("GetStructField", A, ordinal=0, name="f")
EITHER_NULL = of("Or", EQUAL, of("IsNull", EQUAL))
CONDITIONS = [
    (chain("And", not_null(A), not_null(B), EQUAL), [], "a = b"),
    (chain("And", not_null(C), EQUAL), [], "c IS NOT NULL AND a = b"),
    (chain("And", not_null(A), of("Or", EQUAL, C)), [], "a IS NOT NULL AND (a = b OR c)"),
    (chain("And", not_null(A), of("EqualNullSafe", A, B)), [], "a IS NOT NULL AND a <=> b"),
    (chain("And", not_null(A), of("EqualTo", of("Coalesce", A, B), C)), [], "a IS NOT NULL AND coalesce(a, b) = c"),
    (chain("And", not_null(B), of("In", A, B, ONE)), [], "b IS NOT NULL AND a IN (b, 1)"),
    (chain("And", not_null(FIELD), of("EqualTo", FIELD, ONE)), [], "a.f = 1"),
    (chain("And", not_null(FIELD), of("EqualTo", A, ONE)), [], "a.f IS NOT NULL AND a = 1"),
    (chain("And", not_null(A), of("EqualTo", FIELD, ONE)), [], "a.f = 1"),
    (not_null(A), [], "a IS NOT NULL"),
    (not_null(A), [EQUAL], ""),
    (chain("And", not_null(A), of("GreaterThan", C, ONE)), [EQUAL], "c > 1"),
    (chain("And", EQUAL, of("DynamicPruningSubquery", A)), [], "a = b"),
    (EITHER_NULL, [], "a = b"),
    (of("Or", EQUAL, of("IsNull", of("EqualTo", A, C))), [], "a = b OR (a = c) IS NULL"),
    (of("And", of("Or", A, B), of("And", C, D)), [], "(a OR b) AND c AND d"),
    (of("Or", A, of("And", B, C)), [], "a OR b AND c"),
    (lit("true", "boolean"), [], ""),
]


@pytest.mark.parametrize(("condition", "beside", "text"), CONDITIONS)
def test_a_condition_is_shown_without_what_spark_added(condition: Node, beside: list[Node], text: str) -> None:
    assert condition_text(condition, name_of, beside=beside) == text


HIDDEN = [
    (of("EqualTo", A, lit("anna@contoso.com", "string")), "a = '…'"),
    (of("In", A, lit("anna", "string"), lit("it's", "string collate UTF8_LCASE")), "a IN ('…', '…')"),
    (of("EqualTo", A, lit("616e6e61", "binary")), "a = '…'"),
    (of("EqualTo", A, lit("[anna,bob]", {"type": "array", "elementType": "string"})), "a = '…'"),
    (of("Concat", A, of("Cast", lit("x", "string"), dataType="integer")), "concat(a, CAST('…' AS INT))"),
    (of("CreateNamedStruct", lit("name", "string"), lit("anna", "string")), "named_struct('name', '…')"),
    (of("EqualTo", A, ONE), "a = 1"),
    (of("EqualTo", A, lit("true", "boolean")), "a = true"),
    (of("EqualTo", A, lit("18262", "date")), "a = DATE '2020-01-01'"),
    (of("EqualTo", A, lit(None, "string")), "a = NULL"),
]


@pytest.mark.parametrize(("expression", "text"), HIDDEN, ids=[row[1] for row in HIDDEN])
def test_text_literals_can_be_hidden(expression: Node, text: str) -> None:
    assert sql_text(expression, name_of, show_literals=False) == text
    assert condition_text(expression, name_of, show_literals=False) == text


def test_a_name_gets_parentheses_where_it_needs_them() -> None:
    product = of("Multiply", A, B)
    assert sql_text(product, lambda _: Text("v.x + 1", Level.ADDITION)) == "(v.x + 1) * (v.x + 1)"
    assert sql_text(product, lambda _: "v.x + 1") == "v.x + 1 * v.x + 1"
    assert sql(A, lambda _: sql(of("Add", B, C), name_of)) == Text("b + c", Level.ADDITION)


def test_a_name_is_replaced_by_its_definition() -> None:
    definitions = {"a": of("Alias", of("Add", B, ONE), name="a"), "b": C}
    assert sql_text(of("Multiply", A, D), lambda node: definitions.get(name_of(node), name_of(node))) == "(c + 1) * d"
    assert sql(A, lambda node: definitions.get(name_of(node), name_of(node))).level is Level.ADDITION


def test_doubling_or_circular_definitions_end() -> None:
    doubled = sql_text(A, lambda _: of("Add", A, A), most=50)
    assert len(doubled) == 50
    assert doubled.endswith("…")
    assert sql_text(A, lambda _: A) == "a"


@pytest.mark.parametrize("most", [0, 1, 2, 11, 12, 13, 100])
def test_the_limit_is_kept_to_the_letter(most: int) -> None:
    whole = "concat(a, b)"
    expected = whole if most >= len(whole) else (whole[: most - 1] + "…" if most else "")
    assert sql_text(of("Concat", A, B), name_of, most) == expected
    assert len(condition_text(chain("And", *[EQUAL] * 20), name_of, most)) <= most


def deep(kind: str, *, right: bool = False, depth: int = 10_000) -> Node:
    node = A
    for _ in range(depth):
        node = of(kind, B, node) if right else of(kind, node, B)
    return node


KINDS = ["And", "Or", "Add", "Concat", "CaseWhen", "Not", "Alias", "GetStructField", "Cast", "In", "Coalesce",
         "GetArrayItem", "LambdaFunction", "Divide", "PromotePrecision", "SomethingNew", "EqualTo", "IsNotNull",
         "WindowExpression", "AggregateExpression", "GeneratorOuter", "UnresolvedFunction"]  # fmt: skip


NESTED: dict[str, tuple[Callable[[object], object], str]] = {
    "an array": (lambda inner: {"type": "array", "elementType": inner}, "ARRAY<"),
    "a map's key": (lambda inner: {"type": "map", "keyType": inner, "valueType": "null"}, "MAP<"),
    "a map's value": (lambda inner: {"type": "map", "keyType": "null", "valueType": inner}, "MAP<"),
    "a struct": (lambda inner: {"type": "struct", "fields": [{"name": "x", "type": inner}]}, "STRUCT<"),
}


@pytest.mark.parametrize("kind", NESTED)
def test_types_below_the_eighth_level_are_cut(kind: str) -> None:
    nest, word = NESTED[kind]
    deep: object = "integer"
    for _ in range(8):
        deep = nest(deep)
    assert sql_text(of("Cast", A, dataType=deep), name_of).count(word) == 8
    assert "INT" in sql_text(of("Cast", A, dataType=deep), name_of)
    deeper = sql_text(of("Cast", A, dataType=nest(deep)), name_of)
    assert (deeper.count(word), deeper.count("…"), "INT" in deeper) == (8, 1, False)


def test_a_users_type_is_a_level_as_well() -> None:
    deep: object = "integer"
    for _ in range(9):
        deep = {"type": "udt", "sqlType": deep}
    assert sql_text(of("Cast", A, dataType=deep), name_of) == "CAST(a AS …)"


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("kind", sweep(KINDS, ("And", "CaseWhen", "Concat")))
def test_ten_thousand_levels_are_written_and_fast(kind: str, right: bool) -> None:
    expression = deep(kind, right=right)
    began = time.process_time()
    assert len(sql_text(expression, name_of)) <= 2000
    assert len(condition_text(expression, name_of)) <= 2000
    assert sql_text(expression, name_of, most=10_000_000).count("…") <= 10_000
    assert time.process_time() - began < 5


def test_a_long_chain_is_whole_if_it_may_be() -> None:
    assert sql_text(deep("And"), name_of, most=100_000) == "a" + " AND b" * 10_000


TABLES: list[Collection[str]] = [
    sql_names.DEFAULTS,
    function_names.FUNCTIONS,
    sql_names.INFIX,
    sql_names.LEADING_PARAMETERS,
    function_names.NAMED_FUNCTIONS,
    sql_names.PREFIX,
    sql_names.SUBQUERIES,
    sql_names.TRANSPARENT,
    sql_names.WRAPPED_IN_PARAMETER,
]
ALL_KINDS = sorted(
    {kind for table in TABLES for kind in table} | {node.kind for row in HAND_MADE for node in row[0].walk()}
)
ALL_PARAMETERS = sorted({name for row in HAND_MADE for node in row[0].walk() for name in node.params})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["long", "[a, b]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "name", "fields", "object",
        "elementType", "class", "num-children", "funcName", "id"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PARAMETERS = st.dictionaries(st.sampled_from(ALL_PARAMETERS), VALUES, max_size=4)
NODES = st.recursive(
    st.builds(Node, st.sampled_from(ALL_KINDS) | st.text(max_size=8), PARAMETERS),
    lambda inner: st.builds(
        Node, st.sampled_from(ALL_KINDS), PARAMETERS, st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.exhaustive
@given(NODES, st.integers(0, 200))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_node_stays_within_the_length(expression: Node, most: int) -> None:
    assert len(sql_text(expression, lambda _: "n", most)) <= most
    assert len(condition_text(expression, lambda _: "n", most, beside=[expression])) <= most


@pytest.mark.exhaustive
@given(st.sampled_from(RECORDED), st.data())
@settings(max_examples=300)
def test_damaged_recordings_are_still_written(case: dict[str, Any], data: st.DataObject) -> None:
    flat = [dict(node) for node in case["expression"]]
    victim = data.draw(st.sampled_from(flat))
    key = data.draw(st.sampled_from(sorted(victim)))
    victim[key] = data.draw(VALUES)
    expression = tree(flat)
    if expression:
        assert len(sql_text(expression, lambda _: "n")) <= 2000
