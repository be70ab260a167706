"""How the events of a span are counted, from their rows alone."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.tasks.status_report import JobCount, SeenRun, StatusReport, _count, _hours_back, newest_of_runs
from core.settings import Settings
from pipeline.services import Services
from storage.event_rows import EventRow, Status

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SERVICES = cast(Services, SimpleNamespace(settings=Settings.offline({})))


def row(
    run: str, minute: int, status: Status = Status.PROCESSED, event_type: str = "COMPLETE", job: str = "nb"
) -> EventRow:
    """A row of an event that was received some minutes after noon."""
    known: dict[str, Any] = dict.fromkeys((field.name for field in fields(EventRow)), "")
    texts = {"run_key": run, "job_namespace": "ns", "job_name": f"{job}_pool_1731500001.execute.t"}
    more = {"status": status, "event_type": event_type, "received": NOON + timedelta(minutes=minute)}
    return EventRow(**{**known, **texts, **more})


def counted(*rows: EventRow) -> StatusReport:
    found = StatusReport(NOON, NOON)
    for each in rows:
        _count(each, found, SERVICES)
    return found


def test_events_are_counted_by_status_and_application() -> None:
    found = counted(row("a", 1), row("b", 3, Status.IGNORED), row("b", 2), row("c", 0, job="other"))

    assert found.statuses == {Status.PROCESSED: 3, Status.IGNORED: 1}
    assert found.jobs == {
        ("ns", "nb"): JobCount(
            statuses=found.jobs["ns", "nb"].statuses,
            last=NOON + timedelta(minutes=3),
            runs={
                "a": SeenRun("a", NOON + timedelta(minutes=1), "COMPLETE"),
                "b": SeenRun("b", NOON + timedelta(minutes=3), "COMPLETE"),
            },
        ),
        ("ns", "other"): JobCount(found.jobs["ns", "other"].statuses, NOON, {"c": SeenRun("c", NOON, "COMPLETE")}),
    }
    assert found.jobs["ns", "nb"].statuses == {Status.PROCESSED: 2, Status.IGNORED: 1}
    assert [job.last_run.run_key for job in found.jobs.values() if job.last_run] == ["b", "c"]
    assert JobCount().last_run is None


@pytest.mark.parametrize(
    ("types", "state"),
    [
        (["START"], "RUNNING"),
        (["START", "COMPLETE", "RUNNING"], "COMPLETE"),
        (["COMPLETE", "FAIL", "START"], "FAIL"),
        (["FAIL", "COMPLETE"], "FAIL"),
        (["ABORT", "FAIL"], "ABORT"),
        (["OTHER"], "RUNNING"),
    ],
)
def test_the_state_of_a_run(types: list[str], state: str) -> None:
    found = counted(*(row("a", minute, event_type=each) for minute, each in enumerate(types)))

    assert [run.state for job in found.jobs.values() for run in job.runs.values()] == [state]


@pytest.mark.parametrize(
    ("rows", "oldest"),
    [
        ([row("a", 0), row("b", 1, Status.IGNORED), row("c", 2, Status.DEAD_LETTERED)], None),
        ([row("a", 0), row("b", 2, Status.RECEIVED), row("c", 1, Status.RETRYING)], "c"),
        ([row("b", 1, Status.WAITING), row("c", 2, Status.RECEIVED)], "b"),
        ([row("b", 1, Status.RECEIVED), row("c", 1, Status.RECEIVED), row("a", 0)], "b"),
    ],
)
def test_the_event_that_waits_longest(rows: list[EventRow], oldest: str | None) -> None:
    found = counted(*rows).oldest

    assert (found.run_key if found else None) == oldest


def test_of_each_run_the_newest_row_counts() -> None:
    rows = [row("a", 1), row("b", 5), row("a", 3), row("a", 2), row("c", 4)]

    assert [(each.run_key, each.received.minute) for each in newest_of_runs(rows)] == [("b", 5), ("c", 4), ("a", 3)]
    assert newest_of_runs([]) == []


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("12:00", "12:00", [12]),
        ("12:00", "12:59", [12]),
        ("11:59", "12:00", [12, 11]),
        ("10:00", "12:30", [12, 11, 10]),
    ],
)
def test_hours_are_read_back_to_the_beginning(since: str, until: str, hours: list[int]) -> None:
    start, end = (datetime.fromisoformat(f"2026-05-01T{time}:00+00:00") for time in (since, until))

    assert [hour.hour for hour in _hours_back(start, end)] == hours
