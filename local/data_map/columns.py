"""The columns of a dataset, and what a process says of columns in its columnMapping."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import related_entities

# What the column types call the type of their values, the most common first.
_TYPE_ATTRIBUTES = ("data_type", "type", "dataType")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset; one that isn't ``known`` is named by a mapping, but in no schema."""

    name: str
    type: str = ""
    description: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """One column flows into another; the datasets are qualified names, ``*`` is any."""

    source: str
    source_column: str
    sink: str
    sink_column: str


def columns_of(types: TypeSystem, session: Session, entity: Entity) -> tuple[Column, ...]:
    """The columns of a dataset: its own, else those of its tabular schema, in the order of creation."""
    found = related_entities(types, session, entity)
    attribute = types.entity(entity.type).columns
    schemas = [other for _, other in found.get("tabular_schema", ())]
    if attribute in found:
        columns = [other for _, other in found[attribute]]
    elif schemas:
        columns = [other for _, other in related_entities(types, session, schemas[0]).get("columns", ())]
    else:
        columns = []
    return tuple(_column(each) for each in columns)


def _column(entity: Entity) -> Column:
    values = (entity.attributes.get(name) for name in _TYPE_ATTRIBUTES)
    kind = next((str(value) for value in values if value), "")
    return Column(entity.display_text, kind, str(entity.attributes.get("description") or ""))


def read_mapping(text: object) -> tuple[Pair, ...] | None:
    """Reads a process' columnMapping; None if it isn't what Purview can draw."""
    try:
        return tuple(
            Pair(
                each["DatasetMapping"]["Source"],
                pair["Source"],
                each["DatasetMapping"]["Sink"],
                pair["Sink"],
            )
            for each in _objects(text)
            for pair in each["ColumnMapping"]
        )
    except (ValueError, TypeError, KeyError):
        return None


def read_direct_mapping(text: object, source: str, sink: str) -> tuple[Pair, ...]:
    """Reads the columnMapping of a relationship between two datasets, which names no datasets."""
    try:
        return tuple(Pair(source, each["Source"], sink, each["Sink"]) for each in _objects(text))
    except (ValueError, TypeError, KeyError):
        return ()


def _objects(text: object) -> Sequence[Any]:
    if not text:
        return ()
    found = json.loads(str(text))
    if not isinstance(found, list):
        raise ValueError("no list")
    return found
