"""Remembered results of functions of foreign text, bounded in memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

#: In characters. Names that recur are shorter; a cache full of longer ones would hold megabytes of what comes once.
LONGEST = 256

_Result = TypeVar("_Result")


def remembers_short(entries: int) -> Callable[[Callable[[str], _Result]], Callable[[str], _Result]]:
    """Remember the results for the latest ``entries`` texts of at most ``LONGEST`` characters.

    Longer texts are computed each time and never held. The result must not hold more than the text does.
    """

    def decorate(function: Callable[[str], _Result]) -> Callable[[str], _Result]:
        remembered = lru_cache(maxsize=entries)(function)

        @wraps(function)
        def call(text: str) -> _Result:
            return remembered(text) if len(text) <= LONGEST else function(text)

        return call

    return decorate
