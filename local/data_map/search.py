"""The discovery search: a separate index that gets entities late, as Purview's does.

As observed in Purview, columns and schemas are never found; ``contains`` doesn't match a value that spans several path
segments; letter case doesn't matter, so a client has to compare exactly itself.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.data_map.atlas_errors import AtlasError
from local.data_map.store import Entity
from local.data_map.types import EntityType, TypeSystem

DEFAULT_LIMIT = 50
MOST = 1000

# The types of columns and schemas without a common supertype.
_COLUMN_NAME = re.compile(r"_(column|field|schema_element|schema)$")

Document = Mapping[str, Any]
Test = Callable[[Document], bool]


def searchable(entity_type: EntityType) -> bool:
    """Whether the search returns entities of the type."""
    parts_of_schemas = any(entity_type.is_a(name) for name in ("column", "schema", "tabular_schema"))
    is_column = _COLUMN_NAME.search(entity_type.name) is not None and entity_type.is_a("DataSet")
    return entity_type.is_a("Asset") and not parts_of_schemas and not is_column


def document(entity_type: EntityType, entity: Entity) -> dict[str, Any] | None:
    """The search document of an entity, None for one that it never finds."""
    if not searchable(entity_type):
        return None
    return {
        "id": entity.guid,
        "qualifiedName": entity.qualified_name,
        "name": entity.attributes.get("name"),
        "description": entity.attributes.get("description"),
        "owner": entity.attributes.get("owner"),
        "entityType": entity.type,
        "assetType": [entity_type.service or "Custom"],
        "collectionId": entity.collection,
        "createTime": entity.created,
        "updateTime": entity.updated,
        "createBy": entity.created_by,
        "updateBy": entity.updated_by,
        "classification": [],
        "label": [],
        "term": [],
        "contact": [],
        "isIndexed": True,
    }


@dataclass(frozen=True, slots=True)
class Query:
    """A search request, read."""

    words: tuple[str, ...]
    test: Test
    limit: int
    offset: int


def read_query(types: TypeSystem, body: Any) -> Query:
    """Reads the body of a search request.

    :raises AtlasError: ATLAS-400-00-01A for a filter, limit or token that can't be read.
    """
    given = body if isinstance(body, dict) else {}
    limit = given.get("limit")
    limit = DEFAULT_LIMIT if limit is None else limit
    if not isinstance(limit, int) or not 0 < limit <= MOST:
        raise _invalid(f"limit must be between 1 and {MOST}")
    words = re.findall(r"\w+", str(given.get("keywords") or ""))
    token = given.get("continuationToken")
    offset = _offset_of(token) if token else int(given.get("offset") or 0)
    return Query(tuple(word.lower() for word in words), read_filter(types, given.get("filter")), limit, offset)


def search(documents: Sequence[Document], query: Query) -> dict[str, Any]:
    """Returns the page of results that the query asks for, with a token if there is more."""
    found = [each for each in documents if query.test(each) and _has_words(each, query.words)]
    page = found[query.offset : query.offset + query.limit]
    answer: dict[str, Any] = {
        "@search.count": len(found),
        "@search.count.approximate": False,
        "@search.facets": None,
        "value": [{**each, "@search.score": 1.0} for each in page],
    }
    end = query.offset + len(page)
    if end < len(found):
        answer["continuationToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def _has_words(found: Document, words: Sequence[str]) -> bool:
    text = " ".join(str(found.get(key) or "") for key in ("name", "qualifiedName", "entityType", "description"))
    return all(word in text.lower() for word in words)


def _offset_of(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise _invalid("continuationToken") from None


def _invalid(what: str) -> AtlasError:
    return AtlasError("ATLAS-400-00-01A", what)


def read_filter(types: TypeSystem, given: Any) -> Test:
    """Makes a test of a filter: ``and``, ``or``, ``not``, or one condition; an empty filter passes everything.

    :raises AtlasError: ATLAS-400-00-01A for an invalid filter.
    """
    if not given:
        return lambda _: True
    if not isinstance(given, dict):
        raise _invalid(f"filter {given!r}")
    if "and" in given:
        tests = [read_filter(types, each) for each in given["and"]]
        return lambda found: all(test(found) for test in tests)
    if "or" in given:
        tests = [read_filter(types, each) for each in given["or"]]
        return lambda found: any(test(found) for test in tests)
    if "not" in given:
        inner = read_filter(types, given["not"])
        return lambda found: not inner(found)
    return _condition(types, given)


def _condition(types: TypeSystem, given: Mapping[str, Any]) -> Test:
    kind = given.get("entityType", given.get("typeName"))
    if kind is not None:
        kinds = types.family(kind) if given.get("includeSubTypes") else (kind,)
        return lambda found: found["entityType"] in kinds
    if "collectionId" in given:
        return lambda found: found["collectionId"] == given["collectionId"]
    name, operator = given.get("attributeName"), given.get("operator")
    compare = _OPERATORS.get(str(operator).lower())
    if name is None or compare is None:
        raise _invalid(f"filter {dict(given)!r}")
    value = str(given.get("attributeValue", "")).lower()
    return lambda found: compare(str(found.get(name) or "").lower(), value)


def _contains(text: str, value: str) -> bool:
    return value in text and "/" not in value.strip("/")


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda text, value: text == value,
    "ne": lambda text, value: text != value,
    "contains": _contains,
    "startswith": lambda text, value: text.startswith(value),
    "prefix": lambda text, value: text.startswith(value),
}
