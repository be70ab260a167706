"""Which dataset or column a text names, and which names are near."""

import pytest

from explorer.asset_names import Named, match
from explorer.graph import GraphColumn, GraphDataset, LineageGraph
from explorer.labels import distinct_labels

LAKE = "https://lake.dfs.core.windows.net"
FABRIC = "https://app.fabric.microsoft.com/groups/g/lakehouses"


def dataset(qualified_name: str, name: str, *columns: str) -> GraphDataset:
    return GraphDataset(qualified_name, "DataSet", qualified_name, name, tuple(map(GraphColumn, columns)))


RAW = dataset(f"{LAKE}/raw/orders/{{SparkPartitions}}", "orders", "id", "amount", "Order Id")
SILVER = dataset(f"{LAKE}/silver/orders/{{SparkPartitions}}", "orders", "id", "total", "address.city")
SALES = dataset(f"{FABRIC}/l/tables/sales%252Fdaily", "daily", "day", "sum")
DOTTED = dataset("mssql://h/db/dbo/orders.total", "orders.total", "id")
GRAPH = LineageGraph("events", (RAW, SILVER, SALES, DOTTED), (), ())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (RAW.qualified_name, [Named(RAW.id)]),
        (f"{RAW.qualified_name}.amount", [Named(RAW.id, "amount")]),
        ("raw/orders", [Named(RAW.id)]),
        ("raw.orders.AMOUNT", [Named(RAW.id, "amount")]),
        # Two datasets have the short name, and one of them the column.
        ("orders.amount", [Named(RAW.id, "amount")]),
        ("orders.id", [Named(RAW.id, "id"), Named(SILVER.id, "id")]),
        ("orders", [Named(RAW.id), Named(SILVER.id)]),
        ("orders.order id", [Named(RAW.id, "Order Id")]),
        ("raw.orders.`Order Id`", [Named(RAW.id, "Order Id")]),
        ("silver.orders.address.city", [Named(SILVER.id, "address.city")]),
        # A dataset takes precedence over a column with the same spelling.
        ("orders.total", [Named(DOTTED.id)]),
        ("silver.orders.total", [Named(SILVER.id, "total")]),
        ("sales.daily", [Named(SALES.id)]),
        ("sales/daily.sum", [Named(SALES.id, "sum")]),
        ("aily.sum", [Named(SALES.id, "sum")]),
        ("nothing.sum", []),
        ("", []),
        (".", []),
    ],
)
def test_a_text_names_what_fits_best(text: str, named: list[Named]) -> None:
    assert list(match(text, GRAPH).found) == named


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("dialy", ["daily"]),
        ("sales.daily.smu", ["sales.daily.sum"]),
        ("sales.daily.xyz", ["sales.daily.day", "sales.daily.sum"]),
        ("qqqq", []),
    ],
)
def test_what_does_not_fit_leads_to_near_names(text: str, near: list[str]) -> None:
    assert list(match(text, GRAPH).near) == near


def test_labels_distinguish_datasets_with_the_same_name() -> None:
    assert distinct_labels(GRAPH.datasets) == {
        RAW.id: "raw/orders",
        SILVER.id: "silver/orders",
        SALES.id: "daily",
        DOTTED.id: "orders.total",
    }
