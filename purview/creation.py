"""Creates missing assets under locks, some of the datasets at a time.

The Data Map takes no lock between looking for a name and creating it, so two workers could create two assets of one
name. Missing assets are therefore looked up again, and created, under locks that all workers share (see
``creation_locks``). Columns are added to assets that the app created under the same locks (see
purview.missing_columns), and an upload holds the locks of those to which its process starts to refer, so that nobody
deletes them meanwhile.

A lineage with very many datasets is processed in parts. Each part is looked up and completed before the next one, so
that locks are held only for a short time, and an attempt that fails half-way gets further than the one before.
"""

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from core.catalog_model import Asset, AssetName, UploadResult
from core.errors import CatalogConflict
from core.event_model import Dataset
from purview.bulk_requests import send
from purview.dataset_entities import GENERIC_TYPE, Assets, DatasetDraft, build_datasets, storable
from purview.entities import Draft, build_entities, datasets_of
from purview.lookup import look_up, look_up_exactly, look_up_planned
from purview.missing_columns import find_missing_columns, known_fields, plan_additions
from purview.refusals import UnusableType
from purview.schema import Addition
from purview.upload_task import Known, Task

_log = logging.getLogger(__name__)
#: How many locks all creations share. With more locks, fewer workers wait for each other, but one upload must be able
#: to renew all of them.
BUCKETS = 64
#: How many datasets are created each time the locks are held.
CREATE_AT_ONCE = 200

# How many datasets are looked up together.
_LOOK_UP_AT_ONCE = 2500
# Up to how many missing datasets all possible names are looked up again under the locks.
_FEW = 50


def creation_locks(names: Iterable[AssetName]) -> list[str]:
    """The sorted keys of the locks under which assets of these names are created: one of ``BUCKETS`` for each name.

    Names that share a lock may wait for each other unnecessarily. One lock for each of thousands of names would be
    worse, because they could not all be renewed in time. The keys differ from those of processes, which are the
    process names. The lock of a process is always taken before these and never while they are held, so workers cannot
    deadlock.
    """
    return sorted({f"creation {_place(name) * BUCKETS >> 64:02}" for name in names})


def neighbours(names: Iterable[AssetName]) -> Iterator[list[AssetName]]:
    """The names in groups of at most ``CREATE_AT_ONCE`` that share locks."""
    ordered = sorted(names, key=_place)
    for start in range(0, len(ordered), CREATE_AT_ONCE):
        yield ordered[start : start + CREATE_AT_ONCE]


def _place(name: AssetName) -> int:
    """The place of an asset in an arbitrary order, a number of 64 bits. Neighbours share a lock.

    They also share a partition of the app's tables (see storage.asset_cache.asset_key) and are written together.
    """
    text = f"{name.type_name}\n{name.qualified_name}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def parts(task: Task) -> list[tuple[Dataset, ...]]:
    """The datasets in parts, ordered by planned name. Datasets of one name are in the same part."""
    datasets = datasets_of(task.lineage)
    planned = {dataset.id: storable(task.resolutions[dataset.id].asset) for dataset in datasets}
    place = {name: number // _LOOK_UP_AT_ONCE for number, name in enumerate(sorted(set(planned.values())))}
    parts: defaultdict[int, list[Dataset]] = defaultdict(list)
    for dataset in datasets:
        parts[place[planned[dataset.id]]].append(dataset)
    return [tuple(parts[number]) for number in sorted(parts)]


def look_up_part(task: Task, datasets: tuple[Dataset, ...]) -> Known:
    resolutions = {dataset.id: task.resolutions[dataset.id] for dataset in datasets}
    return _recorded(task, datasets, look_up(resolutions, task.catalog, task.cache, task.same))


def _recorded(task: Task, datasets: tuple[Dataset, ...], assets: Assets) -> Known:
    """What is recorded of these assets."""
    fields = known_fields(datasets, assets)
    new = {
        assets[dataset.id].name
        for dataset in datasets
        if assets[dataset.id].guid and storable(task.resolutions[dataset.id].asset) not in task.referred
    }
    created = task.record.get_many({*new, *(asset.name for asset in fields)})
    return Known(datasets, assets, find_missing_columns(fields, created), taken_up=frozenset(new & created.keys()))


def complete(task: Task, known: Known, ends: float) -> Iterator[UploadResult]:
    """Create missing datasets and add missing columns, a few datasets at a time.

    :raises CatalogConflict: if it takes too long; the next attempt finds what was done so far.
    """
    yield UploadResult("", assets={id_: asset for id_, asset in known.assets.items() if asset.guid})
    for few in _slices(known):
        yield write_under_locks(task, few)
        if time.monotonic() > ends:
            raise CatalogConflict("there are too many datasets for one attempt; the next one continues")


def _slices(known: Known) -> Iterator[Known]:
    """The datasets that need work, in slices; datasets that share locks are together."""
    by_name: defaultdict[AssetName, list[Dataset]] = defaultdict(list)
    for dataset in known.datasets:
        by_name[known.assets[dataset.id].name].append(dataset)
    for names in neighbours(known.names):
        datasets = tuple(dataset for name in names for dataset in by_name[name])
        assets = {dataset.id: known.assets[dataset.id] for dataset in datasets}
        yield Known(datasets, assets, known.gaps.of(set(names)))


def write_under_locks(task: Task, known: Known) -> UploadResult:
    """Take the locks that are needed, and send the entities."""
    locked: set[str] = set()
    while not (needed := _to_lock(task, known)) <= locked:
        # Another worker may just have created an asset under another name than planned. To add its lock, release all
        # locks and take them again: asking for more locks while holding some could deadlock.
        locked |= needed
        with task.locks.hold(sorted(locked), task.wait_seconds) as lease:
            known = _look_again(task, known)
            if _to_lock(task, known) <= locked:
                return _write(task, known, lease.check)
    return _write(task, known, None)


def confirm(task: Task, assets: Iterable[Asset]) -> None:
    """Make sure that assets exist to which a process refers by now, and whose locks were not held meanwhile.

    Others delete an asset under its lock, and only while no process refers to it.

    :raises CatalogConflict: one of them was deleted; the next attempt creates it again.
    """
    guids = {asset.name: asset.guid for asset in assets}
    for group in neighbours(guids):
        with task.locks.hold(creation_locks(group), task.wait_seconds):
            found = task.catalog.find(group)
        if any(name not in found or found[name].guid != guids[name] for name in group):
            raise CatalogConflict("an asset was deleted while a process started to refer to it")


def _to_lock(task: Task, known: Known) -> set[str]:
    if known.process_guid is None:
        return set(creation_locks(known.names))
    is_new = known.process_guid == ""
    return set(creation_locks({*known.names, *known.taken_up, *([task.process] if is_new else ())}))


def _look_again(task: Task, known: Known) -> Known:
    """Look up again what another worker may have created or recorded before this one got the locks."""
    missing = {dataset: task.resolutions[dataset] for dataset in known.missing}
    # Names that are not locked can be created at any time, so with many datasets they are not looked up again.
    find = look_up_exactly if len(missing) <= _FEW else look_up_planned
    again = _recorded(task, known.datasets, {**known.assets, **find(missing, task.catalog)})
    guid = process_guid_of(task) if known.process_guid == "" else known.process_guid
    return replace(again, process_guid=guid, taken_up=known.taken_up | again.taken_up)


def process_guid_of(task: Task) -> str:
    found = task.catalog.find([task.process]).get(task.process)
    return found.guid if found else ""


def _write(task: Task, known: Known, guard: Callable[[], None] | None) -> UploadResult:
    """Send the entities. Types that the catalogue cannot use are replaced by the generic type."""
    additions = plan_additions(known.gaps, task.catalog, task.record)
    while True:
        assets = {dataset: _usable(asset, task.unusable) for dataset, asset in known.assets.items()}
        draft = _draft(task, replace(known, assets=assets), additions)
        try:
            return send(task, replace(known, assets=assets), draft, guard)
        except UnusableType as error:
            replaceable = {entity["typeName"] for entity in draft.entities} - {task.process.type_name, GENERIC_TYPE}
            if error.type_name not in replaceable - task.unusable:
                raise
            _log.warning("%s; using a generic type instead", error)
            task.unusable.add(error.type_name)


def _draft(task: Task, known: Known, additions: Sequence[Addition]) -> Draft | DatasetDraft:
    if known.process_guid is None:
        return build_datasets(known.datasets, task.resolutions, known.assets, task.unusable, additions)
    return build_entities(
        task.lineage, task.resolutions, known.assets, task.unusable, additions, task.process.qualified_name
    )


def _usable(asset: Asset, unusable: AbstractSet[str]) -> Asset:
    if asset.guid or asset.name.type_name not in unusable:
        return asset
    return Asset(AssetName(GENERIC_TYPE, asset.name.qualified_name))
