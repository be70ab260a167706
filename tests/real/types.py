"""Purview's types for a real Atlas: those of the local Data Map, in the form that Atlas accepts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Definition = dict[str, Any]

_PRIMITIVES = frozenset(
    ["string", "int", "long", "short", "byte", "date", "boolean", "float", "double", "biginteger", "bigdecimal"]
)


def for_atlas(definitions: Mapping[str, list[Definition]], wanted: Iterable[str]) -> dict[str, list[Definition]]:
    """The wanted entity types with all their supertypes, and the relationships among them.

    Compositions become aggregations, since Purview, unlike Atlas, takes what lacks the parent of a composition. Enums
    of which only the name is known get one value.
    """
    entities = {each["name"]: each for each in definitions["entityDefs"]}
    names = _with_supertypes(wanted, entities)
    chosen = [_bare(entities[name]) for name in sorted(names)]
    relationships = [_lenient(each, entities) for each in definitions["relationshipDefs"] if _ends(each) <= names]
    enums = sorted(_type_names([*chosen, *relationships]) - _PRIMITIVES - names)
    return {
        "enumDefs": [
            {"name": name, "category": "ENUM", "elementDefs": [{"value": "X", "ordinal": 1}]} for name in enums
        ],
        "structDefs": [],
        "classificationDefs": [],
        "entityDefs": chosen,
        "relationshipDefs": relationships,
    }


def _with_supertypes(wanted: Iterable[str], entities: Mapping[str, Definition]) -> set[str]:
    names: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name not in names:
            names.add(name)
            todo += entities[name]["superTypes"]
    return names


def _bare(definition: Definition) -> Definition:
    """Without what Atlas derives itself."""
    return {
        key: value for key, value in definition.items() if key not in ("guid", "subTypes", "relationshipAttributeDefs")
    }


def _lenient(definition: Definition, entities: Mapping[str, Definition]) -> Definition:
    bare = _bare(definition)
    if bare["relationshipCategory"] == "COMPOSITION":
        bare["relationshipCategory"] = "AGGREGATION"
    for end in ("endDef1", "endDef2"):
        # An attribute that was there before relationships were, such as a process' inputs.
        own = {attribute["name"] for attribute in entities[bare[end]["type"]]["attributeDefs"]}
        bare[end] = {**bare[end], "isLegacyAttribute": bare[end]["name"] in own}
    return bare


def _ends(relationship: Definition) -> set[str]:
    return {relationship["endDef1"]["type"], relationship["endDef2"]["type"]}


def _type_names(definitions: Iterable[Definition]) -> set[str]:
    return {
        name
        for definition in definitions
        for attribute in definition["attributeDefs"]
        for name in _inner(attribute["typeName"])
    }


def _inner(type_name: str) -> Iterator[str]:
    """``map<string,array<x>>`` holds ``string`` and ``x``."""
    yield from re.findall(r"[^<>,\s]+", re.sub(r"\b(?:map|array)<", "<", type_name))
