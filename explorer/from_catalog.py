"""The lineage graph of a catalogue: Purview, or the local Data Map."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.catalog_model import AssetName
from explorer import catalog_entities as catalogue
from explorer.catalog_entities import DirectEdge, Entities, Entity, Found
from explorer.column_names import in_one_spelling, merged_columns
from explorer.description_text import ProcessDescription, read_description
from explorer.graph import (
    ColumnReference,
    Derivation,
    Direction,
    GraphColumn,
    GraphDataset,
    GraphNote,
    GraphProcess,
    LineageGraph,
    ids_of,
)
from explorer.labels import labelled
from explorer.mapping_text import ANY, MappedPair, read_direct_mapping, read_mapping

_TYPE_ATTRIBUTES = ("data_type", "type", "dataType")
_CUT = GraphNote("graph-cut", f"There are more processes; the nearest {catalogue.MOST_PROCESSES} are shown.")


def from_catalog(
    catalog: Entities, guids: Iterable[str], direction: Direction = "both", depth: int | None = None
) -> LineageGraph:
    """The lineage in the catalogue within ``depth`` processes of some datasets or processes.

    Expressions and conditions are those that the descriptions of Sparklin's processes contain. The guids of all
    processes with a depth of 1 give the whole catalogue.

    :raises CatalogUnavailable, CatalogRefused: as the catalogue does.
    """
    found = catalogue.read_entities(catalog, guids, direction, depth)
    names = {guid: _name(found.entities[guid]) for guid in found.datasets if guid in found.entities}
    ids = ids_of(names.values())
    places = {guid: ids[name] for guid, name in names.items()}
    pairs = [_process(guid, found, places) for guid in found.processes]
    processes = [process for process, _ in pairs] + [_direct(edge, found, places) for edge in found.direct.values()]
    named = _columns_named_by(processes)
    datasets = [_dataset(guid, found, place, named[place]) for guid, place in places.items()]
    notes = {note for _, some in pairs for note in some} | ({_CUT} if found.is_cut else set())
    graph = LineageGraph(
        source="catalog",
        datasets=tuple(sorted({each.id: each for each in datasets}.values(), key=lambda each: each.id)),
        processes=tuple(sorted(processes, key=lambda each: each.id)),
        notes=tuple(sorted(notes)),
    )
    return labelled(in_one_spelling(graph))


def _name(entity: Entity) -> AssetName:
    qualified_name = _text(entity, "qualifiedName") or str(entity["guid"])
    return AssetName(str(entity["typeName"]), qualified_name)


def _text(entity: Entity, attribute: str) -> str:
    return str((entity.get("attributes") or {}).get(attribute) or "")


def _dataset(guid: str, found: Found, place: str, named: Iterable[GraphColumn]) -> GraphDataset:
    entity = found.entities[guid]
    name = _name(entity)
    columns = (_column(found, key, reference) for key, reference in catalogue.column_references(found, guid))
    return GraphDataset(
        id=place,
        type=name.type_name,
        qualified_name=name.qualified_name,
        name=_text(entity, "name") or name.qualified_name,
        columns=merged_columns([[column for column in columns if column.name], *([column] for column in named)]),
        guid=guid,
        more_upstream=len(catalogue.writers(found, guid) - found.processes.keys()),
        more_downstream=len(catalogue.readers(found, guid) - found.processes.keys()),
    )


def _column(found: Found, guid: str, reference: Mapping[str, Any]) -> GraphColumn:
    entity = found.entities.get(guid, {})
    kind = next((kind for name in _TYPE_ATTRIBUTES if (kind := _text(entity, name))), "")
    name = _text(entity, "name") or str(reference.get("displayText") or "")
    return GraphColumn(name, "" if kind == "unknown" else kind)


def _columns_named_by(processes: Iterable[GraphProcess]) -> defaultdict[str, list[GraphColumn]]:
    """Columns that mappings name, by dataset: they may be missing in its schema."""
    named: defaultdict[str, list[GraphColumn]] = defaultdict(list)
    for each in (column for process in processes for column in process.columns):
        named[each.dataset].append(GraphColumn(each.column))
        for source in each.sources:
            named[source.dataset].append(GraphColumn(source.column))
    return named


def _process(guid: str, found: Found, places: Mapping[str, str]) -> tuple[GraphProcess, list[GraphNote]]:
    entity = found.entities[guid]
    inputs, outputs = (
        [end for end, _ in catalogue.related(found, guid, name) if end in places] for name in ("inputs", "outputs")
    )
    text = _text(entity, "description")
    sinks = {column for end in outputs for column in _column_names(found, end)}
    pairs = read_mapping((entity.get("attributes") or {}).get("columnMapping"))
    description = read_description(text, sinks | {pair.sink_column for pair in pairs or ()})
    process = GraphProcess(
        id=_name(entity).qualified_name,
        qualified_name=_name(entity).qualified_name,
        name=_text(entity, "name") or _name(entity).qualified_name,
        guid=guid,
        application=description.application,
        operation=description.operation,
        link=description.link,
        inputs=tuple(sorted({places[end] for end in inputs})),
        outputs=tuple(sorted({places[end] for end in outputs})),
        columns=_derivations(
            pairs or (), description, _by_name(found, inputs, places), _by_name(found, outputs, places)
        ),
        rows=(),
        conditions=description.conditions,
        runs=(),
    )
    return process, list(_notes(process.id, description, is_readable=pairs is not None))


def _notes(process: str, description: ProcessDescription, *, is_readable: bool) -> Iterator[GraphNote]:
    if not is_readable:
        yield GraphNote("mapping-unreadable", "Its columnMapping cannot be read, so no column is traced.", process)
    if description.is_cut:
        yield GraphNote(
            "description-cut",
            "The catalogue has no room for all expressions and conditions; LineageDetails has them.",
            process,
        )
    yield from (GraphNote("process-note", text, process) for text in description.notes)


def _column_names(found: Found, guid: str) -> Iterator[str]:
    return (_column(found, key, reference).name for key, reference in catalogue.column_references(found, guid))


def _by_name(found: Found, guids: Iterable[str], places: Mapping[str, str]) -> dict[str, str]:
    return {_name(found.entities[guid]).qualified_name: places[guid] for guid in guids}


def _derivations(
    pairs: Iterable[MappedPair], description: ProcessDescription, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> tuple[Derivation, ...]:
    """How the columns are computed: the sources by the mapping, expressions and constants by the description."""
    sources: defaultdict[tuple[str, str], set[ColumnReference]] = defaultdict(set)
    for pair in pairs:
        # "*" is any input, so it is known which one if there is only one.
        source = next(iter(inputs.values())) if pair.source == ANY and len(inputs) == 1 else inputs.get(pair.source)
        sink = outputs.get(pair.sink)
        if source and sink and pair.source_column and pair.sink_column:
            sources[sink, pair.sink_column].add(ColumnReference(source, pair.source_column))
    # A process with a description by Sparklin has one output.
    for output in list(outputs.values())[:1]:
        for name in (*description.expressions, *description.constants):
            sources[output, name] |= set()
    return tuple(
        Derivation(
            dataset=sink,
            column=column,
            sources=tuple(sorted(found)),
            influences=(),
            expression=description.expressions.get(column, ""),
            constant=column in description.constants and not found,
        )
        for (sink, column), found in sorted(sources.items())
    )


def _direct(edge: DirectEdge, found: Found, places: Mapping[str, str]) -> GraphProcess:
    """Lineage between two datasets without a process, as a process with the relationship's guid as its name."""
    source, sink = places.get(edge.source, ""), places.get(edge.sink, "")
    ends = [found.entities.get(guid, {}) for guid in (edge.source, edge.sink)]
    title = " → ".join(_text(end, "name") or "unknown" for end in ends)
    pairs = read_direct_mapping(edge.mapping, source, sink)
    return GraphProcess(
        id=edge.guid,
        qualified_name=edge.guid,
        name=title,
        inputs=(source,) if source else (),
        outputs=(sink,) if sink else (),
        columns=_derivations(pairs, ProcessDescription(), {source: source}, {sink: sink}),
        rows=(),
        conditions=(),
        runs=(),
    )
