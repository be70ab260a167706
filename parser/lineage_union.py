"""Unites several lineages of one sink, in time linear to their size."""

from collections.abc import Iterable, Mapping, Sequence

from core.event_model import ColumnRef, Dataset, DatasetId, Field
from core.lineage_model import IndirectUse, Lineage, SinkColumn
from core.replacing import replace


def united(lineages: Sequence[Lineage]) -> Lineage:
    """The union of lineages of one sink. What cannot be united, such as the order of columns, is that of the first."""
    newest = lineages[0]
    # The outer run of a table made from a query may list no inputs; its texts do not name them either.
    worded = [lineage for lineage in lineages if lineage.inputs] or lineages
    inputs = _united_datasets(dataset for lineage in lineages for dataset in lineage.inputs)
    return replace(
        newest,
        sink=_united_datasets(lineage.sink for lineage in lineages)[newest.sink.id],
        inputs=tuple(inputs[key] for key in sorted(inputs)),
        columns=_united_columns(lineages, {c.name: c.expression for each in worded[::-1] for c in each.columns}),
        indirect=_sorted_uses({use for lineage in lineages for use in lineage.indirect}),
        conditions=tuple(dict.fromkeys(text for lineage in worded for text in lineage.conditions)),
        notes=tuple(dict.fromkeys(note for lineage in lineages for note in lineage.notes)),
        mount_points=tuple(sorted({pair for lineage in lineages for pair in lineage.mount_points})),
        onelake_ids=tuple(
            sorted({name: guid for lineage in lineages[::-1] for name, guid in lineage.onelake_ids}.items())
        ),
    )


def _united_datasets(datasets: Iterable[Dataset]) -> dict[DatasetId, Dataset]:
    """One entry per dataset: the first one's, with the columns that only others have at its end."""
    groups: dict[DatasetId, list[Dataset]] = {}
    for dataset in datasets:
        group = groups.setdefault(dataset.id, [])
        if not group or group[-1] != dataset:
            group.append(dataset)
    return {key: group[0] if len(group) == 1 else _united_dataset(group) for key, group in groups.items()}


def _united_dataset(group: Sequence[Dataset]) -> Dataset:
    more: dict[str, Field] = {}
    own = {field.name for field in group[0].fields}
    for field in (field for dataset in group[1:] for field in dataset.fields if field.name not in own):
        more.setdefault(field.name, field)
    return replace(
        group[0],
        fields=(*group[0].fields, *more.values()),
        symlinks=next((each.symlinks for each in group if each.symlinks), ()),
        storage_layer=next((each.storage_layer for each in group if each.storage_layer), ""),
        is_folder=any(each.is_folder for each in group),
    )


def _united_columns(lineages: Iterable[Lineage], texts: Mapping[str, str | None]) -> tuple[SinkColumn, ...]:
    groups: dict[str, list[SinkColumn]] = {}
    for lineage in lineages:
        for column in lineage.columns:
            groups.setdefault(column.name, []).append(column)
    return tuple(_united_column(name, group, texts.get(name)) for name, group in groups.items())


def _united_column(name: str, group: Sequence[SinkColumn], text: str | None) -> SinkColumn:
    return SinkColumn(
        name,
        sources=_sorted_refs({source for column in group for source in column.sources}),
        indirect=_sorted_uses({use for column in group for use in column.indirect}),
        expression=text or next((column.expression for column in group if column.expression), None),
        constant=all(column.constant for column in group),
    )


# By tuples of texts: the order that dataclasses define costs several times as much to compare.


def _sorted_refs(refs: Iterable[ColumnRef]) -> tuple[ColumnRef, ...]:
    return tuple(sorted(refs, key=_ref_key))


def _sorted_uses(uses: Iterable[IndirectUse]) -> tuple[IndirectUse, ...]:
    return tuple(sorted(uses, key=lambda use: (*_ref_key(use.column), use.kind)))


def _ref_key(ref: ColumnRef) -> tuple[str, str, str]:
    return ref.dataset.namespace, ref.dataset.name, ref.column
