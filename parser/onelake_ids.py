"""GUIDs of OneLake's workspaces and items, from events that contain both the name and the GUID of one.

A table may be written as ``abfss://<workspace GUID>@onelake…/<item GUID>/Tables/t`` by one notebook and read as
``abfss://<workspace>@onelake…/<item>.Lakehouse/Tables/t`` by another. Two facts show that both are the same:

- a dataset and its LOCATION symlink that end in the same path within the item,
- captured Spark properties of Fabric: ``trident.workspace.name`` beside ``trident.workspace.id``, and
  ``trident.lakehouse.name`` beside ``trident.lakehouse.id``.

A TABLE symlink is no such fact: its namespace is the lakehouse of the session, not that of the table.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from core.catalog_model import LearnedId
from core.event_model import DatasetId
from core.identity import dataset_id, is_guid, plain_name
from core.lineage_model import Lineage, Note
from parser.artifacts import text_of
from parser.merge import MergedRun

_HOST = re.compile(
    r"(?:.+\.)?(?:dfs|blob|onelake)\.fabric\.microsoft\.com|.*onelake\.pbidedicated\.windows\.net", re.IGNORECASE
)
_SCHEMES = ("abfss", "wasbs")


@dataclass(frozen=True, slots=True)
class _Place:
    """A path in OneLake: its workspace, the item in it ("" for none), and the path within the item."""

    workspace: str
    item: str
    path: str


def learned_ids(run: MergedRun) -> tuple[LearnedId, ...]:
    """The GUIDs of names in the events of a run, sorted; a name may have several."""
    found = {(name, guid.lower()) for name, guid in (*_of_properties(run.properties), *_of_symlinks(run))}
    return tuple(LearnedId(run.ended, name, guid) for name, guid in sorted(found))


def used_names(lineage: Lineage) -> Iterator[str]:
    """The names of workspaces and items for which a lineage needs GUIDs; some may come twice."""
    for dataset in (lineage.sink, *lineage.inputs):
        place = _place(dataset.id)
        if place and not is_guid(place.workspace):
            yield place.workspace
        if place and "." in place.item:
            yield f"{place.workspace}/{place.item}"


def with_ids(lineage: Lineage, known: Mapping[str, Iterable[LearnedId]]) -> Lineage:
    """The lineage with the GUIDs of the names that it uses; of two for one name, that of the newest event counts.

    The keys of ``known`` are plain names (see core.identity.plain_name).
    """
    names = {name: sorted(known.get(plain_name(name), ()), reverse=True) for name in used_names(lineage)}
    ids = {name: found[0].guid for name, found in names.items() if found}
    notes = [_differ(name, found) for name, found in sorted(names.items()) if len({each.guid for each in found}) > 1]
    if not ids:
        return lineage
    return replace(lineage, onelake_ids=tuple(sorted(ids.items())), notes=(*lineage.notes, *notes))


def known_among(runs: Iterable[MergedRun]) -> dict[str, list[LearnedId]]:
    """The GUIDs of names in several runs together, by plain name."""
    known: dict[str, dict[str, LearnedId]] = {}
    for item in (item for run in runs for item in learned_ids(run)):
        by_guid = known.setdefault(plain_name(item.name), {})
        by_guid[item.guid] = max(item, by_guid.get(item.guid, item))
    return {name: list(by_guid.values()) for name, by_guid in known.items()}


def _differ(name: str, found: Iterable[LearnedId]) -> Note:
    guids = ", ".join(dict.fromkeys(each.guid for each in found))
    return Note(
        "onelake-ids-differ",
        f'Events contain several GUIDs for "{name}" ({guids}); the newest one is used. ONELAKE_IDS can set another.',
    )


def _of_symlinks(run: MergedRun) -> Iterator[tuple[str, str]]:
    for dataset in {item.dataset for event in run.events for item in (*event.inputs, *event.outputs)}:
        for link in dataset.symlinks:
            if link.type.upper() == "LOCATION":
                yield from _paired(_place(dataset.id), _place(dataset_id(link.namespace, link.name)))


def _paired(one: _Place | None, other: _Place | None) -> Iterator[tuple[str, str]]:
    """The names in one of two spellings of a path, with the GUIDs in the other.

    Parts that both spell in the same way, by name or by GUID, must be equal; else they are two things.
    """
    if one is None or other is None or one.path != other.path or not one.path:
        return
    pairs = ((one.workspace, other.workspace), (one.item, other.item))
    if any(is_guid(a) == is_guid(b) and plain_name(a) != plain_name(b) for a, b in pairs):
        return
    for named, by_guid in ((one, other), (other, one)):
        if not is_guid(named.workspace) and is_guid(by_guid.workspace):
            yield named.workspace, by_guid.workspace
        if "." in named.item and is_guid(by_guid.item):
            yield f"{named.workspace}/{named.item}", by_guid.item


def _of_properties(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    workspace, workspace_id, lakehouse, lakehouse_id = (
        text_of(properties, f"trident.{key}")
        for key in ("workspace.name", "workspace.id", "lakehouse.name", "lakehouse.id")
    )
    if workspace and not is_guid(workspace) and is_guid(workspace_id):
        yield workspace, workspace_id
    if lakehouse and is_guid(lakehouse_id):
        item = f"{lakehouse.removesuffix('.Lakehouse')}.Lakehouse"
        yield from ((f"{each}/{item}", lakehouse_id) for each in (workspace, workspace_id) if each)


def _place(dataset: DatasetId) -> _Place | None:
    scheme, _, authority = dataset.namespace.partition("://")
    workspace, _, host = authority.rpartition("@")
    if scheme not in _SCHEMES or not workspace or not _HOST.fullmatch(host):
        return None
    item, _, path = dataset.name.partition("/")
    return _Place(unquote(workspace), unquote(item), path)
