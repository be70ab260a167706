"""Remembered results of functions of foreign text, bounded in memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

#: In characters. Names that recur are shorter; longer texts occur once and would fill the cache with megabytes.
LONGEST = 256

_Result = TypeVar("_Result")


def remembers_short(entries: int) -> Callable[[Callable[[str], _Result]], Callable[[str], _Result]]:
    """Remember the results for the latest ``entries`` texts of at most ``LONGEST`` characters.

    Results for longer texts are computed each time. A result must not be larger than its text.
    """

    def decorate(function: Callable[[str], _Result]) -> Callable[[str], _Result]:
        remembered = lru_cache(maxsize=entries)(function)

        @wraps(function)
        def call(text: str) -> _Result:
            return remembered(text) if len(text) <= LONGEST else function(text)

        return call

    return decorate
