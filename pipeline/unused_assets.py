"""Deletes assets that the app created when no process refers to them any more.

What the catalogue shows depends on the stored events only. So if a run is retracted, or its lineage is no longer shown,
the assets that were created for it are deleted, too. This applies to assets that the app created, that no process
refers to, and that have not been changed since (purview.removal.reason_touched). Others stay, and the log says why.

The row of a process contains the names of the datasets to which its process refers. Names are added before an upload.
They are left out only after it, and after the deletions that follow from it. So a worker that takes over from a crashed
one knows all of them, and repeats what may be missing.

An asset is checked and deleted under the lock of its creation. An upload whose process starts to refer to such an asset
holds the same lock (purview.creation), so an asset cannot be deleted between that check and a new reference. The
process itself is deleted before, so that of two processes that are retracted at once, one finds the asset unused.
"""

import json
import logging
import time
import zlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from core.catalog_model import Asset, AssetName
from core.errors import CatalogConflict, CatalogRefused
from core.logs import step
from core.threads import in_threads
from pipeline.processes import Process
from pipeline.services import Services
from purview.creation import creation_locks, neighbours
from purview.dataset_entities import GENERIC_TYPE
from purview.entities import planned_assets, within_limits
from purview.missing_columns import adopt
from purview.process_name import process_type
from purview.removal import reason_touched, remove_asset
from purview.uploader import LONGEST
from storage.locks import HeldLocks

log = logging.getLogger(__name__)

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Referred:
    """The planned names of the datasets to which a process refers, or did before its last complete upload.

    ``collection`` is that of the process, read before the process is deleted; "" if unknown.
    """

    names: frozenset[AssetName] = frozenset()
    collection: str = ""


def encode(referred: Referred) -> bytes:
    """The bytes for the row of a process."""
    names = sorted([name.type_name, name.qualified_name] for name in referred.names)
    return zlib.compress(json.dumps({"collection": referred.collection, "names": names}).encode()) if names else b""


def decode(data: bytes) -> Referred:
    """Decode the bytes of ``encode``; empty if there are none, as in rows of earlier versions."""
    if not data:
        return Referred()
    kept = json.loads(zlib.decompress(data))
    return Referred(frozenset(AssetName(*name) for name in kept["names"]), kept["collection"])


def names_of(process: Process | None) -> frozenset[AssetName]:
    """The planned names of the datasets to which a process refers; none if there is no process."""
    if process is None:
        return frozenset()
    shown = within_limits(process.lineage, process.resolutions)
    return frozenset(asset.name for asset in planned_assets(shown, process.resolutions).values())


def collection_of(process: str, services: Services) -> str:
    """The collection that a process of the catalogue is in; "" if there is no such process.

    :raises TryLater, Refused: the catalogue cannot be read.
    """
    name = AssetName(process_type(process), process)
    found = services.catalog.find([name]).get(name)
    return str(services.catalog.get(found.guid).get("collectionId") or "") if found else ""


def remove_unused(process: str, names: AbstractSet[AssetName], collection: str, services: Services) -> None:
    """Delete assets to which a process does not refer any more, if nobody else needs them.

    :param names: their planned names.
    :param collection: the collection of the process; by default, it is looked up.
    :raises TryLater, Refused: some may be left; repeating this is safe.
    """
    planned = {own: name for name in names for own in (name, AssetName(GENERIC_TYPE, name.qualified_name))}
    created = sorted(services.created.get_many(planned))
    if not created:
        return
    ends = time.monotonic() + LONGEST
    with services.catalog.upload_turn():
        expected = collection or collection_of(process, services)
        for group in neighbours(created):
            with services.locks.hold(creation_locks(group), services.lock_wait_seconds) as held:
                reasons = in_threads(lambda own: _remove(own, expected, held, services), group, _AT_ONCE)
                services.cache.drop({planned[own] for own in group})
            _report(process, zip(group, reasons, strict=True))
            if time.monotonic() > ends:
                raise CatalogConflict("there are too many assets to delete for one attempt; the next one continues")


def _remove(name: AssetName, collection: str, held: HeldLocks, services: Services) -> str:
    """Delete an asset, under its lock; returns why it stays, "" if it was deleted."""
    asset = _own(name, services)
    if asset is None:
        return ""
    entity = services.catalog.get(asset.guid)
    reason = reason_touched(entity, services.catalog, collection) if entity else ""
    if reason:
        return reason
    try:
        remove_asset(asset, services.catalog, held.check)
    except CatalogRefused as error:
        return error.reason
    services.created.remove(name, asset.guid)
    return ""


def _own(name: AssetName, services: Services) -> Asset | None:
    """The asset that the app created under a name; None if there is none."""
    created = services.created.get_many([name]).get(name)
    if created is None:
        return None
    if created.guid:
        return Asset(name, created.guid)
    found = services.catalog.find([name]).get(name)
    if found is None:
        services.created.remove(name, "")
        return None
    return next(iter(adopt([found], services.catalog, services.created)), None)


def _report(process: str, reasons: Iterable[tuple[AssetName, str]]) -> None:
    for name, reason in reasons:
        facts = {"process": process, "type": name.type_name, "asset": name.qualified_name}
        step(log, "remove", "kept" if reason else "removed", {**facts, "reason": reason})
