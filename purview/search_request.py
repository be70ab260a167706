"""Searches of the catalogue: the filter of a request, and the hits in its answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog_model import Asset, AssetName


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An asset that the search returned, with the name that people see."""

    asset: Asset
    display_name: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search returned; there may be more hits if it is not complete."""

    hits: tuple[SearchHit, ...]
    is_complete: bool


def hit_of(entry: Mapping[str, Any]) -> SearchHit:
    """A hit, as the search returned it."""
    name = AssetName(str(entry.get("entityType")), str(entry.get("qualifiedName")))
    return SearchHit(Asset(name, str(entry.get("id"))), str(entry.get("name") or ""))


def words_filter(alternatives: Sequence[Sequence[str]], types: Sequence[str]) -> dict[str, Any]:
    """The filter for assets of these types whose qualified name contains all words of one of the alternatives.

    Words that all alternatives have in common are in the filter once.
    """
    kinds = [{"entityType": type_name, "includeSubTypes": False} for type_name in types]
    common = [word for word in alternatives[0] if all(word in words for words in alternatives)]
    rests = [[word for word in words if word not in common] for words in alternatives]
    conditions: list[dict[str, Any]] = [{"or": kinds}, *map(_contains, common)]
    if all(rests):
        conditions.append({"or": [{"and": [_contains(word) for word in rest]} for rest in rests]})
    return {"and": conditions}


def datasets_filter(words: Iterable[str]) -> dict[str, Any]:
    """The filter for datasets of any type whose qualified name contains all words."""
    return {"and": [{"entityType": "DataSet", "includeSubTypes": True}, *map(_contains, words)]}


def _contains(word: str) -> dict[str, str]:
    return {"attributeName": "qualifiedName", "operator": "contains", "attributeValue": word}
