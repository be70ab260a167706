"""What a person sees on a terminal: unchanged names, whatever they contain, and a correct summary."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cli.main import app
from cli.purge import _show as show_purged
from cli.purge import as_object
from cli.tables import print_process, print_run
from cli.terminal_text import terminal_lines, terminal_text
from cli.wrapping import Names
from core.version import VERSION
from tests.support.corpus import CORPUS, SPARK_35
from tests.support.events import body, dataset, event

Command = Callable[..., Result]
EVIL = "a\x1b]0;owned\x07\x9b31m\u2028b\u202ec\x7f"
SHOWN = r"a\u001b]0;owned\u0007\u009b31m\u2028b\u202ec\u007f"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command as on a very wide terminal."""
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("NO_COLOR", "1")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EVIL, SHOWN),
        ("a\r\n\tb", r"a\u000d\u000a\u0009b"),
        ("\u2066x\u2069\u200f\u061c", r"\u2066x\u2069\u200f\u061c"),
        ("half \ud83d", r"half \ud83d"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("Ümsätze 売上 😀 نمی‌خواهم", "Ümsätze 売上 😀 نمی‌خواهم"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


def test_lines_stay_lines() -> None:
    assert terminal_lines("a\n\tb\x1b\r\n") == "a\n\tb\\u001b\\u000d\n"


@pytest.mark.parametrize("name", ["[SalesDW].[dbo].[Order Details]", "/a[/x]b", "/a[red]b", ":smile:", "a\\[b]", EVIL])
def test_explain_shows_names_unchanged(terminal: Command, name: str) -> None:
    done = terminal("explain", "odd://store", name)

    assert done.exit_code == 0, done.exception
    assert f"odd://store/{terminal_text(name).removeprefix('/')}" in done.stdout
    assert "\x1b]" not in done.stdout


def test_errors_about_names_escape_control_characters(terminal: Command, tmp_path: Path) -> None:
    faulty = terminal("explain", "n", "x", "--context", json.dumps({"oneLakeIds": {f"[/x]{EVIL}": 3}}))
    unknown = terminal("explain", "n", "x", "--context", json.dumps({EVIL: 3}))
    missing = terminal("preview", tmp_path / EVIL.replace("/", ""))

    assert (faulty.exit_code, unknown.exit_code, missing.exit_code) == (2, 0, 2)
    for done in (faulty, unknown, missing):
        assert "\x1b]" not in done.stderr
        assert r"\u202e" in done.stderr


def test_preview_shows_names_unchanged(terminal: Command, tmp_path: Path) -> None:
    column = f"[/c]{EVIL}"
    written = dataset(f"t[/x]{EVIL}", [column], {column: [("s[/y]:smile:", f"[/v]{EVIL}")]})
    read = dataset("s[/y]:smile:", [f"[/v]{EVIL}"])
    (tmp_path / "e.json").write_bytes(body(event(inputs=[read], outputs=[written])))

    done = terminal("preview", tmp_path)

    assert done.exit_code == 0, done.exception
    for shown in (f"[/c]{SHOWN}", "s[/y]:smile:", f"[/v]{SHOWN}"):
        assert shown in done.stdout
    assert "\x1b]" not in done.stdout
    assert not {"\x07", "\x9b", "\u2028", "\u202e"} & set(done.stdout)


def test_qualified_names_stay_in_one_piece(terminal: Command, tmp_path: Path) -> None:
    sink = "t" * 500
    (tmp_path / "e.json").write_bytes(body(event(inputs=[dataset("s")], outputs=[dataset(sink)])))
    piped = io.StringIO()

    (process,) = json.loads(CliRunner().invoke(app, ["preview", "--json", str(tmp_path)]).stdout)
    print_process(Console(file=piped, width=120), process)

    assert f"{sink}/{{SparkPartitions}}\n" in terminal("preview", tmp_path).stdout
    assert f"{sink}/{{SparkPartitions}}\n" in piped.getvalue()


def test_a_run_and_its_message_are_complete_on_a_narrow_terminal() -> None:
    shown, remedy = io.StringIO(), "fix it; then `sparklin replay --dead-letters` " * 4

    print_run(Console(file=shown, width=40, force_terminal=True, no_color=True), "a" * 36, "DeadLettered", remedy)

    assert shown.getvalue() == f"{'a' * 36}  DeadLettered\n  {remedy}\n"


@pytest.mark.parametrize(
    ("folder", "summary"),
    [
        ("tutorial_parquet_plain_spark", "draw"),
        ("no_lineage_actions", "0 processes; "),
    ],
)
def test_the_summary_ends_in_a_colon_only_before_a_list(terminal: Command, folder: str, summary: str) -> None:
    said = terminal("preview", CORPUS / SPARK_35 / folder).stderr.splitlines()

    assert summary in said[0]
    assert said[0].endswith(":") == (len(said) > 1)


def test_the_summary_of_one_run(terminal: Command, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_bytes(body(event(inputs=[dataset("s")], outputs=[dataset("t")])))

    assert terminal("preview", tmp_path).stderr == "1 process; every run draws something\n"


def test_the_version_is_shown() -> None:
    done = CliRunner().invoke(app, ["--version"])

    assert (done.exit_code, done.stdout) == (0, f"sparklin {VERSION}\n")


def test_explain_marks_the_name_that_would_be_created(terminal: Command) -> None:
    shown = terminal("explain", "abfss://data@lake.dfs.core.windows.net", "out").stdout.splitlines()

    assert [line.split() for line in shown if line.startswith("*")] == [
        ["*", "azure_datalake_gen2_resource_set", "https://lake.dfs.core.windows.net/data/out/{SparkPartitions}"]
    ]
    assert "if none is there, the one marked * is created" in shown[-1]


def test_a_purge_without_anything_to_delete_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    before = "2026-08-29T13:58:00+00:00"

    show_purged(as_object(before, 0, 0, 0, None))

    assert capsys.readouterr().out == "no events before 2026-08-29 13:58 UTC to delete\n"


@pytest.mark.parametrize("words", [["--help"], ["purge", "--help"]])
def test_the_help_shows_flags_without_a_value(words: list[str]) -> None:
    assert "bool" not in CliRunner().invoke(app, words).stdout


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("two words", 9, ["two words"]),
        ("two words", 8, ["two", "words"]),
        ("= sum(daily_sales.revenue)", 25, ["=", "sum(daily_sales.revenue)"]),
        ("= sum(daily_sales.revenue)", 22, ["= sum(", "daily_sales.revenue)"]),
        ("= sum(daily_sales.revenue)", 14, ["= sum(", "daily_sales.", "revenue)"]),
        ("abfss://data@lake.net/a/b", 14, ["abfss://data@", "lake.net/a/b"]),
        ("abfss://data@lake.net/a/b", 9, ["abfss://", "data@", "lake.net/", "a/b"]),
        ("a_name_that_is_longer and b", 10, ["a_name_that_is_longer", "and b"]),
        ("one\n\n  indented line", 12, ["one", "", "  indented", "line"]),
        ("売上.金額 = 合計", 10, ["売上.金額", "= 合計"]),
    ],
)
def test_lines_end_between_words_or_after_separators(text: str, width: int, lines: list[str]) -> None:
    assert [line.plain for line in Names(text).wrap(Console(), width)] == lines


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("width", [30, 60, 80])
@pytest.mark.parametrize(
    "command",
    [
        f"preview {CORPUS}/agents/1.45.0_spark-3.5.1_plan",
        f"preview {CORPUS}/openlineage-1.53.0_spark-3.5_queries/agg_filter",
        f"lineage revenue.margin --up --events {CORPUS}/{SPARK_35}_medallion",
    ],
)
def test_no_width_breaks_a_word(command: str, width: int) -> None:
    def shown(columns: int) -> str:
        return CliRunner().invoke(app, [*command.split(), "--text"], env={"COLUMNS": str(columns)}).stdout

    assert words(shown(width)) == words(shown(10_000)) != set()
