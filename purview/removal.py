"""Deleting an asset of ours with all that belongs to it."""

from collections.abc import Mapping
from typing import Any, Protocol


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
