"""The lineage round an asset as boxes in levels: what it comes from to the left, what comes of it to the right.

A dataset that a process both reads and writes has a box on either side, so every line runs from left to right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from local.data_map.columns import Column, Pair, columns_of, read_direct_mapping, read_mapping
from local.data_map.lineage import DIRECT, Edge, edges_of
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem

MOST_STEPS = 5


@dataclass(frozen=True, slots=True)
class Box:
    """An asset in the picture; ``level`` 0 is the one that the picture is about, below is to the left."""

    key: str
    entity: Entity
    level: int
    is_process: bool
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Data flows from one box to another."""

    source: str
    target: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class Link:
    """A column of one box flows into a column of another."""

    source: str
    source_column: str
    target: str
    target_column: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes by key, and what flows between them."""

    boxes: Mapping[str, Box]
    flows: tuple[Flow, ...]
    links: tuple[Link, ...]


def graph(types: TypeSystem, session: Session, base: Entity, steps: int) -> Graph:
    """Returns the lineage within ``steps`` datasets of ``base`` on either side."""
    # Two half steps (dataset to process, process to dataset) are one step; a process begins in the middle.
    halves = 2 * steps - (1 if types.entity(base.type).is_a("Process") else 0)
    flows = [*_side(session, base.guid, halves, upstream=True), *_side(session, base.guid, halves, upstream=False)]
    levels = _levels(base.guid, flows)
    boxes = {}
    for key, level in levels.items():
        entity = session.entity(_guid(key))
        if entity is not None:
            is_process = types.entity(entity.type).is_a("Process")
            columns = () if is_process else columns_of(types, session, entity)
            boxes[key] = Box(key, entity, level, is_process, columns)
    links = tuple(dict.fromkeys(_links(session, boxes, flows)))
    return Graph(_with_mapped_columns(boxes, links), tuple(flows), links)


def _guid(key: str) -> str:
    return key.partition(":")[2] or key


def _side(session: Session, base: str, halves: int, *, upstream: bool) -> list[Flow]:
    """The flows on one side, nearest first. Keys are ``l:guid`` or ``r:guid``, the guid alone for the base."""
    prefix = "l:" if upstream else "r:"
    flows: dict[tuple[str, str], Flow] = {}
    seen = {base}
    front = [base]
    for _ in range(halves):
        step = []
        for guid in front:
            here = guid if guid == base else prefix + guid
            for edge in edges_of(session, guid):
                if guid != (edge.target if upstream else edge.source):
                    continue
                there = edge.source if upstream else edge.target
                ends = (prefix + there, here) if upstream else (here, prefix + there)
                flows.setdefault(ends, Flow(*ends, edge))
                if there not in seen:
                    seen.add(there)
                    step.append(there)
        front = step
    return list(flows.values())


def _levels(base: str, flows: Iterable[Flow]) -> dict[str, int]:
    """How far left (negative) or right of the base each box is: by the longest way, circles aside."""
    levels = {base: 0}
    for prefix, sign in (("l:", -1), ("r:", 1)):
        next_to: dict[str, list[str]] = {}
        for flow in flows:
            near, far = (flow.target, flow.source) if sign < 0 else (flow.source, flow.target)
            if far.startswith(prefix):
                next_to.setdefault(near, []).append(far)
        for key in _in_order(base, next_to):
            for far in next_to.get(key, ()):
                levels[far] = sign * max(abs(levels.get(far, 0)), abs(levels[key]) + 1)
    return levels


def _in_order(base: str, next_to: dict[str, list[str]]) -> list[str]:
    """Sorts so that what is next comes after; takes the steps that close a circle out of ``next_to``."""
    done: list[str] = []
    finished: set[str] = set()
    on_way: set[str] = set()

    def visit(key: str) -> None:
        on_way.add(key)
        next_to[key] = [far for far in next_to.get(key, ()) if far not in on_way]
        for far in next_to[key]:
            if far not in finished:
                visit(far)
        on_way.discard(key)
        finished.add(key)
        done.append(key)

    visit(base)
    return done[::-1]


def _links(session: Session, boxes: Mapping[str, Box], flows: Iterable[Flow]) -> Iterable[Link]:
    for flow in flows:
        if flow.edge.type == DIRECT:
            relationship = session.relationship(flow.edge.guid)
            text = relationship.attributes.get("columnMapping") if relationship else None
            ends = [str(boxes[key].entity.qualified_name) for key in (flow.source, flow.target)]
            for pair in read_direct_mapping(text, ends[0], ends[1]):
                yield Link(flow.source, pair.source_column, flow.target, pair.sink_column)
    for box in boxes.values():
        if box.is_process:
            sources = {flow.source for flow in flows if flow.target == box.key}
            targets = {flow.target for flow in flows if flow.source == box.key}
            for pair in read_mapping(box.entity.attributes.get("columnMapping")) or ():
                yield from _pair_links(boxes, pair, sources, targets)


def _pair_links(boxes: Mapping[str, Box], pair: Pair, sources: set[str], targets: set[str]) -> Iterable[Link]:
    for source in sorted(sources):
        # "*" is any input: it can be drawn if there is but one.
        if boxes[source].entity.qualified_name == pair.source or (pair.source == "*" and len(sources) == 1):
            for target in sorted(targets):
                if boxes[target].entity.qualified_name == pair.sink:
                    yield Link(source, pair.source_column, target, pair.sink_column)


def _with_mapped_columns(boxes: Mapping[str, Box], links: Iterable[Link]) -> dict[str, Box]:
    """Adds to each box the columns that links name and its schema doesn't have."""
    made = dict(boxes)
    for link in links:
        for key, name in ((link.source, link.source_column), (link.target, link.target_column)):
            if all(column.name != name for column in made[key].columns):
                made[key] = replace(made[key], columns=(*made[key].columns, Column(name, known=False)))
    return made
