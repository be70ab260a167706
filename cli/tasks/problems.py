"""Problems with files of events: the first ones by name, the others counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Problems are named up to this number; the others are counted by reason.
MOST_NAMED = 5


@dataclass(slots=True)
class Problems:
    """``count`` problems with files: the first ones in full, the others by reason."""

    named: list[str] = field(default_factory=list)
    count: int = 0
    _others: Counter[str] = field(default_factory=Counter)

    def add(self, place: str, reason: str) -> None:
        """Note a problem of a file, or of a place in it."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(f"{place}: {reason}")
        else:
            self._others[reason] += 1

    def lines(self) -> Iterator[str]:
        """At most five problems, then a line for each reason of the others."""
        yield from self.named
        yield from (f"… and {count} more: {reason}" for reason, count in self._others.most_common(MOST_NAMED))
        reasons = self._others.most_common()[MOST_NAMED:]
        if reasons:
            yield f"… and {sum(count for _, count in reasons)} more of {len(reasons)} other kinds"
