"""The columnLineage facet of an output, read the way its agent meant it.

Up to agent 1.16 a source says nothing about how it is used: all are taken as sources of the value. From 1.17 on
each use is DIRECT or INDIRECT; 1.17–1.36 repeat what affects all rows (JOIN, FILTER, GROUP_BY, SORT) in every
field, later agents list it once in ``dataset``. A source that is both stays a source of the value.
"""

from collections.abc import Iterable, Mapping

from core.event_model import ColumnLineageFacet, DatasetId, Field, InputField
from core.lineage_model import IndirectUse, SinkColumn
from parser.merge import is_noise

WHOLE_DATASET_KINDS = {"JOIN", "FILTER", "GROUP_BY", "SORT"}


def columns(
    facet: ColumnLineageFacet | None, sink: DatasetId, fields: Iterable[Field]
) -> tuple[tuple[SinkColumn, ...], tuple[IndirectUse, ...]]:
    """The sink's columns in the order of its schema, and the columns that affect every row."""
    if facet is None:
        return (), ()
    by_name = _in_schema_case(facet.fields, fields)
    order = dict.fromkeys(field.name for field in fields)
    names = [*order, *sorted(set(by_name) - order.keys())]
    found = tuple(_column(name, by_name.get(name, ()), sink) for name in names)
    everywhere = {use for name in by_name for use in _indirect(by_name[name]) if use.kind in WHOLE_DATASET_KINDS}
    return found, tuple(sorted(everywhere | set(_indirect(facet.dataset))))


def named_datasets(facet: ColumnLineageFacet | None) -> frozenset[DatasetId]:
    """All datasets that the facet names; MERGE's sources are nowhere else."""
    if facet is None:
        return frozenset()
    entries = [*facet.dataset, *(entry for sources in facet.fields.values() for entry in sources)]
    return frozenset(entry.column.dataset for entry in entries if not is_noise(entry.column.dataset))


def _in_schema_case(
    by_name: Mapping[str, tuple[InputField, ...]], fields: Iterable[Field]
) -> Mapping[str, tuple[InputField, ...]]:
    """The facet's entries under the schema's spelling of their names, which may differ in case."""
    spelling: dict[str, str] = {}
    for field in fields:
        spelling.setdefault(field.name.lower(), field.name)
    exact = {field.name for field in fields}
    joined: dict[str, tuple[InputField, ...]] = {}
    for name, sources in by_name.items():
        key = name if name in exact else spelling.get(name.lower(), name)
        joined[key] = joined.get(key, ()) + sources
    return joined


def _column(name: str, entries: tuple[InputField, ...], sink: DatasetId) -> SinkColumn:
    entries = tuple(entry for entry in entries if not is_noise(entry.column.dataset))
    sources = {entry.column for entry in entries if _gives_value(entry) and not _is_kept(entry, name, sink)}
    indirect = {use for use in _indirect(entries) if use.kind not in WHOLE_DATASET_KINDS}
    return SinkColumn(name, tuple(sorted(sources)), tuple(sorted(indirect)))


def _gives_value(entry: InputField) -> bool:
    return not entry.transformations or any(kind == "DIRECT" for kind, _ in entry.transformations)


def _is_kept(entry: InputField, name: str, sink: DatasetId) -> bool:
    """Whether a row that is not replaced merely keeps its value in its own column, which is no edge."""
    same = entry.column.dataset == sink and entry.column.column.lower() == name.lower()
    return same and all(pair == ("DIRECT", "IDENTITY") or pair[0] != "DIRECT" for pair in entry.transformations)


def _indirect(entries: Iterable[InputField]) -> set[IndirectUse]:
    return {
        IndirectUse(entry.column, subtype or "INDIRECT")
        for entry in entries
        for kind, subtype in entry.transformations
        if kind == "INDIRECT" and not is_noise(entry.column.dataset)
    }
