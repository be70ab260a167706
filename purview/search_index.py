"""Indexes what a search found, for comparison with many names.

Comparing each hit with each dataset would take minutes for thousands of both, so hits are kept by the segments of
their paths. A name can mean the same as a hit only if the hit has each of its segments, in any case, except for what
scans replace: partitions (``Year=2024``) and placeholders are ignored, and a segment that a scan may have replaced may
also correspond to a placeholder of the hit.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from core.catalog_model import Asset

# Anything with a digit, a partition, a placeholder, a locale, hexadecimal digits.
_REPLACED = re.compile(r"[\d={}]|(?<![a-z])[a-z]{2}-[a-z]{2,4}(?![a-z])|[a-f]{8}", re.IGNORECASE)
_OPEN = re.compile(r"[={}]")
_PARTITIONS = "{sparkpartitions}"


def is_replaceable(segment: str) -> bool:
    """Whether a scan may write something else for this segment of a path."""
    return _REPLACED.search(segment) is not None


class SearchIndex:
    """Assets by the segments of their qualified names."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets = list(dict.fromkeys(assets))
        self._by_segment: defaultdict[str, set[int]] = defaultdict(set)
        self._patterns: set[int] = set()
        for number, asset in enumerate(self._assets):
            segments = _segments(asset.name.qualified_name)
            for segment in segments:
                self._by_segment[segment].add(number)
            if any("{" in segment for segment in (segments[:-1] if segments[-1:] == [_PARTITIONS] else segments)):
                self._patterns.add(number)

    def like(self, qualified_name: str) -> list[Asset]:
        """The assets that may mean the same as a name."""
        sets = [self._with(segment) for segment in _segments(qualified_name) if not _OPEN.search(segment)]
        if not sets:
            return self._assets
        smallest, *others = sorted(sets, key=len)
        return [self._assets[number] for number in sorted(smallest.intersection(*others))]

    def _with(self, segment: str) -> set[int]:
        exactly = self._by_segment.get(segment, set())
        return exactly | self._patterns if is_replaceable(segment) else exactly


def _segments(qualified_name: str) -> list[str]:
    """The segments of the path, in lower case; the host is left out, since one account has several."""
    return [part for part in qualified_name.casefold().partition("://")[2].split("/")[1:] if part]
