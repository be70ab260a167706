"""What one check found."""

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
    told: str
    repair: str = ""


def ok(name: str, told: str) -> Check:
    return Check(name, State.OK, told)


def note(name: str, told: str, repair: str = "") -> Check:
    return Check(name, State.NOTE, told, repair)


def wrong(name: str, told: str, repair: str) -> Check:
    return Check(name, State.WRONG, told, repair)


def skipped(name: str, told: str) -> Check:
    return Check(name, State.SKIPPED, told)
