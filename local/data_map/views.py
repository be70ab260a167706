"""The JSON of Atlas' answers: headers, whole entities, relationships, types."""

import uuid
from collections.abc import Mapping
from typing import Any

from local.data_map.store import Entity, Relationship, Session
from local.data_map.types import Attribute, End, EntityType, RelationshipType, TypeSystem
from local.data_map.values import unset

# Who made a relationship; Purview gives the object id of the caller.
AUTHOR = "local"
_HEADER_ATTRIBUTES = ("createTime", "description", "qualifiedName", "name", "owner")
_TYPE_NAMESPACE = uuid.UUID("6f1f5e0c-52f4-4c6e-9c53-0e1d3c1f6a27")


def header(types: TypeSystem, entity: Entity, *, classified: bool = False) -> dict[str, Any]:
    """An entity's header; ``classified`` ones, of entities that a request sent, list classifications too."""
    known = types.entity(entity.type).attributes
    shown = {name: entity.attributes.get(name) for name in _HEADER_ATTRIBUTES if name in known}
    if "createTime" in shown and shown["createTime"] is None:
        shown["createTime"] = 0
    made: dict[str, Any] = {
        "typeName": entity.type,
        "attributes": {name: value for name, value in shown.items() if value is not None},
        "guid": entity.guid,
        "status": "ACTIVE",
        "displayText": entity.display_text,
        "classificationNames": [],
        "meaningNames": [],
        "meanings": [],
        "isIncomplete": False,
        "labels": [],
    }
    if classified:
        made["classifications"] = []
    return made


def whole(types: TypeSystem, session: Session, entity: Entity, *, related: bool = True) -> dict[str, Any]:
    """An entity with every attribute of its type; ``related`` adds its relationships."""
    entity_type = types.entity(entity.type)
    attributes = {name: entity.attributes.get(name, unset(each)) for name, each in entity_type.attributes.items()}
    others = _related(types, session, entity, entity_type)
    for name, items in others.items():
        if name in attributes:
            attributes[name] = _references(session, items)
    made: dict[str, Any] = {
        "typeName": entity.type,
        "attributes": attributes,
        "guid": entity.guid,
        "isIncomplete": False,
        "status": "ACTIVE",
        "createdBy": entity.created_by,
        "updatedBy": entity.updated_by,
        "createTime": entity.created,
        "updateTime": entity.updated,
        "version": 0,
        "collectionId": entity.collection,
        "labels": [],
    }
    if related:
        made["relationshipAttributes"] = others
    return made


def related_entities(
    types: TypeSystem, session: Session, entity: Entity
) -> dict[str, list[tuple[Relationship, Entity]]]:
    """The relationships of an entity and the entities at their other ends, by attribute name."""
    found: dict[str, list[tuple[Relationship, Entity]]] = {}
    for each in session.relationships(entity.guid):
        kind = types.relationships[each.type]
        ends = ((kind.end1, each.end1, each.end2), (kind.end2, each.end2, each.end1))
        for end, here, there in ends:
            other = session.entity(there) if here == entity.guid else None
            if other:
                found.setdefault(end.attribute, []).append((each, other))
    return found


def _related(types: TypeSystem, session: Session, entity: Entity, entity_type: EntityType) -> dict[str, Any]:
    found = related_entities(types, session, entity)
    made: dict[str, Any] = {}
    for name, ends in entity_type.ends.items():
        items = [_related_item(each, other) for each, other in found.get(name, ())]
        made[name] = items if ends[0].many else next(iter(items), None)
    return made


def _related_item(relationship: Relationship, other: Entity) -> dict[str, Any]:
    return {
        "guid": other.guid,
        "typeName": other.type,
        "entityStatus": "ACTIVE",
        "displayText": other.display_text,
        "relationshipType": relationship.type,
        "relationshipGuid": relationship.guid,
        "relationshipStatus": "ACTIVE",
        "relationshipAttributes": {"typeName": relationship.type, **_attributes_of(relationship)},
    }


def _attributes_of(relationship: Relationship) -> dict[str, Any]:
    return {"attributes": relationship.attributes} if relationship.attributes else {}


def _references(session: Session, items: Any) -> Any:
    """The items of a relationship attribute as its plain twin in ``attributes`` shows them."""
    if not isinstance(items, list):
        return None if items is None else _reference(session, items)
    return [_reference(session, item) for item in items]


def _reference(session: Session, item: Mapping[str, Any]) -> dict[str, Any]:
    other = session.entity(item["guid"])
    return {
        "guid": item["guid"],
        "typeName": item["typeName"],
        "uniqueAttributes": {"qualifiedName": other.qualified_name if other else None},
    }


def relationship_view(types: TypeSystem, session: Session, made: Relationship) -> dict[str, Any]:
    """A relationship as ``/relationship`` answers with it."""
    ends = {}
    for name, guid in (("end1", made.end1), ("end2", made.end2)):
        end = session.entity(guid)
        ends[name] = {"guid": guid, "typeName": end.type if end else None}
    kind = types.relationships[made.type]
    return {
        "typeName": made.type,
        "attributes": {each.name: made.attributes.get(each.name) for each in kind.attributes},
        "guid": made.guid,
        "provenanceType": 0,
        **ends,
        "label": f"r:{made.type}",
        "status": "ACTIVE",
        "createdBy": AUTHOR,
        "updatedBy": AUTHOR,
        "version": 0,
    }


def type_header(category: str, name: str, service: str | None) -> dict[str, Any]:
    """A type's entry in ``/types/typedefs/headers``."""
    guid = str(uuid.uuid5(_TYPE_NAMESPACE, f"{category}/{name}"))
    return {"guid": guid, "name": name, "category": category, "serviceType": service}


def entity_definition(types: TypeSystem, made: EntityType) -> dict[str, Any]:
    """An entity type: its own attributes, and all its relationship attributes."""
    ends = [end for each in made.ends.values() for end in each]
    return {
        **type_header("ENTITY", made.name, made.service),
        "attributeDefs": [_attribute_definition(made.attributes[name]) for name in made.own],
        "superTypes": list(made.super_types),
        "subTypes": list(types.children(made.name)),
        "relationshipAttributeDefs": [_end_attribute(types, end) for end in ends],
        "options": {"schemaElementsAttribute": made.columns} if made.columns else {},
    }


def relationship_definition(made: RelationshipType) -> dict[str, Any]:
    """A relationship type with its two ends."""
    return {
        **type_header("RELATIONSHIP", made.name, None),
        "attributeDefs": [_attribute_definition(each) for each in made.attributes],
        "relationshipCategory": made.category,
        "endDef1": _end_definition(made.end1),
        "endDef2": _end_definition(made.end2),
    }


def _attribute_definition(made: Attribute) -> dict[str, Any]:
    return {
        "name": made.name,
        "typeName": made.type,
        "isOptional": not made.required,
        "cardinality": "SET" if made.type.startswith("array<") else "SINGLE",
        "isUnique": made.name == "qualifiedName",
    }


def _end_attribute(types: TypeSystem, end: End) -> dict[str, Any]:
    kind = types.relationships[end.relationship]
    child = kind.category == "COMPOSITION" and not end.owns
    return {
        "name": end.attribute,
        "typeName": f"array<{end.other}>" if end.many else end.other,
        "isOptional": not child,
        "cardinality": "SET" if end.many else "SINGLE",
        "relationshipTypeName": end.relationship,
    }


def _end_definition(end: End) -> dict[str, Any]:
    return {
        "type": end.type,
        "name": end.attribute,
        "cardinality": "SET" if end.many else "SINGLE",
        "isContainer": end.container,
    }
