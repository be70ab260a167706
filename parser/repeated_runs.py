"""Runs that repeat the newest lineage of a process: they are kept beside its history, which is not read for them.

What a process shows is a function of its history. A run that brings the newest contribution once more changes nothing
of it, as long as no other contribution leaves the window through its time. So beside the history lie a mark of that
contribution, the fingerprint of what the history shows, and the runs that repeated it since. Whatever else happens to
the process puts these runs into the history first.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from core.lineage_model import Lineage, RunRef
from parser import process_history as histories
from parser.process_history import KEPT_RUNS, OUTER_OPERATIONS, History


@dataclass(frozen=True, slots=True)
class Repeats:
    """What is known of a history without reading it, and the newest runs that repeated its newest contribution.

    ``mark`` identifies that contribution and ``fingerprint`` what the history shows. Runs that end after ``until``
    (UTC) may change what lies in the window.
    """

    mark: str = ""
    fingerprint: str = ""
    until: datetime | None = None
    runs: tuple[RunRef, ...] = ()

    def takes(self, mark: str, run: RunRef) -> bool:
        """Whether a run that was never recorded, of the lineage with this mark, changes nothing but is one more."""
        return self.mark == mark != "" and (self.until is None or run.ended <= self.until)

    def with_run(self, run: RunRef) -> "Repeats":
        """The same with one more run; no more are kept than of any contribution."""
        return replace(self, runs=tuple(sorted({*self.runs, run}, reverse=True)[:KEPT_RUNS]))


def repeats_of(history: History, lineage: Lineage, window: timedelta, mark: str, fingerprint: str) -> Repeats:
    """What lies beside a history; without a mark where a further run with ``lineage`` would change what it shows."""
    if not window or not histories.is_newest(history, lineage, window):
        return Repeats()
    if history.failures and lineage.operation in OUTER_OPERATIONS:
        return Repeats()  # One of the failures may retract the next run.
    oldest = min((item.runs[0].ended for item in histories.in_window(history, window)[1:]), default=None)
    return Repeats(mark, fingerprint, oldest + window if oldest else None)


def encode(repeats: Repeats) -> str:
    """The text that is kept."""
    return msgspec.json.encode(repeats).decode() if repeats != Repeats() else ""


def decode(text: str) -> Repeats:
    """What ``encode`` made; nothing is known from anything else."""
    try:
        return _decoder.decode(text) if text else Repeats()
    except msgspec.DecodeError:
        return Repeats()


def whole_history(history: bytes, repeats: str) -> History:
    """The history of a process with the runs that were kept beside it.

    :raises UnreadableHistory: the history was made by something else.
    """
    kept = histories.decode(history)
    runs = decode(repeats).runs
    if not kept.contributions or not runs:
        return kept
    return histories.with_runs(kept, histories.in_words(kept.contributions[0]), runs)


_decoder = msgspec.json.Decoder(Repeats)
