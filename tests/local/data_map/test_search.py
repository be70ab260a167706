"""The discovery search."""

from typing import Any

import pytest

from tests.local.data_map.api import ATLAS, Api, dataset, entity, error, process
from tests.support.processes import PATIENCE, until


@pytest.fixture
def filled(api: Api) -> Api:
    api.stored(
        dataset("lake/raw/orders", "-1", description="from the shop"),
        entity("azure_datalake_gen2_path", "-2", "lake/raw/events"),
        entity("azure_sql_table", "-3", "shop/orders"),
        process("load orders", [], [], guid="-4"),
        entity("column", "-5", "lake/raw/orders#id", type="int"),
        entity("azure_sql_column", "-6", "shop/orders#id", data_type="int"),
        entity("tabular_schema", "-7", "lake/raw/orders#schema"),
    )
    return api


ORDERS = ["lake/raw/orders", "load orders", "shop/orders"]
EVERYTHING = ["lake/raw/events", *ORDERS]


def condition(operator: str, value: str, name: str = "qualifiedName") -> dict[str, Any]:
    return {"attributeName": name, "operator": operator, "attributeValue": value}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, EVERYTHING, id="columns and schemas are never found"),
        pytest.param({"keywords": "*"}, EVERYTHING, id="any keyword"),
        pytest.param({"keywords": "orders"}, ORDERS, id="a keyword"),
        pytest.param({"keywords": "SHOP orders"}, ["lake/raw/orders", "shop/orders"], id="all keywords"),
        pytest.param({"filter": condition("eq", "x://shop/orders")}, ["shop/orders"], id="eq"),
        pytest.param({"filter": condition("eq", "X://SHOP/orders")}, ["shop/orders"], id="letter case is no matter"),
        pytest.param({"filter": condition("contains", "orders")}, ORDERS, id="contains"),
        pytest.param({"filter": condition("contains", "raw/orders")}, [], id="contains no several segments"),
        pytest.param({"filter": condition("startswith", "x://lake/")}, EVERYTHING[:2], id="startswith"),
        pytest.param({"filter": condition("eq", "load orders", "name")}, ["load orders"], id="another attribute"),
        pytest.param(
            {"filter": {"and": [condition("contains", "lake"), condition("contains", "orders")]}},
            ["lake/raw/orders"],
            id="and",
        ),
        pytest.param(
            {"filter": {"or": [condition("contains", "events"), {"entityType": "azure_sql_table"}]}},
            ["lake/raw/events", "shop/orders"],
            id="or",
        ),
        pytest.param({"filter": {"not": condition("contains", "orders")}}, ["lake/raw/events"], id="not"),
        pytest.param({"filter": {"entityType": "DataSet"}}, [], id="a type alone"),
        pytest.param(
            {"filter": {"entityType": "DataSet", "includeSubTypes": True}},
            ["lake/raw/events", "lake/raw/orders", "shop/orders"],
            id="a type with subtypes",
        ),
        pytest.param({"filter": {"collectionId": "other"}}, [], id="a collection"),
    ],
)
def test_finds(filled: Api, body: dict[str, Any], expected: list[str]) -> None:
    assert filled.found(**body) == expected


def test_result(filled: Api) -> None:
    answer = filled.search(filter={"entityType": "azure_sql_table"})
    assert answer["@search.count"] == 1
    shown = answer["value"][0]
    assert shown["id"] == filled.named("shop/orders", "azure_sql_table")["guid"]
    expected = ("x://shop/orders", "shop/orders", "azure_sql_table", "root")
    assert tuple(shown[key] for key in ("qualifiedName", "name", "entityType", "collectionId")) == expected


def test_pages_by_offset_and_by_token(filled: Api) -> None:
    first = filled.search(limit=3)
    rest = filled.search(limit=3, continuationToken=first["continuationToken"])
    assert rest["value"] == filled.search(limit=3, offset=3)["value"]
    assert sorted(each["name"] for each in first["value"] + rest["value"]) == EVERYTHING
    assert (first["@search.count"], rest["@search.count"]) == (4, 4)
    assert "continuationToken" not in rest


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": 1001},
        {"filter": {"attributeName": "name", "operator": "like", "attributeValue": "x"}},
        {"filter": {"something": "else"}},
        {"filter": "x"},
        {"continuationToken": "?"},
    ],
    ids=str,
)
def test_refuses(api: Api, body: dict[str, Any]) -> None:
    assert error(api.call("POST", "/catalog/api/search/query", body))[:2] == (400, "ATLAS-400-00-01A")


def test_learns_late_of_every_change(api: Api) -> None:
    guid = api.stored(dataset("a", description="old"))["-1"]
    api.settings(searchDelay=PATIENCE)
    api.stored(dataset("b"))
    api.stored(dataset("a", description="new"))
    assert described(api) == {"a": "old"}
    assert api.get(guid)["attributes"]["description"] == "new"
    api.call("DELETE", f"{ATLAS}/entity/guid/{guid}")
    assert described(api) == {"a": "old"}


def test_learns_of_every_change_in_the_end(api: Api) -> None:
    guid = api.stored(dataset("a", description="old"))["-1"]
    api.settings(searchDelay=0.05)
    api.stored(dataset("b"))
    api.stored(dataset("a", description="new"))
    until(lambda: described(api) == {"a": "new", "b": None})
    api.call("DELETE", f"{ATLAS}/entity/guid/{guid}")
    until(lambda: described(api) == {"b": None})


def described(api: Api) -> dict[str, str | None]:
    """The descriptions that a search finds, by name."""
    return {each["name"]: each["description"] for each in api.search()["value"]}
