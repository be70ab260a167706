"""What is sent: references to what exists, new entities for the rest, the process last."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog_model import Asset, AssetName
from core.event_model import Field
from core.lineage_model import Lineage, Note
from core.replacing import replace
from local.data_map.types import TypeSystem
from purview import entities
from purview.dataset_entities import Assets
from purview.entities import Draft, build_entities, planned_assets, preview_entities, within_limits
from tests.purview.helpers import (
    LAKE,
    PATH,
    RESOURCE_SET,
    SQL,
    column,
    copy_of,
    dataset,
    folder,
    lineage,
    mapping,
    resolve_all,
    table,
)

A, B, SINK, ORDERS = folder("raw/a"), folder("raw/b"), folder("gold/sales"), table("db.dbo.Orders")


def preview(item: Lineage) -> Draft:
    return preview_entities(item, resolve_all(item))


def build(item: Lineage, found: Assets) -> Draft:
    resolutions = resolve_all(item)
    return build_entities(item, resolutions, {**planned_assets(item, resolutions), **found})


def of_type(draft: Draft, type_name: str) -> list[dict[str, Any]]:
    return [entity for entity in draft.entities if entity["typeName"] == type_name]


def test_a_new_folder_comes_with_a_schema_like_a_scanned_one() -> None:
    draft = preview(lineage(dataset(SINK, "id")))
    schema, column_entity, asset, process = draft.entities
    name = f"{LAKE}/gold/sales/{{SparkPartitions}}"
    assert schema == {
        "typeName": "tabular_schema",
        "guid": "-1",
        "attributes": {"qualifiedName": f"{name}#__tabular_schema", "name": "tabular_schema"},
    }
    assert column_entity == {
        "typeName": "column",
        "guid": "-2",
        "attributes": {"qualifiedName": f"{name}#__tabular_schema//id", "name": "id", "type": "string"},
        "relationshipAttributes": {"composeSchema": {"guid": "-1"}},
    }
    assert asset == {
        "typeName": RESOURCE_SET,
        "guid": "-3",
        "attributes": {"qualifiedName": name, "name": "sales"},
        "relationshipAttributes": {"tabular_schema": {"guid": "-1"}},
    }
    assert process["attributes"]["outputs"] == [{"guid": "-3"}]


def test_a_new_table_comes_with_columns_of_its_kind() -> None:
    draft = preview(lineage(dataset(ORDERS, "OrderID")))
    column_entity, asset, _ = draft.entities
    name = "mssql://srv.database.windows.net/db/dbo/Orders"
    assert column_entity["typeName"] == "azure_sql_column"
    assert column_entity["attributes"] == {
        "qualifiedName": f"{name}#OrderID",
        "name": "OrderID",
        "data_type": "string",
    }
    assert asset["relationshipAttributes"] == {"columns": [{"guid": "-1"}]}


def test_an_unknown_data_type_is_still_given_as_it_is_mandatory() -> None:
    item = dataset(ORDERS)
    draft = preview(lineage(type(item)(ORDERS, (Field("a"),))))
    assert of_type(draft, "azure_sql_column")[0]["attributes"]["data_type"] == "unknown"


def test_mandatory_attributes_of_datasets_are_filled() -> None:
    item = lineage(dataset(SINK))
    name = AssetName("azure_cosmosdb_sqlapi_collection", "https://a.documents.azure.com/dbs/db%201/colls/c")
    (asset, _) = build(item, {SINK: Asset(name)}).entities
    assert asset["attributes"]["resourceLink"] == "dbs/db 1/colls/c"


def test_a_dataset_without_known_columns_has_no_schema() -> None:
    assert [entity["typeName"] for entity in preview(lineage(dataset(SINK))).entities] == [
        RESOURCE_SET,
        "azure_synapse_operation",
    ]


def test_existing_assets_are_only_referred_to() -> None:
    found = {A: Asset(AssetName(PATH, f"{LAKE}/raw/a/"), "g-a"), SINK: Asset(AssetName(SQL, "mssql://x"), "g-sink")}
    (process,) = build(copy_of(A, SINK, "id"), found).entities
    assert process["attributes"]["inputs"] == [{"guid": "g-a"}]
    assert process["attributes"]["outputs"] == [{"guid": "g-sink"}]
    assert mapping(process) == [
        {
            "DatasetMapping": {"Source": f"{LAKE}/raw/a/", "Sink": "mssql://x"},
            "ColumnMapping": [{"Source": "id", "Sink": "id"}],
        }
    ]


def test_the_process_is_named_and_described_for_people() -> None:
    notes = [Note("later", "Two."), Note("first", "One.")]
    process = preview(lineage(dataset(SINK), dataset(A), notes=notes)).process
    assert process["attributes"]["name"] == "nightly → sales"
    description = process["attributes"]["description"]
    assert "append_data" in description
    assert description.index("One.") < description.index("Two.")


def test_the_catalogue_drops_no_attribute_of_the_process() -> None:
    process = preview(copy_of(A, SINK, "id")).process
    assert process["attributes"].keys() <= TypeSystem.built_in().entity(process["typeName"]).attributes.keys()


def test_a_long_description_is_cut() -> None:
    notes = [Note("n", f"{number} " + "ä" * 200) for number in range(50)]
    description = preview(lineage(dataset(SINK), notes=notes)).process["attributes"]["description"]
    assert 3_990 < len(description.encode()) <= 4_000


def test_no_known_input_gives_a_process_without_inputs() -> None:
    assert preview(lineage(dataset(SINK))).process["attributes"]["inputs"] == []


def test_two_datasets_that_are_one_new_asset_are_created_once_with_the_columns_of_both() -> None:
    item = lineage(dataset(SINK), dataset(A, "x", "y"), dataset(B, "y", "z"))
    shared = Asset(AssetName(RESOURCE_SET, "https://same"))
    draft = build(item, {A: shared, B: shared})
    assert [entity["attributes"]["name"] for entity in of_type(draft, "column")] == ["x", "y", "z"]
    assert len(of_type(draft, RESOURCE_SET)) == 2
    assert len(draft.process["attributes"]["inputs"]) == 1


def test_two_names_of_the_sink_are_an_input_only_where_values_change_columns() -> None:
    same = Asset(AssetName(SQL, "mssql://x"), "g")
    kept = copy_of(A, SINK, "id")
    assert build(kept, {A: same, SINK: same}).process["attributes"]["inputs"] == []
    moved = lineage(dataset(SINK), dataset(A), columns=[column("id", (A, "id")), column("old", (A, "new"))])
    process = build(moved, {A: same, SINK: same}).process
    assert process["attributes"]["inputs"] == [{"guid": "g"}]
    assert [pair["ColumnMapping"] for pair in mapping(process)] == [[{"Source": "new", "Sink": "old"}]]


def test_a_sink_that_is_an_input_is_drawn_as_a_loop() -> None:
    item = lineage(dataset(SINK), dataset(SINK), columns=[column("total", (SINK, "amount"))])
    process = preview(item).process
    assert process["attributes"]["inputs"] == process["attributes"]["outputs"]
    assert len(mapping(process)) == 1


def test_column_names_need_no_alphabet() -> None:
    names = ["größe", "列", "a b/c#d", "{x}", "`q`", "ID", "id"]
    draft = preview(lineage(dataset(SINK, *names)))
    created = of_type(draft, "column")
    assert [entity["attributes"]["name"] for entity in created] == names
    assert len({entity["attributes"]["qualifiedName"] for entity in created}) == len(names)


def test_columns_that_cannot_be_stored_are_left_out_with_a_note() -> None:
    names = ["ok", "x" * 5_000]
    draft = preview(lineage(dataset(SINK, *names)))
    assert [entity["attributes"]["name"] for entity in of_type(draft, "column")] == ["ok"]
    assert [note.code for note in draft.notes] == ["columns-not-created"]


def test_a_name_beyond_the_limit_is_cut_in_the_same_way_everywhere() -> None:
    source = folder("raw/" + "ä" * 3_000)
    draft = preview(copy_of(source, SINK, "id"))
    (pair,) = mapping(draft.process)
    names = {entity["attributes"]["qualifiedName"] for entity in of_type(draft, RESOURCE_SET)}
    assert pair["DatasetMapping"]["Source"] in names
    assert all(len(name.encode()) <= 4_000 for name in names)
    assert "name-cut" in [note.code for note in draft.notes]


def test_a_dataset_that_is_generic_because_its_type_is_missing_has_a_note() -> None:
    name = AssetName("DataSet", "mssql://srv.database.windows.net/db/dbo/Orders")
    for asset in (Asset(name), Asset(name, "g")):
        draft = build(lineage(dataset(ORDERS)), {ORDERS: asset})
        assert [note.code for note in draft.notes] == ["generic-type"]
        assert SQL in draft.process["attributes"]["description"]


def test_preview_does_not_depend_on_the_order_of_inputs_or_columns() -> None:
    inputs = [dataset(A, "x"), dataset(B, "y"), dataset(ORDERS, "z")]
    columns = [column("one", (A, "x"), (B, "y")), column("two", (ORDERS, "z"))]
    one = preview(lineage(dataset(SINK), *inputs, columns=columns))
    other = preview(lineage(dataset(SINK), *reversed(inputs), columns=reversed(columns)))
    assert json.dumps(one.entities) == json.dumps(other.entities)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=8)), max_size=12), st.sets(st.sampled_from("abc")))
def test_every_entity_refers_only_to_earlier_ones(columns: list[tuple[str, str]], existing: set[str]) -> None:
    inputs = {name: folder(f"raw/{name}") for name in "abc"}
    fields = {name: [c for n, c in columns if n == name] for name in inputs}
    item = lineage(
        dataset(SINK, *(c for _, c in columns)),
        *(dataset(inputs[name], *fields[name]) for name in inputs),
        columns=[column(c, (inputs[n], c)) for n, c in columns],
    )
    found = {inputs[name]: Asset(AssetName(PATH, name), f"g-{name}") for name in existing}
    draft = build(item, found)
    seen: set[str] = {asset.guid for asset in found.values()}
    for entity in draft.entities:
        assert set(_references(entity)) <= seen
        assert entity["guid"] not in seen
        seen.add(entity["guid"])
    names = {name.qualified_name for name in (*draft.inputs, *draft.outputs)}
    for pair in mapping(draft.process):
        assert set(pair["DatasetMapping"].values()) <= names


def _references(value: Any, top: bool = True) -> list[str]:
    if isinstance(value, list):
        return [guid for item in value for guid in _references(item, False)]
    if not isinstance(value, dict):
        return []
    own = [value["guid"]] if "guid" in value and not top else []
    return own + [guid for item in value.values() for guid in _references(item, False)]


@pytest.mark.parametrize(
    ("names", "shown"),
    [("", ""), ("ba", "ba"), ("bab", "bab"), ("cab", "ab"), ("cabac", "aba"), ("dcba", "ba")],
)
def test_the_first_inputs_by_name_are_shown_and_a_note_counts_all(
    names: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entities, "REFERENCES", 2)
    whole = lineage(dataset(SINK), *(dataset(folder(name)) for name in names), notes=[Note("x", "of the lineage")])
    found = within_limits(whole, resolve_all(whole))
    notes = [] if names == shown else [Note("inputs-cut", f"Only 2 of {len(set(names))} inputs are shown.")]
    expected = replace(whole, inputs=tuple(dataset(folder(name)) for name in shown), notes=(*whole.notes, *notes))
    assert found == expected
