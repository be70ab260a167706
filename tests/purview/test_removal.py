"""An asset is deleted with all that belongs to it, unless somebody needs it."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.catalog_model import Asset, AssetName
from core.errors import LeaseLost
from purview.catalog import Catalog
from purview.dataset_entities import build_datasets
from purview.removal import reason_in_use, reason_touched, remove_asset
from tests.purview.helpers import LAKE, RESOURCE_SET, DataMap, ThreadLease, dataset, folder, resolve

NAME = AssetName(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}")
FOLDER, SCHEMA = NAME.qualified_name, f"{NAME.qualified_name}#__tabular_schema"
COLUMN = f"{SCHEMA}//id"


@pytest.fixture
def sales(catalog: Catalog) -> Asset:
    """A folder of ours with a column."""
    item = dataset(folder("gold/sales"), "id")
    draft = build_datasets([item], {item.id: resolve(item)}, {item.id: Asset(NAME)})
    return Asset(NAME, catalog.upload(draft.entities).assigned[draft.created[NAME]])


def left(data_map: DataMap) -> set[str]:
    return {str(each["attributes"]["qualifiedName"]) for each in data_map.entities()}


@pytest.mark.parametrize(("checks", "expected"), [(1, {FOLDER, SCHEMA, COLUMN}), (2, {SCHEMA, COLUMN}), (3, set())])
def test_nothing_is_deleted_after_the_lock_is_lost_and_a_repetition_deletes_the_rest(
    checks: int, expected: set[str], sales: Asset, catalog: Catalog, data_map: DataMap
) -> None:
    lease = ThreadLease(LeaseLost("expired"), checks)
    try:
        remove_asset(sales, catalog, lease.check)
    except LeaseLost:
        assert expected
    assert left(data_map) == expected
    remove_asset(sales, catalog)
    assert left(data_map) == set()


@pytest.mark.parametrize(
    ("kind", "name", "attributes"),
    [
        ("tabular_schema", SCHEMA, {"description": "mine"}),
        ("column", COLUMN, {"type": "string", "description": "mine"}),
        (RESOURCE_SET, "other", {"tabular_schema": None}),
    ],
    ids=["described", "column described", "used by another"],
)
def test_a_schema_that_was_left_stays_if_others_need_it(
    kind: str, name: str, attributes: dict[str, Any], sales: Asset, catalog: Catalog, data_map: DataMap
) -> None:
    catalog.delete(sales.guid)
    schema = {"guid": data_map.named(SCHEMA)["guid"]}
    written: dict[str, Any] = {key: value or schema for key, value in attributes.items()}
    data_map.add(kind, name, **written)
    remove_asset(sales, catalog)
    assert {SCHEMA, COLUMN} <= left(data_map)


class Known:
    """A catalogue with a table of ours and its columns "one" and "two", one of which is changed.

    The local Data Map keeps no classifications, terms, contacts, labels and deleted entities.
    """

    def __init__(self, guid: str, change: Mapping[str, Any]) -> None:
        relations = {"table": {"columns": to("one", "two")}}
        self.entities = {each: an_entity(each, relations.get(each, {})) for each in ("table", "one", "two")}
        self.entities[guid] = united(self.entities[guid], change)

    def get(self, guid: str) -> dict[str, Any]:
        return self.entities[guid]


def an_entity(guid: str, relations: Mapping[str, Any]) -> dict[str, Any]:
    """As the app created it."""
    own = {"createdBy": "app", "updatedBy": "app", "collectionId": "sales", "attributes": {"qualifiedName": guid}}
    return {"guid": guid, **own, "relationshipAttributes": {"meanings": [], **relations}}


def united(entity: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """With changes to its values, or those of its dictionaries."""
    return {
        **entity,
        **{key: {**entity[key], **value} if isinstance(value, dict) else value for key, value in change.items()},
    }


def to(*guids: str, **more: str) -> list[dict[str, str]]:
    return [{"guid": guid, **more} for guid in guids]


def related(**relations: Any) -> dict[str, Any]:
    return {"relationshipAttributes": relations}


def with_values(**attributes: Any) -> dict[str, Any]:
    return {"attributes": attributes}


PROCESSES = "processes refer to it"
OTHERS = "other assets refer to it"
UNKNOWN = "the catalogue does not say who changed it, or what refers to it"
SOMEBODY = "somebody else changed it"


@pytest.mark.parametrize(
    ("guid", "change", "in_use", "touched"),
    [
        ("table", {}, "", ""),
        ("table", related(inputToProcesses=to("p")), PROCESSES, PROCESSES),
        ("table", related(outputFromProcesses=to("p")), PROCESSES, PROCESSES),
        ("table", related(inputToProcesses=to("p", entityStatus="DELETED")), "", ""),
        ("table", related(inputToProcesses=to("p", relationshipStatus="DELETED")), "", ""),
        ("table", related(inputToProcesses=to("p", entityStatus="ACTIVE")), PROCESSES, PROCESSES),
        ("table", related(meanings=to("term")), "people added meanings", "people added meanings"),
        ("table", {"labels": ["gold"]}, "people added labels", "people added labels"),
        ("two", {"classifications": [{}]}, "people added classifications", "people added classifications"),
        ("two", with_values(owner="me"), "people added owner", "people added owner"),
        ("one", with_values(owner="me", description="x"), *(["people added description, owner"] * 2)),
        ("table", with_values(owner="", description=None), "", ""),
        ("table", related(sources=to("x")), "", OTHERS),
        ("one", related(sources={"guid": "x"}), "", OTHERS),
        ("one", related(table={"guid": "table"}), "", ""),
        ("table", related(sources=to("x", entityStatus="DELETED")), "", ""),
        ("table", {"createdBy": ""}, "", UNKNOWN),
        ("two", {"updatedBy": None}, "", UNKNOWN),
        ("two", {"updatedBy": "scan"}, "", SOMEBODY),
        ("table", {"createdBy": "scan"}, "", SOMEBODY),
        ("table", with_values(size=7), "", "it has size, which Sparklin does not set"),
        ("two", with_values(**dict.fromkeys("gfedcb", 1)), "", "it has b, c, d, e, f, which Sparklin does not set"),
        ("table", with_values(size=0, columns=to("one")), "", ""),
        ("table", {"collectionId": "elsewhere"}, "", "it is not in the collection of its process"),
    ],
)
def test_reasons_to_keep_an_asset(guid: str, change: Mapping[str, Any], in_use: str, touched: str) -> None:
    catalog = Known(guid, change)
    table = catalog.get("table")
    assert (reason_in_use(table, catalog), reason_touched(table, catalog, "sales")) == (in_use, touched)


@pytest.mark.parametrize("guid", ["table", "two"])
def test_an_asset_about_whose_relations_the_catalogue_says_nothing_is_kept(guid: str) -> None:
    catalog = Known("table", {})
    del catalog.entities[guid]["relationshipAttributes"]
    assert reason_touched(catalog.get("table"), catalog, "sales") == UNKNOWN


@pytest.mark.parametrize(("users", "expected"), [(["p"], ""), (["p", "q"], PROCESSES), (["q"], PROCESSES)], ids=str)
def test_processes_that_move_need_no_asset(users: list[str], expected: str) -> None:
    catalog = Known("table", related(inputToProcesses=to(*users)))
    assert reason_in_use(catalog.get("table"), catalog, {"p"}) == expected
