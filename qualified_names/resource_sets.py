"""Resource sets: how Purview's scans name many files as one asset, and whether two names mean the same set.

``generalised`` applies the patterns of ``resource_sets.toml`` to a path, segment by segment. ``same_resource_set``
compares a name with one that a scan gave. Purview's own code has two steps more that are not public: dates spread
over folders, which are recognised here only as ``2024/01/31``, and Spark's partition folders, which
``same_resource_set`` therefore skips instead of predicting them.
"""

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from qualified_names.templates import lower_extension

SPARK_PARTITIONS = "{SparkPartitions}"

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")
_ONLY_PLACEHOLDERS = re.compile(r"[-._=@]*(?:\{[A-Za-z][A-Za-z0-9]*\}[-._=@]*)+")
_ADDRESS = re.compile(r"([a-z][a-z0-9+.\-]*)://([^/]*)/?(.*)", re.DOTALL | re.IGNORECASE)
# Azure Storage's own limit for the name of a folder or file in a data lake.
_LONGEST_SEGMENT = 255
_MOST_WAYS = 2**24
#: The possible lengths of the text that a placeholder stands for, if these are few.
_LENGTHS = {"GUID": 2, "HEX": 9, "LOC": 1, "Year": 1, "Month": 2, "Day": 2, "Hour": 2, "Minute": 2, "Second": 2}
_NUMBERS = ("N", "Year", "Month", "Day", "Hour", "Minute", "Second")
_WITHOUT_HEX_DIGITS = dict.fromkeys(map(ord, string.hexdigits))
_DIGITS_LETTERS_HEX_DIGITS = tuple(map(str.encode, (string.digits, string.ascii_letters, string.hexdigits)))
_DATE = (re.compile(r"20[1-9][0-9]"), re.compile(r"0[1-9]|1[012]"), re.compile(r"0[1-9]|[12][0-9]|3[01]"))


@dataclass(frozen=True, slots=True)
class Replacement:
    """One pattern; the counts are of characters that a segment must have before the expression is tried."""

    regex: re.Pattern[str]
    replace: str
    digits: int
    letters: int
    max_letters: int
    hex_digits: int
    keep: re.Pattern[str] | None
    last: bool
    file_only: bool

    def applies(self, segment: str, counts: "_Counts", *, file_name: bool) -> bool:
        """Whether the expression can match the segment."""
        return (
            counts.digits >= self.digits
            and self.letters <= counts.letters <= self.max_letters
            and counts.hex_digits >= self.hex_digits
            and (file_name or not self.file_only)
            and (self.keep is None or self.keep.search(segment) is None)
        )


class _Counts(NamedTuple):
    """How many characters of each kind a segment has."""

    digits: int
    letters: int
    hex_digits: int

    @classmethod
    def of(cls, segment: str) -> "_Counts":
        if not segment.isascii():
            hex_digits = len(segment) - len(segment.translate(_WITHOUT_HEX_DIGITS))
            return cls(sum(map(str.isdigit, segment)), sum(map(str.isalpha, segment)), hex_digits)
        # The same result for most segments, in a fraction of the time.
        raw = segment.encode("ascii")
        return cls(*(len(raw) - len(raw.translate(None, characters)) for characters in _DIGITS_LETTERS_HEX_DIGITS))


def generalised(path: str, *, is_file: bool = False) -> tuple[str, str]:
    """The path as a resource set, with dates that are spread over folders, and by the patterns alone."""
    segments = path.split("/")
    last = len(segments) - 1
    plain = [
        _generalise(segment, file_name=is_file and index == last) if segment else segment
        for index, segment in enumerate(segments)
    ]
    dates = _dates(segments[:last] if is_file else segments)
    without = "/".join(plain)
    return "/".join(dates.get(index, text) for index, text in enumerate(plain)) if dates else without, without


def same_resource_set(first: str, second: str) -> bool:
    """Whether two qualified names of files, folders or resource sets mean the same place.

    Equal are: a folder with and without slash and its ``{SparkPartitions}``; the dfs and blob host of an account; a
    placeholder and any text that it may stand for; a folder and the partition folders (``Year={Year}``) that a scan
    put between it and ``{SparkPartitions}``. Two different numbers are never equal, nor are names that differ in case.
    """
    one, other = _parts(first), _parts(second)
    if one is None or other is None or one.container != other.container:
        return False
    return any(_same_segments(a, b) for a in one.readings for b in other.readings)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Scheme, host and container, and the ways in which the path may be read."""

    container: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...]


def _parts(name: str) -> _Parts | None:
    match = _ADDRESS.fullmatch(name)
    if not match:
        return None
    host = match[2].lower().replace(".blob.", ".dfs.", 1)
    container, *segments = [segment for segment in match[3].split("/") if segment] or [""]
    if segments and segments[-1] == SPARK_PARTITIONS:
        return _Parts((match[1].lower(), host, container), tuple(_without_partitions(tuple(segments[:-1]))))
    # Purview keeps extensions in lower case for some types of files only.
    spellings = dict.fromkeys((tuple(segments), (*segments[:-1], *map(lower_extension, segments[-1:]))))
    return _Parts((match[1].lower(), host, container), tuple(spellings))


def _without_partitions(segments: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The folder, and every folder above it from which only partition folders lead to it."""
    yield segments
    while segments and ("=" in segments[-1] or _ONLY_PLACEHOLDERS.fullmatch(segments[-1])):
        segments = segments[:-1]
        yield segments


def _same_segments(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) == len(other) and all(map(_same_segment, one, other))


def _same_segment(one: str, other: str) -> bool:
    return one == other or _stands_for(one, other) or _stands_for(other, one)


def _stands_for(pattern: str, text: str) -> bool:
    if max(len(pattern), len(text)) > _LONGEST_SEGMENT or not _PLACEHOLDER.search(pattern):
        return False
    regex = _segment_regex(pattern)
    return regex is not None and regex.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _segment_regex(pattern: str) -> re.Pattern[str] | None:
    """The expression for a segment; None if it might have to try too many ways of dividing a text."""
    pieces = _PLACEHOLDER.split(pattern)
    if prod(_ways(name, literal) for name, literal in zip(pieces[1::2], pieces[2::2], strict=True)) > _MOST_WAYS:
        return None
    known = _data()["placeholder"]
    source = re.escape(pieces[0])
    for name, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        source += f"(?:{known.get(name, '.+')}|{re.escape('{' + name + '}')}){re.escape(literal)}"
    return re.compile(source)


def _ways(name: str, literal: str) -> int:
    """The number of places in which a placeholder may end before the literal that follows it."""
    if name in _NUMBERS and literal and not literal[0].isdigit():
        return 1
    return _LENGTHS.get(name, _LONGEST_SEGMENT)


def _dates(segments: list[str]) -> Mapping[int, str]:
    """The positions of folders that make up a date, year, month and day."""
    found: dict[int, str] = {}
    for index in range(len(segments) - 2):
        if all(regex.fullmatch(text) for regex, text in zip(_DATE, segments[index : index + 3], strict=True)):
            found |= {index: "{Year}", index + 1: "{Month}", index + 2: "{Day}"}
    return found


def _generalise(segment: str, *, file_name: bool) -> str:
    text, counts = segment, _Counts.of(segment)
    for replacement in _replacements() if counts.digits else _without_digits():
        if replacement.applies(text, counts, file_name=file_name):
            changed = replacement.regex.sub(replacement.replace, text)
            if changed == text:
                continue
            if replacement.last:
                return changed
            text, counts = changed, _Counts.of(changed)
    return text


@cache
def _replacements() -> tuple[Replacement, ...]:
    return tuple(_replacement(item) for item in _data()["pattern"])


@cache
def _without_digits() -> tuple[Replacement, ...]:
    """The patterns that may apply to a segment without digits, as most are; none of them adds digits."""
    return tuple(each for each in _replacements() if not each.digits)


def _replacement(item: Mapping[str, Any]) -> Replacement:
    return Replacement(
        regex=re.compile(item["regex"], re.IGNORECASE if item.get("ignore_case") else 0),
        replace=item["replace"],
        digits=item.get("digits", 0),
        letters=item.get("letters", 0),
        max_letters=item.get("max_letters", 1 << 30),
        hex_digits=item.get("hex", 0),
        keep=re.compile(item["keep"]) if "keep" in item else None,
        last=item.get("last", False),
        file_only=item.get("file_only", False),
    )


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("resource_sets.toml").read_text(encoding="utf-8"))
