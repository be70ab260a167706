"""What the command says to a person who names an unknown asset, or several."""

import pytest
import typer

from cli.asset_argument import asset_named
from explorer.asset_names import Named
from explorer.graph import LineageGraph
from tests.explorer.graphs import MEDALLION, graph, process

MANY = graph(
    *(process(f"p{n:02}", "raw", f"sales_{n:02}", {f"c{m}": f"raw.r{m}" for m in range(3)}) for n in range(23))
)
ELSEWHERE = "`sparklin lineage` without a name lists all assets"
ALONE = graph(process("nb", "s", "t", {}))


def some(count: int) -> LineageGraph:
    """Datasets ``s0``, ``s1`` and so on, each with a column ``x``."""
    return graph(*(process(f"p{n}", "raw", f"s{n}", {"x": "raw.x"}) for n in range(count)))


def said(text: str, of: LineageGraph, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code, and the lines on stderr."""
    with pytest.raises(typer.Exit) as exited:
        asset_named(text, of)
    return exited.value.exit_code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("gold", Named("gold")),
        ("lake.gold.margin", Named("gold", "margin")),
        ("GOLD.`margin`", Named("gold", "margin")),
    ],
)
def test_one_asset_is_named(text: str, named: Named) -> None:
    assert asset_named(text, MEDALLION) == named


@pytest.mark.parametrize(
    ("text", "of", "code", "lines"),
    [
        (
            "sales_",
            MANY,
            2,
            [
                "23 assets fit 'sales_'; give more of the name:",
                *(f"  sales_{n:02}" for n in range(20)),
                "  … and 3 more",
            ],
        ),
        (
            "r.id",
            MEDALLION,
            2,
            ["2 assets fit 'r.id'; give more of the name:", "  bronze.id", "  silver.id"],
        ),
        (
            "silver.amuont",
            MEDALLION,
            1,
            ["silver is known, but it has no column 'amuont'; similar names:", "  silver.amount"],
        ),
        (
            "costs.zzz",
            MEDALLION,
            1,
            ["costs is known, but it has no column 'zzz'; it has:", "  costs.id", "  costs.cost"],
        ),
        (
            "sales_2.zzz",
            MANY,
            1,
            [
                "3 assets fit 'sales_2', but none has a column 'zzz'; they have:",
                *(f"  sales_2{n}.c{m}" for n in range(3) for m in range(3)),
            ],
        ),
        ("t.x", ALONE, 1, ["t is known, but no columns of it are"]),
        ("lake.x", ALONE, 1, ["2 assets fit 'lake', but no columns of them are"]),
        # The longest end that fits something is named, not a shorter one.
        (
            "no.such.gold.margin",
            MEDALLION,
            1,
            ["no asset is called 'no.such.gold.margin'; these end like it:", "  gold.margin"],
        ),
        ("dbo.gold", MEDALLION, 1, ["no asset is called 'dbo.gold'; these end like it:", "  gold"]),
        # Too many assets contain these parts.
        (
            "sales.zzz",
            MANY,
            1,
            ["no asset is called 'sales.zzz'; similar names:", *(f"  sales_{n}" for n in range(22, 12, -1))],
        ),
        ("golt", MEDALLION, 1, ["no asset is called 'golt'; similar names:", "  gold"]),
        (
            "\x1b",
            ALONE,
            1,
            [rf"no asset is called '\x1b'; {ELSEWHERE}"],
        ),
    ],
)
def test_what_is_near_an_unknown_name(
    text: str, of: LineageGraph, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(text, of, capsys) == (code, lines)


@pytest.mark.parametrize(
    ("count", "text", "line"),
    [
        (1, "s.zzz", "s0 is known, but it has no column 'zzz'; it has:"),
        (5, "s.zzz", "5 assets fit 's', but none has a column 'zzz'; they have:"),
        (6, "s.zzz", f"no asset is called 's.zzz'; {ELSEWHERE}"),
        (5, "zzz.s", "no asset is called 'zzz.s'; these end like it:"),
        (6, "zzz.s", "no asset is called 'zzz.s'; similar names:"),
        (1, "q.q.q.q.s", "no asset is called 'q.q.q.q.s'; these end like it:"),
        # Only the last four ways to split the name are tried.
        (1, "s0.q.q.q.q", "s0 is known, but it has no column 'q.q.q.q'; it has:"),
        (1, "s0.q.q.q.q.q", "no asset is called 's0.q.q.q.q.q'; similar names:"),
    ],
)
def test_names_of_a_few_assets_are_listed(count: int, text: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(text, some(count), capsys)[1][0] == line


@pytest.mark.parametrize(("count", "last"), [(20, "  s9"), (21, "  … and 1 more")])
def test_twenty_names_are_listed(count: int, last: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said("s", some(count), capsys)[1]

    assert (len(lines), lines[-1]) == (21 if count == 20 else 22, last)
