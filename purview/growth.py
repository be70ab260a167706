"""Which columns the datasets that we created still lack.

A dataset is created with the columns of the event whose upload happens to come first. So that the catalogue does not
depend on that order, later uploads add those that they know beyond it. Assets of scans and people are never touched:
ours are those of which the guid was recorded when they were created.

The record is written twice, both times under the lock of the asset: before the creation without a guid, so that a
worker that already finds the asset waits for its columns to be recorded, and after it. A worker that dies in between
leaves an asset that counts as not ours, since a scan may have made it as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.model import Asset, AssetName, Created, Field, Lineage
from purview.entities import Assets, datasets_of
from purview.limits import REFERENCES
from purview.schema import Addition, column_names, storable_fields


class Record(Protocol):
    """The assets that we created; adding another guid than the known one starts anew."""

    def get_many(self, names: Iterable[AssetName]) -> Mapping[AssetName, Created]: ...

    def add_many(self, created: Mapping[AssetName, Created]) -> None: ...


class Reader(Protocol):
    """What is asked of the catalogue."""

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def get(self, guid: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Gaps:
    """The fields that assets of ours lack as columns, and the assets of which another worker may know more.

    ``unfinished`` are being created, or were not recorded because their worker died: under their locks, the latter.
    """

    fields: Mapping[Asset, tuple[Field, ...]] = field(default_factory=dict)
    unfinished: frozenset[AssetName] = frozenset()

    @property
    def names(self) -> set[AssetName]:
        """What is to be locked."""
        return {asset.name for asset in self.fields} | self.unfinished


def find_gaps(lineage: Lineage, assets: Assets, record: Record) -> Gaps:
    """What the existing assets of a lineage lack.

    :raises TryLater: the record is out of reach.
    """
    known = _known_fields(lineage, assets)
    created = record.get_many(asset.name for asset in known)
    ours = {asset: created[asset.name] for asset in known if asset.name in created}
    lacking = {asset: _lacking(known[asset], ours[asset]) for asset in ours if asset.guid == ours[asset].guid}
    return Gaps(
        {asset: fields for asset, fields in lacking.items() if fields},
        frozenset(asset.name for asset in ours if not ours[asset].guid),
    )


def plan_additions(gaps: Gaps, catalog: Reader, record: Record) -> tuple[Addition, ...]:
    """The columns to send, in the order of the assets' names; to be called under the locks of ``gaps.names``.

    Columns that are there, by a scan or by an upload that was cut short, are recorded and not sent again.

    :raises TryLater: the catalogue or the record is out of reach.
    :raises CatalogRefused: the catalogue refuses to be read.
    """
    return tuple(_additions(gaps, catalog, record))


def _additions(gaps: Gaps, catalog: Reader, record: Record) -> Iterator[Addition]:
    for asset in sorted(gaps.fields, key=lambda asset: asset.name):
        fields = gaps.fields[asset]
        present = _present(asset.name, fields, catalog)
        if present:
            record.add_many({asset.name: Created(asset.guid, present)})
        missing = tuple(each for each in fields if each.name not in present)
        if missing:
            yield Addition(asset, missing, _schema_guid(catalog.get(asset.guid)))


def _known_fields(lineage: Lineage, assets: Assets) -> dict[Asset, tuple[Field, ...]]:
    """The fields of each asset that exists; several datasets may be one asset."""
    fields: defaultdict[Asset, list[Field]] = defaultdict(list)
    for dataset in datasets_of(lineage):
        if assets[dataset.id].guid and dataset.fields:
            fields[assets[dataset.id]] += dataset.fields
    return {asset: storable_fields(asset.name, fields[asset]) for asset in fields}


def _lacking(fields: Iterable[Field], created: Created) -> tuple[Field, ...]:
    lacking = [each for each in fields if each.name not in created.columns]
    return tuple(lacking[: max(0, REFERENCES - len(created.columns))])


def _present(table: AssetName, fields: Iterable[Field], catalog: Reader) -> frozenset[str]:
    names = {each.name: column_names(table, each.name) for each in fields}
    found = catalog.find(name for group in names.values() for name in group)
    return frozenset(column for column, group in names.items() if any(name in found for name in group))


def _schema_guid(entity: Mapping[str, Any]) -> str:
    """The tabular schema of a dataset, "" if it has none."""
    reference = (entity.get("relationshipAttributes") or {}).get("tabular_schema") or {}
    is_gone = "DELETED" in (reference.get("entityStatus"), reference.get("relationshipStatus"))
    return "" if is_gone else str(reference.get("guid") or "")
