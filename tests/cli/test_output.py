"""Where commands write, and in which form."""

import io
import sys
from contextlib import nullcontext

import pytest
import typer

from cli.output import end_if_faulty, followed, messages, print_json, wants_text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "is_terminal"), [(io.StringIO(), False), (Terminal(), True)])
def test_bars_are_only_shown_on_a_terminal(
    stream: io.StringIO, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if is_terminal:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    else:
        monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", stream)

    assert messages().is_terminal is is_terminal
    assert list(followed(range(3), "counting", 3)) == [0, 1, 2]
    assert ("counting" in stream.getvalue()) is is_terminal


@pytest.mark.parametrize(
    ("as_json", "as_text", "color", "text"),
    [(False, False, "", False), (False, True, "", True), (True, False, "1", False), (False, False, "1", True)],
)
def test_text_is_for_people(
    as_json: bool, as_text: bool, color: str, text: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", color)
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    assert wants_text(as_json=as_json, as_text=as_text) is text


def test_both_forms_at_a_time_are_refused() -> None:
    with pytest.raises(typer.BadParameter):
        wants_text(as_json=True, as_text=True)


@pytest.mark.parametrize(
    ("encoding", "name", "one_line", "shown"),
    [
        ("utf-8", "Ümsatz", False, '{\n  "n": "Ümsatz"\n}\n'),
        ("utf-8", "Ümsatz", True, '{"n": "Ümsatz"}\n'),
        ("latin-1", "Ümsatz", True, '{"n": "Ümsatz"}\n'),
        ("latin-1", "売上", True, '{"n": "\\u58f2\\u4e0a"}\n'),
        ("ascii", "Ümsatz", False, '{\n  "n": "\\u00dcmsatz"\n}\n'),
        ("utf-8", "half \ud83d", True, '{"n": "half \\ud83d"}\n'),
    ],
)
def test_json_is_readable_where_the_output_can_show_it(
    encoding: str, name: str, one_line: bool, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, newline="\n"))

    print_json({"n": name}, one_line=one_line)

    sys.stdout.flush()
    assert written.getvalue().decode(encoding) == shown


@pytest.mark.parametrize(
    ("faulty", "good", "strict", "fails"),
    [(0, 1, True, False), (0, 0, True, False), (1, 1, False, False), (1, 1, True, True), (1, 0, False, True)],
)
def test_faulty_parts_are_an_error_if_nothing_is_good_or_all_should_be(
    faulty: int, good: int, strict: bool, fails: bool
) -> None:
    with pytest.raises(typer.Exit) if fails else nullcontext():
        end_if_faulty(faulty, good=good, strict=strict)
