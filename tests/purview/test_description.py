"""The description of a process."""

from dataclasses import replace

import pytest

from core.event_model import ColumnRef
from core.lineage_model import Application, Lineage, SinkColumn
from purview.description import description
from tests.purview.helpers import dataset, folder, lineage

A, SINK = folder("raw/a"), folder("gold/sales")


def described(item: Lineage) -> list[str]:
    return description(item, []).splitlines()[2:]


def test_the_description_says_how_columns_are_computed() -> None:
    item = replace(
        lineage(dataset(SINK), dataset(A)),
        columns=(
            SinkColumn("id", (ColumnRef(A, "id"),)),
            SinkColumn("city", (ColumnRef(A, "city"),), expression="upper(a.city)"),
            SinkColumn("feed", expression="'crm'", constant=True),
            SinkColumn("loaded", expression="DATE '2024-05-01'", constant=True),
        ),
        conditions=("LEFT OUTER: a.id = b.id", "WHERE: a.day = '2024-05-01' AND a.`x 1` > 3.5"),
    )
    assert described(item) == [
        "Computed columns:",
        "- city = upper(a.city)",
        "",
        "Constant columns:",
        "- feed, loaded",
        "",
        "Joins and filters:",
        "- LEFT OUTER: a.id = b.id",
        "- WHERE: a.day = … AND a.`x 1` > …",
    ]


def test_the_description_links_to_the_notebook() -> None:
    item = replace(lineage(dataset(SINK)), application=Application("fab", "nb", "fabric:1", "daily", "https://x/1"))
    assert description(item, []).splitlines() == [
        "append_data by daily (fab), as told by Spark's OpenLineage events.",
        "https://x/1",
    ]


def test_a_daily_load_of_another_day_has_the_same_description() -> None:
    monday, tuesday = (
        replace(lineage(dataset(SINK), dataset(A)), conditions=(f"WHERE: {condition}",))
        for condition in ("day >= DATE '2024-05-06' AND n IN (1, -2.5E3)", "day >= DATE '2024-05-07' AND n IN (4, 17)")
    )
    assert described(monday) == described(tuesday) == ["Joins and filters:", "- WHERE: day >= … AND n IN (…, …)"]


def test_a_very_long_list_of_expressions_says_how_many_are_left_out() -> None:
    columns = tuple(
        SinkColumn(f"c{number}", (ColumnRef(A, "x"),), expression=f"a.x * {number}") for number in range(1000)
    )
    lines = described(replace(lineage(dataset(SINK), dataset(A)), columns=columns))
    shown = len(lines) - 2
    assert lines[-1] == f"- … and {1000 - shown} more"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (13, ["- aaa", "- bbb", "- c"]),
        (12, ["- aaa", "- bbb", "- … and 1 more"]),
        (9, ["- aaa", "- … and 2 more"]),
        (4, ["- … and 3 more"]),
    ],
)
def test_a_list_is_cut_where_its_part_is_full(limit: int, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purview.description._PART_BYTES", limit)
    item = replace(lineage(dataset(SINK)), conditions=("aaa", "bbb", "aaa", "c"))
    assert described(item) == ["Joins and filters:", *expected]
