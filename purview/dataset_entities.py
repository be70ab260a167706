"""Builds the entities of datasets that the catalogue does not have yet, with their columns.

New entities have negative guids. The names and columns of an entity follow from the dataset's name, its fields and
Purview's type definitions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import unquote

from core.catalog_model import Asset, AssetName, Resolution
from core.event_model import Dataset, DatasetId, Field
from core.lineage_model import Note
from purview.limits import cut, cut_uniquely
from purview.schema import TYPE_ATTRIBUTES, Addition, Entity, Schema, added_columns, schema

GENERIC_TYPE = "DataSet"

Resolutions = Mapping[DatasetId, Resolution]
Assets = Mapping[DatasetId, Asset]

# Attributes without which Purview refuses a dataset of the type (isOptional: false in its type definitions).
_MANDATORY: Mapping[str, Mapping[str, str]] = {
    "aws_s3_v2_directory": {"objectPrefix": "path"},
    "azure_cosmosdb_container": {"resourceLink": "path"},
    "azure_cosmosdb_mongoapi_collection": {"resourceLink": "path"},
    "azure_cosmosdb_sqlapi_collection": {"resourceLink": "path"},
    "azure_file": {"path": "path"},
    "azure_file_directory": {"path": "path"},
    "fs_path": {"path": "qualified name"},
    "hbase_table": {"uri": "qualified name"},
    "hdfs_path": {"path": "qualified name"},
    "kafka_topic": {"topic": "name", "uri": "qualified name"},
}
#: All attributes of datasets, their schemas and columns that the app sets.
OWN_ATTRIBUTES = frozenset(
    {"qualifiedName", "name", *TYPE_ATTRIBUTES, *(attribute for each in _MANDATORY.values() for attribute in each)}
)


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    """The datasets and columns to send before the process. The fields have the same meaning as in ``Draft``."""

    entities: tuple[Entity, ...]
    created: Mapping[AssetName, str]
    columns: Mapping[str, tuple[Asset, frozenset[str]]]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _NewDataset:
    """A dataset to create. Several OpenLineage datasets may be the same one."""

    name: AssetName
    short_name: str
    fields: tuple[Field, ...]


def storable(name: AssetName) -> AssetName:
    """The name as the catalogue can store it. A longer name is cut and kept unique by a hash."""
    return AssetName(name.type_name, cut_uniquely(name.qualified_name))


def build_datasets(
    datasets: Iterable[Dataset],
    resolutions: Resolutions,
    assets: Assets,
    unknown_types: AbstractSet[str] = frozenset(),
    additions: Sequence[Addition] = (),
) -> DatasetDraft:
    """Build the entities of some of a lineage's datasets, in their order, without the process."""
    guids = (str(-number) for number in count(1))
    return dataset_draft(datasets, resolutions, assets, guids, unknown_types, additions)


def dataset_draft(
    datasets: Iterable[Dataset],
    resolutions: Resolutions,
    assets: Assets,
    guids: Iterator[str],
    unknown_types: AbstractSet[str],
    additions: Sequence[Addition],
) -> DatasetDraft:
    made = _create(_new_datasets(datasets, resolutions, assets), guids, unknown_types)
    grown = [(addition.asset, added_columns(addition, guids, unknown_types)) for addition in additions]
    return replace(
        made,
        entities=(*made.entities, *(entity for _, columns in grown for entity in columns.entities)),
        columns={**made.columns, **{c.entities[-1]["guid"]: (asset, c.columns) for asset, c in grown if c.entities}},
    )


def _new_datasets(datasets: Iterable[Dataset], resolutions: Resolutions, assets: Assets) -> list[_NewDataset]:
    new: dict[AssetName, _NewDataset] = {}
    for dataset in datasets:
        asset = assets[dataset.id]
        if asset.guid:
            continue
        before = new.get(asset.name)
        short_name = resolutions[dataset.id].short_name or asset.name.qualified_name
        new[asset.name] = _NewDataset(
            asset.name,
            before.short_name if before else short_name,
            (*before.fields, *dataset.fields) if before else dataset.fields,
        )
    return list(new.values())


def _create(datasets: Iterable[_NewDataset], guids: Iterator[str], unknown_types: AbstractSet[str]) -> DatasetDraft:
    entities: list[Entity] = []
    created: dict[AssetName, str] = {}
    complete: dict[str, tuple[Asset, frozenset[str]]] = {}
    notes: list[Note] = []
    for dataset in datasets:
        columns = schema(dataset.name, dataset.fields, guids, unknown_types)
        created[dataset.name] = next(guids)
        entities += [*columns.entities, _dataset(dataset, created[dataset.name], columns)]
        complete[created[dataset.name]] = (Asset(dataset.name), columns.columns)
        notes += columns.notes
    return DatasetDraft(tuple(entities), created, complete, tuple(notes))


def _dataset(dataset: _NewDataset, guid: str, columns: Schema) -> Entity:
    name = dataset.name
    values = {
        "path": unquote(name.qualified_name.partition("://")[2].partition("/")[2]),
        "qualified name": name.qualified_name,
        "name": dataset.short_name,
    }
    entity: Entity = {
        "typeName": name.type_name,
        "guid": guid,
        "attributes": {
            "qualifiedName": name.qualified_name,
            "name": cut(dataset.short_name),
            **{attribute: values[kind] for attribute, kind in _MANDATORY.get(name.type_name, {}).items()},
        },
    }
    if columns.relationships:
        entity["relationshipAttributes"] = dict(columns.relationships)
    return entity
