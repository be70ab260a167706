"""The API's routes: which operation of the Data Map a method and path call, and with which values of the request.

Every route exists under ``/catalog/api`` and ``/datamap/api``; ``api-version`` is accepted and ignored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.data_map import DataMap
from local.data_map.definitions import all_definitions, all_headers, definition
from local.data_map.payload import json_body

BASES = ("/catalog/api", "/datamap/api")
_UNIQUE = "qualifiedName"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the operations get it."""

    params: dict[str, str]
    query: tuple[tuple[str, str], ...]
    content: bytes

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.query if key == name]

    def flag(self, name: str) -> bool:
        """Says whether a query parameter is true."""
        return self.first(name).lower() == "true"

    @property
    def body(self) -> Any:
        """The parsed body."""
        return json_body(self.content)

    @property
    def related(self) -> bool:
        """Says whether relationships are wanted in the answer."""
        return not self.flag("ignoreRelationships")

    @property
    def collection(self) -> str | None:
        """The collection for what the request writes."""
        return self.params.get("collection") or self.first("collectionId") or None

    @property
    def name(self) -> str:
        """The value of ``attr:qualifiedName``.

        :raises AtlasError: ATLAS-400-00-013 if another attribute, or none, is asked for.
        """
        asked = [(key[5:], value) for key, value in self.query if key.startswith("attr:")]
        attribute, value = asked[0] if asked else ("", "")
        if attribute != _UNIQUE:
            raise AtlasError("ATLAS-400-00-013", self.params["type"], attribute)
        return value

    @property
    def names(self) -> list[str]:
        """The values of ``attr_0:qualifiedName``, ``attr_1:qualifiedName`` …"""
        found = [value for key, value in self.query if key.startswith("attr_") and key.endswith(f":{_UNIQUE}")]
        return found or [self.name]

    @property
    def depth(self) -> int:
        """How many steps of lineage are wanted; 0 means all."""
        return int(self.first("depth", "3"))


Operation = Callable[[DataMap, Call], Any]


def _upload_bulk(data_map: DataMap, call: Call) -> Any:
    return data_map.upload(call.body, call.collection, bulk=True)


def _upload_one(data_map: DataMap, call: Call) -> Any:
    return data_map.upload(call.body, call.collection, bulk=False)


def _by_guids(data_map: DataMap, call: Call) -> Any:
    return data_map.by_guids(call.all("guid"), related=call.related)


def _by_guid(data_map: DataMap, call: Call) -> Any:
    return data_map.by_guid(call.params["guid"], related=call.related)


def _by_name(data_map: DataMap, call: Call) -> Any:
    return data_map.by_name(call.params["type"], call.name, related=call.related)


def _by_names(data_map: DataMap, call: Call) -> Any:
    return data_map.by_names(call.params["type"], call.names, related=call.related)


def _header(data_map: DataMap, call: Call) -> Any:
    return data_map.header(call.params["guid"])


def _update_named(data_map: DataMap, call: Call) -> Any:
    return data_map.update_named(call.params["type"], call.name, call.body)


def _update_attribute(data_map: DataMap, call: Call) -> Any:
    return data_map.update_attribute(call.params["guid"], call.first("name"), call.body)


def _delete_one(data_map: DataMap, call: Call) -> Any:
    return data_map.delete([call.params["guid"]])


def _delete_bulk(data_map: DataMap, call: Call) -> Any:
    return data_map.delete(call.all("guid"))


def _delete_named(data_map: DataMap, call: Call) -> Any:
    return data_map.delete_named(call.params["type"], call.name)


def _move(data_map: DataMap, call: Call) -> Any:
    if call.collection is None:
        raise ServerFault("no collection")
    return data_map.move(call.body["entityGuids"], call.collection)


def _relate(data_map: DataMap, call: Call) -> Any:
    return data_map.relate(call.body)


def _relationship(data_map: DataMap, call: Call) -> Any:
    return data_map.relationship(call.params["guid"])


def _unrelate(data_map: DataMap, call: Call) -> Any:
    return data_map.unrelate(call.params["guid"])


def _lineage(data_map: DataMap, call: Call) -> Any:
    return data_map.lineage(call.params["guid"], call.first("direction", "BOTH"), call.depth)


def _lineage_named(data_map: DataMap, call: Call) -> Any:
    direction = call.first("direction", "BOTH")
    return data_map.lineage_named(call.params["type"], call.name, direction, call.depth)


def _definitions(data_map: DataMap, call: Call) -> Any:
    return all_definitions(data_map.types, call.first("type") or None)


def _headers(data_map: DataMap, call: Call) -> Any:  # noqa: ARG001 - every operation has the same shape
    return all_headers(data_map.types)


def _definition(data_map: DataMap, call: Call) -> Any:
    params = call.params
    return definition(data_map.types, params["category"], params["key"], params["value"])


def _define(data_map: DataMap, call: Call) -> Any:
    return data_map.define(call.body, replace_known=False)


def _redefine(data_map: DataMap, call: Call) -> Any:
    return data_map.define(call.body, replace_known=True)


def _search(data_map: DataMap, call: Call) -> Any:
    return data_map.search(call.body)


_ATLAS: tuple[tuple[str, str, Operation], ...] = (
    ("POST", "/entity", _upload_one),
    ("POST", "/entity/bulk", _upload_bulk),
    ("GET", "/entity/bulk", _by_guids),
    ("DELETE", "/entity/bulk", _delete_bulk),
    ("GET", "/entity/guid/{guid}", _by_guid),
    ("GET", "/entity/guid/{guid}/header", _header),
    ("PUT", "/entity/guid/{guid}", _update_attribute),
    ("DELETE", "/entity/guid/{guid}", _delete_one),
    ("GET", "/entity/uniqueAttribute/type/{type}", _by_name),
    ("PUT", "/entity/uniqueAttribute/type/{type}", _update_named),
    ("DELETE", "/entity/uniqueAttribute/type/{type}", _delete_named),
    ("GET", "/entity/bulk/uniqueAttribute/type/{type}", _by_names),
    ("POST", "/relationship", _relate),
    ("GET", "/relationship/guid/{guid}", _relationship),
    ("DELETE", "/relationship/guid/{guid}", _unrelate),
    ("GET", "/lineage/{guid}", _lineage),
    ("GET", "/lineage/uniqueAttribute/type/{type}", _lineage_named),
    ("GET", "/types/typedefs", _definitions),
    ("POST", "/types/typedefs", _define),
    ("PUT", "/types/typedefs", _redefine),
    ("GET", "/types/typedefs/headers", _headers),
    ("GET", "/types/{category}def/{key}/{value}", _definition),
)
# (method, path under the base, operation). Requests are counted by the path without base.
OPERATIONS: tuple[tuple[str, str, Operation], ...] = (
    *((method, f"/atlas/v2{path}", operation) for method, path, operation in _ATLAS),
    ("POST", "/search/query", _search),
    ("POST", "/entity/moveTo", _move),
    ("POST", "/collections/{collection}/entity", _upload_one),
    ("POST", "/collections/{collection}/entity/bulk", _upload_bulk),
    ("POST", "/collections/{collection}/entity/moveHere", _move),
)
