"""The catalogue's client against a Data Map that answers late, wrongly or not at all."""

import time
from itertools import pairwise
from urllib.parse import urlencode

import pytest

from core.catalog_model import Asset, AssetName
from core.errors import CatalogRefused, CatalogUnavailable, LeaseLost
from purview import catalog as catalog_module
from purview.catalog import Catalog
from purview.refusals import ReferenceMissing, UnusableType
from purview.retry_policy import RetryPolicy
from tests.purview.helpers import PROCESS, SQL, DataMap
from tests.support.processes import PATIENCE, until

NAME = AssetName(SQL, "mssql://s/d/dbo/t")
ENTITY = {"typeName": SQL, "guid": "-1", "attributes": {"qualifiedName": NAME.qualified_name, "name": "t"}}
BULK = "POST /atlas/v2/entity/bulk"


def process(**attributes: object) -> dict[str, object]:
    return {"typeName": PROCESS, "guid": "-9", "attributes": {"qualifiedName": "p", "name": "p", **attributes}}


def test_find_returns_what_exists_and_skips_the_rest(catalog: Catalog, data_map: DataMap) -> None:
    guid = data_map.add(SQL, NAME.qualified_name)
    absent = AssetName(SQL, "mssql://s/d/dbo/T")
    unknown = AssetName("no_such_type", "x")
    assert catalog.find([absent, NAME, unknown, NAME]) == {NAME: Asset(NAME, guid)}
    assert catalog.find([]) == {}


def test_find_asks_once_a_type(catalog: Catalog, data_map: DataMap) -> None:
    catalog.find([AssetName(SQL, f"mssql://s/d/dbo/t{number}") for number in range(10)])
    assert sum(data_map.calls().values()) == 1


def test_a_generic_name_finds_assets_of_any_type(catalog: Catalog, data_map: DataMap) -> None:
    guid = data_map.add(SQL, "mssql://s/d/dbo/t")
    generic = AssetName("DataSet", NAME.qualified_name)
    assert catalog.find([generic]) == {generic: Asset(NAME, guid)}


def test_search_keeps_to_the_types_and_to_the_words(catalog: Catalog, data_map: DataMap) -> None:
    guid = data_map.add(SQL, "mssql://srv/db/dbo/Orders", name="Orders")
    data_map.add(SQL, "mssql://srv/db/dbo/OrdersOld", name="old")
    data_map.add(PROCESS, "mssql://srv/db/dbo/Orders")
    data_map.add(SQL, "mssql://srv/db/dbo/Customers")
    both = catalog.search([["srv", "orders"]], [SQL])
    assert both.is_complete
    assert {hit.display_name for hit in both.hits} == {"Orders", "old"}
    assert guid in {hit.asset.guid for hit in both.hits}


def test_search_takes_alternatives(catalog: Catalog, data_map: DataMap) -> None:
    for name in ("one/orders", "one/customers", "two/orders", "two/else"):
        data_map.add(SQL, f"mssql://srv/{name}")
    result = catalog.search([["srv", "one", "orders"], ["two", "srv"]], [SQL])
    assert {hit.asset.name.qualified_name for hit in result.hits} == {
        "mssql://srv/one/orders",
        "mssql://srv/two/orders",
        "mssql://srv/two/else",
    }
    assert len(catalog.search([["srv", "one"], ["srv"]], [SQL]).hits) == 4


def test_search_datasets_finds_every_type_but_processes(catalog: Catalog, data_map: DataMap) -> None:
    guid = data_map.add(SQL, "mssql://srv/db/dbo/Orders", name="Orders")
    data_map.add(PROCESS, "mssql://srv/db/dbo/Orders")
    found = catalog.search_datasets(["dbo", "orders"])
    assert [hit.asset for hit in found.hits] == [Asset(AssetName(SQL, "mssql://srv/db/dbo/Orders"), guid)]


@pytest.mark.parametrize(("number", "is_complete"), [(3, True), (4, True), (5, False)])
def test_a_search_reads_on_up_to_a_number_of_pages(
    number: int, is_complete: bool, catalog: Catalog, data_map: DataMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_module, "_PAGE", 2)
    monkeypatch.setattr(catalog_module, "_PAGES", 2)
    for each in range(number):
        data_map.add(SQL, f"mssql://srv/db/dbo/Orders{each}")
    found = catalog.search([["srv"]], [SQL])
    assert (len({hit.asset.guid for hit in found.hits}), found.is_complete) == (min(number, 4), is_complete)


@pytest.mark.parametrize("length", [1, 2, *range(40, 200, 10), 1_900, 3_000])
def test_names_are_asked_for_in_addresses_that_are_as_long_as_they_may_be(length: int, catalog: Catalog) -> None:
    names = [f"{number:03}".ljust(length, "x") for number in range(100)]
    chunks = list(catalog._chunks(SQL, names))
    assert [name for chunk in chunks for name in chunk] == names

    def address(chunk: list[str]) -> int:
        path = f"{catalog.endpoint}/datamap/api/atlas/v2/entity/bulk/uniqueAttribute/type/{SQL}"
        asked = {f"attr_{number}:qualifiedName": name for number, name in enumerate(chunk)}
        return len(f"{path}?{urlencode({**asked, 'ignoreRelationships': 'true', 'minExtInfo': 'true'})}")

    assert all(address(chunk) <= 2_000 or len(chunk) == 1 for chunk in chunks)
    # The address is estimated: each number in it may have fewer digits.
    spare = 50 + 2 * max(map(len, chunks))
    assert all(address([*chunk, following[0]]) > 2_000 - spare for chunk, following in pairwise(chunks))


def test_entities_are_complete_and_missing_ones_are_left_out(catalog: Catalog, data_map: DataMap) -> None:
    guids = [data_map.add(SQL, f"mssql://srv/db/dbo/t{number}") for number in range(60)]
    gone = "00000000-0000-4000-8000-000000000000"
    found = catalog.entities([*guids, gone])
    assert [entity["guid"] for entity in found] == guids
    assert all("inputToProcesses" in entity["relationshipAttributes"] for entity in found)
    assert catalog.entities([]) == []


def test_upload_reports_guids_and_numbers(catalog: Catalog) -> None:
    first = catalog.upload([ENTITY, process(outputs=[{"guid": "-1"}])])
    assert (first.created, first.updated) == (2, 0)
    again = catalog.upload([ENTITY, process(outputs=[{"guid": "-1"}])])
    assert (again.created, again.updated) == (0, 0)
    assert again.assigned == first.assigned


def test_get_and_delete(catalog: Catalog) -> None:
    guid = catalog.upload([ENTITY]).assigned["-1"]
    assert catalog.get(guid)["attributes"]["name"] == "t"
    catalog.delete(guid)
    catalog.delete(guid)
    assert catalog.get(guid) == {}


def test_429_is_waited_for_as_long_as_asked(catalog: Catalog, data_map: DataMap) -> None:
    data_map.fail(status=429, retryAfter=1, path="entity/bulk$")
    start = time.monotonic()
    catalog.upload([ENTITY])
    assert time.monotonic() - start >= 1
    assert catalog.find([NAME])


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_faults_are_sat_out(status: int, catalog: Catalog, data_map: DataMap) -> None:
    data_map.fail(status=status, count=3)
    catalog.upload([ENTITY])
    assert data_map.calls()[BULK] == 4


def test_lost_connections_are_sat_out_and_a_lost_answer_makes_nothing_twice(
    catalog: Catalog, data_map: DataMap
) -> None:
    data_map.fail(drop=True)
    data_map.fail(drop=True, applied=True)
    written = catalog.upload([ENTITY])
    assert len(data_map.entities(SQL)) == 1
    assert written.assigned["-1"] == data_map.entity(SQL)["guid"]


def test_a_late_answer_is_not_waited_for_for_ever(own_data_map: DataMap) -> None:
    policy = RetryPolicy(read=0.5, budget=PATIENCE, first_wait=0.01)
    own_data_map.fail(hang=PATIENCE, path="entity/bulk$")
    with Catalog(own_data_map.url, "none", retry_policy=policy) as catalog:
        catalog.upload([ENTITY])
    own_data_map.heal()
    until(lambda: own_data_map.calls()[BULK] >= 2)
    assert len(own_data_map.entities(SQL)) == 1, (
        "the request that was given up took effect later, and made no second one"
    )


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}])
def test_lasting_faults_are_left_to_the_queue(fault: dict[str, object], data_map: DataMap) -> None:
    policy = RetryPolicy(budget=0.3, first_wait=0.01)
    data_map.fail(count=1000, **fault)
    with Catalog(data_map.url, "none", retry_policy=policy) as catalog, pytest.raises(CatalogUnavailable):
        catalog.upload([ENTITY])
    data_map.reset()


def test_an_unreachable_catalogue_is_unavailable() -> None:
    policy = RetryPolicy(budget=0.1, first_wait=0.01)
    with Catalog("http://127.0.0.1:9", "none", retry_policy=policy) as catalog, pytest.raises(CatalogUnavailable):
        catalog.find([NAME])


def test_the_guard_is_asked_before_every_attempt(catalog: Catalog, data_map: DataMap) -> None:
    asked = []

    def guard() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise LeaseLost("expired")

    data_map.fail(status=503, count=5)
    with pytest.raises(LeaseLost):
        catalog.upload([ENTITY], guard=guard)
    assert data_map.calls()[BULK] == 2


def test_an_unknown_type_has_its_own_error(catalog: Catalog) -> None:
    with pytest.raises(UnusableType) as caught:
        catalog.upload([{**ENTITY, "typeName": "no_such_type"}])
    assert caught.value.type_name == "no_such_type"
    assert caught.value.code == "ATLAS-400-00-014"


def test_a_missing_mandatory_attribute_has_its_own_error(catalog: Catalog) -> None:
    with pytest.raises(UnusableType) as caught:
        catalog.upload([{**ENTITY, "typeName": "azure_cosmosdb_sqlapi_collection"}])
    assert caught.value.type_name == "azure_cosmosdb_sqlapi_collection"


@pytest.mark.parametrize(
    "reference",
    [
        {"guid": "00000000-0000-0000-0000-000000000000"},
        {"guid": "-77"},
        {"typeName": SQL, "uniqueAttributes": {"qualifiedName": "nothing"}},
    ],
)
def test_a_missing_reference_has_its_own_error(
    reference: dict[str, object], catalog: Catalog, data_map: DataMap
) -> None:
    with pytest.raises(ReferenceMissing):
        catalog.upload([ENTITY, process(inputs=[reference])])
    assert data_map.entities() == []


def test_other_refusals_name_what_was_wrong(catalog: Catalog) -> None:
    guid = catalog.upload([process()]).assigned["-9"]
    with pytest.raises(CatalogRefused, match="invalid relationshipDef") as caught:
        catalog.upload([{**process(inputs=[{"guid": guid}]), "guid": "-8"}])
    assert caught.value.code == "ATLAS-400-00-036"
    assert caught.value.remedy
    assert isinstance(caught.value, Exception)
