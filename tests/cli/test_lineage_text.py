"""Lineage as people see it: trees of small graphs, and the list of all datasets."""

import io

import msgspec
import pytest
from rich.console import Console

from cli.lineage_text import show_datasets, show_lineage
from explorer.graph import ColumnUse, Derivation, Focus, GraphNote, LineageGraph
from explorer.graph_index import GraphIndex
from explorer.tracing import trace
from tests.explorer.graphs import MEDALLION, graph, process


def shown(focus: Focus, of: LineageGraph, width: int = 200) -> list[str]:
    """The lines of a focus."""
    index, text = GraphIndex.of(of), io.StringIO()
    show_lineage(Console(file=text, width=width), index, trace(index, focus))
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("focus", "trees", "datasets"),
    [
        (
            Focus("gold", "up", "margin"),
            """\
gold.margin comes from:
└── by join
    = f(margin)
    rows: filter costs.id
    ├── silver.amount
    │   └── by clean
    │       rows: filter bronze.day
    │       └── bronze.amount
    │           └── by ingest
    │               └── files.amt
    └── costs.cost

""",
            "bronze costs files gold silver",
        ),
        (
            Focus("silver", "both", "amount", depth=1),
            """\
silver.amount comes from:
└── by clean
    rows: filter bronze.day
    └── bronze.amount (+1 beyond --depth)

silver.amount is used by:
└── by join
    rows: filter costs.id
    └── gold.margin (+2 beyond --depth)
        = f(margin)

""",
            "bronze costs gold silver",
        ),
        (
            Focus("gold", "down", "margin"),
            """\
gold.margin is used by:
├── by report
│   ├── report.margin
│   └── report.grade (conditional)
└── by copy
    └── archive (only the table is known, not its columns)

""",
            "archive gold report",
        ),
        (
            Focus("bronze", "down", "day"),
            """\
bronze.day is used by:
└── by clean
    rows: filter bronze.day
    └── every row of silver (filter)

""",
            "bronze silver",
        ),
        (
            Focus("gold", "down"),
            """\
gold is used by:
├── by copy
│   └── archive
└── by report
    └── report

""",
            "archive gold report",
        ),
        (Focus("files", "up"), "files: no process is known that writes it\n\n", "files"),
        (Focus("report", "down"), "report: no process is known that reads it\n\n", "report"),
    ],
)
def test_a_focus_is_shown_as_trees_with_the_full_names_below(focus: Focus, trees: str, datasets: str) -> None:
    assert shown(focus, MEDALLION) == [*trees.splitlines(), *(f"{name}: lake/{name}" for name in datasets.split())]


def test_a_place_that_was_shown_is_not_shown_again() -> None:
    twice = graph(
        process("load", "files", "raw", {"a": "files.a"}),
        process("left", "raw", "l", {"a": "raw.a"}),
        process("right", "raw", "r", {"a": "raw.a raw.b"}),
        process("join", "l r", "all", {"a": "l.a r.a"}),
        process("top", "all", "top", {"a": "all.a"}),
    )

    assert shown(Focus("all", "up", "a"), twice)[8:13] == [
        "    └── r.a",
        "        └── by right",
        "            = f(a)",
        "            ├── raw.a (shown above)",
        "            └── raw.b",
    ]
    assert shown(Focus("raw", "down", "a"), twice)[8:13] == [
        "└── by right",
        "    └── r.a",
        "        = f(a)",
        "        └── by join",
        "            └── all.a (shown above)",
    ]


def with_details(of: LineageGraph, **details: object) -> LineageGraph:
    """The graph with details of its only process."""
    (only,) = of.processes
    return msgspec.structs.replace(of, processes=(msgspec.structs.replace(only, **details),))


def a_copy(*derivations: Derivation, **details: object) -> LineageGraph:
    """A process that computes columns of ``t`` from ``s``."""
    return with_details(graph(process("nb", "s", "t", {"x": "s.x"}, rows="s.x")), columns=derivations, **details)


def x(expression: str = "", *influences: ColumnUse, constant: bool = False) -> Derivation:
    return Derivation("t", "x", (), influences, expression, constant)


USES = (ColumnUse("s", "z", "JOIN"), ColumnUse("s", "b", "GROUP_BY"), ColumnUse("s", "a", "GROUP_BY"))


@pytest.mark.parametrize(
    ("of", "lines"),
    [
        (a_copy(x("upper(x)")), ["└── by nb", "    = upper(x)", "    rows: filter s.x"]),
        (a_copy(x("1", constant=True)), ["└── by nb", "    = 1", "    rows: filter s.x"]),
        (a_copy(x(constant=True)), ["└── by nb", "    = a constant", "    rows: filter s.x"]),
        (a_copy(x(), rows=()), ["└── by nb"]),
        (
            a_copy(x("f(x)", *USES), rows=USES[1:]),
            ["└── by nb", "    = f(x)", "    decided by group by s.a, s.b; join s.z", "    rows: group by s.a, s.b"],
        ),
        (a_copy(x("\x1b[31m"), rows=(), name="\u202e"), [r"└── by \u202e", r"    = \u001b[31m"]),
        (
            a_copy(x(), rows=(), operation="merge", conditions=("WHEN \x1b",)),
            ["└── merge by nb", r"    WHEN \u001b"],
        ),
        (
            a_copy(x(), rows=(), conditions=tuple("abcde")),
            ["└── by nb", *(f"    {condition}" for condition in "abcde")],
        ),
        (
            a_copy(x(), rows=(), conditions=tuple("abcdefg")),
            ["└── by nb", *(f"    {condition}" for condition in "abcde"), "    … and 2 more conditions"],
        ),
    ],
)
def test_how_a_column_is_computed(of: LineageGraph, lines: list[str]) -> None:
    assert shown(Focus("t", "up", "x"), of)[1:-3] == lines


def test_what_all_rows_depend_on_is_written_only_once() -> None:
    both = graph(
        process("nb", "s", "t", {"x": "s.a", "y": "s.a"}, rows="s.b"), process("next", "t", "u", {"z": "t.x t.y"})
    )

    assert sum("rows: filter s.b" in line for line in shown(Focus("u", "up", "z"), both)) == 1


def test_a_name_that_is_complete_is_not_repeated_and_notes_come_last() -> None:
    of = msgspec.structs.replace(graph(process("nb", "s", "t", {})), notes=(GraphNote("code", "no columns \x1b"),))
    named = msgspec.structs.replace(of.datasets[0], label="lake/s")
    of = msgspec.structs.replace(of, datasets=(named, of.datasets[1]))

    assert shown(Focus("t", "up"), of) == [
        "t comes from:",
        "└── by nb",
        "    └── lake/s",
        "",
        "t: lake/t",
        r"note: no columns \u001b",
    ]


def test_without_a_focus_there_is_no_tree() -> None:
    text = io.StringIO()

    show_lineage(Console(file=text), GraphIndex.of(MEDALLION), MEDALLION)

    assert text.getvalue() == ""


def test_all_datasets_with_how_often_they_are_written_and_read() -> None:
    text = io.StringIO()
    of = graph(process("a", "s", "B", {"x": "s.x s.y"}), process("b", "s B", "c", {}), process("d", "s", "c", {}))

    show_datasets(Console(file=text, width=20), of)

    assert text.getvalue().splitlines() == [
        "B  (written by 1 process, read by 1, 1 column)",
        "  lake/B",
        "c  (written by 2 processes, read by 0, 0 columns)",
        "  lake/c",
        "s  (written by 0 processes, read by 3, 2 columns)",
        "  lake/s",
    ]
