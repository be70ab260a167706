"""Searches as the catalogue gets them, and its hits."""

from typing import Any

import pytest

from core.catalog_model import Asset, AssetName
from purview.search_request import SearchHit, datasets_filter, hit_of, words_filter

KIND = {"entityType": "a", "includeSubTypes": False}


def has(word: str) -> dict[str, str]:
    return {"attributeName": "qualifiedName", "operator": "contains", "attributeValue": word}


@pytest.mark.parametrize(
    ("alternatives", "conditions"),
    [
        ([["lake", "raw"]], [has("lake"), has("raw")]),
        ([["lake", "raw"], ["lake", "raw", "sales"]], [has("lake"), has("raw")]),
        (
            [["lake", "raw", "sales"], ["gold", "lake"]],
            [has("lake"), {"or": [{"and": [has("raw"), has("sales")]}, {"and": [has("gold")]}]}],
        ),
        ([["raw"], ["gold"]], [{"or": [{"and": [has("raw")]}, {"and": [has("gold")]}]}]),
    ],
)
def test_words_that_all_alternatives_have_are_in_the_filter_once(
    alternatives: list[list[str]], conditions: list[dict[str, Any]]
) -> None:
    assert words_filter(alternatives, ["a"]) == {"and": [{"or": [KIND]}, *conditions]}


def test_each_type_is_an_alternative_without_its_subtypes() -> None:
    other = {**KIND, "entityType": "b"}
    assert words_filter([["lake"]], ["a", "b"]) == {"and": [{"or": [KIND, other]}, has("lake")]}


def test_datasets_of_every_type_are_searched_for_with_subtypes() -> None:
    every = {"entityType": "DataSet", "includeSubTypes": True}
    assert datasets_filter(["lake", "raw"]) == {"and": [every, has("lake"), has("raw")]}


@pytest.mark.parametrize(("name", "expected"), [("Sales", "Sales"), (None, "")])
def test_a_hit_without_a_name_is_a_hit(name: str | None, expected: str) -> None:
    entry = {"entityType": "a", "qualifiedName": "q", "id": "g", "name": name}
    assert hit_of(entry) == SearchHit(Asset(AssetName("a", "q"), "g"), expected)
