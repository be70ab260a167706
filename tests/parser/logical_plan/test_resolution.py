"""Plans as parsed, which is all that agent 0.4.0 sends if a START is lost: names are resolved as Spark would."""

from dataclasses import replace

import pytest

from tests.support.corpus import SPARK_31, events
from tests.support.events import dataset
from tests.support.figures import true_lineage
from tests.support.lineage import drawn as drawn_from
from tests.support.plans import (
    Nodes,
    alias,
    aliased,
    called,
    drawn,
    function,
    insert_statement,
    literal,
    named,
    node,
    operator,
    project,
    relation,
    star,
    unnamed,
)
from tests.support.tiers import recorded

ONE = dataset("lake/one", ["a", "b"])
OTHER = dataset("lake/db.db/other", ["a", "k"])
INNER = {"object": "org.apache.spark.sql.catalyst.plans.Inner$"}

Sources = dict[str, list[str]]


def joined(left: Nodes, right: Nodes, condition: Nodes) -> Nodes:
    return operator("Join", left, right, joinType=INNER, condition=condition)


def using(left: Nodes, right: Nodes, column: str, kind: str) -> Nodes:
    product = "org.apache.spark.sql.catalyst.plans.UsingJoin"
    join_type = {"product-class": product, "tpe": {"object": f"plans.{kind}$"}, "usingColumns": f"[{column}]"}
    return operator("Join", left, right, joinType=join_type, condition=None)


def with_query(name: str, query: Nodes, child: Nodes) -> Nodes:
    return operator("With", child, cteRelations=[{"product-class": "scala.Tuple2", "_1": name, "_2": query}])


def typed_in(*names: str) -> Nodes:
    """``VALUES (…)`` with these columns."""
    return node("sql.catalyst.analysis.UnresolvedInlineTable", names=f"[{', '.join(names)}]", rows=[])


def scalar(query: Nodes) -> Nodes:
    return node("sql.catalyst.expressions.ScalarSubquery", plan=query)


BOTH = joined(relation("one", "o"), relation("db.other", "t"), function("EqualTo", named("o.a"), named("t.a")))

CASES: dict[str, tuple[Nodes, Sources]] = {
    "names by position": (
        project(relation("one"), named("b"), named("a")),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "star": (project(relation("one"), star()), {"x": ["lake/one.a"], "y": ["lake/one.b"]}),
    "star of one side": (project(BOTH, star("t")), {"x": ["lake/db.db/other.a"], "y": ["lake/db.db/other.k"]}),
    "names behind aliases": (
        project(BOTH, named("t.k"), unnamed(called("concat", named("o.b"), named("t.a")))),
        {"x": ["lake/db.db/other.k"], "y": ["lake/db.db/other.a", "lake/one.b"]},
    ),
    "database, table and column": (
        project(relation("db.other"), named("other.k"), named("db.other.a")),
        {"x": ["lake/db.db/other.k"], "y": ["lake/db.db/other.a"]},
    ),
    "a field of a column": (
        project(relation("one"), named("a.field"), named("one.b.field.deep")),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "a query in FROM": (
        project(
            aliased(project(relation("one"), alias(called("upper", named("b")), "c", 7), named("a")), "q"),
            named("q.c"),
            literal("x"),
        ),
        {"x": ["lake/one.b"], "y": []},
    ),
    "WITH, which hides a table of its name": (
        with_query("one", project(relation("db.other"), named("k"), named("a")), project(relation("ONE", "z"), star())),
        {"x": ["lake/db.db/other.k"], "y": ["lake/db.db/other.a"]},
    ),
    "USING": (
        project(using(relation("one"), relation("other"), "a", "Inner"), named("a"), named("k")),
        {"x": ["lake/one.a"], "y": ["lake/db.db/other.k"]},
    ),
    "USING of a right join": (
        project(using(relation("one"), relation("other"), "a", "RightOuter"), named("a"), named("b")),
        {"x": ["lake/db.db/other.a"], "y": ["lake/one.b"]},
    ),
    "a subquery that looks around itself": (
        project(
            relation("one", "o"),
            named("a"),
            unnamed(
                scalar(
                    project(
                        operator("Filter", relation("other"), condition=function("EqualTo", named("k"), named("o.b"))),
                        unnamed(called("max", named("a"))),
                    )
                )
            ),
        ),
        {"x": ["lake/one.a"], "y": ["lake/db.db/other.a"]},
    ),
    "grouping, count(*) and HAVING": (
        operator(
            "UnresolvedHaving",
            operator(
                "Aggregate",
                relation("one"),
                groupingExpressions=[named("a")],
                aggregateExpressions=[named("a"), unnamed(called("count", star()))],
            ),
            havingCondition=function("GreaterThan", called("max", named("b")), literal("1")),
        ),
        {"x": ["lake/one.a"], "y": []},
    ),
    "LATERAL VIEW": (
        project(
            operator(
                "Generate",
                relation("one"),
                generator=node(
                    "sql.catalyst.analysis.UnresolvedGenerator", named("b"), name={"funcName": "explode"}, children=[0]
                ),
                generatorOutput=[named("item")],
                qualifier="e",
            ),
            named("e.item"),
            named("one.a"),
        ),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "UNION by position": (
        operator("Union", project(relation("one"), star()), project(relation("other"), named("k"), named("a"))),
        {"x": ["lake/db.db/other.k", "lake/one.a"], "y": ["lake/db.db/other.a", "lake/one.b"]},
    ),
    "VALUES": (
        project(
            joined(relation("one"), aliased(typed_in("p", "q"), "v"), function("EqualTo", named("a"), named("v.p"))),
            named("v.q"),
            named("b"),
        ),
        {"x": [], "y": ["lake/one.b"]},
    ),
    "functions that choose": (
        project(
            relation("one"),
            unnamed(called("if", named("a"), named("b"), literal("x"))),
            unnamed(called("nullif", named("a"), named("b"))),
        ),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "a name that both sides have": (project(BOTH, named("a"), named("k")), {"x": [], "y": ["lake/db.db/other.k"]}),
    "a relation that is no input": (project(relation("elsewhere"), star()), {}),
    "more columns than the sink has": (project(BOTH, star()), {}),
    "a clause that is not known": (operator("Pivot", relation("one")), {}),
}


@pytest.mark.parametrize(("query", "expected"), CASES.values(), ids=CASES.keys())
def test_names_mean_what_they_mean_to_spark(query: Nodes, expected: Sources) -> None:
    found = drawn(insert_statement(query), [ONE, OTHER], "[x, y]")
    assert {column: found.get(column) or [] for column in "xy"} == {"x": [], "y": [], **expected}


def test_a_list_of_columns_says_where_values_go() -> None:
    query = project(relation("one"), named("a"), named("b"))
    assert drawn(insert_statement(query, "[y, x]"), [ONE], "[x, y]") == {"x": ["lake/one.b"], "y": ["lake/one.a"]}


# Views of other statements, and constants that PARTITION gives, are not in the plan.
NOT_IN_THE_PLAN = {"global_temp_view", "insert_dynamic_partition", "insert_static_partition", "persistent_view"}


@pytest.mark.parametrize("scenario", recorded(f"{SPARK_31}/"))
def test_without_its_starts_an_application_is_drawn_as_with_them(scenario: str) -> None:
    whole = drawn_from(events(scenario))
    rest = drawn_from(event for event in events(scenario) if event.event_type != "START")
    if scenario.rpartition("/")[2] in NOT_IN_THE_PLAN:
        rest = {sink: replace(item, edges=whole[sink].edges) for sink, item in rest.items() if not item.edges}
    assert {sink: item.edges for sink, item in rest.items() if sink in true_lineage(scenario)} == {
        sink: item.edges for sink, item in whole.items() if sink in true_lineage(scenario)
    }
