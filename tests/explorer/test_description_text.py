"""What the explorer reads in the description of a process."""

from dataclasses import replace

import pytest

from core.event_model import ColumnRef
from core.lineage_model import Lineage, SinkColumn
from explorer.description_text import ProcessDescription, read_description
from purview.description import description
from tests.purview.helpers import dataset, folder, lineage

A, SINK = folder("raw/a"), folder("gold/sales")
BASE = lineage(dataset(SINK), dataset(A))


def read(item: Lineage) -> ProcessDescription:
    return read_description(description(item, []), {column.name for column in item.columns})


def computed(expression: str) -> Lineage:
    return replace(BASE, columns=(SinkColumn("a", (ColumnRef(A, "x"),), expression=expression),))


@pytest.mark.parametrize(
    ("item", "is_cut"),
    [
        (BASE, False),
        (replace(BASE, conditions=("WHERE: a.day = '2024-05-06'",)), False),
        (replace(BASE, conditions=(f"WHERE: {'x' * 200}",)), True),
        (replace(BASE, conditions=tuple(f"INNER: a.x = b.{'x' * number}" for number in range(1, 60))), True),
        (computed("upper(a.x)"), False),
        (computed("upper(a." + "x" * 200 + ")"), True),
        (computed("upper(a." + "ü" * 100 + ")"), True),
        (replace(computed("x" * 300), conditions=("WHERE: a.day = '2024-05-06'",)), True),
    ],
)
def test_what_is_shortened_is_known_and_a_literal_left_out_is_not_taken_for_it(item: Lineage, is_cut: bool) -> None:
    assert read(item).is_cut == is_cut
