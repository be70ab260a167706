"""The whole of a Data Map as one comparable picture."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import requests


def entities(url: str) -> list[Mapping[str, Any]]:
    """Everything that the Data Map at an address stores."""
    found: list[Mapping[str, Any]] = requests.get(f"{url}/_control/entities", timeout=30).json()
    return found


def picture(url: str) -> list[str]:
    """All assets with their attributes and relationships, by names instead of guids."""
    return sorted(
        json.dumps([each["typeName"], each["attributes"], _sorted(each["relationships"])], sort_keys=True)
        for each in entities(url)
    )


def twice(url: str) -> list[tuple[str, str]]:
    """The type and qualified name of each asset that there is more than once."""
    names = Counter((each["typeName"], each["attributes"]["qualifiedName"]) for each in entities(url))
    return [name for name, number in names.items() if number > 1]


def _sorted(relationships: Mapping[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    return {name: sorted(ends) for name, ends in relationships.items()}
