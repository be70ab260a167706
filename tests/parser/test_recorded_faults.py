"""Events of Spark 3.5.9 and 4.1.4 on which columns were drawn wrongly or lost, each with the correct result.

``right`` in ``_expected.json`` maps a sink's column to ``table.column``, the last part of the dataset's name; ``@`` is
the sink itself, whose values are kept and count neither way.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import events
from tests.support.lineage import drawn

FAULTS = Path(__file__).with_name("faults")
Columns = dict[str, set[str]]


def right(fault: str) -> dict[str, Columns]:
    """By the last part of the sink's name ("" where there is one sink only)."""
    expected: dict[str, Any] = json.loads((FAULTS / fault / "_expected.json").read_text("utf-8"))["right"]
    sinks = expected if all(isinstance(item, dict) for item in expected.values()) else {"": expected}
    wanted = {name.rpartition("/")[2]: columns for name, columns in sinks.items() if isinstance(columns, dict)}
    return {sink: {name: _outside(sources) for name, sources in columns.items()} for sink, columns in wanted.items()}


def found(fault: str) -> dict[str, Columns]:
    """What is drawn, in the same form; the only sink also as "" ."""
    by_sink: dict[str, Columns] = {}
    for name, sink in drawn(events(str(FAULTS / fault))).items():
        columns: Columns = {}
        for column, source in sink.edges:
            dataset, _, field = source.rpartition("#")
            if dataset != name:
                columns.setdefault(column, set()).add(f"{_last(dataset)}.{field}")
        by_sink[_last(name)] = columns
    return {"": next(iter(by_sink.values())), **by_sink} if len(by_sink) == 1 else by_sink


def _last(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2]


def _outside(sources: list[str]) -> set[str]:
    return {source for source in sources if not source.startswith("@")}


@pytest.mark.parametrize("fault", sorted(folder.name for folder in FAULTS.iterdir()))
def test_columns_are_those_that_were_written(fault: str) -> None:
    drawn_columns = found(fault)
    wrong = {
        sink: {name: (drawn_columns.get(sink, {}).get(name, set()), sources) for name, sources in columns.items()}
        for sink, columns in right(fault).items()
        if any(drawn_columns.get(sink, {}).get(name, set()) != sources for name, sources in columns.items())
    }
    assert wrong == {}
