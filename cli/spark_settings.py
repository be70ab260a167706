"""The settings of Spark by platform, from spark_settings.toml; docs/platforms shows the same lines."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_suffix(".toml")
_URL = "spark.openlineage.transport.url"
_KEY = "spark.openlineage.transport.headers.x-functions-key"
_NAMESPACE = "spark.openlineage.namespace"


@dataclass(frozen=True, slots=True)
class SparkSettings:
    """The lines of a platform, where to enter them, and which block of docs/platforms has them."""

    settings: Mapping[str, str]
    where: str
    block: str
    optional: Sequence[str] = ()

    @property
    def page(self) -> str:
        """The page about the platform."""
        return f"docs/platforms/{self.block.partition(':')[0]}"


def platforms() -> dict[str, SparkSettings]:
    """All entries by name, with placeholders for the values of a deployment."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    http = data.pop("http")
    return {name: _entry(each, http) for name, each in data.items()}


def _entry(entry: Mapping[str, Any], http: Mapping[str, str]) -> SparkSettings:
    own = entry.get("settings", {})
    settings = own if entry.get("only") else {**http, **own}
    return SparkSettings(settings, entry["where"], entry["block"], entry.get("optional", ()))


def filled(settings: Mapping[str, str], url: str, key: str, namespace: str) -> dict[str, str]:
    """The settings with known values in place of placeholders."""
    known = {_URL: url, _KEY: key, _NAMESPACE: namespace}
    return {name: known.get(name) or value for name, value in settings.items()}


def lines(settings: Mapping[str, str]) -> Iterator[str]:
    """The settings as Spark reads them: a name, blanks, the value."""
    width = max(map(len, settings))
    yield from (f"{name:{width}}   {value}" for name, value in settings.items())
