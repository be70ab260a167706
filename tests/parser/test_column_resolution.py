"""Plan and facet together: the plan where it is certain, else the facet as far as the plan confirms it."""

import gc
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from core.event_model import ColumnRef
from core.events import read_event
from parser.application_facts import MicroBatch
from parser.column_resolution import ColumnResolution, account
from parser.logical_plan.plan_model import Evidence
from tests.support.events import LAKE, body, dataset, event
from tests.support.plans import Nodes, alias, attribute, function, insert, literal, node, operator, project, read

A, B, OPEN = attribute("a", 1), attribute("b", 2), attribute("missing", 99)
ONE = read({"a": 1, "b": 2})
INPUTS = [dataset("one", ["a", "b"]), dataset("other", ["k", "v"])]
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FACET = {"x": [("other", "v")], "y": [("other", "k")]}


def accounted(
    plan: Nodes,
    facet: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    *,
    columns: Sequence[str] = ("x", "y"),
    filtered_by: Sequence[str] = (),
    batches: tuple[MicroBatch, ...] = (),
) -> ColumnResolution:
    """What is said about a sink; ``filtered_by`` are columns of ``other`` that affect every row for the facet."""
    sink = dataset("out", columns, facet)
    if filtered_by:
        kinds = [{"type": "INDIRECT", "subtype": "FILTER"}]
        sink["facets"]["columnLineage"]["dataset"] = [
            {"namespace": LAKE, "name": "other", "field": name, "transformations": kinds} for name in filtered_by
        ]
    read_in = read_event(body(event(inputs=INPUTS, outputs=[sink], plan=plan)))
    inputs = [item.dataset for item in read_in.inputs]
    return account((read_in,), read_in.outputs[0], inputs, Evidence(batches=batches))


def sources(found: ColumnResolution) -> dict[str, list[str]]:
    return {c.name: [f"{source.dataset.name}.{source.column}" for source in c.sources] for c in found.columns}


def uses(found: ColumnResolution) -> list[str]:
    return [f"{use.kind} {use.column.dataset.name}.{use.column.column}" for use in found.indirect]


def written(*listed: Nodes) -> Nodes:
    return insert(project(ONE, *listed), "[x, y]")


# Shares of a total, of a table that is no input and of one that is.
SHARE, SHARE_OF_ONE = (
    alias(function("Divide", A, node("sql.catalyst.expressions.ScalarSubquery", plan=read(columns))), "x", 5)
    for columns in ({"total": 31}, {"k": 31, "v": 32})
)
UPPER_OPEN = alias(function("Concat", A, OPEN), "x", 5)


@pytest.mark.parametrize(
    ("plan", "facet", "expected"),
    [
        (written(A, B), FACET, {"x": ["one.a"], "y": ["one.b"]}),
        # The first column is not certain: the facet's sources, and those of the plan.
        (written(UPPER_OPEN, B), FACET, {"x": ["one.a", "other.v"], "y": ["one.b"]}),
        (written(UPPER_OPEN, B), None, {"x": ["one.a"], "y": ["one.b"]}),
        ([], FACET, {"x": ["other.v"], "y": ["other.k"]}),
        (insert(project(ONE, A), "[x]"), {"z": [("other", "v")]}, {"x": ["one.a"], "y": [], "z": ["other.v"]}),
    ],
    ids=["certain", "one is not", "no facet", "no plan", "a column that neither the plan nor the schema has"],
)
def test_each_column_is_decided_by_itself(
    plan: Nodes, facet: Mapping[str, list[tuple[str, str]]] | None, expected: dict[str, list[str]]
) -> None:
    assert sources(accounted(plan, facet)) == expected


def test_of_a_leaf_whose_dataset_is_open_only_sources_with_its_names_are_confirmed() -> None:
    """The plan reads ``k`` and ``v`` of one of two datasets that both have them."""
    open_leaf = insert(read({"k": 1, "z": 2}), "[x, y]")
    found = accounted(open_leaf, {"x": [("other", "k"), ("other", "v")], "y": [("other", "v")]})
    assert sources(found) == {"x": ["other.k"], "y": []}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [([A, B], ["SORT one.b"]), ([UPPER_OPEN, B], ["SORT one.b", "FILTER other.k"])],
    ids=["certain", "not certain"],
)
def test_what_affects_every_row_is_taken_from_the_facet_too_unless_the_plan_is_certain(
    listed: list[Nodes], expected: list[str]
) -> None:
    query = project(operator("Sort", ONE, order=[B]), *listed)
    assert uses(accounted(insert(query, "[x, y]"), FACET, filtered_by=["k"])) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(attribute("y", 12), []), (function("Upper", attribute("y", 12)), ["out.y"]), (attribute("x", 11), ["out.x"])],
    ids=["kept", "computed from itself", "moved"],
)
def test_a_value_that_stays_in_its_column_is_no_source(value: Nodes, expected: list[str]) -> None:
    sink = [*INPUTS, dataset("out", ["x", "y"])]
    plan = insert(project(read({"x": 11, "y": 12}), attribute("x", 11), alias(value, "y", 5)), "[x, y]")
    read_in = read_event(body(event(inputs=sink, outputs=[dataset("out", ["x", "y"])], plan=plan)))
    found = account((read_in,), read_in.outputs[0], [item.dataset for item in read_in.inputs], Evidence())
    assert sources(found)["y"] == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("X", "Y"), {"X": ["one.a"], "Y": ["one.b"]}),
        (("x", "X", "y"), {"x": ["one.a"], "X": [], "y": ["one.b"]}),
        (("z",), {"z": [], "x": ["one.a"], "y": ["one.b"]}),
    ],
)
def test_columns_are_spelled_as_in_the_schema(columns: tuple[str, ...], expected: dict[str, list[str]]) -> None:
    assert sources(accounted(written(A, B), columns=columns)) == expected


def notes(found: ColumnResolution) -> list[tuple[str, str]]:
    return [(note.code, note.text.rpartition(": ")[2]) for note in found.notes]


@pytest.mark.parametrize(
    ("plan", "facet", "expected"),
    [
        (written(A, B), None, []),
        (written(UPPER_OPEN, B), None, [("sources-open", "x.")]),
        (written(UPPER_OPEN, OPEN), {"y": [("other", "k")]}, [("sources-open", "x.")]),
        (written(UPPER_OPEN, B), FACET, []),
        (written(SHARE, B), FACET, [("sources-open", "x.")]),
        (written(SHARE_OF_ONE, B), FACET, []),
        (insert(operator("NewInSpark9", ONE, output=[A, B]), "[x, y]"), FACET,
         [("plan-operator-unknown", "NewInSpark9.")]),
    ],
)  # fmt: skip
def test_a_note_names_the_columns_whose_sources_neither_knows(
    plan: Nodes, facet: Mapping[str, list[tuple[str, str]]] | None, expected: list[tuple[str, str]]
) -> None:
    assert notes(accounted(plan, facet)) == expected


@pytest.mark.parametrize(("streams", "expected"), [(1, []), (2, ["stream-ambiguous"])])
def test_a_note_says_that_rows_may_be_those_of_several_streams(streams: int, expected: list[str]) -> None:
    read_in = read_event(body(event(inputs=INPUTS)))
    source = (ColumnRef(read_in.inputs[0].dataset.id, "a"),)
    batch = MicroBatch(
        "run", NOON, NOON, (("a", "string"), ("b", "string")), (source, source),
        (read_in.inputs[0].dataset,),
    )  # fmt: skip
    found = accounted(insert(operator("LogicalRDD", output=[A, B]), "[x, y]"), batches=(batch,) * streams)
    assert [note.code for note in found.notes if note.code != "sources-open"] == expected


@pytest.mark.parametrize("is_running", [True, False])
def test_the_garbage_collector_is_left_as_it_was(is_running: bool) -> None:
    was_running = gc.isenabled()
    try:
        (gc.enable if is_running else gc.disable)()
        accounted(written(A, B))
        assert gc.isenabled() is is_running
    finally:
        (gc.enable if was_running else gc.disable)()


def test_a_constant_has_its_text_and_no_source() -> None:
    (first, second) = accounted(written(alias(literal("1"), "x", 5), alias(function("Upper", B), "y", 6))).columns
    assert (first.sources, first.expression, first.constant) == ((), "'1'", True)
    assert (second.expression, second.constant) == ("upper(one.b)", False)
