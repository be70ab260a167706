"""Leaves of a plan: datasets, rows of a program or a micro-batch, cached relations, common table expressions."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.event_model import ColumnRef, Dataset, DatasetId, Field
from parser.application_facts import MicroBatch
from parser.input_schemas import HIDDEN
from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.tree import tree
from parser.logical_plan.value import Relation
from parser.logical_plan.walker import Leaf, Walk
from tests.support.plans import Nodes, alias, attribute, node, operator, project, read

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ONE, OTHER = DatasetId("abfss://lake", "one"), DatasetId("abfss://lake", "other")
A, B = attribute("a", 1), attribute("b", 2)
ROWS = operator("LogicalRDD", output=[A, B])


def batch(*sources: tuple[ColumnRef, ...] | None, columns: tuple[str, ...] = ("a", "b")) -> MicroBatch:
    """A micro-batch that reads two datasets."""
    inputs = (Dataset(ONE, (Field("k", "int"), Field("v", "string"))), Dataset(OTHER, (Field("z", "int"),)))
    return MicroBatch("run", NOON, NOON, tuple((name, "string") for name in columns), sources, inputs)


def walked(nodes: Nodes, *batches: MicroBatch) -> tuple[Relation, Walk]:
    plan, walk = tree(nodes), new_walk(batches)
    assert plan
    return walk.relation(plan), walk


def sources(rows: Relation) -> list[set[tuple[int, str]] | None]:
    """The sources of each column, None where they are not known."""
    values = [rows.value(at) for at in range(len(rows.output))]
    return [set(value.sources) if value.known else None for value in values]


KNOWN = batch((ColumnRef(ONE, "v"), ColumnRef(OTHER, "z")), (ColumnRef(OTHER, "z"),))


def test_rows_of_a_program_are_those_of_the_one_micro_batch_with_their_columns() -> None:
    rows, walk = walked(ROWS, batch((), (), columns=("x", "y")), KNOWN)
    assert sources(rows) == [{(0, "v"), (1, "z")}, {(1, "z")}]
    assert (rows.known, walk.reads_rows, walk.ambiguous) == (True, True, False)
    assert walk.leaves == [Leaf((("k", "int"), ("v", "string")), dataset=ONE), Leaf((("z", "int"),), dataset=OTHER)]


@pytest.mark.parametrize(
    ("batches", "is_ambiguous"),
    [((), False), ((batch((), (), columns=("x", "y")),), False), ((KNOWN, KNOWN), True), ((KNOWN,) * 3, True)],
    ids=["none", "of other columns", "two", "three"],
)
def test_rows_of_no_micro_batch_or_of_several_are_unknown(batches: tuple[MicroBatch, ...], is_ambiguous: bool) -> None:
    rows, walk = walked(ROWS, *batches)
    assert sources(rows) == [None, None]
    assert (rows.known, walk.reads_rows, walk.ambiguous) == (False, True, is_ambiguous)
    assert walk.leaves == []


def rows_of(first: int, **more: Any) -> Nodes:
    return operator("LogicalRDD", output=[attribute("a", first), attribute("b", first + 1)], **more)


def beside(left: Nodes, right: Nodes) -> Nodes:
    return operator("Join", left, right, joinType={"object": "plans.Inner$"}, condition=None)


DATASET: dict[str, Any] = {"originStats": None, "originConstraints": None}  # Spark writes no value
CHECKPOINT = rows_of(8, **DATASET)


@pytest.mark.parametrize(
    ("marks_datasets", "last_id", "nodes", "expected"),
    [
        (False, None, rows_of(1), [True]),
        (True, None, rows_of(1), [False]),
        (True, None, rows_of(1, **DATASET), [True]),
        (True, None, rows_of(1, **DATASET, fromCheckpoint=False), [True]),
        (True, None, rows_of(1, **DATASET, fromCheckpoint=True), [False]),
        (True, 2, rows_of(1, **DATASET), [True]),
        (True, 1, rows_of(1, **DATASET), [False]),
        (True, 7, CHECKPOINT, [False]),
        (True, 7, beside(CHECKPOINT, rows_of(1, **DATASET)), [False, True]),
        (True, 7, beside(rows_of(1, **DATASET), rows_of(8, **DATASET)), [True, True]),
        (True, 7, beside(rows_of(1, **DATASET), rows_of(8)), [True, False]),
        (False, 7, rows_of(8), [False]),
    ],
    ids=[
        "any rows before Spark 3.4", "an RDD or a list", "a batch", "a batch in Spark 4.3", "a checkpoint in Spark 4.3",
        "a batch of files", "one later column", "a checkpoint", "a checkpoint left of the batch",
        "the batch with itself", "the batch with a list", "a checkpoint before Spark 3.4",
    ],
)  # fmt: skip
def test_rows_of_an_rdd_a_list_or_a_checkpoint_are_none_of_the_micro_batch_with_their_columns(
    marks_datasets: bool, last_id: int | None, nodes: Nodes, expected: list[bool]
) -> None:
    rows, _ = walked(nodes, replace(KNOWN, marks_datasets=marks_datasets, last_id=last_id))
    assert [found is not None for found in sources(rows)] == [is_batch for is_batch in expected for _ in "ab"]


def test_rows_without_columns_are_unknown_whatever_the_micro_batch() -> None:
    rows, _ = walked(operator("LogicalRDD", output=[]), batch(columns=()))
    assert rows == Relation(known=False)


def test_a_column_of_a_micro_batch_is_as_certain_as_it_was_there() -> None:
    elsewhere = ColumnRef(DatasetId("abfss://lake", "elsewhere"), "k")
    rows, _ = walked(ROWS, batch(None, (ColumnRef(ONE, "k"), elsewhere)))
    assert sources(rows) == [None, {(0, "k")}]


@pytest.mark.parametrize(("inner", "expected"), [(ROWS, [False, True, True]), (read({"z": 12}), [False, True])])
def test_a_leaf_may_be_in_a_subquery(inner: Nodes, expected: list[bool]) -> None:
    query = node("sql.catalyst.expressions.ScalarSubquery", plan=inner)
    _, walk = walked(project(read({"k": 11}), alias(query, "c", 70), alias(query, "d", 71)), KNOWN)
    assert [leaf.in_subquery for leaf in walk.leaves] == [*expected, *expected[1:]]


@pytest.mark.parametrize("hidden", sorted(HIDDEN))
def test_a_column_that_every_file_has_is_none_of_the_dataset(hidden: str) -> None:
    rows, walk = walked(read({"a": 1, hidden: 2}))
    assert sources(rows) == [{(0, "a")}, set()]
    assert walk.leaves == [Leaf((("a", "string"),))]


def cached(plan: Any, *output: Nodes) -> Nodes:
    return node("sql.execution.columnar.InMemoryRelation", output=list(output), cacheBuilder=plan)


THREE = read({"a": 1, "b": 2, "c": 3})


@pytest.mark.parametrize(
    ("nodes", "expected", "is_known"),
    [
        (cached({"cachedPlan": THREE}, B, A), [{(0, "b")}, {(0, "a")}], True),
        (cached({"cachedPlan": THREE}, B, attribute("x", 9)), [{(0, "b")}, None], True),
        (cached({"cachedPlan": read({"a": 1, "b": 2})}, attribute("x", 8), attribute("y", 9)),
         [{(0, "a")}, {(0, "b")}], True),
        (cached({"cachedPlan": None}, A, B), [None, None], False),
        (cached(None, A, B), [None, None], False),
    ],
    ids=["some columns", "a column that the plan lacks", "other ids", "no plan", "nothing"],
)  # fmt: skip
def test_a_cached_relation_has_the_columns_of_its_plan(
    nodes: Nodes, expected: list[set[tuple[int, str]] | None], is_known: bool
) -> None:
    rows, _ = walked(nodes)
    assert (sources(rows), rows.known) == (expected, is_known)


def expression(query: Nodes, number: object) -> Nodes:
    return operator("CTERelationDef", query, id=number)


def reference(number: object, first: int) -> Nodes:
    return node("sql.catalyst.plans.logical.CTERelationRef", cteId=number, output=[attribute("x", first)])


def test_each_reference_has_the_columns_of_its_own_common_table_expression() -> None:
    one, other = expression(read({"a": 1}), 7), expression(read({"k": 21}), 8)
    query = operator("Join", reference(8, 31), reference(7, 32), joinType={"object": "plans.Inner$"}, condition=None)
    rows, _ = walked(operator("WithCTE", one, other, query))
    assert sources(rows) == [{(1, "k")}, {(0, "a")}]


@pytest.mark.parametrize("number", [9, None, "7"])
def test_a_reference_to_nothing_is_unknown(number: object) -> None:
    rows, _ = walked(operator("WithCTE", expression(read({"a": 1}), 7), reference(number, 31)))
    assert (sources(rows), rows.known) == ([None], False)


@pytest.mark.parametrize("parameter", ["inputPlan", "initialPlan", "plan"])
def test_an_adaptive_plan_stands_in_one_of_three_parameters_or_below(parameter: str) -> None:
    adaptive = "sql.execution.adaptive.AdaptiveSparkPlanExec"
    assert sources(walked(node(adaptive, **{parameter: read({"a": 1})}))[0]) == [{(0, "a")}]
    below = node(adaptive, read({"k": 21}), **{parameter: read({"a": 1})})
    assert sources(walked(below)[0]) == [{(0, "k")}]


@pytest.mark.parametrize(
    ("number", "key"),
    [({"id": 1, "jvmId": "jvm"}, "jvm:1"), ({"id": 1}, ""), ({"id": 1, "jvmId": None}, ""), ("1", ""), (None, "")],
)
def test_the_key_of_a_leaf_is_the_id_of_its_first_column(number: object, key: str) -> None:
    column = [{**A[0], "exprId": number}]
    _, walk = walked(node("sql.execution.datasources.LogicalRelation", output=[column, B]))
    assert [leaf.key for leaf in walk.leaves] == [key]


def test_a_leaf_without_columns_has_no_key() -> None:
    _, walk = walked(node("sql.execution.datasources.LogicalRelation", output=[]))
    assert walk.leaves == [Leaf(())]
