"""The states of collected files: the state after a part was taken, and the difference of counts between two states."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from receiver.lines import Cut
from receiver.receipt import Outcome, Receipt
from storage.event_folders import NEVER
from storage.file_progress import FileState

# The states of files by name, with the ETags of their rows.
Rows = Mapping[str, tuple[FileState, str]]


def advanced(state: FileState, found: Cut, receipts: Sequence[Receipt]) -> FileState:
    """The state of a file after some more was taken."""
    counts = Counter(receipt.outcome for receipt in receipts)
    return replace(
        state,
        offset=state.offset + found.length,
        line=state.line + found.breaks,
        in_long_line=found.in_long_line,
        unreadable_rest="" if found.length else state.unreadable_rest,
        kept=state.kept + counts[Outcome.KEPT],
        ignored=state.ignored + counts[Outcome.IGNORED],
        rejected=state.rejected + counts[Outcome.REJECTED] + found.is_too_long,
    )


def new_counts(before: Rows, after: Rows) -> Counter[str]:
    """How many events of each answer were counted since; a replaced file begins at 0."""
    counted = Counter({"kept": 0, "ignored": 0, "rejected": 0})
    for name, (state, _) in after.items():
        old = before[name][0] if name in before else FileState(name, state.created)
        if old is state:
            continue
        old = old if old.offset <= state.offset else FileState(name, state.created)
        for outcome in counted:
            counted[outcome] += max(0, getattr(state, outcome) - getattr(old, outcome))
    return counted


def differ(one: datetime, other: datetime) -> bool:
    """Whether two times of creation are of two files; a service may not report them."""
    return one != other and NEVER not in (one, other)


def digest(data: bytes) -> str:
    """A short hash, by which the beginning of a file is recognised."""
    return hashlib.sha256(data).hexdigest()[:32]
