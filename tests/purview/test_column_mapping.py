"""The columnMapping attribute: the exact format that Purview draws, within its limit."""

import json
import logging
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.event_model import ColumnRef, DatasetId
from core.lineage_model import SinkColumn
from purview.column_mapping import column_mapping
from tests.purview.helpers import column

A, B, OTHER = DatasetId("n", "a"), DatasetId("n", "b"), DatasetId("n", "other")
NAMES = {A: "qn://a", B: "qn://b"}
SINK = "qn://sink"


def test_one_object_a_pair_of_datasets_compact_and_sorted() -> None:
    columns = [column("total", (B, "net"), (A, "tax")), column("id", (A, "id"))]
    assert column_mapping(columns, SINK, NAMES).text == (
        '[{"DatasetMapping":{"Source":"qn://a","Sink":"qn://sink"},"ColumnMapping":'
        '[{"Source":"id","Sink":"id"},{"Source":"tax","Sink":"total"}]},'
        '{"DatasetMapping":{"Source":"qn://b","Sink":"qn://sink"},"ColumnMapping":[{"Source":"net","Sink":"total"}]}]'
    )


@pytest.mark.parametrize("columns", [[], [SinkColumn("a")], [column("a", (OTHER, "x"))]])
def test_nothing_to_draw_is_an_empty_list(columns: list[SinkColumn]) -> None:
    assert column_mapping(columns, SINK, NAMES).text == "[]"


def test_one_pair_is_drawn_once() -> None:
    twice = [column("a", (A, "x"), (A, "x")), column("a", (A, "x"))]
    assert json.loads(column_mapping(twice, SINK, NAMES).text)[0]["ColumnMapping"] == [{"Source": "x", "Sink": "a"}]


def test_datasets_that_are_one_asset_are_one_pair() -> None:
    text = column_mapping([column("a", (A, "x"), (B, "y"))], SINK, {A: "qn://same", B: "qn://same"}).text
    (pair,) = json.loads(text)
    assert pair["ColumnMapping"] == [{"Source": "x", "Sink": "a"}, {"Source": "y", "Sink": "a"}]


def test_text_does_not_depend_on_order() -> None:
    columns = [column(f"c{number}", (A, "x"), (B, f"c{number}")) for number in range(50)]
    text = column_mapping(columns, SINK, NAMES, limit=2_000).text
    for seed in range(5):
        shuffled = [
            SinkColumn(each.name, tuple(reversed(each.sources)))
            for each in random.Random(seed).sample(columns, len(columns))
        ]
        assert column_mapping(shuffled, SINK, NAMES, limit=2_000).text == text


def test_at_the_limit_pairs_with_equal_names_are_kept_first_and_a_note_and_the_log_say_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    columns = [column(f"größe_{number:04}", (A, "x"), (B, f"größe_{number:04}")) for number in range(1_000)]
    with caplog.at_level(logging.WARNING):
        result = column_mapping(columns, SINK, NAMES)
    assert 31_900 < len(result.text.encode()) <= 32_000
    pairs = [pair for entry in json.loads(result.text) for pair in entry["ColumnMapping"]]
    assert all(pair["Source"] == pair["Sink"] for pair in pairs)
    (note,) = result.notes
    assert note.code == "column-mapping-cut"
    assert f"{2_000 - len(pairs)} of 2000" in note.text
    assert f"{2_000 - len(pairs)} of 2000" in caplog.text


@pytest.mark.parametrize("same", ["Id", "ID", "id"])
def test_at_the_limit_pairs_with_equal_names_in_any_case_are_kept_first(same: str) -> None:
    columns = [column("id", (A, "aaa"), (A, same)), column("aab", (A, "aaa"))]
    only = column_mapping([column("id", (A, same))], SINK, NAMES).text
    assert column_mapping(columns, SINK, NAMES, limit=len(only) + 4).text == only


def test_what_just_fits_is_not_cut() -> None:
    columns = [column("a", (A, "a"))]
    whole = column_mapping(columns, SINK, NAMES).text
    assert column_mapping(columns, SINK, NAMES, limit=len(whole)).text == whole
    assert column_mapping(columns, SINK, NAMES, limit=len(whole) - 1).text == "[]"


@pytest.mark.parametrize(("number", "lists"), [(1, 2), (2, 2), (3, 3)])
def test_as_many_pairs_are_kept_as_fit_with_a_spare_byte_for_each_list(number: int, lists: int) -> None:
    long = "z" * 999
    columns = [column("a", (A, "a")), column("b", (A, "b")), column("c", (B, "c")), column(long, (B, long))]
    expected = [column_mapping(columns[:kept], SINK, NAMES).text for kept in (number - 1, number)]
    least = len(expected[1]) + lists
    assert [column_mapping(columns, SINK, NAMES, limit).text for limit in (least - 1, least)] == expected


EDGES = st.lists(
    st.builds(
        lambda name, dataset, source: SinkColumn(name, (ColumnRef(dataset, source),)),
        st.text(),
        st.sampled_from([A, B, OTHER]),
        st.text(),
    ),
    max_size=30,
)


@given(EDGES, st.integers(2, 3_000), st.text())
def test_any_mapping_parses_keeps_the_limit_and_names_only_what_it_was_given(
    columns: list[SinkColumn], limit: int, sink: str
) -> None:
    result = column_mapping(columns, sink, NAMES, limit)
    assert len(result.text.encode()) <= limit
    drawn = set()
    for entry in json.loads(result.text):
        assert entry["DatasetMapping"]["Source"] in NAMES.values()
        assert entry["DatasetMapping"]["Sink"] == sink
        assert entry["ColumnMapping"]
        drawn |= {(entry["DatasetMapping"]["Source"], p["Source"], p["Sink"]) for p in entry["ColumnMapping"]}
    wanted = {(NAMES[r.dataset], r.column, c.name) for c in columns for r in c.sources if r.dataset in NAMES}
    assert drawn <= wanted
    assert bool(result.notes) == (drawn != wanted)
