"""Builds entities from lineage: the process, and the datasets that the catalogue does not have yet.

Existing assets are only referred to, by guid, because every attribute that is sent overwrites what a scan or a person
wrote. Assets that we created get missing columns, which refer to them (purview.missing_columns says when). New entities
have negative guids. Except for the names of the assets that are used, the process does not depend on look-ups.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count
from urllib.parse import unquote

from core.model import (
    Asset,
    AssetName,
    ColumnRef,
    Dataset,
    DatasetId,
    Field,
    Lineage,
    Note,
    Resolution,
    SinkColumn,
)
from core.replacing import replace
from purview.column_mapping import column_mapping
from purview.description import description
from purview.limits import NAME_BYTES, REFERENCES, cut, cut_uniquely
from purview.process_name import Write, process_name
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
#: All attributes that we set of datasets, their schemas and columns.
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
class Draft:
    """What to send. Every entity refers only to earlier ones and to existing assets; the process is last.

    ``inputs`` and ``outputs`` are the names of what the process refers to, in the order of its references. ``created``
    maps each new dataset to its negative guid. ``columns`` maps the negative guid of the entity that completes an asset
    to the asset and the names of its columns. ``notes`` are added to those of the lineage.
    """

    entities: tuple[Entity, ...]
    inputs: tuple[AssetName, ...]
    outputs: tuple[AssetName, ...]
    created: Mapping[AssetName, str]
    columns: Mapping[str, tuple[Asset, frozenset[str]]]
    notes: tuple[Note, ...] = ()

    @property
    def process(self) -> Entity:
        return self.entities[-1]


@dataclass(frozen=True, slots=True)
class _NewDataset:
    """A dataset to create. Several OpenLineage datasets may be the same one."""

    name: AssetName
    short_name: str
    fields: tuple[Field, ...]


def preview_entities(lineage: Lineage, resolutions: Resolutions, process: str = "") -> Draft:
    """What would be sent if the catalogue were empty. ``process`` is the qualified name, "" for Sparklin's own."""
    return build_entities(lineage, resolutions, planned_assets(lineage, resolutions), process=process)


def write_of(lineage: Lineage, resolutions: Resolutions) -> Write:
    """What the name of a lineage's process is made of."""
    inputs = tuple(resolutions[dataset.id] for dataset in lineage.inputs)
    return Write(lineage.application, resolutions[lineage.sink.id], inputs)


def planned_assets(lineage: Lineage, resolutions: Resolutions) -> dict[DatasetId, Asset]:
    """The assets of the lineage as they would be created if the catalogue had none of them."""
    return {dataset.id: Asset(storable(resolutions[dataset.id].asset)) for dataset in datasets_of(lineage)}


def datasets_of(lineage: Lineage) -> tuple[Dataset, ...]:
    """The sink and the inputs, each once, ordered by identity."""
    return tuple(sorted({dataset.id: dataset for dataset in (*lineage.inputs, lineage.sink)}.values(), key=_identity))


def within_limits(lineage: Lineage, resolutions: Resolutions) -> Lineage:
    """The lineage with at most as many inputs as a process can refer to. A note says if some are left out.

    The choice depends only on planned names, so that the others need no look-up.
    """
    planned = {dataset.id: storable(resolutions[dataset.id].asset) for dataset in lineage.inputs}
    distinct = sorted(set(planned.values()))
    if len(distinct) <= REFERENCES:
        return lineage
    shown = set(distinct[:REFERENCES])
    note = Note("inputs-cut", f"Only {REFERENCES} of {len(distinct)} inputs are shown.")
    inputs = tuple(dataset for dataset in lineage.inputs if planned[dataset.id] in shown)
    return replace(lineage, inputs=inputs, notes=(*lineage.notes, note))


def storable(name: AssetName) -> AssetName:
    """The name as the catalogue can store it. A longer name is cut and kept unique by a hash."""
    return AssetName(name.type_name, cut_uniquely(name.qualified_name))


def build_entities(
    lineage: Lineage,
    resolutions: Resolutions,
    assets: Assets,
    unknown_types: AbstractSet[str] = frozenset(),
    additions: Sequence[Addition] = (),
    process: str = "",
) -> Draft:
    """Build the entities that show the lineage. Assets with a guid exist in the catalogue.

    ``unknown_types`` are column types that the catalogue does not have, ``additions`` columns for existing assets, and
    ``process`` is the qualified name of the process, "" for Sparklin's own. The result does not depend on the order of
    anything but the fields of a dataset.
    """
    shown = within_limits(lineage, resolutions)
    guids = (str(-number) for number in count(1))
    by_name = sorted(datasets_of(shown), key=lambda dataset: (assets[dataset.id].name, dataset.id))
    datasets = _datasets(by_name, resolutions, assets, guids, unknown_types, additions)
    sink = assets[shown.sink.id]
    columns = drawn_columns(shown, assets)
    inputs = drawn_inputs(shown, assets, columns)
    distinct = _distinct(assets[dataset] for dataset in inputs)
    names = {dataset: distinct[_key(assets[dataset])].name.qualified_name for dataset in inputs}
    mapping = column_mapping(columns, sink.name.qualified_name, names)
    notes = (*shown.notes[len(lineage.notes) :], *_asset_notes(shown, resolutions, assets), *mapping.notes)
    entity = _process(shown, resolutions, notes, process)
    entity["guid"] = next(guids)
    entity["attributes"] |= {
        "inputs": [_reference(asset, datasets.created) for asset in distinct.values()],
        "outputs": [_reference(sink, datasets.created)],
        "columnMapping": mapping.text,
    }
    return Draft(
        entities=(*datasets.entities, entity),
        inputs=tuple(asset.name for asset in distinct.values()),
        outputs=(sink.name,),
        created=datasets.created,
        columns=datasets.columns,
        notes=(*notes, *datasets.notes),
    )


def build_datasets(
    datasets: Iterable[Dataset],
    resolutions: Resolutions,
    assets: Assets,
    unknown_types: AbstractSet[str] = frozenset(),
    additions: Sequence[Addition] = (),
) -> DatasetDraft:
    """Build the entities of some of a lineage's datasets, in their order, without the process."""
    guids = (str(-number) for number in count(1))
    return _datasets(datasets, resolutions, assets, guids, unknown_types, additions)


def _datasets(
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


def _process(lineage: Lineage, resolutions: Resolutions, notes: Iterable[Note], qualified_name: str) -> Entity:
    process = process_name(write_of(lineage, resolutions), qualified_name)
    resolved = [note for dataset in datasets_of(lineage) for note in resolutions[dataset.id].notes]
    text = description(lineage, (*lineage.notes, *resolved, *notes))
    attributes = {"qualifiedName": process.asset.qualified_name, "name": process.name, "description": text}
    return {"typeName": process.asset.type_name, "attributes": attributes}


def _distinct(assets: Iterable[Asset]) -> dict[object, Asset]:
    """Each asset once, ordered by name. Datasets of different names may be the same asset."""
    by_key: dict[object, Asset] = {}
    for asset in sorted(assets, key=lambda asset: asset.name):
        by_key.setdefault(_key(asset), asset)
    return by_key


def _key(asset: Asset) -> object:
    return asset.guid or asset.name


def _reference(asset: Asset, created: Mapping[AssetName, str]) -> dict[str, str]:
    return {"guid": asset.guid or created[asset.name]}


def drawn_columns(lineage: Lineage, assets: Assets) -> tuple[SinkColumn, ...]:
    """The columns without sources that are the sink's own column.

    Two names, such as a table and its folder, may be the same asset. A value that is read from a column of the sink and
    written back to it is not an edge.
    """
    own = _own_datasets(lineage, assets)
    if not own:
        return lineage.columns
    return tuple(
        replace(column, sources=tuple(each for each in column.sources if not _stays(each, column.name, own)))
        for column in lineage.columns
    )


def _stays(source: ColumnRef, column: str, own: AbstractSet[DatasetId]) -> bool:
    return source.dataset in own and source.column.casefold() == column.casefold()


def drawn_inputs(lineage: Lineage, assets: Assets, columns: Iterable[SinkColumn]) -> list[DatasetId]:
    """The inputs. Other names of the sink only count if values of one column go into another."""
    idle = _own_datasets(lineage, assets) - {source.dataset for column in columns for source in column.sources}
    return [dataset.id for dataset in lineage.inputs if dataset.id not in idle]


def _own_datasets(lineage: Lineage, assets: Assets) -> set[DatasetId]:
    """Inputs with another name than the sink that are the same asset."""
    sink = _key(assets[lineage.sink.id])
    return {each.id for each in lineage.inputs if _key(assets[each.id]) == sink and each.id != lineage.sink.id}


def _asset_notes(lineage: Lineage, resolutions: Resolutions, assets: Assets) -> Iterator[Note]:
    for dataset in datasets_of(lineage):
        planned, used = resolutions[dataset.id].asset, assets[dataset.id].name
        if storable(planned) != planned:
            text = f"The name of {cut(str(dataset.id), 200)} is longer than {NAME_BYTES} bytes and is cut."
            yield Note("name-cut", text, dataset.id)
        if used.type_name == GENERIC_TYPE != planned.type_name:
            name = cut(str(dataset.id), 200)
            text = f"{name} is a plain data set, because the catalogue has no type {planned.type_name}."
            yield Note("generic-type", text, dataset.id)


def _identity(dataset: Dataset) -> DatasetId:
    return dataset.id
