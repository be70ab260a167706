"""Lineage: inputs → process → outputs, and dataset → dataset without a process.

A step goes from one dataset to the next; a process in between doesn't count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import header

INPUTS, OUTPUTS, DIRECT = "dataset_process_inputs", "process_dataset_outputs", "direct_lineage_dataset_dataset"
DIRECTIONS = ("INPUT", "OUTPUT", "BOTH")


@dataclass(frozen=True, slots=True)
class Edge:
    """Data flows from one guid to the other; ``guid`` is the relationship's."""

    source: str
    target: str
    guid: str
    type: str


def edges_of(session: Session, guid: str) -> list[Edge]:
    """The edges that begin or end at an entity."""
    made = []
    for each in session.relationships(guid):
        if each.type in (OUTPUTS, DIRECT):
            made.append(Edge(each.end1, each.end2, each.guid, each.type))
        elif each.type == INPUTS:
            made.append(Edge(each.end2, each.end1, each.guid, each.type))
    return made


def walk(session: Session, start: str, depth: int, *, upstream: bool) -> list[Edge]:
    """All edges within ``depth`` steps (0: without a limit) on one side of an entity, nearest first."""
    found: dict[str, Edge] = {}
    seen = {start}
    front, steps = [start], 0
    while front and (steps < depth or depth == 0):
        step: list[str] = []
        for edge in _next(session, front, upstream=upstream):
            found[edge.guid] = edge
            end = edge.source if upstream else edge.target
            if end in seen:
                continue
            seen.add(end)
            # The edge between a dataset and its process is half a step: the process continues in this one.
            (front if _reaches_process(edge, upstream=upstream) else step).append(end)
        front, steps = step, steps + 1
    return list(found.values())


def _next(session: Session, front: list[str], *, upstream: bool) -> Iterable[Edge]:
    # The list grows while it is read: reached processes are read in the same step.
    for guid in front:
        for edge in edges_of(session, guid):
            if guid == (edge.target if upstream else edge.source):
                yield edge


def _reaches_process(edge: Edge, *, upstream: bool) -> bool:
    return edge.type == (OUTPUTS if upstream else INPUTS)


def lineage(types: TypeSystem, session: Session, guid: str, direction: str, depth: int) -> dict[str, Any]:
    """The answer to ``GET /lineage/{guid}``.

    :raises AtlasError: ATLAS-404-00-005 for an unknown guid, ATLAS-404-00-011 for neither dataset nor process.
    :raises ServerFault: for a direction that isn't spelled as in DIRECTIONS.
    """
    base = lineage_entity(types, session, guid)
    if direction not in DIRECTIONS:
        raise ServerFault(f"direction {direction}")
    edges: dict[str, Edge] = {}
    for name, upstream in (("INPUT", True), ("OUTPUT", False)):
        if direction in (name, "BOTH"):
            edges.update((edge.guid, edge) for edge in walk(session, base.guid, depth, upstream=upstream))
    guids = dict.fromkeys(end for edge in edges.values() for end in (edge.source, edge.target))
    entities = [found for each in guids if (found := session.entity(each))]
    return {
        "baseEntityGuid": guid,
        "lineageDirection": direction,
        "lineageDepth": depth,
        "guidEntityMap": {each.guid: header(types, each) for each in entities},
        "relations": [
            {"fromEntityId": edge.source, "toEntityId": edge.target, "relationshipId": edge.guid}
            for edge in edges.values()
        ],
    }


def lineage_entity(types: TypeSystem, session: Session, guid: str) -> Entity:
    """The entity, if it can have lineage.

    :raises AtlasError: ATLAS-404-00-005 for an unknown guid, ATLAS-404-00-011 for neither dataset nor process.
    """
    found = session.entity(guid)
    if found is None:
        raise AtlasError("ATLAS-404-00-005", guid)
    kind = types.entity(found.type)
    if not kind.is_a("DataSet") and not kind.is_a("Process"):
        raise AtlasError("ATLAS-404-00-011", guid, found.type)
    return found
