"""The expected results agree with themselves: mapping, edges, expressions, inputs and entities.

The program wrote them, and people know the truth of inputs and edges only (tests/parser/test_lineage.py). So the rest
is compared with these, without any code of the app.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.corpus import CORPUS, scenarios

Process = dict[str, Any]

#: The JSON of one column: its name, what gives its value, what decides about it, and its expression.
Column = dict[str, Any]


def processes() -> Iterator[tuple[str, Process]]:
    for scenario in scenarios():
        for process in json.loads((CORPUS / scenario / "_expected.json").read_text("utf-8")):
            yield f"{scenario}: {process['process']['name']}", process


ALL = list(processes())


def edges(process: Process) -> set[tuple[str, ...]]:
    """Each edge as (input, its column, sink, its column)."""
    return {(*source, column["output"], column["column"]) for column in process["columns"] for source in column["from"]}


def mapped(process: Process) -> set[tuple[str, ...]]:
    """The same, as the columnMapping has it."""
    return {
        (pair["DatasetMapping"]["Source"], each["Source"], pair["DatasetMapping"]["Sink"], each["Sink"])
        for pair in process["process"]["columnMapping"]
        for each in pair["ColumnMapping"]
    }


def named(assets: list[dict[str, str]]) -> set[str]:
    return {asset["qualifiedName"] for asset in assets}


def columns_in(expression: str) -> set[str]:
    """The columns that an expression names as ``table.column``; variables of lambdas and texts are none."""
    plain = re.sub(r"'(?:[^']|'')*'", "", expression)
    variables = set(re.findall(r"\w+", " ".join(re.findall(r"(\w+|\([\w, ]+\)) ->", plain))))
    pairs = re.findall(r"(?<![\w`.\])])([A-Za-z_]\w*)\.([A-Za-z_]\w*|`[^`]+`)", plain)
    return {name.strip("`") for table, name in pairs if table not in variables}


def test_there_are_many() -> None:
    assert len(ALL) > 300


def test_the_column_mapping_is_the_edges() -> None:
    assert [name for name, process in ALL if mapped(process) != edges(process)] == []


def test_edges_come_from_inputs_and_go_to_the_output() -> None:
    for name, process in ALL:
        inputs, outputs = named(process["process"]["inputs"]), named(process["process"]["outputs"])
        assert {edge[0] for edge in edges(process)} <= inputs, name
        assert {column["output"] for column in process["columns"]} <= outputs, name


def test_a_constant_has_no_source() -> None:
    constants = [column for _, process in ALL for column in process["columns"] if column["constant"]]
    assert constants
    assert [column["column"] for column in constants if column["from"]] == []


def test_every_column_of_an_expression_gives_its_value_or_decides_about_it() -> None:
    """A field of a struct that the query makes, as of ``stack(…)``, comes from some of the columns only."""
    found = [(name, column) for name, process in ALL for column in process["columns"] if column["expression"]]
    assert len(found) > 300
    for name, column in found:
        if not re.search(r"\)\.\w+$", column["expression"]):
            sources = {source[1] for source in [*column["from"], *column["indirect"]]}
            assert columns_in(column["expression"]) <= sources, f"{name}, {column['column']}: {column['expression']}"


def test_entities_have_guids_of_their_own_and_refer_to_each_other_only() -> None:
    for name, process in ALL:
        guids = [entity["guid"] for entity in process["entities"]]
        assert len(set(guids)) == len(guids), name
        assert all(int(guid) < 0 for guid in guids), name
        assert set(re.findall(r'"guid": "([^"]+)"', json.dumps(process["entities"]))) <= set(guids), name


def test_what_the_process_names_is_created_before_it() -> None:
    for name, process in ALL:
        *datasets, last = process["entities"]
        assert last["typeName"] == process["process"]["typeName"], name
        created = {(entity["typeName"], entity["attributes"]["qualifiedName"]) for entity in datasets}
        assets = [*process["process"]["inputs"], *process["process"]["outputs"]]
        assert {(asset["typeName"], asset["qualifiedName"]) for asset in assets} <= created, name


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("upper(t.a) + `my t`.b + 2.0", {"a"}),
        ("concat(t.`x y`, 'u.v', 'it''s.w')", {"x y"}),
        ("filter(t.a, r -> r.b > t.c)", {"a", "c"}),
        ("aggregate(t.a, 0, (acc, r) -> acc.x + r.b)", {"a"}),
    ],
)
def test_columns_are_found_in_an_expression(expression: str, columns: set[str]) -> None:
    assert columns_in(expression) == columns
