"""Which columns the inputs of a run really have, and so which sources are impossible.

Columns that a scan adds are not columns of the table: the hidden ``_metadata`` of files, Iceberg's ``_file``,
the three columns of Delta's change feed. A schema with hidden columns is that of a row-level command's scan, which
lists only what it needs. A read of an Iceberg metadata table (``db.t.snapshots``) reads no data of the table.

A source that is not in the schema of its input is refuted, whether plan or facet names it. An input without a schema
refutes nothing.
"""

from collections.abc import Iterable, Mapping

from core.event_model import ColumnLineageFacet, ColumnRef, Dataset, DatasetId, EventDataset, InputField
from core.identity import is_file_namespace
from core.replacing import replace

HIDDEN = {"_metadata", "_file", "_pos", "_partition", "_spec_id", "_deleted", "__row_operation"}
CHANGE_FEED = ("_change_type", "_commit_version", "_commit_timestamp")
METADATA_TABLES = {
    "snapshots", "history", "files", "data_files", "delete_files", "entries", "manifests", "partitions", "refs",
    "metadata_log_entries", "position_deletes", "all_files", "all_data_files", "all_delete_files", "all_entries",
    "all_manifests",
}  # fmt: skip

#: The columns of each input that has a schema, in lower case.
Schemas = Mapping[DatasetId, frozenset[str]]


def data_read(inputs: Iterable[EventDataset]) -> tuple[EventDataset, ...]:
    """The inputs of an event whose data is read, with the columns that they have of their own."""
    return tuple(
        replace(item, dataset=_own_columns(item.dataset)) for item in inputs if not is_metadata_table(item.dataset)
    )


def schemas(inputs: Iterable[EventDataset]) -> Schemas:
    """The columns of all inputs of a run's events; none for an input of which only a metadata table is read."""
    found: dict[DatasetId, set[str]] = {}
    for dataset in (item.dataset for item in inputs):
        own = _own_columns(dataset)
        if is_metadata_table(dataset):
            found.setdefault(dataset.id, set())
        elif own.fields:
            found.setdefault(dataset.id, set()).update(field.name.lower() for field in own.fields)
    return {key: frozenset(names) for key, names in found.items()}


def is_refuted(column: ColumnRef, known: Schemas) -> bool:
    """Whether the schema of a column's dataset does not have it: without case, a nested field by its first part."""
    columns = known.get(column.dataset)
    name = column.column.lower()
    if name in HIDDEN:
        return columns is None or name not in columns
    return columns is not None and name not in columns and name.partition(".")[0] not in columns


def without_refuted(facet: ColumnLineageFacet, known: Schemas) -> ColumnLineageFacet:
    """The facet without sources that are refuted."""
    fields = {name: _possible(entries, known) for name, entries in facet.fields.items()}
    return replace(facet, fields=fields, dataset=_possible(facet.dataset, known))


def is_metadata_table(dataset: Dataset) -> bool:
    """Whether a read is that of an Iceberg metadata table: a symlink names it behind the table's own name."""
    own = dataset.id.name.replace("/", ".").rpartition(".")[2].lower()
    for link in dataset.symlinks:
        parts = link.name.lower().split(".")
        if len(parts) > 2 and parts[-1] in METADATA_TABLES and parts[-2] == own:
            return True
    return False


def _own_columns(dataset: Dataset) -> Dataset:
    names = tuple(field.name.lower() for field in dataset.fields)
    if names[-3:] == CHANGE_FEED and is_file_namespace(dataset.id.namespace):
        return replace(dataset, fields=dataset.fields[:-3])
    return replace(dataset, fields=()) if HIDDEN.intersection(names) else dataset


def _possible(entries: Iterable[InputField], known: Schemas) -> tuple[InputField, ...]:
    return tuple(entry for entry in entries if not is_refuted(entry.column, known))
