"""Uploads a lineage: looks up assets, creates missing ones, writes the process."""

import logging
import time
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import replace
from operator import eq
from typing import Protocol

from core.catalog_model import Asset, AssetName, UploadResult
from core.errors import CatalogConflict
from core.lineage_model import Lineage
from purview import creation
from purview.creation import complete, confirm, look_up_part, parts, process_guid_of, write_under_locks
from purview.dataset_entities import Resolutions, storable
from purview.entities import datasets_of, within_limits, write_of
from purview.lookup import Cache, Same
from purview.missing_columns import MissingColumns, Record
from purview.process_name import process_name, process_type
from purview.refusals import ReferenceMissing
from purview.upload_task import Known, Locks, Task, Writer

_log = logging.getLogger(__name__)

#: After how many seconds an upload that is done in parts stops between two of them and leaves the rest to the next
# attempt: the host ends a function after ten minutes, and others wait for the slot.
LONGEST = 120.0


class Remover(Protocol):
    """The catalogue's functions for removing a process."""

    def upload_turn(self, collection: str = "") -> AbstractContextManager[None]: ...

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def delete(self, guid: str) -> None: ...


def upload(
    lineage: Lineage,
    resolutions: Resolutions,
    catalog: Writer,
    cache: Cache,
    record: Record,
    locks: Locks,
    collection: str = "",
    *,
    process: str = "",
    referred: AbstractSet[AssetName] = frozenset(),
    same: Same = eq,
    wait_seconds: float = 30.0,
) -> UploadResult:
    """Show the lineage in the catalogue. Repeating it changes nothing.

    :param record: the assets that the app created; those get columns that they lack, others stay as they are.
    :param collection: internal name of the collection for new assets; existing ones stay where they are.
    :param process: the qualified name of the process, if it is not Sparklin's own.
    :param referred: planned names of datasets to which the process certainly refers already.
    :param same: says whether a name that the search found is the wanted one; by default only if they are equal.
    :param wait_seconds: how long to wait for another worker that creates the same assets.
    :raises TryLater: the catalogue, the record or a lock is unavailable; a later attempt may succeed.
    :raises CatalogRefused: the catalogue refuses the content, now and later.
    """
    shown = within_limits(lineage, resolutions)
    used = {dataset.id: resolutions[dataset.id] for dataset in datasets_of(shown)}
    name = process_name(write_of(lineage, resolutions), process).asset
    task = Task(shown, used, name, catalog, cache, record, locks, collection, same, wait_seconds, referred)
    with catalog.upload_turn(collection):
        result = _upload_repeatedly(task)
    return replace(result, notes=(*shown.notes[len(lineage.notes) :], *result.notes))


def remove(process_qualified_name: str, catalog: Remover, collection: str = "") -> bool:
    """Delete a process; its datasets stay. Returns whether there was one."""
    name = AssetName(process_type(process_qualified_name), process_qualified_name)
    with catalog.upload_turn(collection):
        found = catalog.find([name]).get(name)
        if found:
            catalog.delete(found.guid)
        return found is not None


def _upload_repeatedly(task: Task) -> UploadResult:
    try:
        return _upload(task)
    except ReferenceMissing as error:
        _log.info("%s: an asset that was known is gone; looking up again", error)
        task.cache.drop({storable(resolution.asset) for resolution in task.resolutions.values()})
    try:
        return _upload(task)
    except ReferenceMissing as error:
        raise CatalogConflict(f"assets vanish while they are being used: {error.reason}") from error


def _upload(task: Task) -> UploadResult:
    """Complete the datasets, part by part if they are many, and write the process with those of the last part."""
    ends = time.monotonic() + LONGEST
    *rest, last = parts(task)
    done: list[UploadResult] = []
    taken_up: set[AssetName] = set()
    for part in rest:
        known = look_up_part(task, part)
        taken_up |= known.names | known.taken_up
        done += complete(task, known, ends)
    known = look_up_part(task, last)
    taken_up |= known.taken_up
    if len(known.names) > creation.CREATE_AT_ONCE:
        taken_up |= known.names
        done += complete(task, known, ends)
        known = Known((), {}, MissingColumns())
    assets = {dataset: asset for each in done for dataset, asset in each.assets.items()}
    known = replace(known, assets={**assets, **known.assets}, process_guid=process_guid_of(task))
    if len(taken_up) <= creation.CREATE_AT_ONCE:
        return _joined([*done, write_under_locks(task, replace(known, taken_up=frozenset(taken_up)))])
    result = _joined([*done, write_under_locks(task, replace(known, taken_up=frozenset()))])
    confirm(task, result.assets.values())
    return result


def _joined(results: Sequence[UploadResult]) -> UploadResult:
    """The last result with the numbers and notes of all."""
    return replace(
        results[-1],
        created=sum(result.created for result in results),
        updated=sum(result.updated for result in results),
        notes=tuple(note for result in results for note in result.notes),
    )
