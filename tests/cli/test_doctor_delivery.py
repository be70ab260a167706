"""What ``sparklin doctor`` reports about the event that it sent, depending on its row at the end."""

from datetime import UTC, datetime

import pytest

from cli.checks.check import State
from cli.checks.end_to_end import outcome
from storage.event_rows import EventRow, Status


def row(status: Status, retries: int) -> EventRow:
    received = datetime(2026, 1, 1, tzinfo=UTC)
    job = "sparklin-doctor", "job", "run"
    return EventRow("p", "r", "run", "d", status, retries, "f", "why", "COMPLETE", "", *job, received, received, "e")


@pytest.mark.parametrize(
    ("status", "retries", "is_private", "state", "name", "found_text", "repair"),
    [
        (Status.PROCESSED, 0, False, State.OK, "end to end", "a notification reported it", ""),
        # The subscription is missing, names another function, or its key was changed: the timer finds the event.
        (Status.PROCESSED, 1, False, State.WRONG, "event delivery", "the timer found it", "infra/subscribe.sh"),
        (Status.PROCESSED, 1, True, State.OK, "end to end", "the timer found it", ""),
        (Status.RECEIVED, 0, False, State.WRONG, "event delivery", "nothing reported it", "blobs_extension"),
        (Status.RECEIVED, 0, True, State.NOTE, "end to end", "waits for the timer", "--wait 1000"),
        (Status.RETRYING, 1, False, State.WRONG, "end to end", "why", "sparklin replay"),
        (Status.DEAD_LETTERED, 0, False, State.WRONG, "end to end", "why", "sparklin replay"),
    ],
)
def test_the_outcome_names_the_way_of_the_event_and_what_is_wrong_with_it(
    status: Status, retries: int, is_private: bool, state: State, name: str, found_text: str, repair: str
) -> None:
    found = outcome(row(status, retries), 700, is_private=is_private)

    assert (found.state, found.name, found_text in found.found, repair in found.repair) == (state, name, True, True)
    assert "LogsAndContainerScan" not in found.repair
