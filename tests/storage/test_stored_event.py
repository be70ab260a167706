"""What the blob of an event says about it."""

from datetime import UTC, datetime, timedelta

import pytest

from core.naming import EventName, partition_key
from storage.stored_event import StoredEvent

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "received"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(minutes=30, seconds=5), timedelta(minutes=30, seconds=5)),
        # The row was written in one hour, and the blob in the next.
        (timedelta(hours=1, seconds=4), timedelta(minutes=59, seconds=59)),
        # The blob was copied, for example into another account.
        (timedelta(hours=1, minutes=2), timedelta(0)),
        (timedelta(seconds=-1), timedelta(0)),
    ],
)
def test_an_event_was_received_when_its_blob_was_written(written: timedelta, received: timedelta) -> None:
    event = StoredEvent(EventName("r", NOON, "START", "0" * 16), partition_key(NOON, "r"), NOON + written)

    assert event.received_about == NOON + received


def test_it_is_not_known_when_an_event_was_received_that_the_receiver_did_not_write() -> None:
    assert StoredEvent(EventName("r", NOON, "START", "0" * 16), "", NOON).received_about is None
