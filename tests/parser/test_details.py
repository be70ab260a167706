"""The columns of LineageDetails that people read."""

import json

import pytest

from core.event_model import Dataset
from core.replacing import replace
from parser.details import details
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.corpus import SPARK_35, events
from tests.support.events import LAKE, dataset, run_event


def one(scenario: str, sink: str) -> dict[str, str | bool]:
    """The columns for the write of ``sink``."""
    by_run: dict[str, list[object]] = {}
    for event in events(f"{SPARK_35}/{scenario}"):
        by_run.setdefault(event.run_key, []).append(event)
    runs = [derive(merge(found), LineageRules()).lineages for found in by_run.values()]  # type: ignore[arg-type]
    return dict(next(details(item) for items in runs for item in items if item.sink.id.name.endswith(sink)))


def test_tables_and_columns_are_listed_by_their_openlineage_names() -> None:
    lake = "abfss://data@contosolake.dfs.core.windows.net/raw/shop/orders"
    found = one("jdbc_azure_sql", "order_status")
    assert json.loads(str(found["input_tables"])) == [lake]
    assert found["output_table"] == "sqlserver://contoso-sql.database.windows.net:1433/SalesDW.dbo.order_status"
    assert json.loads(str(found["input_columns"])) == [f"{lake}#order_id", f"{lake}#status"]
    assert json.loads(str(found["output_columns"])) == ["order_id", "status"]
    assert json.loads(str(found["joinconditions"])) == []


def test_joins_and_filters_are_listed_with_their_kind() -> None:
    kinds = {item["kind"] for item in json.loads(str(one("tutorial_customer_master", "delta")["joinconditions"]))}
    assert kinds == {"JOIN", "FILTER"}


@pytest.mark.parametrize(("layer", "expected"), [("delta", True), ("iceberg", False), ("", False)])
def test_the_storage_facet_identifies_delta(layer: str, expected: bool) -> None:
    event = events(f"{SPARK_35}/tutorial_customer_master")[-2]
    (lineage,) = derive(merge([event]), LineageRules()).lineages
    sink = Dataset(lineage.sink.id, lineage.sink.fields, storage_layer=layer)
    assert details(replace(lineage, sink=sink))["isdelta"] is expected


def test_no_secret_of_an_address_is_kept() -> None:
    file = "day.csv?sv=1&sig=SECRET"
    sink = dataset("t", ["a"], {"a": [(file, "x")]}, "postgres://me:SECRET@h:5432/shop;password=SECRET")
    run = merge([run_event(inputs=[dataset(file, ["x"])], outputs=[sink])])
    (lineage,) = derive(run, LineageRules()).lineages
    row = details(lineage)
    assert json.loads(str(row["input_columns"])) == [f"{LAKE}/day.csv#x"]
    assert row["output_table"] == "postgres://h:5432/shop/t"
    assert "SECRET" not in str(row)
