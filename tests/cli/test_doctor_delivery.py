"""What ``sparklin doctor`` says of the event that it sent, by what its row says at the end."""

from datetime import UTC, datetime

import pytest

from cli.checks.check import State
from cli.checks.end_to_end import outcome
from storage.event_rows import EventRow, Status


def row(status: Status, message: str = "") -> EventRow:
    received = datetime(2026, 1, 1, tzinfo=UTC)
    job = "sparklin-doctor", "job", "run"
    return EventRow("p", "r", "run", "d", status, 0, "f", message, "COMPLETE", "", *job, received, received, "e")


@pytest.mark.parametrize(
    ("status", "late", "state", "name", "repair"),
    [
        (Status.PROCESSED, False, State.OK, "end to end", ""),
        # The subscription is missing, or its key was changed: the timer makes up for it.
        (Status.PROCESSED, True, State.NOTE, "event delivery", "infra/subscribe.sh"),
        (Status.RECEIVED, False, State.WRONG, "event delivery", "blobs_extension"),
        (Status.RETRYING, True, State.WRONG, "end to end", "sparklin replay"),
        (Status.DEAD_LETTERED, False, State.WRONG, "end to end", "sparklin replay"),
    ],
)
def test_the_outcome_names_what_is_wrong_with_the_delivery(
    status: Status, late: bool, state: State, name: str, repair: str
) -> None:
    found = outcome(row(status, "why"), 700, late=late)

    assert (found.state, found.name, repair in found.repair) == (state, name, True)
    assert "LogsAndContainerScan" not in found.repair
