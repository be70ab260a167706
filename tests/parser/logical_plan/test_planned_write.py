"""What a plan says about a write and a query's rows: column by column, and about its leaves for other runs."""

from typing import Any

import pytest

from core.event_model import ColumnRef, Dataset, Field, RunEvent
from core.events import read_event
from core.identity import dataset_id
from parser.application_facts import ApplicationFacts
from parser.logical_plan.budget import PlanTooLargeError
from parser.logical_plan.plan_columns import planned_rows, planned_write
from parser.logical_plan.plan_model import Evidence, PlanFacts, PlannedWrite
from tests.support.events import LAKE, body, dataset, event
from tests.support.plans import Nodes, alias, attribute, function, insert, literal, node, operator, project, read

A, B = attribute("a", 1), attribute("b", 2)
ONE = read({"a": 1, "b": 2})
INPUT, SINK = dataset("one", ["a", "b"]), dataset("out", ["x", "y"])


def model(name: str, *columns: str) -> Dataset:
    return Dataset(dataset_id(LAKE, name), tuple(Field(column, "string") for column in columns))


FOLDER, TARGET = model("one", "a", "b"), model("out", "x", "y")


def sent(plan: Nodes, event_type: str = "COMPLETE") -> RunEvent:
    return read_event(body(event(event_type, plan=plan, inputs=[INPUT], outputs=[SINK])))


def of(plan: Nodes, evidence: Evidence | None = None, inputs: tuple[Dataset, ...] = (FOLDER,)) -> PlannedWrite:
    found = planned_write([sent(plan)], TARGET, inputs, evidence or Evidence())
    assert found
    return found


def with_key(nodes: Nodes, number: int, jvm: str = "jvm") -> Nodes:
    """A relation whose first column has an id that is unique over all plans of a driver."""
    (relation,) = nodes
    first, *others = relation["output"]
    return [{**relation, "output": [[{**first[0], "exprId": {"id": number, "jvmId": jvm}}], *others]}]


UPPER, ONE_LITERAL = alias(function("Upper", B), "y", 6), alias(literal("1"), "y", 6)


@pytest.mark.parametrize(
    ("second", "plain", "constant", "expression"),
    [
        (B, True, False, None),
        (alias(B, "y", 6), True, False, None),
        (alias(function("Cast", B), "y", 6), True, False, None),
        (UPPER, False, False, "upper(one.b)"),
        (ONE_LITERAL, False, True, "'1'"),
    ],
    ids=["a column", "renamed", "cast", "computed", "a literal"],
)
def test_a_column_is_plain_computed_or_constant(
    second: Nodes, plain: bool, constant: bool, expression: str | None
) -> None:
    column = of(insert(project(ONE, A, second), "[x, y]")).columns["y"]
    assert (column.plain, column.constant, column.expression, column.certain) == (plain, constant, expression, True)
    assert column.sources == (frozenset() if constant else {ColumnRef(FOLDER.id, "b")})


@pytest.mark.parametrize(
    ("names", "sink", "expected"),
    [
        # The names of the write, unless the sink does not have them; then its own, if they are as many.
        ("[x, y]", ("x", "y"), {"x": "a", "y": "b"}),
        ("[Y, X]", ("x", "y"), {"Y": "a", "X": "b"}),
        ("[p, q]", ("x", "y"), {"x": "a", "y": "b"}),
        ("[p, q]", ("x", "y", "z"), {"p": "a", "q": "b"}),
        ("[p, q]", (), {"p": "a", "q": "b"}),
    ],
)
def test_values_get_the_names_of_the_write_or_of_the_sink(
    names: str, sink: tuple[str, ...], expected: dict[str, str]
) -> None:
    found = planned_write([sent(insert(ONE, names))], model("out", *sink), [FOLDER], Evidence())
    assert found
    assert {name: column.column for name, each in found.columns.items() for column in each.sources} == expected


def test_a_column_that_a_wide_write_drops_is_none_of_the_sink() -> None:
    """After 25 columns Spark cuts the list of names."""
    both = function("ArraysZip", A, B)
    query = operator(
        "Generate", ONE, generator=function("Explode", both), unrequiredChildIndex=None,
        generatorOutput=[attribute("e", 5)],
    )  # fmt: skip
    plan = insert(query, "[x, ... 27 more fields]")
    found = {
        sink: planned_write([sent(plan)], model("out", *sink), [FOLDER], Evidence())
        for sink in [("a", "e"), ("B", "e"), ("e",)]
    }
    assert [list(write.columns) for write in found.values() if write] == [["a", "e"], ["b", "e"], ["e"]]


def test_a_column_of_the_query_that_the_sink_does_not_have_is_none_of_it() -> None:
    found = planned_write([sent(insert(ONE, "[x, ... 27 more fields]"))], model("out", "b"), [FOLDER], Evidence())
    assert found
    assert list(found.columns) == ["b"]


@pytest.mark.parametrize(("sink", "expected"), [(("a",), ["a"]), (("A", "c"), ["a"]), ((), ["a", "b"])])
def test_a_write_by_name_gives_the_columns_that_the_sink_has(sink: tuple[str, ...], expected: list[str]) -> None:
    plan = operator("AppendData", ONE, query=0, isByName=True)
    found = planned_write([sent(plan)], model("out", *sink), [FOLDER], Evidence())
    assert found
    assert list(found.columns) == expected


def test_a_plan_that_cannot_be_read_or_writes_nothing_gives_no_columns() -> None:
    for plan in ([], ONE, project(ONE, A)):
        assert planned_write([sent(plan)], TARGET, [FOLDER], Evidence()) is None
    assert planned_rows([sent([])], [FOLDER], {}) is None


def test_the_plan_of_start_takes_precedence_over_those_of_other_events() -> None:
    start, end = sent(insert(project(ONE, B, A), "[x, y]"), "START"), sent(insert(ONE, "[x, y]"))
    for events in ([start, end], [end, start]):
        found = planned_write(events, TARGET, [FOLDER], Evidence())
        assert found
        assert found.columns["x"].sources == {ColumnRef(FOLDER.id, "b")}


def test_the_write_that_names_the_sinks_table_counts() -> None:
    def into(table: str, *columns: Nodes) -> Nodes:
        place = {"identifier": {"table": table, "database": "db"}}
        return operator("AppendData", project(ONE, *columns), query=0, catalogTable=place)

    both = operator("Union", into("one", A, B), into("two", B, A))
    sink = model("w/db.db/two", "x", "y")
    found = planned_write([sent(both)], sink, [FOLDER], Evidence())
    assert found
    assert found.columns["x"].sources == {ColumnRef(FOLDER.id, "b")}
    assert planned_write([sent(both)], TARGET, [FOLDER], Evidence()) is None


def test_a_plan_says_which_dataset_a_leaf_is_and_which_leaf_is_open() -> None:
    known, unknown = with_key(ONE, 1), with_key(read({"k": 21, "v": 22}), 21)
    both = operator("Join", known, unknown, joinType={"object": "plans.Inner$"}, condition=None)
    plan = insert(project(both, A, attribute("v", 22)), "[x, y]")
    assert of(plan).facts == PlanFacts({"jvm:1": FOLDER.id}, frozenset({"jvm:21"}))
    assert of(insert(ONE, "[x, y]")).facts == PlanFacts()
    assert of(insert(operator("LogicalRDD", output=[A, B]), "[x, y]")).facts.reads_rows


def test_an_unknown_leaf_is_resolved_by_another_run_of_the_application() -> None:
    elsewhere = dataset_id(LAKE, "elsewhere")
    plan = insert(with_key(read({"k": 1, "v": 2}), 1), "[x, y]")
    found = of(plan, Evidence(facts=ApplicationFacts(leaves={"jvm:1": elsewhere})))
    assert found.columns["x"].sources == {ColumnRef(elsewhere, "k")}
    assert [table.id for table in found.tables] == [elsewhere]
    assert [field.name for field in found.tables[0].fields] == ["k", "v"]
    # Only what the run itself reports is passed on to others.
    assert found.facts.open == {"jvm:1"}
    # Facts of the run itself are not replaced.
    own = of(insert(with_key(ONE, 1), "[x, y]"), Evidence(facts=ApplicationFacts(leaves={"jvm:1": elsewhere})))
    assert own.columns["x"].sources == {ColumnRef(FOLDER.id, "a")}
    assert own.tables == ()


def test_is_not_null_alone_is_a_filter_and_beside_another_use_none() -> None:
    is_set = function("IsNotNull", A)
    alone = operator("Filter", ONE, condition=is_set)
    beside = operator("Sort", alone, order=[A])

    def uses(query: Nodes) -> set[tuple[str, str]]:
        return {(use.column.column, use.kind) for use in of(insert(query, "[x, y]")).indirect}

    assert (uses(alone), uses(beside)) == ({("a", "FILTER")}, {("a", "SORT")})


def test_a_source_that_the_schema_does_not_have_makes_the_column_uncertain() -> None:
    found = of(insert(ONE, "[x, y]"), Evidence(schemas={FOLDER.id: frozenset({"a"})}))
    assert [(found.columns[name].certain, len(found.columns[name].sources)) for name in "xy"] == [(True, 1), (False, 0)]
    assert not found.certain


def test_the_columns_of_an_open_leaf_are_told_by_their_names_unless_a_database_ran_a_query() -> None:
    table = Dataset(dataset_id("postgres://h:5432", "d.s.t"), (Field("k", "string"), Field("z", "string")))
    query = insert(read({"a": 1, "b": 2}), "[x, y]")
    assert of(query, inputs=(model("other", "k"),)).columns["x"].source_names == frozenset({"a"})
    assert of(query, inputs=(table,)).columns["x"].source_names is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ONE, [("a", {"a"}, True), ("b", {"b"}, True)]),
        (project(ONE, UPPER), [("y", {"b"}, True)]),
        (operator("NewInSpark9", ONE, output=[A]), [("a", {"a"}, False)]),
        # The plan does not show which of its arguments the Generate drops; the rows of a stream's batch do.
        (
            operator(
                "Generate",
                ONE,
                generator=function("Explode", A, B),
                unrequiredChildIndex=None,
                generatorOutput=[attribute("e", 5)],
            ),
            [("e", {"a", "b"}, True)],
        ),
    ],
)
def test_the_rows_of_a_query(query: Nodes, expected: list[tuple[str, set[str], bool]]) -> None:
    rows = planned_rows([sent(query)], [FOLDER], {})
    assert rows
    found: list[Any] = [
        (name, {source.column for source in column.sources}, column.certain)
        for (name, _), column in zip(rows.names, rows.columns, strict=True)
    ]
    assert found == expected


def merged(source: Nodes, value: Nodes) -> Nodes:
    """A MERGE into ``x`` (11) and ``y`` (12) that sets ``y``."""
    assign = node("sql.catalyst.plans.logical.Assignment", key=attribute("y", 12), value=value)
    clause = node("sql.catalyst.plans.logical.UpdateAction", condition=None, assignments=[assign])
    return node("sql.catalyst.plans.logical.MergeIntoTable", read({"x": 11, "y": 12}), source,
                targetTable=0, sourceTable=1, matchedActions=[clause])  # fmt: skip


def test_a_merge_reads_its_sink() -> None:
    plan = merged(ONE, function("Add", attribute("x", 11), B))
    assert of(plan).columns["y"].sources == {ColumnRef(TARGET.id, "x"), ColumnRef(FOLDER.id, "b")}


def test_a_merge_may_read_its_sink_a_second_time_as_its_source() -> None:
    plan = merged(read({"x": 21, "y": 22}), attribute("x", 21))
    assert of(plan).columns["y"].sources == {ColumnRef(TARGET.id, "x")}


@pytest.mark.parametrize(("kind", "expected"), [("MANAGED", ["warehouse/shop.db/source"]), ("EXTERNAL", [])])
def test_a_table_beside_the_sink_is_known_by_its_name_if_spark_chose_the_folders_of_both(
    kind: str, expected: list[str]
) -> None:
    def table(name: str, kind: str) -> dict[str, Any]:
        return {"identifier": {"database": "shop", "table": name}, "tableType": {"name": kind}}

    (relation,) = ONE
    source = [{**relation, "catalogTable": table("source", "MANAGED")}]
    plan = operator("InsertIntoHiveTable", source, query=0, table=table("sink", kind))
    found = planned_write([sent(plan)], model("warehouse/shop.db/sink", "x", "y"), [], Evidence())
    assert found
    assert sorted(source.dataset.name for source in found.columns["x"].sources) == expected
    assert [each.id.name for each in found.tables] == expected


def test_texts_of_rows_contain_no_literals() -> None:
    rows = planned_rows([sent(project(ONE, ONE_LITERAL))], [FOLDER], {})
    assert rows
    assert rows.columns[0].expression == "'…'"


TWO_READS = operator("Join", ONE, read({"k": 21, "v": 22}), joinType={"object": "plans.Inner$"}, condition=None)
CHOICE = alias(function("If", A, B, literal("x")), "y", 6)
MODELS = (FOLDER, model("other", "k", "v"), model("third", "z"))


@pytest.mark.parametrize(
    ("limit", "amount", "query"),
    [
        # One column of two sources, and one of a source and a condition.
        ("plan_columns.MOST_EDGES", 4, project(ONE, alias(function("Concat", A, B), "x", 5), CHOICE)),
        # Two leaves, three inputs.
        ("plan_columns.MOST_PAIRS", 6, TWO_READS),
    ],
)
def test_the_work_that_a_plan_may_make_is_limited(
    monkeypatch: pytest.MonkeyPatch, limit: str, amount: int, query: Nodes
) -> None:
    events = [sent(insert(query, "[x, y]"))]
    monkeypatch.setattr(f"parser.logical_plan.{limit}", amount)
    assert planned_write(events, TARGET, MODELS, Evidence())
    monkeypatch.setattr(f"parser.logical_plan.{limit}", amount - 1)
    with pytest.raises(PlanTooLargeError):
        planned_write(events, TARGET, MODELS, Evidence())


def test_the_work_for_the_rows_of_a_query_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parser.logical_plan.plan_columns.MOST_PAIRS", 6)
    assert planned_rows([sent(TWO_READS)], MODELS, {})
    monkeypatch.setattr("parser.logical_plan.plan_columns.MOST_PAIRS", 5)
    with pytest.raises(PlanTooLargeError):
        planned_rows([sent(TWO_READS)], MODELS, {})
