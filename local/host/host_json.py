"""Reads host.json and local.settings.json, with Azure's defaults.

Any value of host.json can be overridden by a setting `AzureFunctionsJobHost__section__…__name`, as in Azure.
"""

import json
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import HostError

_OVERRIDE = "azurefunctionsjobhost__"
_LARGEST_BATCH = 32


@dataclass(frozen=True, slots=True)
class BlobOptions:
    """`extensions.blobs`: how many blobs at once, and after how many attempts one is poison."""

    max_degree_of_parallelism: int
    poison_blob_threshold: int


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues`, in seconds.

    `visibility_timeout` is how long a failed message waits, `max_polling_interval` the longest time between two polls
    of an empty queue.
    """

    batch_size: int
    new_batch_threshold: int
    visibility_timeout: int
    max_polling_interval: float
    max_dequeue_count: int
    base64: bool


@dataclass(frozen=True, slots=True)
class HostJson:
    """The values of host.json, with Azure's defaults for missing ones."""

    route_prefix: str
    blobs: BlobOptions
    queues: QueueOptions
    log_levels: Mapping[str, str]


def read_host_json(app_dir: Path, settings: Mapping[str, str]) -> HostJson:
    """Read `app_dir/host.json`, overridden by `settings`.

    :raises HostError: when it is missing, is no JSON object, or a value has the wrong type.
    """
    tree = _read_object(app_dir / "host.json")
    for name, value in settings.items():
        if name.lower().startswith(_OVERRIDE):
            _override(tree, name[len(_OVERRIDE) :].split("__"), value)
    extensions = _section(tree, "extensions")
    try:
        return HostJson(
            route_prefix=str(_section(extensions, "http").get("routePrefix", "api")).strip("/"),
            blobs=_blob_options(_section(extensions, "blobs")),
            queues=_queue_options(_section(extensions, "queues")),
            log_levels={k: str(v) for k, v in _section(_section(tree, "logging"), "logLevel").items()},
        )
    except ValueError as error:
        raise HostError(f"{app_dir / 'host.json'}: {error}") from error


def read_local_settings(path: Path) -> dict[str, str]:
    """The `Values` of a local.settings.json.

    :raises HostError: when the file is missing, encrypted, or a value is no string.
    """
    tree = _read_object(path)
    if tree.get("IsEncrypted"):
        raise HostError(f"{path} is encrypted: run `func settings decrypt`")
    values = _section(tree, "Values")
    wrong = sorted(name for name, value in values.items() if not isinstance(value, str))
    if wrong:
        raise HostError(f"{path}: Values must be strings, but these are not: {', '.join(wrong)}")
    return dict(values)


def _blob_options(section: Mapping[str, Any]) -> BlobOptions:
    return BlobOptions(
        max_degree_of_parallelism=int(section.get("maxDegreeOfParallelism", 8 * multiprocessing.cpu_count())),
        poison_blob_threshold=int(section.get("poisonBlobThreshold", 5)),
    )


def _queue_options(section: Mapping[str, Any]) -> QueueOptions:
    batch_size = int(section.get("batchSize", 16))
    if not 1 <= batch_size <= _LARGEST_BATCH:
        raise ValueError(f"extensions.queues.batchSize must be 1 to {_LARGEST_BATCH}, not {batch_size}")
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=int(section.get("newBatchThreshold", batch_size // 2 * multiprocessing.cpu_count())),
        visibility_timeout=round(_seconds(str(section.get("visibilityTimeout", "00:00:00")))),
        max_polling_interval=_seconds(str(section.get("maxPollingInterval", "00:01:00"))),
        max_dequeue_count=int(section.get("maxDequeueCount", 5)),
        base64=_is_base64(str(section.get("messageEncoding", "base64"))),
    )


def _is_base64(encoding: str) -> bool:
    if encoding.lower() not in {"base64", "none"}:
        raise ValueError(f"extensions.queues.messageEncoding must be base64 or none, not {encoding}")
    return encoding.lower() == "base64"


def _seconds(span: str) -> float:
    """Seconds of a time span `hh:mm:ss`, with or without a fraction."""
    parts = span.split(":")
    if len(parts) != 3:
        raise ValueError(f"{span} is no time span hh:mm:ss")
    return int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2])


def _override(tree: dict[str, Any], path: list[str], value: str) -> None:
    """Set `value` at `path`; names are compared without case, as .NET's configuration does."""
    name = next((known for known in tree if known.lower() == path[0].lower()), path[0])
    if len(path) == 1:
        tree[name] = value
        return
    child = tree.setdefault(name, {})
    if isinstance(child, dict):
        _override(child, path[1:], value)


def _section(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = tree.get(name) or {}
    if not isinstance(section, dict):
        raise HostError(f"{name} must be an object, not {type(section).__name__}")
    return section


def _read_object(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise HostError(f"There is no {path}") from None
    except ValueError as error:
        raise HostError(f"{path} is no JSON: {error}") from error
    if not isinstance(tree, dict):
        raise HostError(f"{path} must be a JSON object")
    return tree
