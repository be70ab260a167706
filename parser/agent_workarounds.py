"""Datasets that do not exist: what agent 1.22 makes of a temporary view that MERGE reads.

It names the source twice in the columnLineage facet: as the real folder, and as ``<warehouse>/<view>``. A dataset right
below a folder ``warehouse`` is dropped if another one that is no input either gives the same to the same columns.
"""

from collections.abc import Iterable

from core.model import ColumnLineageFacet, DatasetId, InputField

AGENTS = ("1.22.",)
#: Each is compared with each; no MERGE reads more.
MOST_DATASETS = 1000


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
    return ColumnLineageFacet(
        {name: _without(entries, phantoms) for name, entries in facet.fields.items()}, _without(facet.dataset, phantoms)
    )


def _is_below_warehouse(dataset: DatasetId) -> bool:
    return dataset.name.rpartition("/")[0].rpartition("/")[2] == "warehouse"


def _without(entries: Iterable[InputField], phantoms: set[DatasetId]) -> tuple[InputField, ...]:
    return tuple(entry for entry in entries if entry.column.dataset not in phantoms)
