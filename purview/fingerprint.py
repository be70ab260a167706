"""Fingerprints of uploads: an upload with the fingerprint of the last one is not sent.

A fingerprint covers the whole draft that would be sent if the catalogue were empty, so that an attribute that a new
version adds reaches processes whose lineage does not change. It also covers the names that are looked up, and the
collection.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.lineage_model import Lineage
from purview.dataset_entities import Resolutions
from purview.entities import Draft, datasets_of, preview_entities, within_limits

# Distinguishes this form of a fingerprint from the older one, which is 64 hex digits.
_PREFIX = "draft:"


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprint of an upload, and ``older``, the one that earlier versions gave it."""

    current: str = ""
    older: str = ""


def fingerprints(lineage: Lineage, resolutions: Resolutions, collection: str = "", process: str = "") -> Fingerprints:
    """The fingerprints of an upload; the order of datasets and columns makes no difference to them."""
    draft = preview_entities(lineage, resolutions, process)
    candidates = sorted(
        [[name.type_name, name.qualified_name] for name in resolutions[dataset.id].candidates]
        for dataset in datasets_of(within_limits(lineage, resolutions))
    )
    shown = {"collection": collection, "candidates": candidates, "entities": _entities(draft)}
    return Fingerprints(_PREFIX + _digest(shown), _older(draft, lineage, resolutions, collection))


def _entities(draft: Draft) -> list[str]:
    """The entities under their names instead of placeholder guids, whose numbers depend on the order of columns."""
    names = {
        entity["guid"]: f"{entity['typeName']} {entity['attributes']['qualifiedName']}" for entity in draft.entities
    }
    return sorted(
        _text({key: _named(value, names) for key, value in entity.items() if key != "guid"})
        for entity in draft.entities
    )


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: names.get(item, item) if key == "guid" else _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(_text(_named(item, names)) for item in value)
    return value


def _older(draft: Draft, lineage: Lineage, resolutions: Resolutions, collection: str) -> str:
    """The fingerprint of earlier versions, which covered selected attributes."""
    attributes = draft.process["attributes"]
    datasets = [
        [
            [[name.type_name, name.qualified_name] for name in resolution.candidates],
            [resolution.asset.type_name, resolution.asset.qualified_name, resolution.short_name],
            sorted([field.name, field.type] for field in dataset.fields),
        ]
        for dataset in datasets_of(within_limits(lineage, resolutions))
        for resolution in (resolutions[dataset.id],)
    ]
    return _digest(
        {
            "version": 1,
            "collection": collection,
            "process": {key: attributes[key] for key in ("qualifiedName", "name", "description", "columnMapping")},
            "inputs": [[name.type_name, name.qualified_name] for name in draft.inputs],
            "outputs": [[name.type_name, name.qualified_name] for name in draft.outputs],
            "datasets": datasets,
        }
    )


def _digest(shown: object) -> str:
    return hashlib.sha256(_text(shown).encode()).hexdigest()


_text = json.JSONEncoder(sort_keys=True).encode
