"""The type system: entity types with what they inherit, relationship types, subtypes.

A ``TypeSystem`` never changes; ``with_definitions`` returns a new one, so readers need no lock.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.data_map.atlas_errors import AtlasError

TABLE = Path(__file__).with_name("types.json")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A plain attribute; ``owner`` is the type that declares it."""

    name: str
    type: str
    required: bool
    owner: str


@dataclass(frozen=True, slots=True)
class End:
    """One end of a relationship as an attribute of the entities at that end.

    ``type`` is the type that has the attribute, ``other`` the type it points to. A container of a composition owns its
    targets: they are deleted with the container.
    """

    relationship: str
    attribute: str
    type: str
    other: str
    many: bool
    first: bool
    container: bool
    owns: bool


@dataclass(frozen=True, slots=True)
class RelationshipType:
    """A relationship type and its two ends."""

    name: str
    category: str
    end1: End
    end2: End
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class EntityType:
    """An entity type with everything it inherits.

    ``ends`` may contain several ends under one name (hive_column.table), the preferred one first.
    """

    name: str
    super_types: tuple[str, ...]
    ancestors: frozenset[str]
    service: str | None
    own: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    ends: Mapping[str, tuple[End, ...]]
    columns: str | None
    partial: bool

    def is_a(self, ancestor: str) -> bool:
        """Whether this is ``ancestor`` or a subtype of it."""
        return ancestor == self.name or ancestor in self.ancestors


class TypeSystem:
    """All types of the Data Map, from a table as ``make_types`` writes it."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self._entities: dict[str, EntityType] = {}

    @classmethod
    def built_in(cls) -> "TypeSystem":
        """The types that come with the Data Map."""
        return cls(json.loads(TABLE.read_text(encoding="utf-8")))

    @cached_property
    def relationships(self) -> Mapping[str, RelationshipType]:
        """Every relationship type by name."""
        made = (_relationship(name, given) for name, given in self._table["relationshipTypes"].items())
        return {each.name: each for each in made}

    @cached_property
    def _ends_by_type(self) -> Mapping[str, list[End]]:
        ends: dict[str, list[End]] = defaultdict(list)
        for each in self.relationships.values():
            ends[each.end1.type].append(each.end1)
            ends[each.end2.type].append(each.end2)
        return ends

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        children: dict[str, list[str]] = defaultdict(list)
        for name, given in self._table["entityTypes"].items():
            for parent in given["superTypes"]:
                children[parent].append(name)
        return children

    @property
    def names(self) -> Iterable[str]:
        """The names of all entity types."""
        names: Iterable[str] = self._table["entityTypes"]
        return names

    def entity(self, name: object) -> EntityType:
        """Returns an entity type.

        :raises AtlasError: ATLAS-400-00-014 for an unknown name; None is spelled ``null``.
        """
        found = self.find(name)
        if found is None:
            raise AtlasError("ATLAS-400-00-014", "ENTITY", "null" if name is None else name)
        return found

    def find(self, name: object) -> EntityType | None:
        """Returns an entity type, None if there is none of that name."""
        if not isinstance(name, str) or name not in self._table["entityTypes"]:
            return None
        if name not in self._entities:
            self._entities[name] = self._build(name)
        return self._entities[name]

    def children(self, name: str) -> tuple[str, ...]:
        """The direct subtypes."""
        return tuple(self._children.get(name, ()))

    def family(self, name: str) -> tuple[str, ...]:
        """The type itself and all its subtypes, itself first."""
        found = [name]
        for each in found:
            found.extend(child for child in self.children(each) if child not in found)
        return tuple(found)

    def with_definitions(self, entities: Mapping[str, Any], relationships: Mapping[str, Any]) -> "TypeSystem":
        """Returns a type system with these types (in the table's shape) added or replaced.

        :raises AtlasError: ATLAS-400-00-029 for an undefined supertype or end type.
        """
        table = {
            "entityTypes": {**self._table["entityTypes"], **entities},
            "relationshipTypes": {**self._table["relationshipTypes"], **relationships},
        }
        named = [parent for given in entities.values() for parent in given["superTypes"]]
        named += [given[end][0] for given in relationships.values() for end in ("end1", "end2")]
        for name in named:
            if name not in table["entityTypes"]:
                raise AtlasError("ATLAS-400-00-029", name)
        return TypeSystem(table)

    def _build(self, name: str) -> EntityType:
        given = self._table["entityTypes"][name]
        parents = [self.entity(parent) for parent in given["superTypes"]]
        attributes: dict[str, Attribute] = {}
        ends: dict[str, tuple[End, ...]] = {}
        for parent in parents:
            attributes.update(parent.attributes)
            ends.update(parent.ends)
        own = _attributes(name, given.get("attributes", {}))
        attributes.update((each.name, each) for each in own)
        for end in self._ends_by_type.get(name, ()):
            ends[end.attribute] = (*ends.get(end.attribute, ()), end)
        columns = given.get("columns") or next((each.columns for each in parents if each.columns), None)
        return EntityType(
            name=name,
            super_types=tuple(given["superTypes"]),
            ancestors=frozenset().union(*(parent.ancestors | {parent.name} for parent in parents)),
            service=given.get("serviceType"),
            own=tuple(each.name for each in own),
            attributes=attributes,
            ends=ends,
            columns=columns,
            partial=bool(given.get("partial")),
        )


def _attributes(owner: str, given: Mapping[str, str]) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, spelled.rstrip("!"), spelled.endswith("!"), owner) for name, spelled in given.items())


def _relationship(name: str, given: Mapping[str, Any]) -> RelationshipType:
    composed = given["category"] == "COMPOSITION"
    ends = []
    for here, there in (("end1", "end2"), ("end2", "end1")):
        type_name, attribute, cardinality, container = given[here]
        ends.append(
            End(
                relationship=name,
                attribute=attribute,
                type=type_name,
                other=given[there][0],
                many=cardinality != "SINGLE",
                first=here == "end1",
                container=container,
                owns=composed and container,
            )
        )
    return RelationshipType(name, given["category"], ends[0], ends[1], _attributes(name, given.get("attributes", {})))
