"""Custom types: reads the type definitions that a client sends, and returns the existing ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.types import TypeSystem
from local.data_map.views import entity_definition, relationship_definition, type_header

CATEGORIES = [
    "enumDefs",
    "structDefs",
    "classificationDefs",
    "entityDefs",
    "relationshipDefs",
    "businessMetadataDefs",
    "termTemplateDefs",
]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Types in the shape of the table (see make_types)."""

    entities: Mapping[str, Any]
    relationships: Mapping[str, Any]

    def answer(self, types: TypeSystem) -> dict[str, Any]:
        """The defined types as a client sees them."""
        return {
            **{category: [] for category in CATEGORIES},
            "entityDefs": [entity_definition(types, types.entity(name)) for name in self.entities],
            "relationshipDefs": [relationship_definition(types.relationships[name]) for name in self.relationships],
        }


def read_definitions(types: TypeSystem, body: Any, *, replace_known: bool) -> Definitions:
    """Reads ``entityDefs`` and ``relationshipDefs``; other categories are skipped.

    :raises AtlasError: ATLAS-409-00-001 for a type that exists, unless known ones are replaced.
    :raises ServerFault: for a body of another shape.
    """
    if not isinstance(body, dict):
        raise ServerFault("type definitions are an object")
    entities = {each["name"]: _read_entity(each) for each in body.get("entityDefs") or ()}
    relationships = {each["name"]: _read_relationship(each) for each in body.get("relationshipDefs") or ()}
    known = set(types.names) | set(types.relationships)
    for name in (*entities, *relationships):
        if name in known and not replace_known:
            raise AtlasError("ATLAS-409-00-001", name)
    return Definitions(entities, relationships)


def _read_entity(sent: Mapping[str, Any]) -> dict[str, Any]:
    options = sent.get("options") or {}
    made: dict[str, Any] = {
        "superTypes": list(sent.get("superTypes") or ()),
        "attributes": _read_attributes(sent),
        "serviceType": sent.get("serviceType"),
    }
    return made | ({"columns": columns} if (columns := options.get("schemaElementsAttribute")) else {})


def _read_attributes(sent: Mapping[str, Any]) -> dict[str, str]:
    return {
        each["name"]: each.get("typeName", "string") + ("" if each.get("isOptional", True) else "!")
        for each in sent.get("attributeDefs") or ()
    }


def _read_relationship(sent: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "category": sent.get("relationshipCategory", "ASSOCIATION"),
        "attributes": _read_attributes(sent),
    }
    for end in ("end1", "end2"):
        given = sent[f"endDef{end[-1]}"]
        cardinality, container = given.get("cardinality", "SINGLE"), bool(given.get("isContainer"))
        made[end] = [given["type"], given["name"], cardinality, container]
    return made


def all_definitions(types: TypeSystem, only: str | None) -> dict[str, Any]:
    """The answer to GET /types/typedefs; ``only`` is a category like ``entity``."""
    made: dict[str, Any] = {category: [] for category in CATEGORIES}
    if only in (None, "entity"):
        made["entityDefs"] = [entity_definition(types, types.entity(name)) for name in types.names]
    if only in (None, "relationship"):
        made["relationshipDefs"] = [relationship_definition(each) for each in types.relationships.values()]
    return made


def all_headers(types: TypeSystem) -> list[dict[str, Any]]:
    """The answer to GET /types/typedefs/headers."""
    entities = [type_header("ENTITY", name, types.entity(name).service) for name in types.names]
    return entities + [type_header("RELATIONSHIP", name, None) for name in types.relationships]


def definition(types: TypeSystem, category: str, key: str, value: str) -> dict[str, Any]:
    """One type; ``category`` is ``entity``, ``relationship`` or ``type`` (either), ``key`` name or guid.

    :raises AtlasError: ATLAS-404-00-001 for one that does not exist.
    """
    if category in ("type", "entity"):
        for name in (value,) if key == "name" else types.names:
            found = types.find(name)
            if found and value == type_header("ENTITY", name, None)[key]:
                return entity_definition(types, found)
    if category in ("type", "relationship"):
        for each in types.relationships.values():
            if value == type_header("RELATIONSHIP", each.name, None)[key]:
                return relationship_definition(each)
    raise AtlasError("ATLAS-404-00-001", value)
