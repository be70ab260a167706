"""Upload: look up, create what is missing under locks, show the lineage.

The Data Map takes no lock between looking for a name and creating it: two workers at a time would make two assets of
one name. So whatever does not exist yet is looked up again, and created, under a lock per type and qualified name;
columns are added to assets of ours under the same locks (see purview.growth).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from operator import eq
from typing import Any, Protocol

from core.errors import CatalogUnavailable
from core.model import Asset, AssetName, Created, DatasetId, Lineage, UploadResult
from purview.catalog import Written
from purview.entities import (
    GENERIC_TYPE,
    PROCESS_TYPE,
    Assets,
    Draft,
    Resolutions,
    build_entities,
    datasets_of,
    storable,
)
from purview.growth import Gaps, Reader, Record, find_gaps, plan_additions
from purview.lookup import Cache, Finder, Same, look_up, look_up_exactly, remember
from purview.process_name import process_name
from purview.refusals import ReferenceMissing, UnusableType
from purview.schema import Entity

_log = logging.getLogger(__name__)
#: No maximum is published; Microsoft's own samples and connectors stay at this.
BATCH = 50


class Lease(Protocol):
    """Locks that are held."""

    def check(self) -> None:
        """Do nothing while all of them are held.

        :raises LeaseLost: one of them expired.
        """


class Locks(Protocol):
    """Mutual exclusion between all workers."""

    def hold(self, keys: Sequence[str], wait_seconds: float) -> AbstractContextManager[Lease]:
        """Hold all keys, which come sorted.

        :raises LeaseLost: another worker kept one of them for longer than ``wait_seconds``.
        """
        ...


class Writer(Finder, Reader, Protocol):
    """What is asked of the catalogue."""

    def upload(
        self, entities: Sequence[Mapping[str, Any]], collection: str = "", guard: Callable[[], None] | None = None
    ) -> Written: ...


class Remover(Protocol):
    """What removing asks of the catalogue."""

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def delete(self, guid: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Task:
    """One upload. ``process`` is the name of the process, ``collection`` is for what is new."""

    lineage: Lineage
    resolutions: Resolutions
    process: AssetName
    catalog: Writer
    cache: Cache
    record: Record
    locks: Locks
    collection: str
    same: Same
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class _Known:
    """The assets (those that exist have a guid), what ours lack, and the process' guid, "" if it is new."""

    assets: Assets
    gaps: Gaps
    process_guid: str

    @property
    def missing(self) -> list[DatasetId]:
        return [dataset for dataset, asset in self.assets.items() if not asset.guid]


def upload(
    lineage: Lineage,
    resolutions: Resolutions,
    catalog: Writer,
    cache: Cache,
    record: Record,
    locks: Locks,
    collection: str = "",
    *,
    same: Same = eq,
    wait_seconds: float = 30.0,
) -> UploadResult:
    """Show the lineage in the catalogue. Repeating it changes nothing.

    :param record: which assets are ours; those get columns that they lack, others stay as they are.
    :param collection: internal name of the collection for new assets; existing ones stay where they are.
    :param same: says whether a name that the search found is the wanted one; by default only if they are equal.
    :param wait_seconds: how long to wait for another worker that creates the same assets.
    :raises TryLater: the catalogue, the record or a lock is out of reach; a later attempt may succeed.
    :raises CatalogRefused: the catalogue refused the upload for good.
    """
    used = {dataset.id: resolutions[dataset.id] for dataset in datasets_of(lineage)}
    qualified_name, _ = process_name(lineage.application, resolutions[lineage.sink.id])
    process = AssetName(PROCESS_TYPE, qualified_name)
    task = _Task(lineage, used, process, catalog, cache, record, locks, collection, same, wait_seconds)
    try:
        return _upload(task)
    except ReferenceMissing as error:
        _log.info("%s: an asset that was known is gone; looking up again", error)
        cache.drop({storable(resolution.asset) for resolution in used.values()})
    try:
        return _upload(task)
    except ReferenceMissing as error:
        raise CatalogUnavailable(f"assets vanish while they are being used: {error.reason}") from error


def remove(process_qualified_name: str, catalog: Remover) -> bool:
    """Delete a process; its datasets stay. Says whether there was one."""
    name = AssetName(PROCESS_TYPE, process_qualified_name)
    found = catalog.find([name]).get(name)
    if found:
        catalog.delete(found.guid)
    return found is not None


def _upload(task: _Task) -> UploadResult:
    known = _look(task, look_up(task.resolutions, task.catalog, task.cache, task.same))
    locked: set[AssetName] = set()
    while not (needed := _to_lock(task, known)) <= locked:
        # What another worker has just created may be named otherwise than planned. Its lock is added by taking all
        # anew: who asks for more locks while it holds some may wait for somebody who waits for it.
        locked |= needed
        keys = [f"{name.type_name} {name.qualified_name}" for name in sorted(locked)]
        with task.locks.hold(keys, task.wait_seconds) as lease:
            known = _look_again(task, known)
            if _to_lock(task, known) <= locked:
                return _write(task, known, lease.check)
    return _write(task, known, None)


def _to_lock(task: _Task, known: _Known) -> set[AssetName]:
    """The assets that are to be created, or to get columns."""
    names = {known.assets[dataset].name for dataset in known.missing} | known.gaps.names
    return names if known.process_guid else {*names, task.process}


def _look_again(task: _Task, known: _Known) -> _Known:
    """What another worker may have created, or recorded, before this one got the locks."""
    missing = {dataset: task.resolutions[dataset] for dataset in known.missing}
    return _look(task, {**known.assets, **look_up_exactly(missing, task.catalog)}, known.process_guid)


def _look(task: _Task, assets: Assets, process_guid: str = "") -> _Known:
    return _Known(assets, find_gaps(task.lineage, assets, task.record), process_guid or _process_guid(task))


def _process_guid(task: _Task) -> str:
    found = task.catalog.find([task.process]).get(task.process)
    return found.guid if found else ""


def _write(task: _Task, known: _Known, guard: Callable[[], None] | None) -> UploadResult:
    """Send the entities; types that turn out to be unusable are replaced by generic ones."""
    unusable: set[str] = set()
    additions = plan_additions(known.gaps, task.catalog, task.record)
    while True:
        assets = {dataset: _usable(asset, unusable) for dataset, asset in known.assets.items()}
        draft = build_entities(task.lineage, task.resolutions, assets, unusable, additions)
        try:
            return _send(task, replace(known, assets=assets), draft, guard)
        except UnusableType as error:
            replaceable = {entity["typeName"] for entity in draft.entities} - {PROCESS_TYPE, GENERIC_TYPE}
            if error.type_name not in replaceable - unusable:
                raise
            _log.warning("%s; using a generic type instead", error)
            unusable.add(error.type_name)


def _usable(asset: Asset, unusable: AbstractSet[str]) -> Asset:
    if asset.guid or asset.name.type_name not in unusable:
        return asset
    return Asset(AssetName(GENERIC_TYPE, asset.name.qualified_name))


def _send(task: _Task, known: _Known, draft: Draft, guard: Callable[[], None] | None) -> UploadResult:
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
    process_guid = assigned.get(draft.process["guid"], known.process_guid)
    assets = {
        dataset: asset if asset.guid else replace(asset, guid=assigned.get(draft.created[asset.name], ""))
        for dataset, asset in known.assets.items()
    }
    if not process_guid or not all(asset.guid for asset in assets.values()):
        raise CatalogUnavailable("the catalogue did not say which guids it gave")
    remember({storable(task.resolutions[dataset].asset): assets[dataset] for dataset in known.missing}, task.cache)
    return UploadResult(process_guid, created, updated, assets, draft.notes)


def _record(task: _Task, draft: Draft, assigned: Mapping[str, str]) -> None:
    """Keep what a request completed; at once, since the next one may fail."""
    complete = ((*draft.columns[sent], guid) for sent, guid in assigned.items() if sent in draft.columns)
    task.record.add_many({asset.name: Created(asset.guid or guid, columns) for asset, columns, guid in complete})


def _requests(draft: Draft, collection: str, known: _Known) -> Iterator[tuple[Sequence[Entity], str]]:
    """The entities in groups of one request each, with the collection to put them into.

    Naming a collection moves everything that is sent there, so an existing process never goes along.
    """
    groups = [(draft.entities, collection)]
    if collection and known.process_guid:
        groups = [(draft.entities[:-1], collection), (draft.entities[-1:], "")]
    for entities, target in groups:
        for start in range(0, len(entities), BATCH):
            yield entities[start : start + BATCH], target


def _with_guids(entity: Entity, assigned: Mapping[str, str]) -> Entity:
    """The entity with real guids for what earlier requests created: placeholders mean nothing across requests."""
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
