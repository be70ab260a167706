"""Timer functions run when due, once for all hosts, and by hand."""

import time
from collections.abc import Callable
from pathlib import Path

from local.azurite import Azurite
from tests.local.host.sample import SampleApp, ask, eventually, sample_app


def test_a_timer_runs_when_it_is_due_once_for_all_hosts(azurite: Azurite, tmp_path: Path) -> None:
    app = sample_app(azurite, tmp_path, schedule="* * * * * *")
    with app.host() as first, app.host() as second:
        app.until_told("on_time", 4)
        runs = sum(host.output().count("Executing 'Functions.on_time'") for host in (first, second))
        seconds = {
            line.split(".")[0].split(",")[0]
            for host in (first, second)
            for line in host.output().splitlines()
            if "Executing 'Functions.on_time'" in line
        }
    assert runs <= len(seconds) + 1  # a run may be logged in the next second


def test_a_timer_can_be_run_by_hand(app: SampleApp) -> None:
    with app.host() as host:
        master = {"x-functions-key": host.keys.master}
        assert ask(host, "POST", "/admin/functions/on_time", headers=master).status_code == 202
        (told,) = app.until_told("on_time", 1)
    assert told["past_due"] is False


def test_a_due_time_without_a_host_is_made_up_for_once(azurite: Azurite, tmp_path: Path) -> None:
    app = sample_app(azurite, tmp_path, schedule="*/2 * * * * *")
    host = app.host().start()
    app.until_told("on_time", 1)
    host.stop()
    app.tellings("on_time")
    ran = len(app.told)
    eventually(_seconds_later(4), "time")
    with host:
        told = app.until_told("on_time", ran + 1)
    assert told[ran]["past_due"] is True


def _seconds_later(seconds: float) -> Callable[[], bool]:
    due = time.monotonic() + seconds
    return lambda: time.monotonic() > due
