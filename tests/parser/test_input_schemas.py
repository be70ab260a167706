"""Which columns the inputs of a run really have, and which sources its schemas refute."""

import pytest

from core.event_model import ColumnLineageFacet, ColumnRef, Dataset, EventDataset, Field, InputField, Symlink
from core.identity import dataset_id
from parser.input_schemas import data_read, is_metadata_table, is_refuted, schemas, without_refuted

LAKE = "abfss://data@contosolake.dfs.core.windows.net"
READ = dataset_id(LAKE, "raw/orders")
NO_SCHEMA = dataset_id(LAKE, "raw/other")


def read(*columns: str, name: str = "raw/orders", namespace: str = LAKE, symlink: str = "") -> EventDataset:
    """An input with these columns, as an event lists it."""
    links = (Symlink("hive://metastore", symlink, "TABLE"),) if symlink else ()
    fields = tuple(Field(column, "string") for column in columns)
    return EventDataset(Dataset(dataset_id(namespace, name), fields, symlinks=links))


@pytest.mark.parametrize(
    ("column", "refuted"),
    [
        ("id", False),
        ("ID", False),
        ("address.city", False),
        ("address.city.zip", False),
        ("total", True),
        ("city", True),
        ("_metadata", True),
        ("_file", True),
    ],
)
def test_a_source_that_the_schema_does_not_have_is_refuted(column: str, refuted: bool) -> None:
    known = schemas([read("Id", "Address")])
    assert is_refuted(ColumnRef(READ, column), known) is refuted


@pytest.mark.parametrize(("column", "refuted"), [("anything", False), ("a.b", False), ("_metadata", True)])
def test_without_a_schema_only_hidden_columns_are_refuted(column: str, refuted: bool) -> None:
    known = schemas([read("id")])
    assert is_refuted(ColumnRef(NO_SCHEMA, column), known) is refuted


def test_a_column_that_the_schema_has_is_no_hidden_one_whatever_its_name() -> None:
    known = {READ: frozenset({"_file"})}
    assert not is_refuted(ColumnRef(READ, "_file"), known)


def test_the_schema_of_an_input_is_that_of_all_its_events_without_case() -> None:
    known = schemas([read("Id"), read("TOTAL"), read(name="raw/other")])
    assert known == {READ: frozenset({"id", "total"})}


def test_what_a_scan_adds_is_no_column_of_the_table() -> None:
    of_a_scan = read("id", "_metadata")
    with_changes = read("id", "_change_type", "_commit_version", "_commit_timestamp")
    (listed,) = data_read([with_changes])
    assert schemas([of_a_scan]) == {}
    assert schemas([with_changes]) == {READ: frozenset({"id"})}
    assert [field.name for field in listed.dataset.fields] == ["id"]


def test_the_columns_of_the_change_feed_are_those_of_a_table_that_has_no_files() -> None:
    database = read("_change_type", "_commit_version", "_commit_timestamp", namespace="postgres://h", name="d.s.t")
    assert data_read([database]) == (database,)


@pytest.mark.parametrize(
    ("name", "symlink", "is_metadata"),
    [
        ("warehouse/db/orders", "db.orders.snapshots", True),
        ("warehouse/db/orders", "cat.db.ORDERS.Files", True),
        ("warehouse/db/orders", "db.orders", False),
        ("warehouse/db/orders", "db.other.snapshots", False),
        ("warehouse/db/orders", "orders.snapshots", False),
        ("warehouse/db/orders", "db.orders.details", False),
        ("warehouse/db/orders", "", False),
    ],
)
def test_a_symlink_names_the_metadata_table_that_is_read(name: str, symlink: str, is_metadata: bool) -> None:
    assert is_metadata_table(read(name=name, symlink=symlink).dataset) is is_metadata


def test_no_data_is_read_from_a_metadata_table() -> None:
    data = read("id", name="raw/other")
    metadata = read("snapshot_id", name="db/orders", symlink="db.orders.snapshots")
    assert data_read([data, metadata]) == (data,)
    assert schemas([metadata]) == {metadata.dataset.id: frozenset()}


def test_the_facet_keeps_the_sources_that_can_be() -> None:
    def sources(*columns: str) -> tuple[InputField, ...]:
        return tuple(InputField(ColumnRef(READ, column)) for column in columns)

    facet = ColumnLineageFacet({"x": sources("id", "no"), "y": sources("no")}, sources("no", "id"))
    expected = ColumnLineageFacet({"x": sources("id"), "y": ()}, sources("id"))
    assert without_refuted(facet, schemas([read("id")])) == expected
