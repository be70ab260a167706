"""The counts in docs/cost-and-scale.md match the current code, and the figures calculated from them add up."""

import re
from pathlib import Path

import pytest

from benchmarks.calls import measure, measure_mix, plain
from benchmarks.cost import checked, load, main
from benchmarks.limits import INSTANCES, LIMITS
from benchmarks.mix import Mix, measured

TEMPLATE = (Path(__file__).parents[2] / "infra" / "main.bicep").read_text("utf-8")


def test_each_step_makes_the_requests_that_were_counted() -> None:
    assert plain(measure()) == measured()["calls"]["counts"], "run `.venv/bin/python -m benchmarks.calls --write`"


def test_the_recordings_are_like_what_was_written_down_of_them() -> None:
    written = measured()["recordings"]
    assert {name: measure_mix(name) for name in written} == written, (
        "run `.venv/bin/python -m benchmarks.calls --write`"
    )


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("alwaysReady", Mix.always_ready),
        ("maximumInstances", INSTANCES),
        ("instanceMemory", Mix.memory * 1024),
        ("eventRetentionDays", Mix.retention_days),
    ],
)
def test_the_costs_are_those_of_the_templates_defaults(parameter: str, value: float) -> None:
    assert re.findall(rf"^param {parameter} int = (\d+)$", TEMPLATE, re.MULTILINE) == [f"{value:g}"]


def test_an_instance_that_is_always_ready_is_paid_for_all_month() -> None:
    price = {"always ready GB-seconds": {"price": 1, "per": 1e6, "free": 0}}
    months = [load(1e6, Mix(always_ready=ready)).month(price)["always ready GB-seconds"] for ready in (0, 1)]
    assert months == [0, 2 * 86_400 * 30 / 1e6]


def test_an_unchanged_run_and_an_ignored_event_ask_nothing_of_purview() -> None:
    counts = measured()["calls"]["counts"]
    assert [kind for step in ("ignored", "unchanged", "failed") for kind in counts[step] if "Data Map" in kind] == []
    assert counts["ignored"].keys() == {"log lines"}


def test_the_steps_add_up_to_what_a_whole_recording_asked_for() -> None:
    by_steps, counted = checked()
    assert abs(by_steps / counted - 1) < 0.05


def test_what_is_asked_for_grows_with_the_events() -> None:
    small, large = load(1e6, Mix()), load(1e8, Mix())
    assert large.day["executions"] - 288 == 100 * (small.day["executions"] - 288)
    assert [round(large.used(limit) / small.used(limit)) for limit in LIMITS] == [100] * len(LIMITS)


def test_a_month_costs_what_is_beyond_the_grants_and_has_its_own_prices() -> None:
    def month(price: float) -> float:
        return load(1e6, Mix()).month({"executions": {"price": price, "per": 1e6, "free": 250_000}})["executions"]

    executions = 30 * (1.5e6 + 288) - 250_000
    assert (month(0.4), month(1)) == (executions / 1e6 * 0.4, executions / 1e6)


def test_one_instance_is_paid_for_while_it_is_awake_and_many_for_their_work() -> None:
    idle, busy = load(1, Mix()), load(1e9, Mix())
    seconds = 1e9 * (busy.event["receiver seconds"] / 16 + busy.event["parser seconds"] / 3)
    assert idle.day["GB-seconds"] < 2 * (288 + 3)
    assert round(busy.day["GB-seconds"] / (2 * seconds), 3) == 1


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("--events 0", "--events: 0 is not from 1"),
        ("--events nan", "--events: nan is not from 1"),
        ("--events 1 --kept 5", "--kept: 5 is not from 0.001 to 1"),
        ("--events 1 --peak 0", "--peak: 0 is not from 1"),
        ("--events 1 --first 0.6 --changed 0.6", "together at most 1"),
        ("--events 1 --price executions=x", "invalid named_price value: 'executions=x'"),
        ("--events 1 --price nothing=1", "there is no 'nothing'"),
    ],
)
def test_nonsense_is_refused(
    words: str, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["cost", *words.split()])
    with pytest.raises(SystemExit):
        main()
    assert fault in capsys.readouterr().err
