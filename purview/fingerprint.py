"""What tells one upload from another: equal fingerprints need no second call."""

import hashlib
import json

from core.model import Lineage
from purview.entities import Resolutions, datasets_of, preview_entities, within_limits

#: To be raised whenever the same lineage is to be shown in another way.
_VERSION = 1


def fingerprint(lineage: Lineage, resolutions: Resolutions, collection: str = "", process: str = "") -> str:
    """64 hex digits over all that the upload shows or decides by, whatever the order of datasets and columns."""
    draft = preview_entities(lineage, resolutions, process)
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
    shown = {
        "version": _VERSION,
        "collection": collection,
        "process": {key: attributes[key] for key in ("qualifiedName", "name", "description", "columnMapping")},
        "inputs": [[name.type_name, name.qualified_name] for name in draft.inputs],
        "outputs": [[name.type_name, name.qualified_name] for name in draft.outputs],
        "datasets": datasets,
    }
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
