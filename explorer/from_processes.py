"""The lineage graph of derived processes: those of LineageDetails, and those of event files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.catalog_model import AssetName
from core.event_model import ColumnRef, DatasetId
from core.lineage_model import IndirectUse, Note, SinkColumn
from explorer.column_names import in_one_spelling, merged_columns
from explorer.graph import (
    ColumnReference,
    ColumnUse,
    Derivation,
    GraphColumn,
    GraphDataset,
    GraphNote,
    GraphProcess,
    GraphRun,
    LineageGraph,
    Source,
    ids_of,
)
from explorer.labels import labelled
from pipeline.processes import Process
from purview.entities import datasets_of, drawn_columns, drawn_inputs, planned_assets

#: Whole graphs have many notes of one kind; further ones are counted.
MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class DerivedProcess:
    """A process with its newest runs, the newest first; ``guid`` is "" if the catalogue was not read."""

    process: Process
    runs: Sequence[GraphRun] = ()
    guid: str = ""
    notes: Sequence[Note] = ()


def from_processes(derived: Iterable[DerivedProcess], source: Source) -> LineageGraph:
    """The graph of some processes. Datasets have the names that the rules give them, as in the catalogue."""
    listed = list(derived)
    names = [_names(each.process) for each in listed]
    ids = ids_of(name for own in names for name in own.values())
    datasets = _datasets(listed, names, ids)
    processes = [
        _process(each, {key: ids[name] for key, name in own.items()}) for each, own in zip(listed, names, strict=True)
    ]
    notes = sorted(
        {GraphNote(note.code, note.text, each.process.qualified_name) for each in listed for note in each.notes}
    )
    more = [GraphNote("more-notes", f"{len(notes) - MOST_NOTES} more notes are left out.")]
    graph = LineageGraph(
        source=source,
        datasets=tuple(sorted(datasets, key=lambda each: each.id)),
        processes=tuple(sorted(processes, key=lambda each: each.id)),
        notes=(*notes[:MOST_NOTES], *(more if len(notes) > MOST_NOTES else [])),
    )
    return labelled(in_one_spelling(graph))


def _names(process: Process) -> dict[DatasetId, AssetName]:
    assets = planned_assets(process.lineage, process.resolutions)
    return {dataset: asset.name for dataset, asset in assets.items()}


def _datasets(
    listed: Iterable[DerivedProcess], names: Iterable[Mapping[DatasetId, AssetName]], ids: Mapping[AssetName, str]
) -> list[GraphDataset]:
    shown: dict[AssetName, str] = {}
    schemas: defaultdict[AssetName, list[list[GraphColumn]]] = defaultdict(list)
    named: defaultdict[AssetName, list[list[GraphColumn]]] = defaultdict(list)
    for each, own in zip(listed, names, strict=True):
        for dataset in datasets_of(each.process.lineage):
            name = own[dataset.id]
            shown.setdefault(name, each.process.resolutions[dataset.id].short_name or name.qualified_name)
            schemas[name].append([GraphColumn(field.name, field.type) for field in dataset.fields if field.name])
        for reference in _references(each.process):
            if reference.dataset in own:
                named[own[reference.dataset]].append([GraphColumn(reference.column)])
    return [
        GraphDataset(
            id=ids[name],
            type=name.type_name,
            qualified_name=name.qualified_name,
            name=title,
            columns=merged_columns([*schemas[name], *named[name]]),
        )
        for name, title in shown.items()
    ]


def _references(process: Process) -> Iterable[ColumnRef]:
    """The columns that a lineage names, also those in no schema."""
    lineage = process.lineage
    for column in lineage.columns:
        yield ColumnRef(lineage.sink.id, column.name)
        yield from column.sources
        yield from (use.column for use in column.indirect)
    yield from (use.column for use in lineage.indirect)


def _process(derived: DerivedProcess, ids: Mapping[DatasetId, str]) -> GraphProcess:
    process, lineage = derived.process, derived.process.lineage
    assets = planned_assets(lineage, process.resolutions)
    columns = drawn_columns(lineage, assets)
    sink = ids[lineage.sink.id]
    return GraphProcess(
        id=process.qualified_name,
        qualified_name=process.qualified_name,
        name=process.name,
        guid=derived.guid,
        application=lineage.application.shown,
        operation=lineage.operation,
        link=lineage.application.link if lineage.application.link.startswith("https://") else "",
        inputs=tuple(sorted({ids[dataset] for dataset in drawn_inputs(lineage, assets, columns)})),
        outputs=(sink,),
        columns=tuple(_derivation(column, sink, ids) for column in columns),
        rows=_uses(lineage.indirect, ids),
        conditions=tuple(dict.fromkeys(text for text in lineage.conditions if text)),
        runs=tuple(derived.runs),
    )


def _derivation(column: SinkColumn, sink: str, ids: Mapping[DatasetId, str]) -> Derivation:
    sources = {ColumnReference(ids[each.dataset], each.column) for each in column.sources if each.dataset in ids}
    return Derivation(
        dataset=sink,
        column=column.name,
        sources=tuple(sorted(sources)),
        influences=_uses(column.indirect, ids),
        expression=column.expression or "",
        constant=column.constant,
    )


def _uses(uses: Iterable[IndirectUse], ids: Mapping[DatasetId, str]) -> tuple[ColumnUse, ...]:
    found = {
        ColumnUse(ids[use.column.dataset], use.column.column, use.kind) for use in uses if use.column.dataset in ids
    }
    return tuple(sorted(found))
