"""Matches what a request sends with what is stored, before anything is written."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local.data_map.atlas_errors import AtlasError
from local.data_map.payload import Draft, Reference
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem


@dataclass(frozen=True, slots=True)
class Plan:
    """How the sent entities correspond to the stored ones.

    ``guids`` maps every guid as sent to the real one, ``new`` are the real ones to be created, ``resolved``
    is what each reference means. A draft that doesn't count isn't in ``guids``.
    """

    guids: Mapping[str, str]
    new: frozenset[str]
    resolved: Mapping[Reference, str]


def match(types: TypeSystem, session: Session, drafts: Sequence[Draft]) -> Plan:
    """Finds the stored entities of the drafts and their references.

    :raises AtlasError: ATLAS-404-00-00A for a guid or a reference without an entity.
    """
    guids: dict[str, str] = {}
    new: dict[tuple[str, str], str] = {}
    for draft in drafts:
        found = _stored(types, session, draft)
        if found is None:
            key = (draft.type.name, str(draft.attributes.get("qualifiedName", draft.guid)))
            guids[draft.guid] = new.setdefault(key, str(uuid.uuid4()))
        elif draft.guid.startswith("-") or found.type == draft.type.name:
            guids[draft.guid] = found.guid
    resolved = {
        reference: resolve(types, session, reference, guids) for draft in drafts for reference in _references(draft)
    }
    return Plan(guids, frozenset(new.values()), resolved)


def resolve(types: TypeSystem, session: Session, reference: Reference, guids: Mapping[str, str]) -> str:
    """The guid of what a reference means; ``guids`` are the placeholders of the request.

    :raises AtlasError: ATLAS-404-00-00A if there is nothing, ATLAS-400-00-014 for an unknown type.
    """
    found = None
    if reference.guid is not None:
        if reference.guid in guids:
            return guids[reference.guid]
        found = session.entity(reference.guid)
    elif reference.qualified_name is not None:
        found = session.named(types.family(types.entity(reference.type).name), reference.qualified_name)
    if found is None:
        raise AtlasError("ATLAS-404-00-00A", reference)
    return found.guid


def _stored(types: TypeSystem, session: Session, draft: Draft) -> Entity | None:
    if not draft.guid.startswith("-"):
        found = session.entity(draft.guid)
        if found is None:
            raise AtlasError("ATLAS-404-00-00A", draft.guid)
        return found
    name = draft.attributes.get("qualifiedName")
    return session.named(types.family(draft.type.name), name) if isinstance(name, str) else None


def _references(draft: Draft) -> Iterable[Reference]:
    # Atlas complains of a missing output before a missing input.
    for _, references in sorted(draft.relations.items(), key=lambda item: item[0].attribute, reverse=True):
        yield from references or ()
