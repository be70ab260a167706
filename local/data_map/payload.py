"""Reads the bodies of writes: the entities, the values that they set, and their references.

Unknown attributes, relationship attributes and keys are dropped silently, as Atlas does.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.types import End, EntityType, TypeSystem
from local.data_map.values import invalid_value, java_text, missing_value, normalised

# Entities without a guid get one that no client sends.
_invented = itertools.count(2_151_015_334_785)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an entity: a guid (negative: one of the same request), else a type and a unique name."""

    guid: str | None
    type: str | None
    qualified_name: str | None

    @property
    def in_request(self) -> bool:
        """Whether this is the placeholder of an entity in the same request."""
        return self.guid is not None and self.guid.startswith("-")

    def __str__(self) -> str:
        if self.guid is not None:
            return self.guid
        unique = "" if self.qualified_name is None else f"qualifiedName:{self.qualified_name}"
        return f"AtlasObjectId{{guid='null', typeName='{self.type or 'null'}', uniqueAttributes={{{unique}}}}}"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entity as sent. A value None clears the attribute, ``relations`` None the relationship."""

    guid: str
    type: EntityType
    attributes: Mapping[str, object]
    relations: Mapping[End, tuple[Reference, ...] | None]


def json_body(body: bytes) -> Any:
    """The parsed body.

    :raises ServerFault: if it is no JSON.
    """
    try:
        return json.loads(body)
    except ValueError as problem:
        raise ServerFault("the body is no JSON") from problem


def sent_entities(body: Any) -> list[Any]:
    """The entities of a bulk request with the ``referredEntities`` behind them.

    :raises AtlasError: ATLAS-400-00-01A for an empty list.
    :raises ServerFault: if there is no list.
    """
    entities = body.get("entities") if isinstance(body, dict) else None
    if not isinstance(entities, list):
        raise ServerFault("no list of entities")
    if not entities:
        raise AtlasError("ATLAS-400-00-01A", "no entities to create/update.")
    return entities + _referred(body)


def sent_entity(body: Any) -> list[Any]:
    """The one entity of a request with the ``referredEntities`` behind it.

    :raises ServerFault: if there is none.
    """
    entity = body.get("entity") if isinstance(body, dict) else None
    if not isinstance(entity, dict):
        raise ServerFault("no entity")
    return [entity, *_referred(body)]


def _referred(body: Mapping[str, Any]) -> list[Any]:
    return list((body.get("referredEntities") or {}).values())


def drafts(types: TypeSystem, sent: Iterable[Any]) -> list[Draft]:
    """Reads entities; of two with one guid the first counts and the second is lost.

    :raises AtlasError: for the first unknown type, missing or wrong value, or reference without a target.
    """
    made: dict[str, Draft] = {}
    for each in sent:
        if not isinstance(each, dict):
            raise ServerFault("an entity is no object")
        draft = read_draft(types.entity(each.get("typeName")), each)
        made.setdefault(draft.guid, draft)
    return list(made.values())


def read_draft(entity_type: EntityType, sent: Mapping[str, Any], *, partial: bool = False) -> Draft:
    """Reads one entity; ``partial`` ones may leave required attributes out, and clear nothing.

    :raises AtlasError: for the first missing or wrong value, or reference without a target.
    """
    plain = sent.get("attributes") or {}
    related = sent.get("relationshipAttributes") or {}
    if partial:
        plain = {name: value for name, value in plain.items() if value is not None}
        related = {name: value for name, value in related.items() if value is not None}
    guid = sent.get("guid")
    return Draft(
        guid=str(guid) if guid is not None else f"-{next(_invented)}",
        type=entity_type,
        attributes=_read_attributes(entity_type, plain, partial=partial),
        relations=_read_relations(entity_type, plain, related),
    )


def _read_attributes(entity_type: EntityType, plain: Mapping[str, Any], *, partial: bool) -> dict[str, object]:
    made: dict[str, object] = {}
    for attribute in entity_type.attributes.values():
        value = plain.get(attribute.name)
        if value is None and attribute.required and not partial:
            raise missing_value(entity_type.name, attribute)
        if attribute.name in plain and attribute.name not in entity_type.ends:
            made[attribute.name] = normalised(entity_type, attribute, value)
    return made


def _read_relations(
    entity_type: EntityType, plain: Mapping[str, Any], related: Mapping[str, Any]
) -> dict[End, tuple[Reference, ...] | None]:
    """Relationship attributes count in ``attributes`` too; those in ``relationshipAttributes`` take precedence."""
    made: dict[End, tuple[Reference, ...] | None] = {}
    for name, ends in entity_type.ends.items():
        value = related.get(name) if related.get(name) is not None else plain.get(name)
        if value is None:
            # null clears a single reference and leaves a set as it is.
            if not ends[0].many and (name in related or name in plain):
                made[ends[0]] = None
            continue
        if isinstance(value, list) != ends[0].many:
            expected = "array<objectid>" if ends[0].many else ends[0].other
            raise invalid_value(entity_type.name, name, value, expected)
        items = value if isinstance(value, list) else [value]
        made[_chosen(ends, items)] = tuple(read_reference(item) for item in items)
    return made


def _chosen(ends: tuple[End, ...], items: list[Any]) -> End:
    """The end that the first item names by ``relationshipType``, else the first of that attribute."""
    named = items[0].get("relationshipType") if items and isinstance(items[0], dict) else None
    return next((end for end in ends if end.relationship == named), ends[0])


def read_reference(item: Any) -> Reference:
    """Reads an object id.

    :raises AtlasError: ATLAS-400-00-021 if it has neither a guid nor a type with a unique name.
    """
    if not isinstance(item, dict):
        raise AtlasError("ATLAS-400-00-021", java_text(item))
    unique = item.get("uniqueAttributes") or {}
    guid, name = item.get("guid"), unique.get("qualifiedName")
    made = Reference(None if guid is None else str(guid), item.get("typeName"), name)
    if made.guid is None and (made.type is None or name is None):
        raise AtlasError("ATLAS-400-00-021", made)
    return made
