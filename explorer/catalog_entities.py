"""Reads what a lineage graph needs from a catalogue: entities by their guids, level by level from where it starts.

Only ``GET /entity/bulk`` is used. Its answers name every process of a dataset, while those of ``/lineage`` are cut to
a width.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from explorer.graph import Direction
from purview.schema import RELATIONSHIPS

Entity = Mapping[str, Any]

MOST_PROCESSES = 2_000
#: Types of this many columns are read; the others are shown without one.
MOST_COLUMN_TYPES = 20_000

# Attributes of a dataset: the processes that write and read it, and datasets related to it without a process.
_WRITERS, _READERS, _SOURCES, _SINKS = "outputFromProcesses", "inputToProcesses", "sources", "sinks"
_COLUMNS = sorted(RELATIONSHIPS - {"tabular_schema"})


class Entities(Protocol):
    """The part of a catalogue that is read."""

    def entities(self, guids: Sequence[str]) -> Sequence[Entity]:
        """Whole Atlas entities with their relationship attributes; those that do not exist are left out."""
        ...


@dataclass(frozen=True, slots=True)
class DirectEdge:
    """Data flows from one dataset to another, without a process; ``guid`` is that of the relationship."""

    guid: str
    source: str
    sink: str
    mapping: object


@dataclass(slots=True)
class Found:
    """What was read: entities by guid, and which of them belong to the graph, in the order in which they were found."""

    entities: dict[str, Entity] = field(default_factory=dict)
    processes: dict[str, None] = field(default_factory=dict)
    datasets: dict[str, None] = field(default_factory=dict)
    direct: dict[str, DirectEdge] = field(default_factory=dict)
    is_cut: bool = False


def read_entities(catalog: Entities, guids: Iterable[str], direction: Direction, depth: int | None) -> Found:
    """The lineage within ``depth`` processes of some datasets or processes, with schemas and columns.

    :raises CatalogUnavailable, CatalogRefused: the catalogue cannot be read.
    """
    found = Found()
    starts = list(dict.fromkeys(guids))
    _load(catalog, starts, found)
    for towards in ("up", "down"):
        if direction in (towards, "both"):
            _walk(catalog, [guid for guid in starts if guid in found.entities], depth, found, is_up=towards == "up")
    ends = (end for guid in found.processes for name in ("inputs", "outputs") for end, _ in related(found, guid, name))
    found.datasets.update(dict.fromkeys(ends))
    found.datasets.update(dict.fromkeys(end for edge in found.direct.values() for end in (edge.source, edge.sink)))
    _load(catalog, found.datasets, found)
    _load_columns(catalog, found)
    return found


def related(found: Found, guid: str, attribute: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The guids of the entities to which one refers by an attribute, each with the reference, without deleted ones."""
    entity = found.entities.get(guid, {})
    items = (entity.get("relationshipAttributes") or {}).get(attribute) or ()
    for item in [items] if isinstance(items, Mapping) else items:
        if "DELETED" not in (item.get("entityStatus"), item.get("relationshipStatus")):
            yield str(item["guid"]), item


def is_process(entity: Entity) -> bool:
    """Whether an entity is a process: only those have inputs and outputs."""
    return {"inputs", "outputs"} <= (entity.get("attributes") or {}).keys()


def writers(found: Found, guid: str) -> set[str]:
    """The processes that write a dataset."""
    return {process for process, _ in related(found, guid, _WRITERS)}


def readers(found: Found, guid: str) -> set[str]:
    """The processes that read a dataset."""
    return {process for process, _ in related(found, guid, _READERS)}


def column_references(found: Found, guid: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The columns of a dataset: its own, or else those of its tabular schema."""
    own = [column for name in _COLUMNS for column in related(found, guid, name)]
    if own:
        return own
    schemas = [schema for schema, _ in related(found, guid, "tabular_schema")]
    return [column for schema in schemas for name in _COLUMNS for column in related(found, schema, name)]


def _walk(catalog: Entities, starts: Sequence[str], depth: int | None, found: Found, *, is_up: bool) -> None:
    processes = [guid for guid in starts if is_process(found.entities[guid])]
    front = [guid for guid in starts if not is_process(found.entities[guid])]
    found.datasets.update(dict.fromkeys(front))
    seen, steps = set(starts), 0
    near, far = (_WRITERS, "inputs") if is_up else (_READERS, "outputs")
    while (front or processes) and (depth is None or steps < depth):
        _load(catalog, front, found)
        ahead = (process for guid in front for process, _ in related(found, guid, near))
        processes = list(dict.fromkeys([*processes, *(guid for guid in ahead if guid not in seen)]))
        room = MOST_PROCESSES - len(found.processes)
        found.is_cut = found.is_cut or len(processes) > room
        processes = processes[: max(0, room)]
        _load(catalog, processes, found)
        found.processes.update(dict.fromkeys(guid for guid in processes if guid in found.entities))
        ends = [end for guid in processes for end, _ in related(found, guid, far)]
        ends += [end for guid in front for end in _direct(found, guid, is_up=is_up)]
        seen.update(processes)
        front = [guid for guid in dict.fromkeys(ends) if guid not in seen]
        seen.update(front)
        processes, steps = [], steps + 1


def _direct(found: Found, guid: str, *, is_up: bool) -> Iterator[str]:
    """The datasets related to one without a process; the edges are added to what was found."""
    for other, item in related(found, guid, _SOURCES if is_up else _SINKS):
        if item.get("relationshipType") != "direct_lineage_dataset_dataset":
            continue
        ends = (other, guid) if is_up else (guid, other)
        attributes = (item.get("relationshipAttributes") or {}).get("attributes") or {}
        key = str(item.get("relationshipGuid") or "→".join(ends))
        found.direct[key] = DirectEdge(key, *ends, attributes.get("columnMapping"))
        yield other


def _load_columns(catalog: Entities, found: Found) -> None:
    _load(catalog, [schema for guid in found.datasets for schema, _ in related(found, guid, "tabular_schema")], found)
    columns = [column for guid in found.datasets for column, _ in column_references(found, guid)]
    _load(catalog, columns[:MOST_COLUMN_TYPES], found)


def _load(catalog: Entities, guids: Iterable[str], found: Found) -> None:
    wanted = [guid for guid in dict.fromkeys(guids) if guid not in found.entities]
    if wanted:
        found.entities.update({str(each["guid"]): each for each in catalog.entities(wanted)})
