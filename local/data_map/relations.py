"""Relationships: setting an attribute replaces the set of its targets."""

import uuid
from typing import Any

from local.data_map.atlas_errors import AtlasError
from local.data_map.mutations import Mutations
from local.data_map.store import Relationship, Session
from local.data_map.types import End, RelationshipType, TypeSystem


def set_relation(
    types: TypeSystem, session: Session, mutations: Mutations, guid: str, end: End, targets: list[str]
) -> list[str]:
    """Makes ``targets`` the targets of the attribute ``end`` of an entity.

    Returns the guids of the entities that it owned through the attribute and does not refer to any more.

    :raises AtlasError: ATLAS-400-00-036 if a target has a wrong type.
    """
    present = {each.end2 if end.first else each.end1: each for each in _at(session, guid, end)}
    gone = [each for target, each in present.items() if target not in targets]
    added = [target for target in targets if target not in present]
    for target in added:
        _check_end(types, session, types.relationships[end.relationship], end, target)
    for each in gone:
        session.unrelate(each.guid)
        if not end.many:
            mutations.touch(each.other(guid))
    if gone or added:
        mutations.change(guid)
    for target in added:
        _free(types, session, end, target)
        session.relate(_new(end, guid, target))
        mutations.touch(target)
    return [each.other(guid) for each in gone] if end.owns else []


def _at(session: Session, guid: str, end: End) -> list[Relationship]:
    """The relationships of the end's type that have the entity at that end."""
    return [
        each
        for each in session.relationships(guid)
        if each.type == end.relationship and guid == (each.end1 if end.first else each.end2)
    ]


def _check_end(types: TypeSystem, session: Session, kind: RelationshipType, end: End, target: str) -> None:
    entity = session.entity(target)
    if entity is None:
        raise AtlasError("ATLAS-404-00-00A", target)
    if not types.entity(entity.type).is_a(end.other):
        raise AtlasError("ATLAS-400-00-036", kind.name, kind.end2.type, entity.type)


def _free(types: TypeSystem, session: Session, end: End, target: str) -> None:
    """Removes the target's other relationship if it can only have one: a column has one table."""
    kind = types.relationships[end.relationship]
    opposite = kind.end2 if end.first else kind.end1
    if not opposite.many:
        for each in _at(session, target, opposite):
            session.unrelate(each.guid)


def _new(end: End, guid: str, target: str) -> Relationship:
    end1, end2 = (guid, target) if end.first else (target, guid)
    return Relationship(str(uuid.uuid4()), end.relationship, end1, end2, {})


def relate(
    types: TypeSystem, session: Session, kind: RelationshipType, end1: str, end2: str, attributes: dict[str, Any]
) -> Relationship:
    """Creates one relationship and returns it.

    :raises AtlasError: ATLAS-400-00-036 if an end has a wrong type, ATLAS-409-00-004 if it exists already.
    """
    _check_end(types, session, kind, kind.end2, end1)
    _check_end(types, session, kind, kind.end1, end2)
    if any(each.end2 == end2 for each in _at(session, end1, kind.end1)):
        raise AtlasError("ATLAS-409-00-004", kind.name, end1, end2)
    _free(types, session, kind.end1, end2)
    _free(types, session, kind.end2, end1)
    known = {each.name for each in kind.attributes}
    kept = {name: value for name, value in attributes.items() if name in known}
    made = Relationship(str(uuid.uuid4()), kind.name, end1, end2, kept)
    session.relate(made)
    return made
