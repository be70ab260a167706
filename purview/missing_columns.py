"""Which columns the datasets that we created still lack.

A dataset is created with the columns of the event whose upload happens to come first. So that the catalogue does not
depend on that order, later uploads add those that they know beyond it. Assets of scans and people are never touched:
ours are those of which the guid was recorded when they were created.

The record is written twice, both times under the lock of the asset: before the creation without a guid, so that a
worker that already finds the asset waits for its columns to be recorded, and after it. A worker that dies in between
leaves an asset that counts as not ours, since a scan may have made it as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.model import Asset, AssetName, Created, Dataset, Field
from core.threads import in_threads
from purview.entities import Assets
from purview.limits import REFERENCES
from purview.schema import Addition, column_names, storable_fields

_AT_ONCE = 8


class Record(Protocol):
    """The assets that we created; adding another guid than the known one starts anew."""

    def get_many(self, names: Iterable[AssetName]) -> Mapping[AssetName, Created]: ...

    def add_many(self, created: Mapping[AssetName, Created]) -> None: ...


class Reader(Protocol):
    """What is asked of the catalogue."""

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def get(self, guid: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class MissingColumns:
    """The fields that assets of ours lack as columns, and the assets of which another worker may know more.

    ``unfinished`` are being created, or were not recorded because their worker died: under their locks, the latter.
    """

    fields: Mapping[Asset, tuple[Field, ...]] = field(default_factory=dict)
    unfinished: frozenset[AssetName] = frozenset()

    @property
    def names(self) -> set[AssetName]:
        """What is to be locked."""
        return {asset.name for asset in self.fields} | self.unfinished

    def of(self, names: AbstractSet[AssetName]) -> "MissingColumns":
        """Those of some assets only."""
        fields = {asset: lacking for asset, lacking in self.fields.items() if asset.name in names}
        return MissingColumns(fields, self.unfinished & names)


def find_missing_columns(datasets: Iterable[Dataset], assets: Assets, record: Record) -> MissingColumns:
    """What the existing assets of some datasets lack.

    :raises TryLater: the record is unavailable.
    """
    known = _known_fields(datasets, assets)
    created = record.get_many(asset.name for asset in known)
    ours = {asset: created[asset.name] for asset in known if asset.name in created}
    lacking = {asset: _lacking(known[asset], ours[asset]) for asset in ours if asset.guid == ours[asset].guid}
    return MissingColumns(
        {asset: fields for asset, fields in lacking.items() if fields},
        frozenset(asset.name for asset in ours if not ours[asset].guid),
    )


def plan_additions(gaps: MissingColumns, catalog: Reader, record: Record) -> tuple[Addition, ...]:
    """The columns to send, in the order of the assets' names; to be called under the locks of ``gaps.names``.

    Columns that are there, by a scan or by an upload that was cut short, are recorded and not sent again.

    :raises TryLater: the catalogue or the record is unavailable.
    :raises CatalogRefused: the catalogue refuses to be read.
    """
    present = _present(gaps, catalog)
    record.add_many({asset.name: Created(asset.guid, columns) for asset, columns in present.items() if columns})
    missing = {
        asset: tuple(each for each in gaps.fields[asset] if each.name not in present[asset])
        for asset in sorted(gaps.fields, key=lambda asset: asset.name)
    }
    growing = [asset for asset, fields in missing.items() if fields]
    schemas = in_threads(lambda asset: _schema_guid(catalog.get(asset.guid)), growing, _AT_ONCE)
    return tuple(Addition(asset, missing[asset], guid) for asset, guid in zip(growing, schemas, strict=True))


def _known_fields(datasets: Iterable[Dataset], assets: Assets) -> dict[Asset, tuple[Field, ...]]:
    """The fields of each asset that exists; several datasets may be one asset."""
    fields: defaultdict[Asset, list[Field]] = defaultdict(list)
    for dataset in datasets:
        if assets[dataset.id].guid and dataset.fields:
            fields[assets[dataset.id]] += dataset.fields
    return {asset: storable_fields(asset.name, fields[asset]) for asset in fields}


def _lacking(fields: Iterable[Field], created: Created) -> tuple[Field, ...]:
    lacking = [each for each in fields if each.name not in created.columns]
    return tuple(lacking[: max(0, REFERENCES - len(created.columns))])


def _present(gaps: MissingColumns, catalog: Reader) -> dict[Asset, frozenset[str]]:
    """The missing columns of each asset that are there all the same."""
    names = {
        asset: {each.name: column_names(asset.name, each.name) for each in gaps.fields[asset]} for asset in gaps.fields
    }
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
