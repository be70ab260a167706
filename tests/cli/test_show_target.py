"""What ``RUN|JOB`` means, and what is said if that is not clear."""

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import typer

from cli import show_target
from cli.show_target import Target, _list, complete, say_unknown, target_of
from core.envelope import read_envelope
from core.event_fields import digest
from core.identity import run_key
from pipeline.services import Services
from tests.support.events import body, dataset, event

RUN = "01a204f9-ced0-75cb-96b6-56e74817518a"
A_DAY = timedelta(days=1)


def stored(services: Services, *runs: str, ago: timedelta = timedelta()) -> None:
    """Store an event of each run, received some time ago."""
    for run in runs:
        written = body(event(run=run, outputs=[dataset("t")]))
        services.events.put(read_envelope(written), digest(written), written, datetime.now(UTC) - ago)


@pytest.fixture
def start() -> str:
    """Eight characters with which no other test's runs begin."""
    return uuid.uuid4().hex[:8]


def ended(start: str, number: int) -> str:
    return f"{start}-0000-4000-8000-{number:012}"


def target(text: str, services: Services, *, is_run: bool = False) -> Target:
    return target_of(text, datetime.now(UTC) - A_DAY, services, is_run=is_run)


@pytest.mark.parametrize(
    ("text", "is_run", "found"),
    [
        (f" {RUN.upper()} ", False, Target(RUN, is_run=True)),
        (f"x-{'0a' * 16}", False, Target(f"x-{'0a' * 16}", is_run=True)),
        ("application_1", True, Target(run_key("application_1"), is_run=True)),
        ("application_1", False, Target("application_1", is_run=False)),
        ("01a204f", False, Target("01a204f", is_run=False)),
        ("00000000", False, Target("00000000", is_run=False)),
    ],
)
def test_a_run_is_named_by_its_id_and_everything_else_is_an_application(
    text: str, is_run: bool, found: Target, services: Services
) -> None:
    assert target(text, services, is_run=is_run) == found


def test_the_beginning_of_one_run_of_the_period_names_it(start: str, services: Services) -> None:
    stored(services, ended(start, 1))
    stored(services, ended(start, 2), ago=3 * A_DAY)

    assert target(f" {start.upper()} ", services) == Target(ended(start, 1), is_run=True)


def test_several_runs_that_begin_alike_are_listed(
    start: str, services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(services, ended(start, 1), ended(start, 2))

    with pytest.raises(typer.Exit) as exited:
        target(start, services)

    lines = capsys.readouterr().err.splitlines()
    assert (exited.value.exit_code, lines[0], sorted(lines[1:])) == (
        2,
        f"2 runs begin with '{start}'; give more of the id:",
        [f"  {ended(start, 1)}", f"  {ended(start, 2)}"],
    )


def test_an_unknown_run_has_no_near_ones(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    say_unknown(Target(RUN, is_run=True), datetime.now(UTC), services)

    assert capsys.readouterr().err == (
        f"no event of run {RUN} is stored: none arrived, none carried lineage, or they were purged\n"
    )


@pytest.mark.parametrize(
    ("count", "heading", "lines"),
    [
        (0, "similar names:", ["title"]),
        (1, "", ["title", "  0"]),
        (1, "similar names:", ["title", "similar names:", "  0"]),
        (20, "", ["title", *(f"  {n}" for n in range(20))]),
        (22, "", ["title", *(f"  {n}" for n in range(20)), "  … and 2 more"]),
    ],
)
def test_twenty_names_are_listed(
    count: int, heading: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _list("title", map(str, range(count)), heading)

    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("error", [RuntimeError("storage is away"), SystemExit(2)])
def test_a_shell_that_completes_gets_no_messages(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*, local: bool) -> Services:
        assert local
        raise error

    monkeypatch.setattr(show_target, "services_for", fail)

    assert complete(SimpleNamespace(params={"local": True}), "a") == []
    assert capsys.readouterr() == ("", "")


def test_runs_of_the_last_day_are_completed(start: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show_target, "services_for", lambda **_: services)
    stored(services, ended(start, 2), ended(start, 1))
    stored(services, ended(start, 3), ago=2 * A_DAY)

    assert complete(SimpleNamespace(params={}), start) == [ended(start, 1), ended(start, 2)]
    monkeypatch.setattr(show_target, "_MOST_COMPLETED", 1)
    assert complete(SimpleNamespace(params={}), start) == [ended(start, 1)]
