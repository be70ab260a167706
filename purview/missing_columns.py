"""Finds the columns that datasets created by the app still lack.

A dataset is created with the columns of the event whose upload happens to come first. So that the catalogue does not
depend on that order, later uploads add further columns. Assets of scans and people are never changed: the app's own
assets are those whose guid was recorded when they were created.

The record is written twice, both times under the lock of the asset: before the creation without a guid (the asset is
announced), so that a worker that already finds the asset waits for its columns to be recorded, and after it. A worker
that dies in between, or that does not get the answer to its request, leaves an announcement. The next worker that finds
the asset decides, under the same lock, whether the app created it. That is so if it was created within ``SENDING``
after the announcement: the catalogue did not have it when it was announced, and after that time its worker was not
sending any more. An asset that was created later is that of a scan or a person, and the announcement is withdrawn.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from core.catalog_model import Asset, AssetName, Created
from core.event_model import Dataset, Field
from core.threads import in_threads
from purview.dataset_entities import Assets
from purview.limits import REFERENCES
from purview.schema import Addition, column_names, storable_fields

#: How long after its announcement a worker may still create an asset: the time-out of a function (see host.json).
SENDING = timedelta(minutes=10)
#: How far the clocks of the catalogue and of the record may be apart.
CLOCK_SKEW = timedelta(minutes=1)

_AT_ONCE = 8


class Record(Protocol):
    """The record of the assets that the app created.

    Adding a guid other than the recorded one replaces all of it. Adding without a guid announces, from now on, that the
    asset is about to be created. Removing does nothing if another guid is recorded by now.
    """

    def get_many(self, names: Iterable[AssetName]) -> Mapping[AssetName, Created]: ...

    def add_many(self, created: Mapping[AssetName, Created]) -> None: ...

    def remove(self, name: AssetName, guid: str) -> None: ...


class Reader(Protocol):
    """The reads of the catalogue."""

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def get(self, guid: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class MissingColumns:
    """The fields that assets lack as columns.

    ``fields`` are those of the app's own assets. ``unfinished`` are those of assets that were announced and not
    recorded: another worker is creating them or, once their locks are held, failed to record them.
    """

    fields: Mapping[Asset, tuple[Field, ...]] = field(default_factory=dict)
    unfinished: Mapping[Asset, tuple[Field, ...]] = field(default_factory=dict)

    @property
    def names(self) -> set[AssetName]:
        """The names to be locked."""
        return {asset.name for asset in (*self.fields, *self.unfinished)}

    def of(self, names: AbstractSet[AssetName]) -> "MissingColumns":
        """The missing columns of only these assets."""
        return MissingColumns(_of(self.fields, names), _of(self.unfinished, names))


def known_fields(datasets: Iterable[Dataset], assets: Assets) -> dict[Asset, tuple[Field, ...]]:
    """The fields of each asset that exists; several datasets may be one asset."""
    fields: defaultdict[Asset, list[Field]] = defaultdict(list)
    for dataset in datasets:
        if assets[dataset.id].guid and dataset.fields:
            fields[assets[dataset.id]] += dataset.fields
    return {asset: storable_fields(asset.name, fields[asset]) for asset in fields}


def find_missing_columns(
    fields: Mapping[Asset, tuple[Field, ...]], created: Mapping[AssetName, Created]
) -> MissingColumns:
    """The columns that existing assets lack, by the record of assets that the app created."""
    ours = {asset: created[asset.name] for asset in fields if asset.name in created}
    lacking = {asset: _lacking(fields[asset], ours[asset]) for asset in ours}
    return MissingColumns(
        {asset: some for asset, some in lacking.items() if some and asset.guid == ours[asset].guid},
        {asset: some for asset, some in lacking.items() if not ours[asset].guid},
    )


def plan_additions(gaps: MissingColumns, catalog: Reader, record: Record) -> tuple[Addition, ...]:
    """The columns to send, in the order of the assets' names; to be called under the locks of ``gaps.names``.

    Columns that exist already, from a scan or from an interrupted upload, are recorded and not sent again. Unfinished
    assets are settled: they are recorded as the app's own, or their announcement is withdrawn.

    :raises TryLater: the catalogue or the record is unavailable.
    :raises CatalogRefused: the catalogue refuses to be read.
    """
    ours = adopt(gaps.unfinished, catalog, record)
    wanted = {**gaps.fields, **{asset: gaps.unfinished[asset] for asset in ours}}
    present = _present(wanted, catalog)
    record.add_many({asset.name: Created(asset.guid, columns) for asset, columns in present.items() if columns})
    missing = {
        asset: tuple(each for each in wanted[asset] if each.name not in present[asset])
        for asset in sorted(wanted, key=lambda asset: asset.name)
    }
    growing = [asset for asset, fields in missing.items() if fields]
    schemas = in_threads(lambda asset: _schema_guid(catalog.get(asset.guid)), growing, _AT_ONCE)
    return tuple(Addition(asset, missing[asset], guid) for asset, guid in zip(growing, schemas, strict=True))


def adopt(unfinished: Iterable[Asset], catalog: Reader, record: Record) -> list[Asset]:
    """Record those of some announced assets that the app created; returns them.

    The announcements of the others are withdrawn. To be called under the locks of their names.

    :raises TryLater: the catalogue or the record is unavailable.
    :raises CatalogRefused: the catalogue refuses to be read.
    """
    assets = list(unfinished)
    if not assets:
        return []
    announced = record.get_many(asset.name for asset in assets)
    entities = in_threads(lambda asset: catalog.get(asset.guid), assets, _AT_ONCE)
    ours = [
        asset
        for asset, entity in zip(assets, entities, strict=True)
        if asset.name in announced and _was_created_after(announced[asset.name].announced, entity)
    ]
    record.add_many({asset.name: Created(asset.guid) for asset in ours})
    for asset in set(assets) - set(ours):
        record.remove(asset.name, "")
    return ours


def _lacking(fields: Iterable[Field], created: Created) -> tuple[Field, ...]:
    lacking = [each for each in fields if each.name not in created.columns]
    return tuple(lacking[: max(0, REFERENCES - len(created.columns))])


def _of(fields: Mapping[Asset, tuple[Field, ...]], names: AbstractSet[AssetName]) -> dict[Asset, tuple[Field, ...]]:
    return {asset: lacking for asset, lacking in fields.items() if asset.name in names}


def _was_created_after(announced: datetime | None, entity: Mapping[str, Any]) -> bool:
    """Whether an entity was created while the worker that announced it may have been sending it."""
    created = entity.get("createTime")
    if announced is None or not isinstance(created, int):
        return False
    since = datetime.fromtimestamp(created / 1000, UTC) - announced
    return -CLOCK_SKEW <= since <= SENDING + CLOCK_SKEW


def _present(fields: Mapping[Asset, tuple[Field, ...]], catalog: Reader) -> dict[Asset, frozenset[str]]:
    """The missing columns of each asset that exist all the same."""
    names = {asset: {each.name: column_names(asset.name, each.name) for each in fields[asset]} for asset in fields}
    found = catalog.find(name for columns in names.values() for group in columns.values() for name in group)
    return {
        asset: frozenset(column for column, group in columns.items() if any(name in found for name in group))
        for asset, columns in names.items()
    }


def _schema_guid(entity: Mapping[str, Any]) -> str:
    """The tabular schema of a dataset, "" if it has none."""
    reference = (entity.get("relationshipAttributes") or {}).get("tabular_schema") or {}
    is_gone = "DELETED" in (reference.get("entityStatus"), reference.get("relationshipStatus"))
    return "" if is_gone else str(reference.get("guid") or "")
