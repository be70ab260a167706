"""The columns of a sink and their sources, as the text from which Purview draws column lineage.

The format is Data Factory's: a JSON text with one object per input and sink,
``[{"DatasetMapping":{"Source":…,"Sink":…},"ColumnMapping":[{"Source":…,"Sink":…}]}]``. Purview stores any text and
silently draws nothing if it cannot read it, or if a dataset's name is not that of an input or output of the process.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.event_model import DatasetId
from core.lineage_model import Note, SinkColumn
from purview.limits import PROPERTY_BYTES, size

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The value of the ``columnMapping`` attribute, and a note if not all pairs fit."""

    text: str
    notes: tuple[Note, ...] = ()


# A column of the dataset ``source`` (a qualified name) whose values reach a column of the sink: source, sink column,
# source column. A plain tuple, because many thousands of them are compared.
_Edge = tuple[str, str, str]


def column_mapping(
    columns: Iterable[SinkColumn], sink: str, sources: Mapping[DatasetId, str], limit: int = PROPERTY_BYTES
) -> ColumnMapping:
    """The mapping into ``sink`` (a qualified name) from ``sources`` (qualified names of the inputs).

    The text depends only on the set of pairs and has at most ``limit`` bytes of UTF-8. If not all pairs fit, those
    between columns of the same name go first, and a note and a log line say how many are missing. Columns of datasets
    that are no inputs are skipped.
    """
    edges = {
        (sources[source.dataset], column.name, source.column)
        for column in columns
        for source in column.sources
        if source.dataset in sources
    }
    if _least(edges) <= limit and size(text := _text(edges, sink)) <= limit:
        return ColumnMapping(text)
    kept = _fitting(sorted(edges, key=lambda edge: (not _keeps_name(edge), edge)), sink, limit)
    return ColumnMapping(_text(kept, sink), (_note(len(edges), len(kept), sink),))


def _least(edges: Iterable[_Edge]) -> int:
    """A lower limit for the size of these edges: JSON is at least as long as its texts."""
    return sum(_PAIR + len(source_column) + len(sink_column) for _, sink_column, source_column in edges)


def _keeps_name(edge: _Edge) -> bool:
    _, sink_column, source_column = edge
    return source_column == sink_column or source_column.casefold() == sink_column.casefold()


def _fitting(edges: Iterable[_Edge], sink: str, limit: int) -> list[_Edge]:
    """As many of the first edges as the text has room for."""
    kept: list[_Edge] = []
    seen: set[str] = set()
    used = size("[]")
    for edge in edges:
        source, sink_column, source_column = edge
        # Edges that do not fit are recognised without being written.
        least = _least([edge])
        if source not in seen:
            least += _OBJECT + len(source) + len(sink)
        if used + least > limit:
            continue
        # The comma is counted for the first of a list too: at worst a byte per list stays unused.
        cost = size(_json(_pair(source_column, sink_column))) + 1
        if source not in seen:
            cost += size(_json(_object(source, sink, []))) + 1
        if used + cost <= limit:
            used += cost
            seen.add(source)
            kept.append(edge)
    return kept


def _text(edges: Iterable[_Edge], sink: str) -> str:
    pairs: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for source, sink_column, source_column in sorted(edges):
        pairs[source].append(_pair(source_column, sink_column))
    return _json([_object(source, sink, pairs[source]) for source in sorted(pairs)])


def _note(edges: int, kept: int, sink: str) -> Note:
    left_out = edges - kept
    _log.warning("columnMapping of %s is full: %s of %s column pairs are left out", sink, left_out, edges)
    text = f"Purview has no room for {left_out} of {edges} column pairs; all of them are kept in LineageDetails."
    return Note("column-mapping-cut", text)


def _object(source: str, sink: str, pairs: Sequence[Mapping[str, str]]) -> dict[str, object]:
    return {"DatasetMapping": {"Source": source, "Sink": sink}, "ColumnMapping": pairs}


def _pair(source: str, sink: str) -> dict[str, str]:
    return {"Source": source, "Sink": sink}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# The bytes of a pair and of an object, and of the comma that follows, without the texts in them.
_PAIR = size(_json(_pair("", ""))) + 1
_OBJECT = size(_json(_object("", "", []))) + 1
