"""Deleting an asset of ours with all that belongs to it."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from core.threads import in_threads
from purview.schema import RELATIONSHIPS

_AT_ONCE = 8


class Remover(Protocol):
    """What is asked of the catalogue."""

    def get(self, guid: str) -> dict[str, Any]: ...

    def delete(self, guid: str) -> None: ...


def remove_asset(guid: str, catalog: Remover) -> None:
    """Delete an asset and its columns.

    The columns of a table go with it. A file's lie in a ``tabular_schema``, which does not go with the file: it goes
    first, so that a crash in between leaves nothing that nobody finds again.

    :raises CatalogUnavailable, CatalogRefused: something may be left; to repeat it is safe.
    """
    related = catalog.get(guid).get("relationshipAttributes") or {}
    schema = related.get("tabular_schema")
    if isinstance(schema, Mapping) and schema.get("guid") and schema.get("entityStatus") != "DELETED":
        catalog.delete(str(schema["guid"]))
    catalog.delete(guid)


def belongings(entity: Mapping[str, Any], catalog: Remover) -> Iterator[dict[str, Any]]:
    """What goes with an asset that is deleted: its columns, and the schema that they lie in.

    :raises CatalogUnavailable, CatalogRefused: something cannot be read.
    """
    related = entity.get("relationshipAttributes") or {}
    # One is a single reference, the others are lists.
    listed = (each if isinstance(each, list) else [each] for each in map(related.get, RELATIONSHIPS) if each)
    guids = [str(each["guid"]) for some in listed for each in some if each.get("entityStatus") != "DELETED"]
    for part in in_threads(catalog.get, guids, _AT_ONCE):
        yield part
        yield from belongings(part, catalog)
