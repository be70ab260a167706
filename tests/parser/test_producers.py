"""Events of other producers than Spark's agent, written after their documented form: inputs and outputs are drawn."""

import json
from pathlib import Path

import pytest

from core.envelope import read_envelope
from core.events import read_event
from receiver.accept import ReceiverRules, accept
from tests.support.lineage import drawn

PRODUCERS = Path(__file__).with_name("producers")


@pytest.mark.parametrize("producer", sorted(folder.name for folder in PRODUCERS.iterdir()))
def test_inputs_outputs_and_columns_are_drawn(producer: str) -> None:
    folder = PRODUCERS / producer
    bodies = [file.read_bytes() for file in sorted(folder.glob("[0-9]*.json"))]
    kept = [body for body in bodies if accept(read_envelope(body), ReceiverRules()).kept]
    expected = json.loads((folder / "_expected.json").read_text("utf-8"))
    found = {
        sink: {
            "inputs": sorted(item.inputs),
            "columns": _by_column(item.edges),
        }
        for sink, item in drawn(map(read_event, kept)).items()
    }
    assert found == expected


def _by_column(edges: frozenset[tuple[str, str]]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for column, source in sorted(edges):
        columns.setdefault(column, []).append(source.rpartition("/")[2])
    return columns
