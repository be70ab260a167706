"""Deletes an asset that the app created with all that belongs to it, and finds reasons to keep it.

``reason_in_use`` applies to every asset. ``reason_touched`` also keeps an asset that is not exactly as it was created:
it is for assets that a process no longer needs and that nobody asked to delete.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, Protocol

from core.catalog_model import Asset, AssetName
from core.threads import in_threads
from purview.dataset_entities import OWN_ATTRIBUTES
from purview.lookup import Finder
from purview.schema import RELATIONSHIPS, schema_name

_AT_ONCE = 8
# Attributes that people set on an asset or its columns. The app never sets them, so an asset with one of them must
# stay.
_BY_PEOPLE = (
    "classifications", "meanings", "labels", "customAttributes", "businessAttributes", "contacts",
    "description", "userDescription", "owner",
)  # fmt: skip
_PROCESSES = ("inputToProcesses", "outputFromProcesses")

Entity = Mapping[str, Any]


class Reader(Protocol):
    """The reads of the catalogue about an asset."""

    def get(self, guid: str) -> dict[str, Any]: ...


class Remover(Reader, Finder, Protocol):
    """The catalogue's functions for deleting an asset."""

    def delete(self, guid: str) -> None: ...


def remove_asset(asset: Asset, catalog: Remover, guard: Callable[[], None] = lambda: None) -> None:
    """Delete an asset and its columns. It is safe to repeat this after a crash.

    ``guard`` is called before each deletion; what it raises stops the deletions.

    The columns of a table are deleted with it. Those of a file are in a ``tabular_schema``, which is not deleted with
    the file. It is deleted after it, so that no asset without its columns is left for others to use. After a crash in
    between, it is found by its name.

    :raises CatalogUnavailable, CatalogRefused: something may be left; repeating this is safe.
    """
    entity = catalog.get(asset.guid)
    schema = _guids(entity, "tabular_schema") if entity else _abandoned_schema(asset.name, catalog)
    for guid in (asset.guid, *schema):
        guard()
        catalog.delete(guid)


def belongings(entity: Entity, catalog: Reader) -> Iterator[dict[str, Any]]:
    """The entities that are deleted with an asset: its columns, and the schema that they are in.

    :raises CatalogUnavailable, CatalogRefused: something cannot be read.
    """
    guids = [guid for relation in sorted(RELATIONSHIPS) for guid in _guids(entity, relation)]
    for part in in_threads(catalog.get, guids, _AT_ONCE):
        yield part
        yield from belongings(part, catalog)


def reason_in_use(entity: Entity, catalog: Reader, moving: Container[str] = ()) -> str:
    """Why an asset has to stay: processes refer to it, or people added something to it or its columns; "" if neither.

    ``moving`` are the guids of processes that do not count.

    :raises CatalogUnavailable, CatalogRefused: something cannot be read.
    """
    return _used(entity, moving) or _described([entity, *belongings(entity, catalog)])


def reason_touched(entity: Entity, catalog: Reader, collection: str) -> str:
    """Why an asset has to stay that nobody asked to delete; "" if it is as it was created, and nothing refers to it.

    Then the asset and its columns have no attributes that Sparklin does not set, their only author is their creator,
    and the asset is still in ``collection``. Missing information counts as a reason: ``updatedBy`` is only the last
    author, so a later upload may hide a scan.

    :raises CatalogUnavailable, CatalogRefused: something cannot be read.
    """
    used = _used(entity)
    if used:
        return used
    whole = [entity, *belongings(entity, catalog)]
    described = _described(whole)
    if described:
        return described
    known = {str(each.get("guid")) for each in whole}
    if any(not known.issuperset(_guids(each, relation)) for each in whole for relation in _relations(each)):
        return "other assets refer to it"
    authors = {each.get(author) for each in whole for author in ("createdBy", "updatedBy")}
    if not all(authors) or not all("relationshipAttributes" in each for each in whole):
        return "the catalogue does not say who changed it, or what refers to it"
    if len(authors) > 1:
        return "somebody else changed it"
    if foreign := sorted({key for each in whole for key in _foreign(each)}):
        return f"it has {', '.join(foreign[:5])}, which Sparklin does not set"
    return "" if entity.get("collectionId") == collection else "it is not in the collection of its process"


def _foreign(entity: Entity) -> Iterator[str]:
    """The attributes with a value that the app does not set."""
    attributes = entity.get("attributes") or {}
    return (
        key for key, value in attributes.items() if value and key not in OWN_ATTRIBUTES and key not in RELATIONSHIPS
    )


def _used(entity: Entity, moving: Container[str] = ()) -> str:
    users = (guid for relation in _PROCESSES for guid in _guids(entity, relation))
    return "processes refer to it" if any(guid not in moving for guid in users) else ""


def _described(entities: Iterable[Entity]) -> str:
    added = {key for each in entities for key in _added(each)}
    return f"people added {', '.join(key for key in _BY_PEOPLE if key in added)}" if added else ""


def _abandoned_schema(table: AssetName, catalog: Remover) -> list[str]:
    """The schema that was left when an asset was deleted; none if it belongs to another one, or people changed it."""
    found = catalog.find([schema_name(table)]).get(schema_name(table))
    entity = catalog.get(found.guid) if found else {}
    if found is None or not entity or _guids(entity, "associatedDataSets"):
        return []
    return [] if _described([entity, *belongings(entity, catalog)]) else [found.guid]


def _relations(entity: Entity) -> Mapping[str, Any]:
    return entity.get("relationshipAttributes") or {}


def _guids(entity: Entity, relation: str) -> list[str]:
    """The guids to which a relationship of an entity leads; one is a single reference, others are lists."""
    value = _relations(entity).get(relation)
    references = value if isinstance(value, list) else [value] if value else []
    live = (each for each in references if "DELETED" not in (each.get("entityStatus"), each.get("relationshipStatus")))
    return [str(each["guid"]) for each in live if each.get("guid")]


def _added(entity: Entity) -> Iterator[str]:
    places = (entity, entity.get("attributes") or {}, _relations(entity))
    return (key for key in _BY_PEOPLE if any(place.get(key) for place in places))
