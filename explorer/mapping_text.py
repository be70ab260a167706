"""Reads the attribute ``columnMapping`` of a process, in Data Factory's format (purview.column_mapping)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ANY = "*"


@dataclass(frozen=True, slots=True)
class MappedPair:
    """A column flows into another; the datasets are qualified names, ``*`` is any input."""

    source: str
    source_column: str
    sink: str
    sink_column: str


def read_mapping(text: object) -> tuple[MappedPair, ...] | None:
    """The pairs of a process' mapping; None if the text is not what Purview can draw."""
    try:
        return tuple(
            MappedPair(each["DatasetMapping"]["Source"], pair["Source"], each["DatasetMapping"]["Sink"], pair["Sink"])
            for each in _objects(text)
            for pair in each["ColumnMapping"]
        )
    except (ValueError, TypeError, KeyError):
        return None


def read_direct_mapping(text: object, source: str, sink: str) -> tuple[MappedPair, ...]:
    """The pairs of a relationship between two datasets, whose mapping names no datasets."""
    try:
        return tuple(MappedPair(source, each["Source"], sink, each["Sink"]) for each in _objects(text))
    except (ValueError, TypeError, KeyError):
        return ()


def _objects(text: object) -> Sequence[Any]:
    if not text:
        return ()
    found = json.loads(str(text))
    if not isinstance(found, list):
        raise ValueError("it is not a list")
    return found
