"""Moves processes from assets that Sparklin created to those that scans created later.

An asset that Sparklin creates has the name and type that a scan would give it, so that a later scan usually updates it.
If it does not (a rule was missing, the type was not known, the scan generalised the path further), there are two assets
of one dataset, and the process refers to Sparklin's. The steps here find these, upload the processes again, and delete
assets to which nothing refers any more. Each is safe to repeat.
"""

import logging
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.catalog_model import Asset, AssetName, Created
from core.errors import UnreadableHistory
from core.event_model import DatasetId
from core.threads import stream_in_threads
from parser.repeated_runs import whole_history
from pipeline.processes import drawn, process_of, same_data
from pipeline.publish import republish
from pipeline.services import Services
from purview.creation import creation_locks
from purview.dataset_entities import GENERIC_TYPE, storable
from purview.lookup import look_up_others, remember
from purview.removal import reason_in_use, remove_asset
from storage.details_table import DetailsRow

log = logging.getLogger(__name__)

#: How many processes or assets are read, or changed, at the same time.
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Move:
    """A dataset of a process: the asset that Sparklin created, and the one that a scan created for it.

    ``planned`` is the name under which it is looked up; ``pending`` is false if the process already refers to the
    scanned asset.
    """

    process: str
    process_guid: str
    dataset: DatasetId
    planned: AssetName
    ours: Asset
    scanned: Asset
    pending: bool


@dataclass(frozen=True, slots=True)
class Leftover:
    """An asset of Sparklin that a scanned one replaces; ``kept`` is why it may not be deleted, "" if it may."""

    asset: Asset
    kept: str = ""


def moves(services: Services) -> Iterator[Move]:
    """The moves, process by process, in no particular order.

    :raises TryLater, Refused: storage or the catalogue cannot be read.
    """
    rows = (row for row in services.details.all() if row.process_guid)
    for found in stream_in_threads(lambda row: _readable_moves(row, services), rows, AT_ONCE):
        yield from found


def _readable_moves(row: DetailsRow, services: Services) -> tuple[Move, ...]:
    try:
        return tuple(_moves_of(row, services))
    except UnreadableHistory as error:
        log.error("skipped process %s: %s", row.qualified_name, error.reason)
        return ()


def apply(process: str, wanted: Iterable[Move], services: Services) -> None:
    """Upload a process again, so that it refers to the scanned assets.

    :raises TryLater, Refused: the upload failed.
    """
    # While Sparklin's asset exists, and it may have to stay, an exact look-up would find it first.
    remember({move.planned: move.scanned for move in wanted}, services.cache, lasting=True)
    republish(process, services)


def leftover(asset: Asset, services: Services, moving: Container[str] = ()) -> Leftover | None:
    """Whether a replaced asset of Sparklin may be deleted; None if it is gone already.

    ``moving`` are the guids of processes that still refer to it but would be moved.

    :raises TryLater, Refused: storage or the catalogue cannot be read.
    """
    entity = services.catalog.get(asset.guid)
    if entity:
        return Leftover(asset, reason_in_use(entity, services.catalog, moving))
    services.created.remove(asset.name, asset.guid)
    return None


def remove(asset: Asset, services: Services) -> Leftover:
    """Delete a replaced asset under the lock of its name, unless there is a reason to keep it by now.

    :raises TryLater, Refused: the catalogue is unavailable, or refuses.
    """
    with services.locks.hold(creation_locks([asset.name]), services.lock_wait_seconds):
        kept = reason_in_use(services.catalog.get(asset.guid), services.catalog)
        if not kept:
            remove_asset(asset, services.catalog)
            services.created.remove(asset.name, asset.guid)
    return Leftover(asset, kept)


def _moves_of(row: DetailsRow, services: Services) -> Iterator[Move]:
    lineage, _ = drawn(whole_history(row.history, row.repeats), services.settings.lineage_window, services.naming)
    if lineage is None:
        return
    resolutions = process_of(lineage, services.naming).resolutions
    planned = {dataset: storable(each.asset) for dataset, each in resolutions.items()}
    ours = _ours(planned, services)
    others = look_up_others(resolutions, ours, services.catalog, same_data) if ours else {}
    if not others:
        return
    used = _references(services.catalog.get(row.process_guid))
    for dataset, scanned in sorted(others.items()):
        pending = scanned.guid not in used
        yield Move(row.qualified_name, row.process_guid, dataset, planned[dataset], ours[dataset], scanned, pending)


def _ours(planned: Mapping[DatasetId, AssetName], services: Services) -> dict[DatasetId, Asset]:
    """The assets that Sparklin created for these datasets, under their planned name or as a generic one."""
    generic = {dataset: AssetName(GENERIC_TYPE, name.qualified_name) for dataset, name in planned.items()}
    created: Mapping[AssetName, Created] = services.created.get_many({*planned.values(), *generic.values()})
    found: dict[DatasetId, Asset] = {}
    for dataset, name in planned.items():
        for own in (name, generic[dataset]):
            if own in created and created[own].guid:
                found.setdefault(dataset, Asset(own, created[own].guid))
    return found


def _references(process: Mapping[str, Any]) -> frozenset[str]:
    attributes = process.get("attributes") or {}
    listed = (*(attributes.get("inputs") or ()), *(attributes.get("outputs") or ()))
    return frozenset(str(reference.get("guid")) for reference in listed)
