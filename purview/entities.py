"""Builds entities from lineage: the process, and (purview.dataset_entities) the datasets that do not exist yet.

Existing assets are only referred to, by guid, because every attribute that is sent overwrites what a scan or a person
wrote. Assets that the app created get missing columns, which refer to them (purview.missing_columns says when). Except
for the names of the assets that are used, the process does not depend on look-ups.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count

from core.catalog_model import Asset, AssetName
from core.event_model import ColumnRef, Dataset, DatasetId
from core.lineage_model import Lineage, Note, SinkColumn
from core.replacing import replace
from purview.column_mapping import column_mapping
from purview.dataset_entities import GENERIC_TYPE, Assets, Resolutions, dataset_draft, storable
from purview.description import description
from purview.limits import NAME_BYTES, REFERENCES, cut
from purview.process_name import Write, process_name
from purview.schema import Addition, Entity


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


def preview_entities(lineage: Lineage, resolutions: Resolutions, process: str = "") -> Draft:
    """The draft for an empty catalogue. ``process`` is the qualified name, "" for Sparklin's own."""
    return build_entities(lineage, resolutions, planned_assets(lineage, resolutions), process=process)


def write_of(lineage: Lineage, resolutions: Resolutions) -> Write:
    """What a lineage's process is named after."""
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
    datasets = dataset_draft(by_name, resolutions, assets, guids, unknown_types, additions)
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
    """The columns, without those of their sources that are the same column of the sink.

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
            text = f"{name} is a generic asset, because the catalogue has no type {planned.type_name}."
            yield Note("generic-type", text, dataset.id)


def _identity(dataset: Dataset) -> DatasetId:
    return dataset.id
