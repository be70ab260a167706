"""The whole of a Data Map as one comparable picture."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import requests

# Runs contain several types of these columns; that of the first one stays, whichever that is.
OF_ANY_TYPE = (
    "customer/{SparkPartitions}#__tabular_schema//created",
    "orders_by_day/{SparkPartitions}#__tabular_schema//day",
    "orders_by_day/{SparkPartitions}#__tabular_schema//month",
)


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


def in_any_order(lines: Iterable[str]) -> list[str]:
    """A picture of the recorded applications without what depends on the order of their events."""
    return [re.sub(r'"type": "\w+"', "", line) if any(name in line for name in OF_ANY_TYPE) else line for line in lines]


def twice(url: str) -> list[tuple[str, str]]:
    """The type and qualified name of each asset that there is more than once."""
    names = Counter((each["typeName"], each["attributes"]["qualifiedName"]) for each in entities(url))
    return [name for name, number in names.items() if number > 1]


def _sorted(relationships: Mapping[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    return {name: sorted(ends) for name, ends in relationships.items()}
