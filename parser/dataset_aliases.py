"""Unites datasets that one run names in two ways.

- A table by its name in a catalogue in one event, and by its location in another, if a symlink says that both are the
  same: the location counts, because all agents name it.
- A path that only the columnLineage facet names, below a folder that is listed as an input: agents up to 1.41 shorten
  only the names of inputs (``removePath.pattern``), those of 0.21 to 0.26 name the file that was read.
- A file that is listed beside its folder.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from core.event_model import ColumnLineageFacet, Dataset, DatasetId, EventDataset, InputField, RunEvent
from core.identity import dataset_id, is_file_namespace
from core.replacing import replace

_FILE = re.compile(r"[^/]+\.(?:csv|json|jsonl|parquet|avro|orc|txt|xml|tsv)(?:\.[a-z0-9]{2,6})?", re.IGNORECASE)

#: For each dataset that has another name in its run, that name.
Aliases = Mapping[DatasetId, DatasetId]


def aliases(events: Iterable[RunEvent]) -> Aliases:
    """The names that stand for another one."""
    found = list(events)
    inputs = {item.dataset.id for event in found for item in event.inputs}
    outputs = {item.dataset.id for event in found for item in event.outputs}
    datasets = [item.dataset for event in found for item in (*event.inputs, *event.outputs)]
    linked = dict(_linked(datasets))
    folders = inputs - outputs
    named = {ref for event in found for item in event.outputs for ref in _named(item.column_lineage)}
    below = {name: folder for name in named - inputs - outputs if (folder := _folder_above(name, folders))}
    files = {name: folder for name in folders if (folder := _own_folder(name)) in folders}
    return {**files, **below, **linked}


def renamed(event: RunEvent, names: Aliases) -> RunEvent:
    """The event under the names that count."""
    if not names:
        return event
    inputs, outputs = (tuple(_renamed(item, names) for item in items) for items in (event.inputs, event.outputs))
    return replace(event, inputs=inputs, outputs=outputs)


def _renamed(item: EventDataset, names: Aliases) -> EventDataset:
    key = item.dataset.id
    dataset = replace(item.dataset, id=names[key], is_folder=True) if key in names else item.dataset
    facet = item.column_lineage
    if facet is not None:
        fields = {name: _entries(entries, names) for name, entries in facet.fields.items()}
        facet = ColumnLineageFacet(fields, _entries(facet.dataset, names))
    return replace(item, dataset=dataset, column_lineage=facet)


def _entries(entries: Iterable[InputField], names: Aliases) -> tuple[InputField, ...]:
    return tuple(
        replace(entry, column=replace(entry.column, dataset=names.get(entry.column.dataset, entry.column.dataset)))
        for entry in entries
    )


def _linked(datasets: Iterable[Dataset]) -> Iterator[tuple[DatasetId, DatasetId]]:
    """Tables by name whose location is another dataset of the run, or a symlink of their own."""
    listed = list(datasets)
    by_name: dict[str, set[DatasetId]] = {}
    for dataset in listed:
        if not is_file_namespace(dataset.id.namespace):
            by_name.setdefault(dataset.id.name.lower(), set()).add(dataset.id)
    for dataset in listed:
        for link in dataset.symlinks:
            if is_file_namespace(dataset.id.namespace) and link.type.upper() == "TABLE":
                tables = by_name.get(link.name.lower(), set()) if "." in link.name else set()
                yield from ((table, dataset.id) for table in tables if len(tables) == 1)
            elif link.type.upper() == "LOCATION" and not is_file_namespace(dataset.id.namespace):
                location = dataset_id(link.namespace, link.name)
                if any(other.id == location for other in listed):
                    yield dataset.id, location


def _folder_above(name: DatasetId, folders: Iterable[DatasetId]) -> DatasetId | None:
    """The nearest listed folder around a path."""
    above = [f for f in folders if f.name and f.namespace == name.namespace and name.name.startswith(f.name + "/")]
    return max(above, key=lambda folder: len(folder.name)) if above and is_file_namespace(name.namespace) else None


def _own_folder(name: DatasetId) -> DatasetId | None:
    folder, _, file = name.name.rpartition("/")
    is_file = bool(folder) and is_file_namespace(name.namespace) and _FILE.fullmatch(file)
    return DatasetId(name.namespace, folder) if is_file else None


def _named(facet: ColumnLineageFacet | None) -> Iterator[DatasetId]:
    for entries in [facet.dataset, *facet.fields.values()] if facet else []:
        yield from (entry.column.dataset for entry in entries)
