"""The rules for writing entities: create or update, relate, delete.

Every sent entity is read (payload.py), then matched with a stored one, its references resolved against what
was stored before the request (matching.py); then entities are written here, then their relationships.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.matching import Plan
from local.data_map.mutations import Mutations
from local.data_map.payload import Draft
from local.data_map.relations import set_relation
from local.data_map.search import document
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import header

# Purview puts an asset that names no collection into the root collection.
ROOT_COLLECTION = "root"


@dataclass(frozen=True, slots=True)
class Work:
    """One write by ``author``; ``now`` in milliseconds, ``visible_at`` (for the search) in seconds since 1970."""

    types: TypeSystem
    session: Session
    now: int
    visible_at: float
    author: str
    mutations: Mutations = field(default_factory=Mutations)


def write(
    work: Work, drafts: Sequence[Draft], plan: Plan, collection: str | None, *, verb: str = "UPDATE"
) -> dict[str, Any]:
    """Writes the drafts and returns the answer; ``collection`` moves existing entities as well.

    :raises AtlasError: ATLAS-400-00-036 for a relationship whose end has a wrong type.
    :raises ServerFault: if a renamed entity takes the name of another one.
    """
    counted = [draft for draft in drafts if draft.guid in plan.guids]
    work.mutations.sent = frozenset(plan.guids.values())
    for draft in counted:
        _write_entity(work, draft, plan, collection)
    orphans = [guid for draft in counted for guid in _write_relations(work, draft, plan)]
    _date(work)
    _remove(work, orphans)
    assigned = {sent: guid for sent, guid in plan.guids.items() if sent.startswith("-")}
    return _answer(work, verb) | {"guidAssignments": assigned}


def _write_entity(work: Work, draft: Draft, plan: Plan, collection: str | None) -> None:
    guid = plan.guids[draft.guid]
    stored = work.session.entity(guid)
    if stored is None and guid not in plan.new:
        raise AtlasError("ATLAS-404-00-00A", guid)
    if stored is None:
        _create(work, draft, guid, collection or ROOT_COLLECTION)
    else:
        _update(work, draft, stored, collection or stored.collection)


def _create(work: Work, draft: Draft, guid: str, collection: str) -> None:
    made = Entity(
        guid, draft.type.name, _present(draft.attributes), collection, work.now, work.now, work.author, work.author
    )
    work.mutations.created[guid] = None
    store(work, made)


def _update(work: Work, draft: Draft, stored: Entity, collection: str) -> None:
    attributes = _present({**stored.attributes, **draft.attributes})
    made = replace(stored, attributes=attributes, collection=collection, updated=work.now, updated_by=work.author)
    name = made.qualified_name
    if name not in (None, stored.qualified_name) and work.session.named([made.type], str(name)):
        raise ServerFault("another entity has this qualifiedName")
    if attributes != stored.attributes:
        work.mutations.change(stored.guid)
    elif collection == stored.collection:
        return
    store(work, made)


def _present(attributes: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _write_relations(work: Work, draft: Draft, plan: Plan) -> list[str]:
    """Sets the relationships of a draft and returns the guids of what lost its owner."""
    orphans = []
    for end, references in sorted(draft.relations.items(), key=lambda item: item[0].attribute):
        guid = plan.guids[draft.guid]
        targets = list(dict.fromkeys(plan.resolved[each] for each in references or ()))
        if references and len(targets) < len(references):
            # Atlas counts a list that names something twice as a change.
            work.mutations.change(guid)
        orphans += set_relation(work.types, work.session, work.mutations, guid, end, targets)
    return orphans


def _date(work: Work) -> None:
    """Dates what only got or lost a relationship."""
    for guid in (*work.mutations.changed, *work.mutations.touched):
        entity = work.session.entity(guid)
        if entity is not None:
            work.session.put(replace(entity, updated=work.now, updated_by=work.author))


def store(work: Work, entity: Entity) -> None:
    """Stores an entity as it is given and adds it to the search."""
    work.session.put(entity)
    body = document(work.types.entity(entity.type), entity)
    if body is not None:
        work.session.index(entity.guid, body, work.visible_at)


def delete(work: Work, guids: Iterable[str]) -> dict[str, Any]:
    """Deletes entities with what they own and returns the answer; unknown guids are not an error."""
    _remove(work, guids)
    return _answer(work, "UPDATE")


def _remove(work: Work, guids: Iterable[str]) -> None:
    for guid in guids:
        entity = work.session.entity(guid)
        if entity is None:
            continue
        owned = _owned(work, guid)
        work.session.remove(guid)
        work.mutations.deleted.append(header(work.types, entity))
        if document(work.types.entity(entity.type), entity) is not None:
            work.session.index(guid, None, work.visible_at)
        _remove(work, owned)


def _owned(work: Work, guid: str) -> list[str]:
    owned = []
    for each in work.session.relationships(guid):
        kind = work.types.relationships[each.type]
        if (kind.end1.owns and each.end1 == guid) or (kind.end2.owns and each.end2 == guid):
            owned.append(each.other(guid))
    return owned


def _answer(work: Work, verb: str) -> dict[str, Any]:
    report = work.mutations.report(work.types, work.session, verb=verb)
    return {"mutatedEntities": report} if report else {}
