"""Upload: look up, create what is missing under locks, show the lineage.

The Data Map takes no lock between looking for a name and creating it: two workers at a time would make two assets of
one name. So whatever does not exist yet is looked up again, and created, under locks that all share (see
``creation_locks``); columns are added to assets of ours under the same locks (see purview.missing_columns).

A lineage with very many datasets is done in parts: each is looked up, and what it lacks created, before the next, so
that locks are held for a short while only, and that an attempt that fails half-way gets further than the last one.
"""

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from operator import eq
from typing import Any, Protocol

from core.errors import CatalogUnavailable
from core.model import Asset, AssetName, Created, Dataset, DatasetId, Lineage, UploadResult
from purview.catalog import Written
from purview.entities import (
    GENERIC_TYPE,
    Assets,
    DatasetDraft,
    Draft,
    Resolutions,
    build_datasets,
    build_entities,
    datasets_of,
    storable,
    within_limits,
    write_of,
)
from purview.lookup import Cache, Finder, Same, look_up, look_up_exactly, look_up_planned, remember
from purview.missing_columns import MissingColumns, Reader, Record, find_missing_columns, plan_additions
from purview.process_name import process_name, process_type
from purview.refusals import ReferenceMissing, UnusableType
from purview.schema import Addition, Entity

_log = logging.getLogger(__name__)
#: No maximum is published; Microsoft's own samples and connectors stay at this.
BATCH = 50
#: How many locks all creations share. More let fewer workers wait for each other; all of one upload must be renewable.
BUCKETS = 64

# How many datasets are looked up together, and how many are created under one hold of locks.
_LOOK_UP_AT_ONCE = 2500
_CREATE_AT_ONCE = 200
# Of how many missing datasets all possible names are looked up once more under the locks.
_FEW = 50
# After how many seconds an upload that is done in parts stops between two of them and leaves the rest to the next
# attempt: the host ends a function after ten minutes, and others wait for the slot.
_LONGEST = 120.0


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

    def patience(self) -> AbstractContextManager[None]: ...

    def upload(
        self, entities: Sequence[Mapping[str, Any]], collection: str = "", guard: Callable[[], None] | None = None
    ) -> Written: ...


class Remover(Protocol):
    """What removing asks of the catalogue."""

    def patience(self) -> AbstractContextManager[None]: ...

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def delete(self, guid: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Task:
    """One upload. ``process`` is the name of the process, ``collection`` is for what is new.

    ``unusable`` are the types that the catalogue turned out not to have.
    """

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
    unusable: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Known:
    """Some of the datasets, their assets (those that exist have a guid), and what ours lack.

    ``process_guid`` is "" if the process is new, None if these datasets are done without it.
    """

    datasets: tuple[Dataset, ...]
    assets: Assets
    gaps: MissingColumns
    process_guid: str | None = None

    @property
    def missing(self) -> list[DatasetId]:
        return [dataset.id for dataset in self.datasets if not self.assets[dataset.id].guid]

    @property
    def names(self) -> set[AssetName]:
        """The assets that are to be created, or to get columns."""
        return {self.assets[dataset].name for dataset in self.missing} | self.gaps.names


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
    same: Same = eq,
    wait_seconds: float = 30.0,
) -> UploadResult:
    """Show the lineage in the catalogue. Repeating it changes nothing.

    :param record: which assets are ours; those get columns that they lack, others stay as they are.
    :param collection: internal name of the collection for new assets; existing ones stay where they are.
    :param process: the qualified name of the process, if that is not our own.
    :param same: says whether a name that the search found is the wanted one; by default only if they are equal.
    :param wait_seconds: how long to wait for another worker that creates the same assets.
    :raises TryLater: the catalogue, the record or a lock is out of reach; a later attempt may succeed.
    :raises CatalogRefused: the catalogue refused the upload for good.
    """
    shown = within_limits(lineage, resolutions)
    used = {dataset.id: resolutions[dataset.id] for dataset in datasets_of(shown)}
    name = process_name(write_of(lineage, resolutions), process).asset
    task = _Task(shown, used, name, catalog, cache, record, locks, collection, same, wait_seconds)
    with catalog.patience():
        result = _upload_repeatedly(task)
    return replace(result, notes=(*shown.notes[len(lineage.notes) :], *result.notes))


def remove(process_qualified_name: str, catalog: Remover) -> bool:
    """Delete a process; its datasets stay. Says whether there was one."""
    name = AssetName(process_type(process_qualified_name), process_qualified_name)
    with catalog.patience():
        found = catalog.find([name]).get(name)
        if found:
            catalog.delete(found.guid)
        return found is not None


def creation_locks(names: Iterable[AssetName]) -> list[str]:
    """The keys of the locks, sorted, under which assets of these names are created: one of ``BUCKETS`` for each.

    Names that share a lock wait for each other without need. That is better than a lock for each of thousands, which
    nobody can keep up. The keys are unlike any other: the lock of a process, which whoever uploads it may hold
    already, has the process' name. It is taken before these and never while they are held, so nobody waits in a ring.
    """
    return sorted({f"creation {_place(name) * BUCKETS >> 64:02}" for name in names})


def _place(name: AssetName) -> int:
    """Where an asset comes if all are put in an order without meaning, of 64 bits. Neighbours share a lock.

    They also share a partition of our tables (see storage.asset_cache.asset_key), where they are written together.
    """
    text = f"{name.type_name}\n{name.qualified_name}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _upload_repeatedly(task: _Task) -> UploadResult:
    try:
        return _upload(task)
    except ReferenceMissing as error:
        _log.info("%s: an asset that was known is gone; looking up again", error)
        task.cache.drop({storable(resolution.asset) for resolution in task.resolutions.values()})
    try:
        return _upload(task)
    except ReferenceMissing as error:
        raise CatalogUnavailable(f"assets vanish while they are being used: {error.reason}") from error


def _upload(task: _Task) -> UploadResult:
    """Complete the datasets, part by part if they are many, and write the process with those of the last part."""
    ends = time.monotonic() + _LONGEST
    *parts, last = _parts(task)
    done: list[UploadResult] = []
    for part in parts:
        done += _complete(task, _look_up(task, part), ends)
    known = _look_up(task, last)
    if len(known.names) > _CREATE_AT_ONCE:
        done += _complete(task, known, ends)
        known = _Known((), {}, MissingColumns())
    assets = {dataset: asset for each in done for dataset, asset in each.assets.items()}
    known = replace(known, assets={**assets, **known.assets}, process_guid=_process_guid(task))
    return _joined([*done, _under_locks(task, known)])


def _parts(task: _Task) -> list[tuple[Dataset, ...]]:
    """The datasets by their planned names, those of one name together."""
    datasets = datasets_of(task.lineage)
    planned = {dataset.id: storable(task.resolutions[dataset.id].asset) for dataset in datasets}
    place = {name: number // _LOOK_UP_AT_ONCE for number, name in enumerate(sorted(set(planned.values())))}
    parts: defaultdict[int, list[Dataset]] = defaultdict(list)
    for dataset in datasets:
        parts[place[planned[dataset.id]]].append(dataset)
    return [tuple(parts[number]) for number in sorted(parts)]


def _look_up(task: _Task, datasets: tuple[Dataset, ...]) -> _Known:
    resolutions = {dataset.id: task.resolutions[dataset.id] for dataset in datasets}
    assets = look_up(resolutions, task.catalog, task.cache, task.same)
    return _Known(datasets, assets, find_missing_columns(datasets, assets, task.record))


def _complete(task: _Task, known: _Known, ends: float) -> Iterator[UploadResult]:
    """Create what is missing, and add the columns, of a few datasets at a time.

    :raises CatalogUnavailable: it takes too long; what was done so far is there at the next attempt.
    """
    yield UploadResult("", assets={id_: asset for id_, asset in known.assets.items() if asset.guid})
    for few in _slices(known):
        yield _under_locks(task, few)
        if time.monotonic() > ends:
            raise CatalogUnavailable("there are too many datasets for one attempt; the next one goes on")


def _slices(known: _Known) -> Iterator[_Known]:
    """The datasets that something is to be done for, those that share locks together."""
    by_name: defaultdict[AssetName, list[Dataset]] = defaultdict(list)
    for dataset in known.datasets:
        by_name[known.assets[dataset.id].name].append(dataset)
    ordered = sorted(known.names, key=_place)
    for start in range(0, len(ordered), _CREATE_AT_ONCE):
        names = ordered[start : start + _CREATE_AT_ONCE]
        datasets = tuple(dataset for name in names for dataset in by_name[name])
        assets = {dataset.id: known.assets[dataset.id] for dataset in datasets}
        yield _Known(datasets, assets, known.gaps.of(set(names)))


def _joined(results: Sequence[UploadResult]) -> UploadResult:
    """The last result with the numbers and notes of all."""
    return replace(
        results[-1],
        created=sum(result.created for result in results),
        updated=sum(result.updated for result in results),
        notes=tuple(note for result in results for note in result.notes),
    )


def _under_locks(task: _Task, known: _Known) -> UploadResult:
    """Write what is known, under the locks that this takes."""
    locked: set[str] = set()
    while not (needed := _to_lock(task, known)) <= locked:
        # What another worker has just created may be named otherwise than planned. Its lock is added by taking all
        # anew: who asks for more locks while it holds some may wait for somebody who waits for it.
        locked |= needed
        with task.locks.hold(sorted(locked), task.wait_seconds) as lease:
            known = _look_again(task, known)
            if _to_lock(task, known) <= locked:
                return _write(task, known, lease.check)
    return _write(task, known, None)


def _to_lock(task: _Task, known: _Known) -> set[str]:
    is_new = known.process_guid == ""
    return set(creation_locks(known.names | {task.process} if is_new else known.names))


def _look_again(task: _Task, known: _Known) -> _Known:
    """What another worker may have created, or recorded, before this one got the locks."""
    missing = {dataset: task.resolutions[dataset] for dataset in known.missing}
    # Under other names than those that are locked it may be created at any time; for many that is not asked twice.
    find = look_up_exactly if len(missing) <= _FEW else look_up_planned
    assets = {**known.assets, **find(missing, task.catalog)}
    gaps = find_missing_columns(known.datasets, assets, task.record)
    guid = _process_guid(task) if known.process_guid == "" else known.process_guid
    return _Known(known.datasets, assets, gaps, guid)


def _process_guid(task: _Task) -> str:
    found = task.catalog.find([task.process]).get(task.process)
    return found.guid if found else ""


def _write(task: _Task, known: _Known, guard: Callable[[], None] | None) -> UploadResult:
    """Send the entities; types that turn out to be unusable are replaced by generic ones."""
    additions = plan_additions(known.gaps, task.catalog, task.record)
    while True:
        assets = {dataset: _usable(asset, task.unusable) for dataset, asset in known.assets.items()}
        draft = _draft(task, replace(known, assets=assets), additions)
        try:
            return _send(task, replace(known, assets=assets), draft, guard)
        except UnusableType as error:
            replaceable = {entity["typeName"] for entity in draft.entities} - {task.process.type_name, GENERIC_TYPE}
            if error.type_name not in replaceable - task.unusable:
                raise
            _log.warning("%s; using a generic type instead", error)
            task.unusable.add(error.type_name)


def _draft(task: _Task, known: _Known, additions: Sequence[Addition]) -> Draft | DatasetDraft:
    if known.process_guid is None:
        return build_datasets(known.datasets, task.resolutions, known.assets, task.unusable, additions)
    return build_entities(
        task.lineage, task.resolutions, known.assets, task.unusable, additions, task.process.qualified_name
    )


def _usable(asset: Asset, unusable: AbstractSet[str]) -> Asset:
    if asset.guid or asset.name.type_name not in unusable:
        return asset
    return Asset(AssetName(GENERIC_TYPE, asset.name.qualified_name))


def _send(task: _Task, known: _Known, draft: Draft | DatasetDraft, guard: Callable[[], None] | None) -> UploadResult:
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
        raise CatalogUnavailable("the catalogue did not say which guids it gave")
    if isinstance(draft, Draft):
        # Of thousands this would take longer than finding them by their names, should they be needed soon again.
        remember({storable(task.resolutions[dataset].asset): assets[dataset] for dataset in known.missing}, task.cache)
    return UploadResult(process_guid, created, updated, assets, draft.notes)


def _record(task: _Task, draft: Draft | DatasetDraft, assigned: Mapping[str, str]) -> None:
    """Keep what a request completed; at once, since the next one may fail."""
    complete = ((*draft.columns[sent], guid) for sent, guid in assigned.items() if sent in draft.columns)
    task.record.add_many({asset.name: Created(asset.guid or guid, columns) for asset, columns, guid in complete})


def _requests(draft: Draft | DatasetDraft, collection: str, known: _Known) -> Iterator[tuple[Sequence[Entity], str]]:
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
