"""Which asset a dataset is: exact names in order, then the search; never a second one next to a scanned one."""

import pytest

from core.catalog_model import Asset, AssetName, Resolution
from core.event_model import DatasetId
from core.replacing import replace
from purview.catalog import Catalog
from purview.lookup import Existing, _words, look_up, look_up_all, look_up_others, look_up_planned
from tests.purview.helpers import LAKE, PATH, RESOURCE_SET, SQL, DataMap, MemoryCache, dataset, folder, resolve, table

SALES, ORDERS = folder("gold/sales"), table("db.dbo.Orders")
FIND = "GET /atlas/v2/entity/bulk/uniqueAttribute/type"
SEARCH = "POST /search/query"


def same(wanted: AssetName, found: AssetName) -> bool:
    """Like the comparison of resource sets: the folder before the first replaced segment is what counts."""

    def stem(name: AssetName) -> str:
        host_free = name.qualified_name.lower().replace(".blob.", ".dfs.").partition("/{")[0]
        return "/".join(part for part in host_free.split("/") if "=" not in part).rstrip("/")

    return stem(wanted) == stem(found)


def of(catalog: Catalog, cache: MemoryCache, *datasets: DatasetId) -> dict[DatasetId, Asset]:
    return look_up({each: resolve(dataset(each)) for each in datasets}, catalog, cache, same)


def test_nothing_there_gives_the_planned_name(catalog: Catalog, cache: MemoryCache) -> None:
    assert of(catalog, cache, SALES) == {
        SALES: Asset(AssetName(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}"))
    }
    assert cache.kept == {}


@pytest.mark.parametrize("first", [0, 1, 2])
def test_the_first_candidate_that_exists_is_taken(
    first: int, catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    candidates = resolve(dataset(SALES)).candidates
    guids = {name: data_map.add(name.type_name, name.qualified_name) for name in reversed(candidates[first:])}
    chosen = candidates[first]
    assert of(catalog, cache, SALES) == {SALES: Asset(chosen, guids[chosen])}


def test_all_datasets_are_looked_up_with_one_call_per_type(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    names = [table(f"db.dbo.t{number}") for number in range(20)]
    for name in names:
        data_map.add(SQL, resolve(dataset(name)).asset.qualified_name)
    data_map.forget_calls()
    assert all(asset.guid for asset in of(catalog, cache, *names).values())
    assert sum(data_map.calls().values()) == 1


def test_what_was_found_is_not_looked_up_again(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}")
    data_map.add("azure_datalake_gen2_resource_set", f"{LAKE}/raw/a/dt={{Year}}/{{SparkPartitions}}")
    first = of(catalog, cache, SALES, folder("raw/a"))
    assert all(asset.guid for asset in first.values())
    data_map.forget_calls()
    assert of(catalog, cache, SALES, folder("raw/a")) == first
    assert data_map.calls() == {}


def test_the_search_finds_what_no_exact_name_does(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    name = f"{LAKE}/gold/sales/Year={{Year}}/{{SparkPartitions}}"
    guid = data_map.add(RESOURCE_SET, name)
    assert of(catalog, cache, SALES) == {SALES: Asset(AssetName(RESOURCE_SET, name), guid)}


def test_the_search_finds_the_same_account_by_its_other_host(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    guid = data_map.add("azure_blob_resource_set", f"{LAKE.replace('dfs', 'blob')}/gold/sales/{{SparkPartitions}}")
    assert of(catalog, cache, SALES)[SALES].guid == guid


def test_a_resource_set_from_the_search_is_preferred_to_a_folder(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    data_map.add(PATH, f"{LAKE}/gold/sales/")
    guid = data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/Year={{Year}}/{{SparkPartitions}}")
    assert of(catalog, cache, SALES)[SALES].guid == guid


def test_a_folder_stays_where_the_search_finds_nothing_better(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    guid = data_map.add(PATH, f"{LAKE}/gold/sales/")
    data_map.add("azure_blob_path", f"{LAKE.replace('dfs', 'blob')}/gold/sales/")
    assert of(catalog, cache, SALES)[SALES].guid == guid


def test_a_scanned_asset_is_preferred_to_a_placeholder(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    resolution = resolve(dataset(ORDERS))
    placeholder = data_map.add("DataSet", resolution.asset.qualified_name)
    assert of(catalog, cache, ORDERS)[ORDERS].guid == placeholder
    cache.kept.clear()
    scanned = data_map.add(SQL, resolution.asset.qualified_name.upper().replace("MSSQL", "mssql"))
    assert of(catalog, cache, ORDERS)[ORDERS].guid == scanned


def test_a_dataset_of_another_type_under_the_same_name_is_reused(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    name = resolve(dataset(ORDERS)).asset.qualified_name
    guid = data_map.add("azure_sql_dw_table", name)
    asset = Asset(AssetName("azure_sql_dw_table", name), guid)
    assert of(catalog, cache, ORDERS) == {ORDERS: asset}
    assert of(catalog, cache, ORDERS) == {ORDERS: asset}


@pytest.mark.parametrize("type_name", ["azure_synapse_operation", "spark_process"])
def test_a_process_is_never_taken_for_a_dataset(
    type_name: str, catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    data_map.add(type_name, resolve(dataset(ORDERS)).asset.qualified_name)
    assert of(catalog, cache, ORDERS)[ORDERS].guid == ""


def test_deleted_assets_that_the_search_still_shows_are_not_used(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    name = f"{LAKE}/gold/sales/Year={{Year}}/{{SparkPartitions}}"
    guid = data_map.add(RESOURCE_SET, name)
    data_map.settings(searchDelay=60)
    data_map.delete(guid)
    assert [hit.asset.guid for hit in catalog.search([["sales"]], [RESOURCE_SET]).hits] == [guid]
    assert of(catalog, cache, SALES)[SALES].guid == ""


def test_what_the_comparison_does_not_agree_to_is_not_taken(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/archive/{{SparkPartitions}}")
    assert of(catalog, cache, SALES)[SALES].guid == ""


def test_names_without_words_and_generic_ones_are_not_searched_for(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    hive = AssetName("hive_table", "db.t@cluster")
    item = dataset(DatasetId("odd://host", "folder/thing"))
    other = dataset(DatasetId("hive", "db.t"))
    resolutions = {item.id: resolve(item), other.id: Resolution(other, "test", hive, (hive,), "t")}
    look_up(resolutions, catalog, cache, same)
    assert SEARCH not in data_map.calls()


def test_the_planned_name_is_a_candidate_even_if_the_list_forgets_it(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    resolution = replace(resolve(dataset(ORDERS)), candidates=())
    guid = data_map.add(SQL, resolution.asset.qualified_name)
    assert look_up({ORDERS: resolution}, catalog, cache, same)[ORDERS].guid == guid


def test_tables_are_found_in_any_case(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    guid = data_map.add(SQL, "mssql://srv.database.windows.net/DB/dbo/ORDERS")
    assert of(catalog, cache, ORDERS)[ORDERS].guid == guid


def test_among_tables_that_differ_in_case_only_none_is_chosen(
    catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    data_map.add(SQL, "mssql://srv.database.windows.net/db/dbo/ORDERS")
    data_map.add(SQL, "mssql://srv.database.windows.net/db/dbo/orders")
    assert of(catalog, cache, ORDERS)[ORDERS].guid == ""


def test_folders_are_not_found_in_any_case(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    data_map.add(RESOURCE_SET, f"{LAKE}/gold/SALES/{{SparkPartitions}}")
    exactly = {SALES: resolve(dataset(SALES))}
    assert look_up(exactly, catalog, cache, lambda wanted, found: wanted == found)[SALES].guid == ""


@pytest.mark.parametrize("segment", ["en-us", "2024", "dt=2024-01-31", "deadbeef", "part-0001"])
def test_what_a_scan_replaces_is_not_searched_for(
    segment: str, catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    guid = data_map.add(RESOURCE_SET, f"{LAKE}/gold/{{X}}/sales/{{SparkPartitions}}")
    item = dataset(folder(f"gold/{segment}/sales"))
    found = look_up({item.id: resolve(item)}, catalog, cache, lambda wanted, found: "{X}" in found.qualified_name)
    assert found[item.id].guid == guid


PLANNED, SLASH, FOLDER = resolve(dataset(SALES)).candidates
GENERIC = AssetName("DataSet", PLANNED.qualified_name)
BY_YEAR = AssetName(RESOURCE_SET, f"{LAKE}/gold/sales/Year={{Year}}/{{SparkPartitions}}")


def there(data_map: DataMap, *names: AssetName) -> dict[AssetName, str]:
    return {name: data_map.add(name.type_name, name.qualified_name) for name in names}


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], None), ([PLANNED], PLANNED), ([GENERIC], GENERIC), ([SLASH, FOLDER, BY_YEAR], None)],
    ids=["nothing", "planned", "generic", "others"],
)
def test_an_asset_is_found_under_its_planned_name_only(
    names: list[AssetName], expected: AssetName | None, catalog: Catalog, data_map: DataMap
) -> None:
    guids = there(data_map, *names)
    found = look_up_planned({SALES: resolve(dataset(SALES))}, catalog)
    assert found == {SALES: Asset(expected, guids[expected]) if expected else Asset(PLANNED)}


@pytest.mark.parametrize(
    ("names", "used"),
    [
        ([], None),
        ([FOLDER], FOLDER),
        ([FOLDER, SLASH, GENERIC], SLASH),
        ([FOLDER, BY_YEAR], BY_YEAR),
        ([PLANNED, FOLDER, BY_YEAR], PLANNED),
    ],
)
def test_everything_under_any_name_of_a_dataset(
    names: list[AssetName], used: AssetName | None, catalog: Catalog, data_map: DataMap
) -> None:
    guids = there(data_map, *names)
    # A generic name finds assets of any type.
    generic = {GENERIC: guids[PLANNED]} if PLANNED in guids else {}
    named = {name: guid for name, guid in guids.items() if name != BY_YEAR} | generic
    expected = Existing(named, Asset(used, guids[used]) if used else None)
    assert look_up_all(resolve(dataset(SALES)), catalog, same) == expected


@pytest.mark.parametrize(
    ("ours", "others", "expected"),
    [
        (PLANNED, [], None),
        (PLANNED, [SLASH, FOLDER], None),
        (PLANNED, [FOLDER, BY_YEAR], BY_YEAR),
        (FOLDER, [SLASH], SLASH),
        (FOLDER, [SLASH, PLANNED], PLANNED),
        (GENERIC, [FOLDER], FOLDER),
        (GENERIC, [FOLDER, BY_YEAR], BY_YEAR),
    ],
)
def test_an_asset_of_others_counts_if_it_is_as_good_as_ours(
    ours: AssetName, others: list[AssetName], expected: AssetName | None, catalog: Catalog, data_map: DataMap
) -> None:
    guids = there(data_map, ours, *others)
    own = {SALES: Asset(ours, guids[ours])}
    found = look_up_others({SALES: resolve(dataset(SALES))}, own, catalog, same)
    assert found == ({SALES: Asset(expected, guids[expected])} if expected else {})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("https://acct.dfs.core.windows.net/lake/raw/2024/sales/raw", ("acct", "sales", "lake", "raw")),
        ("https://acct/aa/bb/cc/dd/ee/ff/gg/hh/iii", ("acct", "iii", "aa", "bb", "cc", "dd", "ee", "ff")),
        ("https://acct", ("acct",)),
        ("acct/raw", ()),
        ("", ()),
    ],
)
def test_the_account_and_the_longest_segments_are_searched_for(name: str, words: tuple[str, ...]) -> None:
    assert _words(name) == words


@pytest.mark.parametrize(("below", "is_found"), [("/gold", True), ("", False)])
def test_one_word_beside_the_account_is_enough_for_a_search(
    below: str, is_found: bool, catalog: Catalog, cache: MemoryCache, data_map: DataMap
) -> None:
    account = f"https://acct.dfs.core.windows.net{below}"
    guid = data_map.add(RESOURCE_SET, f"{account}/Year={{Year}}/{{SparkPartitions}}")
    planned = AssetName(RESOURCE_SET, f"{account}/{{SparkPartitions}}")
    resolution = Resolution(dataset(SALES), "test", planned, (planned,), "x")
    data_map.forget_calls()
    assert look_up({SALES: resolution}, catalog, cache, same)[SALES].guid == (guid if is_found else "")
    assert (SEARCH in data_map.calls()) == is_found
