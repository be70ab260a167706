"""A claim of the documentation, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """``UNKNOWN`` could not be seen, for the stated reason."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim by its name, with the page that makes it, and the result.

    ``seen`` is a sentence, ``figures`` are measured: seconds where the name ends so, else numbers.
    """

    name: str
    text: str
    page: str
    state: State = State.UNKNOWN
    seen: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def judged(self, holds: bool | None, seen: str, **figures: float) -> "Claim":
        """The claim with its result; None if it could not be checked."""
        state = State.UNKNOWN if holds is None else State.VERIFIED if holds else State.REFUTED
        shown = {name: round(value, 3) for name, value in figures.items()}
        return Claim(self.name, self.text, self.page, state, seen, shown)
