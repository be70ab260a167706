"""Plans as parsed, which is all that agent 0.4.0 sends if a START is lost: names are resolved as Spark would."""

import tracemalloc
from collections.abc import Callable, Sequence
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
    attribute,
    called,
    drawn,
    function,
    insert_statement,
    lineage_of,
    literal,
    named,
    node,
    operator,
    project,
    read,
    relation,
    star,
    unnamed,
)
from tests.support.tiers import recorded

ONE = dataset("lake/one", ["a", "b"])
OTHER = dataset("lake/db.db/other", ["a", "k"])
BARE = dataset("lake/bare")  # without a schema

Sources = dict[str, list[str]]


def joined(left: Nodes, right: Nodes, condition: Nodes | None, kind: str = "Inner") -> Nodes:
    return operator("Join", left, right, joinType={"object": f"plans.{kind}$"}, condition=condition)


def using(left: Nodes, right: Nodes, column: str, kind: str, product: str = "UsingJoin") -> Nodes:
    product = f"org.apache.spark.sql.catalyst.plans.{product}"
    join_type = {"product-class": product, "tpe": {"object": f"plans.{kind}$"}, "usingColumns": f"[{column}]"}
    return operator("Join", left, right, joinType=join_type, condition=None)


def with_query(name: object, query: object, child: Nodes, *more: object) -> Nodes:
    return operator("With", child, cteRelations=[{"product-class": "scala.Tuple2", "_1": name, "_2": query}, *more])


def typed_in(*names: str) -> Nodes:
    """``VALUES (…)`` with these columns."""
    return node("sql.catalyst.analysis.UnresolvedInlineTable", names=f"[{', '.join(names)}]", rows=[])


def filtered(query: Nodes, condition: Nodes) -> Nodes:
    return operator("Filter", query, condition=condition)


def renamed(query: Nodes, *names: str) -> Nodes:
    """``AS q(a, b)``"""
    columns = operator("UnresolvedSubqueryColumnAliases", query, outputColumnNames=f"[{', '.join(names)}]")
    return aliased(columns, "q")


def exploded(function_name: str, *names: str, output: Sequence[Nodes] = ()) -> Nodes:
    """``LATERAL VIEW function_name(b) e``, perhaps with names of its columns, over the first input."""
    generator = node(
        "sql.catalyst.analysis.UnresolvedGenerator", named("b"), name={"funcName": function_name}, children=[0]
    )
    listed = [*map(named, names), *output]
    return operator("Generate", relation("one"), generator=generator, generatorOutput=listed, qualifier="e")


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
    "WITH, which is named like the table that it reads": (
        with_query("one", project(relation("one"), named("b"), named("a")), project(relation("one"), star())),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "WITH of a query that reads the one before it": (
        with_query(
            "p",
            project(relation("one"), named("b"), named("a")),
            project(relation("q"), star()),
            {"_1": "q", "_2": project(relation("p"), named("a"), named("b"))},
        ),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "WITH of a query that is named like an outer one, which it reads": (
        with_query(
            "one",
            project(relation("one"), named("b"), named("a")),
            with_query("one", project(relation("one"), star()), project(relation("one"), star())),
        ),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "WITH without a name": (with_query(5, relation("one"), relation("one")), {}),
    "WITH without a query": (with_query("p", None, relation("one")), {}),
    "WITH of something else": (with_query("p", relation("one"), relation("one"), 5), {}),
    "a relation that is resolved already": (
        project(joined(relation("one"), read({"a": 1, "k": 2}), None), named("k"), named("b")),
        {"x": ["lake/db.db/other.k"], "y": ["lake/one.b"]},
    ),
    "a relation whose columns cannot be read": (
        project(
            joined(relation("one"), node("sql.execution.datasources.LogicalRelation", output=[literal("k")]), None),
            named("a"),
            named("b"),
        ),
        {},
    ),
    "expressions without names": (
        project(
            aliased(project(relation("one"), unnamed(named("b")), named("a.deep")), "q"), named("deep"), named("b")
        ),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "columns of a table without a schema": (
        project(relation("bare", "t"), named("t.p"), named("q")),
        {"x": ["lake/bare.p"], "y": ["lake/bare.q"]},
    ),
    "a column that is named like its table": (
        project(relation("bare"), named("bare"), named("bare.bare")),
        {"x": ["lake/bare.bare"], "y": ["lake/bare.bare"]},
    ),
    "a table without a schema next to another one": (
        project(joined(relation("one", "o"), relation("bare", "t"), None), named("t.p"), named("o.a")),
        {"x": ["lake/bare.p"], "y": ["lake/one.a"]},
    ),
    "a name that the other one may have": (
        project(joined(relation("one", "o"), relation("bare", "t"), None), named("p"), named("a")),
        {"x": [], "y": ["lake/one.a"]},
    ),
    "two tables of one alias without a schema": (
        project(joined(relation("bare", "t"), relation("bare", "t"), None), named("t.p"), literal("x")),
        {"x": [], "y": []},
    ),
    "star of the side that has a schema": (
        project(joined(relation("one", "o"), relation("bare", "t"), None), star("o")),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "star of the side without one": (
        project(joined(relation("one", "o"), relation("bare", "t"), None), star("t"), named("a"), named("b")),
        {},
    ),
    "star of both": (project(joined(relation("one"), relation("bare"), None), star()), {}),
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
    "a subquery that takes a value from around itself": (
        project(relation("one", "o"), named("a"), unnamed(scalar(project(relation("other"), named("o.b"))))),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
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
    "USING of a semi join": (
        using(relation("one"), relation("other"), "a", "LeftSemi"),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "USING of a full join": (project(using(relation("one"), relation("other"), "a", "FullOuter"), named("b")), {}),
    "NATURAL JOIN": (project(using(relation("one"), relation("other"), "a", "Inner", "NaturalJoin"), named("b")), {}),
    "LEFT SEMI JOIN": (
        project(joined(relation("one"), relation("other"), None, "LeftSemi"), star()),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "LEFT ANTI JOIN": (
        project(joined(relation("one"), relation("other"), None, "LeftAnti"), star()),
        {"x": ["lake/one.a"], "y": ["lake/one.b"]},
    ),
    "a query in FROM with names for its columns": (
        project(renamed(relation("one"), "k", "v"), named("v"), named("q.k")),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "fewer names than columns": (project(renamed(relation("one"), "k"), named("k"), named("k")), {}),
    "LATERAL VIEW": (
        project(exploded("explode", "item"), named("e.item"), named("one.a")),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "LATERAL VIEW without names": (
        project(exploded("EXPLODE"), named("e.col"), named("a")),
        {"x": ["lake/one.b"], "y": ["lake/one.a"]},
    ),
    "LATERAL VIEW of positions without names": (
        project(exploded("posexplode"), named("col"), named("pos")),
        {"x": ["lake/one.b"], "y": ["lake/one.b"]},
    ),
    "LATERAL VIEW with names that are not as parsed": (
        project(exploded("explode", output=[attribute("item", 7)]), named("col"), named("item")),
        {"x": ["lake/one.b"], "y": []},
    ),
    "LATERAL VIEW of a function whose columns are not known": (project(exploded("stack"), named("col"), star()), {}),
    "UNION by position": (
        operator("Union", project(relation("one"), star()), project(relation("other"), named("k"), named("a"))),
        {"x": ["lake/db.db/other.k", "lake/one.a"], "y": ["lake/db.db/other.a", "lake/one.b"]},
    ),
    "the names of a UNION": (
        project(
            aliased(operator("Union", relation("one"), project(relation("other"), named("k"), named("a"))), "u"),
            named("u.b"),
            named("a"),
        ),
        {"x": ["lake/db.db/other.a", "lake/one.b"], "y": ["lake/db.db/other.k", "lake/one.a"]},
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
    found = drawn(insert_statement(query), [ONE, OTHER, BARE], "[x, y]")
    assert {column: found.get(column) or [] for column in "xy"} == {"x": [], "y": [], **expected}


def test_the_text_of_an_expression_names_the_fields_of_columns() -> None:
    query = project(
        relation("one"), unnamed(called("upper", named("a.f"))), unnamed(called("upper", named("one.b.g.h")))
    )
    found = lineage_of(insert_statement(query), [ONE], "[x, y]")
    assert [column.expression for column in found.columns] == ["upper(one.a.f)", "upper(one.b.g.h)"]
    query = project(
        relation("bare"), unnamed(called("upper", named("p.f"))), unnamed(called("upper", named("bare.q.g")))
    )
    found = lineage_of(insert_statement(query), [BARE], "[x, y]")
    assert [column.expression for column in found.columns] == ["upper(bare.p.f)", "upper(bare.q.g)"]


def nested_aliases(depth: int) -> Nodes:
    query = relation("one")
    for _ in range(depth - 1):
        query = aliased(query, "q")
    return query


def nested_with(depth: int) -> Nodes:
    query = relation("one")
    for number in range(depth - 1):
        query = with_query(f"q{number}", relation("one"), query)
    return query


def chained_with(depth: int) -> Nodes:
    """``WITH q0 AS (one), q1 AS (q0), …`` and the last of them."""
    last = depth - 3
    more = [{"_1": f"q{number}", "_2": relation(f"q{number - 1}")} for number in range(1, last + 1)]
    return with_query("q0", relation("one"), relation(f"q{last}"), *more)


def nested_subqueries(depth: int) -> Nodes:
    query = project(relation("one"), named("a"), named("b"))
    for _ in range(depth - 2):
        query = project(relation("one"), named("a"), unnamed(scalar(query)))
    return query


@pytest.mark.parametrize("query_of", [nested_aliases, nested_with, chained_with, nested_subqueries])
def test_a_statement_is_resolved_down_to_the_hundredth_level(query_of: Callable[[int], Nodes]) -> None:
    assert drawn(insert_statement(query_of(100)), [ONE], "[x, y]")["x"] == ["lake/one.a"]
    assert drawn(insert_statement(query_of(101)), [ONE], "[x, y]") == {}


@pytest.mark.parametrize(("most", "notes"), [(8, []), (7, ["plan-too-large"])])
def test_the_columns_in_scope_are_limited(monkeypatch: pytest.MonkeyPatch, most: int, notes: list[str]) -> None:
    # The statement and the projection with two columns each, and the two of ``*``.
    monkeypatch.setattr("parser.logical_plan.resolver.MOST_COLUMNS", most)
    found = lineage_of(insert_statement(project(relation("one"), star())), [ONE], "[x, y]")
    assert [note.code for note in found.notes] == notes


def test_a_list_of_columns_says_where_values_go() -> None:
    query = project(relation("one"), named("a"), named("b"))
    assert drawn(insert_statement(query, "[y, x]"), [ONE], "[x, y]") == {"x": ["lake/one.b"], "y": ["lake/one.a"]}


GROUPED = {
    "groupingExpressions": [named("a")],
    "aggregateExpressions": [named("a"), unnamed(called("max", named("b")))],
}
SETS = {"groupByExprs": [named("a")], "aggregations": [named("a"), unnamed(called("max", named("b")))]}
SAME_A = function("EqualTo", named("o.a"), named("t.a"))

CONDITIONS: dict[str, tuple[Nodes, set[str], tuple[str, ...]]] = {
    "WHERE": (
        filtered(relation("one"), function("GreaterThan", named("b"), named("a"))),
        {"FILTER lake/one.a", "FILTER lake/one.b"},
        ("WHERE: one.b > one.a",),
    ),
    "HAVING": (
        operator(
            "UnresolvedHaving",
            operator("Aggregate", relation("one"), **GROUPED),
            havingCondition=function("GreaterThan", named("a"), literal(1)),
        ),
        {"FILTER lake/one.a", "GROUP_BY lake/one.a"},
        ("WHERE: one.a > '1'",),
    ),
    "GROUP BY": (operator("Aggregate", relation("one"), **GROUPED), {"GROUP_BY lake/one.a"}, ()),
    "GROUPING SETS": (operator("GroupingSets", relation("one"), **SETS), {"GROUP_BY lake/one.a"}, ()),
    "ORDER BY": (operator("Sort", relation("one"), order=[named("b")]), {"SORT lake/one.b"}, ()),
    "ON": (
        project(joined(relation("one", "o"), relation("other", "t"), SAME_A), named("o.a"), named("k")),
        {"JOIN lake/one.a", "JOIN lake/db.db/other.a"},
        ("INNER: one.a = other.a",),
    ),
    "USING": (
        project(using(relation("one"), relation("other"), "a", "LeftOuter"), named("b"), named("k")),
        {"JOIN lake/one.a", "JOIN lake/db.db/other.a"},
        ("LEFT OUTER: one.a = other.a",),
    ),
    "USING of two columns": (
        project(using(relation("one"), aliased(relation("one"), "t"), "a, b", "Inner"), named("a"), named("b")),
        {"JOIN lake/one.a", "JOIN lake/one.b"},
        ("INNER: one.a = one.a AND one.b = one.b",),
    ),
}


@pytest.mark.parametrize(("query", "uses", "texts"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_names_in_conditions_mean_columns_too(query: Nodes, uses: set[str], texts: tuple[str, ...]) -> None:
    found = lineage_of(insert_statement(query), [ONE, OTHER], "[x, y]")
    assert {f"{use.kind} {use.column.dataset.name}.{use.column.column}" for use in found.indirect} == uses
    assert found.conditions == texts


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


def test_many_queries_of_with_take_memory_in_proportion_to_their_number() -> None:
    query = project(relation("one"), named("b"), named("a"))
    more = [{"_1": f"q{number}", "_2": query} for number in range(4_000)]
    statement = insert_statement(with_query("p", query, project(relation("q3999"), star()), *more))
    tracemalloc.start()
    found = drawn(statement, [ONE], "[x, y]")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {"x": ["lake/one.b"], "y": ["lake/one.a"]}
    assert peak < 50_000_000
