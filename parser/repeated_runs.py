"""Runs that repeat the newest lineage of a process. They are stored beside its history, so that it need not be read.

What a process shows is a function of its history. A run that repeats the newest contribution changes nothing, unless
its time moves another contribution out of the window. So a mark of that contribution, the fingerprint of what the
history shows, and the runs that repeated it since are stored beside the history. Any other change of the process first
puts these runs into the history.
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
        """Whether a new run of the lineage with this mark changes nothing but the number of runs."""
        return self.mark == mark != "" and (self.until is None or run.ended <= self.until)

    def with_run(self, run: RunRef) -> "Repeats":
        """These repeats with one more run; as many are kept as for any contribution."""
        return replace(self, runs=tuple(sorted({*self.runs, run}, reverse=True)[:KEPT_RUNS]))


def repeats_of(history: History, lineage: Lineage, window: timedelta, mark: str, fingerprint: str) -> Repeats:
    """What is stored beside a history; without a mark if a further run with ``lineage`` would change what it shows."""
    if not window or not histories.is_newest(history, lineage, window):
        return Repeats()
    if history.failures and lineage.operation in OUTER_OPERATIONS:
        return Repeats()  # One of the failures may retract the next run.
    oldest = min((item.runs[0].ended for item in histories.in_window(history, window)[1:]), default=None)
    return Repeats(mark, fingerprint, oldest + window if oldest else None)


def encode(repeats: Repeats) -> str:
    """The text that is stored."""
    return msgspec.json.encode(repeats).decode() if repeats != Repeats() else ""


def decode(text: str) -> Repeats:
    """Decode the text of ``encode``; any other text gives empty repeats."""
    try:
        return _decoder.decode(text) if text else Repeats()
    except msgspec.DecodeError:
        return Repeats()


def whole_history(history: bytes, repeats: str) -> History:
    """The history of a process with the runs that are stored beside it.

    :raises UnreadableHistory: the history has another form.
    """
    kept = histories.decode(history)
    runs = decode(repeats).runs
    if not kept.contributions or not runs:
        return kept
    return histories.with_runs(kept, histories.in_words(kept.contributions[0]), runs)


_decoder = msgspec.json.Decoder(Repeats)
