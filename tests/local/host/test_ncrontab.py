"""Schedules: when each is due next after a fixed time."""

from datetime import UTC, datetime

import pytest

from local.host.ncrontab import parse_schedule

NOW = datetime(2026, 2, 27, 13, 59, 30, 500_000, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("* * * * * *", "2026-02-27T13:59:31"),
        ("0 */5 * * * *", "2026-02-27T14:00:00"),
        ("*/5 * * * *", "2026-02-27T14:00:00"),
        ("*/20 * * * * *", "2026-02-27T13:59:40"),
        ("30 59 13 * * *", "2026-02-28T13:59:30"),
        ("0 0 0 1 * *", "2026-03-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 9 * * MON-FRI", "2026-03-02T09:00:00"),
        ("0 0 9 * * 0,6", "2026-02-28T09:00:00"),
        ("0 0 0 1 JAN *", "2027-01-01T00:00:00"),
        ("0 10-20/5 * * * *", "2026-02-27T14:10:00"),
        ("0 50/5 * * * *", "2026-02-27T14:50:00"),
    ],
)
def test_a_schedule_says_when_it_is_due(expression: str, due: str) -> None:
    assert parse_schedule(expression).after(NOW) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("expression", ["", "* * *", "60 * * * * *", "x * * * * *", "5-1 * * * * *", "*/x * * * * *"])
def test_a_schedule_that_can_not_be_read_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fields|field|outside"):
        parse_schedule(expression)


def test_a_schedule_that_is_never_due_is_refused() -> None:
    with pytest.raises(ValueError, match="never comes due"):
        parse_schedule("0 0 0 30 2 *").after(NOW)
