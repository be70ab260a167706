"""Sends entities in groups of one bulk request each, and collects the guids that the catalogue assigns to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.catalog_model import Created, UploadResult
from core.errors import CatalogConflict
from core.replacing import replace
from purview.dataset_entities import DatasetDraft, storable
from purview.entities import Draft
from purview.lookup import remember
from purview.schema import Entity
from purview.upload_task import Known, Task

#: No maximum is published; Microsoft's own samples and connectors send this many.
BATCH = 50


def send(task: Task, known: Known, draft: Draft | DatasetDraft, guard: Callable[[], None] | None) -> UploadResult:
    assigned: dict[str, str] = {}
    created = updated = 0
    if guard:
        guard()
    task.record.add_many({name: Created() for name in draft.created})
    for entities, collection in _requests(draft, task.collection, known):
        written = task.catalog.upload([_with_guids(entity, assigned) for entity in entities], collection, guard)
        assigned |= written.assigned
        _record(task, draft, written.assigned)
        created += written.created
        updated += written.updated
    process_guid = known.process_guid or ""
    if isinstance(draft, Draft):
        process_guid = assigned.get(draft.process["guid"], process_guid)
    assets = {
        dataset: asset if asset.guid else replace(asset, guid=assigned.get(draft.created[asset.name], ""))
        for dataset, asset in known.assets.items()
    }
    if not all(asset.guid for asset in assets.values()) or (isinstance(draft, Draft) and not process_guid):
        raise CatalogConflict("the catalogue did not say which guids it gave")
    if isinstance(draft, Draft):
        # For thousands this would take longer than finding them by their names if they are needed again.
        remember({storable(task.resolutions[dataset].asset): assets[dataset] for dataset in known.missing}, task.cache)
    return UploadResult(process_guid, created, updated, assets, draft.notes)


def _record(task: Task, draft: Draft | DatasetDraft, assigned: Mapping[str, str]) -> None:
    """Record what a request completed, at once, since the next one may fail."""
    complete = ((*draft.columns[sent], guid) for sent, guid in assigned.items() if sent in draft.columns)
    task.record.add_many({asset.name: Created(asset.guid or guid, columns) for asset, columns, guid in complete})


def _requests(draft: Draft | DatasetDraft, collection: str, known: Known) -> Iterator[tuple[Sequence[Entity], str]]:
    """The entities in groups of one request each, with the collection to put them into.

    A request with a collection moves all of its entities there, so an existing process is never part of it.
    """
    groups = [(draft.entities, collection)]
    if collection and known.process_guid:
        groups = [(draft.entities[:-1], collection), (draft.entities[-1:], "")]
    for entities, target in groups:
        for start in range(0, len(entities), BATCH):
            yield entities[start : start + BATCH], target


def _with_guids(entity: Entity, assigned: Mapping[str, str]) -> Entity:
    """The entity with real guids for what earlier requests created: placeholders are valid in one request only."""
    if not assigned:
        return entity
    return {key: _resolved(value, assigned) if key != "guid" else value for key, value in entity.items()}


def _resolved(value: Any, assigned: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolved(item, assigned) for item in value]
    if isinstance(value, dict):
        return {
            key: assigned.get(item, item) if key == "guid" else _resolved(item, assigned) for key, item in value.items()
        }
    return value
