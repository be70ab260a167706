"""The columnLineage facet in the shapes of all agents."""

from typing import Any

import pytest

from core.event_model import Field
from parser.facet_columns import columns
from tests.support.events import LAKE, dataset, run_event

DIRECT = {"type": "DIRECT", "subtype": "IDENTITY"}
COMPUTED = {"type": "DIRECT", "subtype": "TRANSFORMATION"}


def indirect(kind: str) -> dict[str, str]:
    return {"type": "INDIRECT", "subtype": kind}


def source(name: str, column: str, *transformations: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"namespace": LAKE, "name": name, "field": column}
    return {**found, "transformations": list(transformations)} if transformations else found


SHAPES = [
    ("up to 1.16: the use is not reported", [source("s", "x"), source("s", "y")], [], ["s.x", "s.y"], []),
    ("1.17–1.36: row conditions in every field", [source("s", "x", DIRECT), source("s", "k", indirect("JOIN"))], [],
     ["s.x"], ["JOIN s.k"]),
    ("from 1.37: row conditions once", [source("s", "x", DIRECT)], [source("s", "k", indirect("FILTER"))],
     ["s.x"], ["FILTER s.k"]),
    ("both value and condition", [source("s", "x", DIRECT, indirect("JOIN"))], [], ["s.x"], ["JOIN s.x"]),
    ("a CASE condition is no value", [source("s", "x", COMPUTED), source("s", "c", indirect("CONDITIONAL"))], [],
     ["s.x"], ["CONDITIONAL s.c"]),
    ("one column name in two datasets", [source("s", "id", COMPUTED), source("r", "id", COMPUTED)], [],
     ["r.id", "s.id"], []),
    ("a value kept in its own column", [source("t", "a", DIRECT), source("s", "x", DIRECT)], [], ["s.x"], []),
    ("a value computed from its own column", [source("t", "a", COMPUTED)], [], ["t.a"], []),
    ("another spelling of the folder", [source("/s/", "x", DIRECT)], [], ["s.x"], []),
    ("machinery of a table", [source("s/_delta_log", "x", DIRECT)], [], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "entries", "everywhere", "values", "uses"), SHAPES, ids=[row[0] for row in SHAPES])
def test_a_facet_is_read_as_its_agent_intended(
    shape: str, entries: list[Any], everywhere: list[Any], values: list[str], uses: list[str]
) -> None:
    sink = dataset("t", ["a"])
    sink["facets"]["columnLineage"] = {"fields": {"a": {"inputFields": entries}}, "dataset": everywhere}
    output = run_event(outputs=[sink]).outputs[0]
    (column,), indirect_uses = columns(output.column_lineage, output.dataset.id, output.dataset.fields)
    assert [f"{ref.dataset.name}.{ref.column}" for ref in column.sources] == values
    found = [f"{use.kind} {use.column.dataset.name}.{use.column.column}" for use in (*column.indirect, *indirect_uses)]
    assert found == uses


def test_columns_have_the_order_and_the_case_of_the_schema() -> None:
    sink = dataset("t", ["B", "a", "literal"], {"A": [("s", "x")], "b": [("s", "y")], "z": [("s", "z")]})
    output = run_event(outputs=[sink]).outputs[0]
    found, _ = columns(output.column_lineage, output.dataset.id, output.dataset.fields)
    assert [column.name for column in found] == ["B", "a", "literal", "z"]
    assert [len(column.sources) for column in found] == [1, 1, 0, 1]


def test_without_a_facet_nothing_is_claimed() -> None:
    output = run_event(outputs=[dataset("t", ["a"])]).outputs[0]
    assert columns(None, output.dataset.id, (Field("a"),)) == ((), ())
