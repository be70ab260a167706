"""The input of ``sparklin explain``: a dataset, and what its event contains in addition to the name.

Wrong types are faults that name the field. Facets are read as events are: one of an odd shape counts as absent.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer

from core.catalog_model import NameContext
from core.event_model import Dataset, DatasetId, Symlink
from core.identity import dataset_id

_KEYS = ("mountPoints", "hiveCluster", "oneLakeIds", "metastoreIds", "sqlKinds")
_EMPTY = "namespace and name are both empty"


class Fault(ValueError):
    """The question cannot be read; the message names the field."""


@dataclass(frozen=True, slots=True)
class Question:
    """A dataset and its own context; ``unknown`` are keys of the context that have no meaning."""

    dataset: Dataset
    context: NameContext
    unknown: tuple[str, ...] = ()


def from_words(namespace: str, name: str, context: str) -> Question:
    """The question of one command line; ``context`` is a JSON object, or "".

    :raises Fault: the context is not a JSON object.
    :raises typer.BadParameter: both words are empty.
    """
    if _is_empty(DatasetId(namespace, name)):
        raise typer.BadParameter(_EMPTY, param_hint="NAMESPACE NAME")
    value = _json(context.encode("utf-8", "surrogatepass")) if context else {}
    return _question({"namespace": namespace, "name": name, "context": value})


def from_line(line: bytes) -> Question:
    """The question on one line.

    :raises Fault: the line is no JSON object, a field of it has a wrong type, or namespace and name are empty.
    """
    value = _json(line)
    if not isinstance(value, dict):
        raise Fault("must be a JSON object with namespace and name")
    question = _question(value)
    if _is_empty(question.dataset.id):
        raise Fault(_EMPTY)
    return question


def merged(settings: NameContext, own: NameContext) -> NameContext:
    """The context of the settings and of the question; the question takes precedence."""
    return NameContext(
        mount_points={**settings.mount_points, **own.mount_points},
        hive_cluster=own.hive_cluster or settings.hive_cluster,
        onelake_ids={**settings.onelake_ids, **own.onelake_ids},
        metastore_ids={**settings.metastore_ids, **own.metastore_ids},
        sql_kinds={**settings.sql_kinds, **own.sql_kinds},
    )


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Fault(f"is not JSON ({error})") from None


def _question(value: Mapping[str, Any]) -> Question:
    facets = _object(value.get("facets"), "facets")
    context = _object(value.get("context"), "context")
    dataset = Dataset(
        # Not in one spelling yet: the partition folders that it cuts show that it is a folder.
        id=DatasetId(_text(value.get("namespace"), "namespace"), _text(value.get("name"), "name")),
        symlinks=tuple(_symlinks(facets.get("symlinks"))),
        storage_layer=_storage_layer(facets.get("storage")),
    )
    return Question(dataset, _context(context), tuple(key for key in context if key not in _KEYS))


def _is_empty(dataset: DatasetId) -> bool:
    return dataset_id(dataset.namespace, dataset.name) == DatasetId("", "")


def _context(context: Mapping[str, Any]) -> NameContext:
    return NameContext(
        mount_points=dict(_mount_points(context.get("mountPoints"))),
        hive_cluster=_text(context.get("hiveCluster") or "", "context.hiveCluster"),
        onelake_ids=_texts(context.get("oneLakeIds"), "context.oneLakeIds"),
        metastore_ids=_texts(context.get("metastoreIds"), "context.metastoreIds"),
        sql_kinds=_texts(context.get("sqlKinds"), "context.sqlKinds"),
    )


def _mount_points(value: object) -> Iterator[tuple[str, str]]:
    """A mapping of mounts to sources, or the list in the environment-properties facet."""
    if not isinstance(value, list):
        yield from _texts(value, "context.mountPoints").items()
        return
    for index, item in enumerate(value):
        where = f"context.mountPoints[{index}]"
        mount = _object(item, where)
        yield _text(mount.get("mountPoint"), f"{where}.mountPoint"), _text(mount.get("source"), f"{where}.source")


def _symlinks(value: object) -> Iterator[Symlink]:
    identifiers = value.get("identifiers") if isinstance(value, dict) else None
    for item in identifiers if isinstance(identifiers, list) else ():
        if isinstance(item, dict):
            namespace, name, kind = (item.get(key) for key in ("namespace", "name", "type"))
            if isinstance(namespace, str) and isinstance(name, str):
                yield Symlink(namespace.strip(), name, kind if isinstance(kind, str) else "")


def _storage_layer(value: object) -> str:
    layer = value.get("storageLayer") if isinstance(value, dict) else None
    return layer if isinstance(layer, str) else ""


def _object(value: object, field: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Fault(f"field {field!r} must be an object")
    return value


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise Fault(f"field {field!r} {'is missing' if value is None else 'must be a string'}")
    return value


def _texts(value: object, field: str) -> Mapping[str, str]:
    items = _object(value, field)
    return {key: _text(text, f"{field}.{key}") for key, text in items.items()}
