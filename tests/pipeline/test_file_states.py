"""What was taken from a file moves its state on, and what was counted since is the difference of two states."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.file_states import Rows, advanced, differ, digest, new_counts
from receiver.lines import Cut
from receiver.receipt import Outcome, Receipt
from storage.event_folders import NEVER
from storage.file_progress import FileState

CREATED = datetime(2024, 1, 31, tzinfo=UTC)
STATE = FileState("a", CREATED, "e", offset=5, line=2, unreadable_rest="r", kept=1, ignored=2, rejected=3)


def receipts(**numbers: int) -> list[Receipt]:
    return [Receipt(Outcome(outcome), "", 200) for outcome, number in numbers.items() for _ in range(number)]


@pytest.mark.parametrize(
    ("found", "answers", "changed"),
    [
        (Cut(), [], {}),
        (Cut(length=7, breaks=2), [], {"offset": 12, "line": 4, "unreadable_rest": ""}),
        (Cut(), receipts(kept=3, ignored=2, rejected=1), {"kept": 4, "ignored": 4, "rejected": 4}),
        (Cut(is_too_long=True, in_long_line=True), receipts(rejected=1), {"rejected": 5, "in_long_line": True}),
    ],
)
def test_a_state_moves_on(found: Cut, answers: list[Receipt], changed: dict[str, Any]) -> None:
    assert advanced(STATE, found, answers) == replace(STATE, **changed)


def rows(*states: FileState) -> Rows:
    return {state.name: (state, "etag") for state in states}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], (0, 0, 0)),
        ([STATE], [STATE], (0, 0, 0)),
        ([], [STATE], (1, 2, 3)),
        ([STATE], [replace(STATE, offset=9, kept=5, ignored=3)], (4, 1, 0)),
        ([STATE], [replace(STATE, kept=5)], (4, 0, 0)),
        # A file that was replaced begins at 0, even with fewer events.
        ([STATE], [replace(STATE, offset=4, kept=1, ignored=0, rejected=7)], (1, 0, 7)),
        ([STATE], [replace(STATE, offset=9, kept=0, rejected=4)], (0, 0, 1)),
        ([STATE], [STATE, replace(STATE, name="b"), replace(STATE, name="c")], (2, 4, 6)),
        ([STATE], [], (0, 0, 0)),
    ],
)
def test_only_what_was_counted_since_is_new(
    before: list[FileState], after: list[FileState], expected: tuple[int, int, int]
) -> None:
    kept, ignored, rejected = expected
    assert new_counts(rows(*before), rows(*after)) == {"kept": kept, "ignored": ignored, "rejected": rejected}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (CREATED, CREATED, False),
        (CREATED, CREATED.replace(hour=1), True),
        (CREATED, NEVER, False),
        (NEVER, CREATED, False),
        (NEVER, NEVER, False),
    ],
)
def test_two_times_are_of_two_files_unless_one_is_unknown(one: datetime, other: datetime, expected: bool) -> None:
    assert differ(one, other) is expected


def test_the_beginning_of_a_file_is_known_by_a_hash_of_it() -> None:
    assert digest(b"abc") == digest(b"abc") != digest(b"abd")
