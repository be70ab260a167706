"""Timer functions run when due, on one of all hosts, and catch up once for what no host ran."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.azurite import Azurite
from local.host.ncrontab import parse_schedule
from local.host.timer_trigger import Status
from tests.local.host.sample import SampleApp, ask, eventually, sample_app

pytestmark = pytest.mark.xdist_group("host timer")

NEVER = "0001-01-01T00:00:00"
LONG_AGO = {"Last": "2024-01-01T00:00:00.004681+00:00", "Next": "2025-01-01T00:00:00+00:00"}


def status(app: SampleApp) -> Any:
    """What is stored about the timer; None if nothing."""
    blob = app.blobs.get_blob_client("azure-webjobs-hosts", f"timers/{app.container}/Host.Functions.on_time/status")
    return json.loads(blob.download_blob().readall()) if blob.exists() else None


def note(app: SampleApp, fields: dict[str, str]) -> None:
    """Let the timer have run and be due as it is said."""
    if not app.blobs.get_container_client("azure-webjobs-hosts").exists():
        app.blobs.create_container("azure-webjobs-hosts")
    name = f"timers/{app.container}/Host.Functions.on_time/status"
    app.blobs.get_blob_client("azure-webjobs-hosts", name).upload_blob(
        json.dumps({"LastUpdated": fields["Last"], **fields})
    )


@pytest.mark.exhaustive
def test_one_of_all_hosts_runs_the_timer_and_another_when_it_stops(azurite: Azurite, tmp_path: Path) -> None:
    app = sample_app(azurite, tmp_path, schedule="* * * * * *")
    first, second = app.host().start(), app.host().start()
    reports = app.until_reported("on_time", 3)
    assert len({each["process"] for each in reports}) == 1
    owner, other = (first, second) if "Executing 'Functions.on_time'" in first.output() else (second, first)
    owner.stop()
    eventually(lambda: "Executing 'Functions.on_time'" in other.output(), "the other host's run")
    other.stop()


@pytest.mark.exhaustive
def test_a_timer_can_be_run_by_hand(app: SampleApp) -> None:
    with app.host() as host:
        master = {"x-functions-key": host.keys.master}
        assert ask(host, "POST", "/admin/functions/on_time", headers=master).status_code == 202
        (report,) = app.until_reported("on_time", 1)
    assert report["past_due"] is False


def test_a_new_timer_is_noted_and_not_run(app: SampleApp) -> None:
    with app.host():
        noted = eventually(lambda: status(app), "the note")
    assert noted["Last"] == NEVER
    assert datetime.fromisoformat(noted["Next"]) > datetime.now(UTC)
    assert app.reports("on_time") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", ["", "fail"])
def test_a_due_time_without_a_host_is_caught_up_once(azurite: Azurite, tmp_path: Path, order: str) -> None:
    app = sample_app(azurite, tmp_path, timer_order=order)
    note(app, LONG_AGO)
    host = app.host()
    with host:
        (report,) = app.until_reported("on_time", 1)
        noted = eventually(lambda: status(app)["Last"] != LONG_AGO["Last"] and status(app), "the note of the run")
    assert (report["past_due"], report["status"]["Last"], report["status"]["Next"]) == (True, *LONG_AGO.values())
    assert datetime.fromisoformat(noted["Next"]) > datetime.now(UTC)
    with host:
        ask(host, "POST", "/admin/functions/on_time", headers={"x-functions-key": host.keys.master})
        report = app.until_reported("on_time", 2)[1]
    assert report["past_due"] is False


@pytest.mark.exhaustive
def test_a_run_whose_host_died_is_caught_up(azurite: Azurite, tmp_path: Path) -> None:
    app = sample_app(azurite, tmp_path, timer_order="hold on")
    note(app, LONG_AGO)
    first = app.host().start()
    app.until_reported("on_time", 1)
    first.kill()
    assert status(app)["Last"] == LONG_AGO["Last"]
    with app.host():
        report = app.until_reported("on_time", 2)[1]  # when the lease of the dead host has ended
        app.release("on")
    assert report["past_due"] is True


@pytest.mark.exhaustive
def test_a_schedule_of_less_than_a_minute_is_neither_noted_nor_past_due(azurite: Azurite, tmp_path: Path) -> None:
    app = sample_app(azurite, tmp_path, schedule="*/2 * * * * *")
    note(app, LONG_AGO)
    with app.host():
        reports = app.until_reported("on_time", 2)
    assert [each["past_due"] for each in reports] == [False] * 2
    assert status(app)["Last"] == LONG_AGO["Last"]


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOURLY = parse_schedule("0 0 * * * *")


def time(hour: int, minute: int = 0, day: int = 29) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (Status(time(11), time(12), time(11)), Status(time(11), time(12), time(11))),
        (Status(time(9), time(10), time(9)), Status(time(9), time(10), time(9))),
        (Status(time(11), time(0, day=30), time(11)), Status(None, time(12), time(11))),
        (Status(time(9), time(0, day=30), time(9)), Status(None, time(13), NOW)),
        (Status(None, time(0, day=30), time(11, 30)), Status(None, time(12), time(11, 30))),
    ],
    ids=["as before", "past due", "another schedule", "another schedule, past due by it", "another one, never run"],
)
def test_a_changed_schedule_continues_from_the_last_run(noted: Status, expected: Status) -> None:
    assert noted.rescheduled(HOURLY, NOW) == expected
