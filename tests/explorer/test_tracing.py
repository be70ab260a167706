"""A dataset or a column, traced through a graph in both directions."""

import msgspec
import pytest

from explorer.graph import Focus, LineageGraph
from explorer.graph_index import GraphIndex
from explorer.trace_tree import Place, Way, tree_of
from explorer.tracing import trace
from tests.explorer.graphs import MEDALLION, graph, process


def traced(focus: Focus, of: LineageGraph = MEDALLION) -> dict[str, list[str]]:
    """The processes of a trace, each with the columns that it computes on the way."""
    found = trace(GraphIndex.of(of), focus)
    assert found.focus == focus
    return {each.id: [derivation.column for derivation in each.columns] for each in found.processes}


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        (
            Focus("gold", "up", "margin"),
            {"ingest": ["amount"], "clean": ["amount"], "join": ["margin"]},
        ),
        (Focus("gold", "up", "margin", depth=1), {"join": ["margin"]}),
        # What it determines is reached too; "copy", of which no column is known, may take it.
        (Focus("gold", "down", "margin"), {"report": ["margin", "grade"], "copy": []}),
        (Focus("bronze", "down", "day"), {"clean": []}),
        (
            Focus("silver", "both", "amount"),
            {"ingest": ["amount"], "clean": ["amount"], "join": ["margin"], "report": ["margin", "grade"], "copy": []},
        ),
        (Focus("files", "up", "amt"), {}),
    ],
)
def test_a_column_is_traced_over_all_hops(focus: Focus, expected: dict[str, list[str]]) -> None:
    assert traced(focus) == dict(sorted(expected.items()))


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        (Focus("gold", "up"), ["clean", "ingest", "join"]),
        (Focus("gold", "up", depth=2), ["clean", "join"]),
        (Focus("silver", "down"), ["copy", "join", "report"]),
        (Focus("gold", "both", depth=1), ["copy", "join", "report"]),
        (Focus("report", "down"), []),
    ],
)
def test_a_dataset_is_traced_over_all_hops(focus: Focus, expected: list[str]) -> None:
    assert list(traced(focus)) == expected


def test_what_is_not_part_of_a_trace_is_counted() -> None:
    found = trace(GraphIndex.of(MEDALLION), Focus("silver", "up", depth=1))
    assert {each.id: (each.more_upstream, each.more_downstream) for each in found.datasets} == {
        "bronze": (1, 0),
        "silver": (0, 1),
    }


def test_a_trace_may_keep_all_derivations_of_its_processes() -> None:
    found = trace(GraphIndex.of(MEDALLION), Focus("gold", "up", "margin", depth=1), whole_processes=True)
    assert [each.column for each in found.processes[0].columns] == ["margin", "id"]


CIRCLE = graph(
    process("there", "a", "b", {"x": "a.x"}),
    process("back", "b", "a", {"x": "b.x"}),
    process("itself", "a", "a", {"x": "a.x", "y": "a.x"}),
)


@pytest.mark.parametrize("direction", ["up", "down", "both"])
@pytest.mark.parametrize("column", ["", "x"])
def test_circles_end(direction: str, column: str) -> None:
    focus = msgspec.convert({"dataset": "a", "direction": direction, "column": column}, Focus)
    assert set(traced(focus, CIRCLE)) == {"there", "back", "itself"}
    assert lines(tree_of(GraphIndex.of(CIRCLE), focus, is_up=direction == "up"))


def lines(place: Place, indent: str = "") -> list[str]:
    """The tree as text: places, and the processes below them."""
    kinds = f" ({', '.join(place.kinds)})" if place.kinds else ""
    ends = " again" if place.is_shown else f" +{place.more}" if place.more else ""
    name = f"{place.dataset}.{place.column}" if place.column else place.dataset
    return [f"{indent}{name}{kinds}{ends}", *(line for way in place.ways for line in _lines(way, f"{indent}  "))]


def _lines(way: Way, indent: str) -> list[str]:
    said = f" = {way.derivation.expression}" if way.derivation and way.derivation.expression else ""
    return [f"{indent}[{way.process.id}]{said}", *(line for each in way.places for line in lines(each, f"{indent}  "))]


def test_a_tree_up_shows_what_feeds_a_column() -> None:
    assert lines(tree_of(GraphIndex.of(MEDALLION), Focus("gold", "up", "margin"), is_up=True)) == [
        "gold.margin",
        "  [join] = f(margin)",
        "    silver.amount",
        "      [clean]",
        "        bronze.amount",
        "          [ingest]",
        "            files.amt",
        "    costs.cost",
    ]


def test_a_tree_down_shows_what_a_column_is_used_for() -> None:
    assert lines(tree_of(GraphIndex.of(MEDALLION), Focus("silver", "down", "amount"), is_up=False)) == [
        "silver.amount",
        "  [join]",
        "    gold.margin",
        "      [report]",
        "        report.margin",
        "        report.grade (CONDITIONAL)",
        "      [copy]",
        "        archive (TABLE)",
    ]
    assert lines(tree_of(GraphIndex.of(MEDALLION), Focus("bronze", "down", "day"), is_up=False)) == [
        "bronze.day",
        "  [clean]",
        "    silver (FILTER)",
    ]


def test_a_tree_shows_each_place_once_and_counts_what_is_too_far() -> None:
    assert lines(tree_of(GraphIndex.of(CIRCLE), Focus("a", "up", "y"), is_up=True)) == [
        "a.y",
        "  [itself]",
        "    a.x",
        "      [back]",
        "        b.x",
        "          [there]",
        "            a.x again",
        "      [itself]",
        "        a.x again",
    ]
    assert lines(tree_of(GraphIndex.of(MEDALLION), Focus("gold", "up", depth=1), is_up=True)) == [
        "gold",
        "  [join]",
        "    silver +1",
        "    costs",
    ]
