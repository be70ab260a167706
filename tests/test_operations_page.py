"""The operations page has an answer for every alert: three commands that exist, and settings that exist."""

import dataclasses
import re
from pathlib import Path

import pytest
import typer

from cli.main import app
from core.settings import Settings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
ALERTS = re.findall(r"^    name: '([a-z-]+)'$", (ROOT / "infra/modules/alerts.bicep").read_text("utf-8"), re.MULTILINE)
PARAMETERS = re.findall(r"^param (\w+)", (ROOT / "infra" / "main.bicep").read_text("utf-8"), re.MULTILINE)


def section(heading: str) -> str:
    """What stands under a heading, with what is below it."""
    level = PAGE[: PAGE.index(f"# {heading}\n")].rpartition("\n")[2].count("#") + 1
    rest = PAGE.partition(f"{'#' * level} {heading}\n")[2]
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_meaning_and_three_commands(alert: str) -> None:
    text, commands = re.fullmatch(r"\n(.+?)\n```console\n(.+?)\n```\s*", section(alert), re.DOTALL).groups()  # type: ignore[union-attr]
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    called = [line.removeprefix("$ ").split() for line in commands.splitlines()]

    assert len(text.split()) >= 10
    assert len(called) == 3
    assert all(words[0] == "az" or (ROOT / words[0]).exists() or words[1] in known for words in called)


def test_there_is_nothing_about_alerts_that_are_gone() -> None:
    assert set(re.findall(r"^### (.+)$", section("When an alert fires"), re.MULTILINE)) == set(ALERTS)


def test_limits_are_settings_or_parameters_that_exist() -> None:
    named = re.findall(r"`([A-Z]+(?:_[A-Z]+)+|[a-z]+(?:[A-Z][a-z]+)+)(?:=\w+)?`", section("Capacity"))
    settings = {setting.name.upper() for setting in dataclasses.fields(Settings)}

    assert len(named) > 5
    assert set(named) <= settings | set(PARAMETERS)


def test_stated_defaults_are_the_real_ones() -> None:
    defaults = {setting.name.upper(): setting.default for setting in dataclasses.fields(Settings)}
    for name, value in re.findall(r"`([A-Z_]+)` \((\d+)\)", section("Capacity")):
        assert defaults[name] == int(value), name
