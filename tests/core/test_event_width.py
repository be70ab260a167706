"""The items of an event are counted without decoding it, and never too low."""

import json
from typing import Any

import pytest

from core.errors import BadEvent
from core.event_width import Width, width
from tests.support.events import body, dataset, event

PLAN = [{"class": "Project", "num-children": 1}, {"class": "LogicalRelation", "num-children": 0}]


def changed(**parts: Any) -> bytes:
    """An event of one input of two columns and one output of three, with other parts instead of its own."""
    drawn = {"a": [("in", "x")], "b": [("in", "y")]}
    whole = event(inputs=[dataset("in", ["x", "y"])], outputs=[dataset("out", ["a", "b", "c"], drawn)])
    return json.dumps({**whole, **parts}).encode()


def test_columns_of_schemas_and_of_column_lineage_are_counted_together() -> None:
    assert width(changed()) == Width(columns=2 + 3 + 2, plan_nodes=0)


def test_the_nodes_of_the_logical_plan_are_counted() -> None:
    whole = event(outputs=[dataset("out", ["a"])])
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": PLAN}
    assert width(body(whole)) == Width(columns=1, plan_nodes=2)


@pytest.mark.parametrize("nothing", [None, []])
def test_an_event_without_datasets_lists_nothing(nothing: object) -> None:
    assert width(changed(inputs=nothing, outputs=nothing)) == Width(0, 0)


@pytest.mark.parametrize(
    "parts",
    [
        {"run": {}},
        {"run": None},
        {"run": {"facets": {}}},
        {"inputs": [{}, {"facets": None}, {"facets": {}}, {"facets": {"schema": None}}, {"facets": {"schema": {}}}]},
    ],
)
def test_parts_that_are_missing_list_nothing(parts: dict[str, Any]) -> None:
    assert width(changed(**{"outputs": [], "inputs": [], **parts})) == Width(0, 0)


ODD: list[tuple[dict[str, Any], Width]] = [
    ({"inputs": [1, 2, 3], "outputs": None}, Width(columns=3 + 1, plan_nodes=0)),
    ({"inputs": [5], "outputs": ["a", "b"]}, Width(columns=1 + 2, plan_nodes=0)),
    ({"inputs": 5, "outputs": [], "run": {"facets": {"spark.logicalPlan": {"plan": PLAN}}}}, Width(1 + 1, 2)),
]


@pytest.mark.parametrize(("parts", "expected"), ODD)
def test_an_event_of_an_odd_shape_is_estimated(parts: dict[str, Any], expected: Width) -> None:
    """Each comma of its datasets may begin a column."""
    assert width(changed(**parts)) == expected


@pytest.mark.parametrize("sent", [b"", b"{", b'{"inputs": [1'])
def test_what_is_not_json_is_refused(sent: bytes) -> None:
    with pytest.raises(BadEvent):
        width(sent)
