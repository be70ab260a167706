"""The result of one check."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """``WRONG`` needs a fix; ``NOTE`` is worth knowing; ``SKIPPED`` could not be checked, for the stated reason."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """A check's name, its state, the finding as a sentence, and the command or step that fixes it, "" if none."""

    name: str
    state: State
    found: str
    repair: str = ""


def ok(name: str, found: str) -> Check:
    return Check(name, State.OK, found)


def note(name: str, found: str, repair: str = "") -> Check:
    return Check(name, State.NOTE, found, repair)


def wrong(name: str, found: str, repair: str) -> Check:
    return Check(name, State.WRONG, found, repair)


def skipped(name: str, found: str) -> Check:
    return Check(name, State.SKIPPED, found)
