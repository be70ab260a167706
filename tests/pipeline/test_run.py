"""The parts of processing a run that need no storage."""

from datetime import UTC, datetime, timedelta

import pytest

from core.naming import EventName
from core.replacing import replace
from pipeline.run import _in_our_time
from storage.stored_event import StoredEvent
from tests.support.events import run_event

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("sent", "received", "counts"),
    [
        (NOON - 300 * DAY, NOON, NOON - 300 * DAY),
        (NOON, NOON, NOON),
        (NOON + DAY - SECOND, NOON, NOON + DAY - SECOND),
        (NOON + DAY + SECOND, NOON, NOON + DAY),
        (NOON + 300 * DAY, None, NOON + 300 * DAY),
    ],
)
def test_a_clock_may_be_ahead_by_a_day(sent: datetime, received: datetime | None, counts: datetime) -> None:
    event = replace(run_event(), time=sent)
    partition = f"{received:%Y%m%d%H}-0" if received else ""
    stored = StoredEvent(EventName(event.run_key, sent, "COMPLETE", "0" * 16), partition)
    assert _in_our_time(event, stored).time == counts
