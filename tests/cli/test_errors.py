"""What a command says when it fails: the reason, and what to do about it."""

import sys

import pytest
import typer
from typer.testing import CliRunner

from cli.command_classes import Command, Commands, _explained, open_closed_streams
from cli.connections import Local
from cli.time_span import since
from core.errors import CatalogUnavailable, SparklinError, StorageUnavailable, TryLater


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (SparklinError("it failed"), ["it failed"]),
        (
            StorageUnavailable("storage did not answer"),
            [
                "storage did not answer",
                "Check LINEAGE_STORAGE…, run `az login`, or use --local for the stack of `make up`.",
            ],
        ),
        (
            CatalogUnavailable("Purview did not answer"),
            [
                "Purview did not answer",
                "Check PURVIEW_ENDPOINT, run `az login`, or use --local for the stack of `make up`.",
            ],
        ),
    ],
)
def test_an_error_comes_with_its_remedy(error: SparklinError, lines: list[str]) -> None:
    assert [line for text in _explained(error) for line in text.splitlines()] == lines


def test_a_closed_stream_is_empty_or_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    open_closed_streams()
    with sys.stdin, sys.stdout, sys.stderr:
        assert (sys.stdin.read(), sys.stdout.write("ä"), sys.stderr.write("x")) == ("", 1, 1)


@pytest.mark.parametrize("error", [StorageUnavailable, CatalogUnavailable])
@pytest.mark.parametrize(
    ("words", "remedy", "said"),
    [
        (["work", "--local"], "", "Is the local stack still running? `make down`, then `make up`, starts it again."),
        (["work", "--local"], "Wait.", "Wait."),
        (["work"], "Wait.", "Wait."),
    ],
)
def test_nobody_who_uses_the_local_stack_is_told_to_use_it(
    error: type[TryLater], words: list[str], remedy: str, said: str
) -> None:
    app = typer.Typer(cls=Commands)

    @app.command(cls=Command)
    def work(local: Local = False) -> None:
        raise error("away", remedy=remedy)

    app.callback()(lambda: None)

    assert CliRunner().invoke(app, words).stderr.splitlines() == ["away", said]


@pytest.mark.parametrize("text", ["yesterday", "5w", "-1h", "1999-12-31", "99999999d", "999999d", ""])
def test_a_time_span_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        since(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-05-01T12:00Z", "2024-05-01T12:00:00+00:00"),
        ("2024-05-01T12:00+02:00", "2024-05-01T10:00:00+00:00"),
        (" 2024-05-01 ", "2024-05-01T00:00:00+00:00"),
        ("2000-01-01T00:00", "2000-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, time: str) -> None:
    assert since(text).isoformat() == time


@pytest.mark.parametrize(("text", "minutes"), [("90m", 90), ("2h", 120), ("3 d", 3 * 24 * 60)])
def test_a_time_span_counts_back_from_now(text: str, minutes: int) -> None:
    later, earlier = since("0m"), since(text)
    assert round((later - earlier).total_seconds() / 60) == minutes
