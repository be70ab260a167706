"""Removes false statements of agents, by their version.

Agents up to 1.43 take the columns of an RDD for those of the file behind it: they are in the input's schema and in the
columnLineage facet, though the program may have renamed or swapped them. A plan with a LogicalRDD shows it.

Agent 1.22 invents a dataset for a temporary view that MERGE reads. It names the source twice in the columnLineage
facet: as the real folder, and as ``<warehouse>/<view>``. A dataset right below a folder ``warehouse`` is dropped if
another one that is no input either gives the same to the same columns.

EXCEPT ALL and INTERSECT ALL repeat rows by a generator, which gets all columns of both sides. Agents from 1.37 to 1.53
(at least) take all of them for sources of each of its columns. They also list them, as DIRECT, among what affects every
row. No event contains the real source, so none of them is believed.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.event_model import ColumnLineageFacet, ColumnRef, DatasetId, EventDataset, InputField, RunEvent
from core.replacing import replace

AGENTS = ("1.22.",)
_LAST_WITH_RDD_COLUMNS = (1, 43)
#: All pairs are compared; no MERGE reads more.
MOST_DATASETS = 1000


def without_rdd_columns(event: RunEvent) -> RunEvent:
    """The event without what agents up to 1.43 say about columns of inputs that are read through an RDD."""
    version = re.match(r"(\d+)\.(\d+)", event.agent)
    if version is None or (int(version[1]), int(version[2])) > _LAST_WITH_RDD_COLUMNS:
        return event
    read = {_names(node) for node in event.plan if str(node.get("class")).endswith(".LogicalRDD")}
    behind = {
        item.dataset.id for item in event.inputs if tuple(field.name for field in item.dataset.fields) in read - {()}
    }
    if not behind:
        return event
    inputs = tuple(_without_fields(item) if item.dataset.id in behind else item for item in event.inputs)
    outputs = tuple(
        replace(item, column_lineage=_facet_without(item.column_lineage, behind)) if item.column_lineage else item
        for item in event.outputs
    )
    return replace(event, inputs=inputs, outputs=outputs)


def without_mingled(facet: ColumnLineageFacet) -> ColumnLineageFacet:
    """The facet without the sources of columns that only a set operation's generator gives."""
    everything = _direct(facet.dataset)
    if len(everything) < 2:
        return facet
    mingled = frozenset(name for name, entries in facet.fields.items() if _direct(entries) == everything)
    if len(mingled) < 2:
        return facet
    fields = {name: () if name in mingled else entries for name, entries in facet.fields.items()}
    return replace(facet, fields=fields, mingled=mingled)


def _direct(entries: Iterable[InputField]) -> set[ColumnRef]:
    return {entry.column for entry in entries if any(kind == "DIRECT" for kind, _ in entry.transformations)}


def _names(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the columns that a node of a plan lists."""
    listed = node.get("output")
    trees = listed if isinstance(listed, list) else []
    roots = [tree[0] for tree in trees if isinstance(tree, list) and tree and isinstance(tree[0], dict)]
    return tuple(str(root.get("name")) for root in roots)


def _without_fields(item: EventDataset) -> EventDataset:
    return replace(item, dataset=replace(item.dataset, fields=()))


def _facet_without(facet: ColumnLineageFacet, datasets: set[DatasetId]) -> ColumnLineageFacet:
    fields = {name: _without(entries, datasets) for name, entries in facet.fields.items()}
    return replace(facet, fields=fields, dataset=_without(facet.dataset, datasets))


def without_phantoms(facet: ColumnLineageFacet, agent: str, inputs: Iterable[DatasetId]) -> ColumnLineageFacet:
    """The facet without datasets that do not exist."""
    if not agent.startswith(AGENTS):
        return facet
    gives: dict[DatasetId, set[tuple[str, str]]] = {}
    for name, entries in facet.fields.items():
        for entry in entries:
            gives.setdefault(entry.column.dataset, set()).add((name, entry.column.column))
    known = set(inputs)
    if len(gives) > MOST_DATASETS:
        return facet
    unlisted = {dataset: columns for dataset, columns in gives.items() if dataset not in known}
    phantoms = {
        dataset
        for dataset, columns in unlisted.items()
        if _is_below_warehouse(dataset) and any(columns <= unlisted[other] for other in unlisted.keys() - {dataset})
    }
    return _facet_without(facet, phantoms)


def _is_below_warehouse(dataset: DatasetId) -> bool:
    return dataset.name.rpartition("/")[0].rpartition("/")[2] == "warehouse"


def _without(entries: Iterable[InputField], phantoms: set[DatasetId]) -> tuple[InputField, ...]:
    return tuple(entry for entry in entries if entry.column.dataset not in phantoms)
