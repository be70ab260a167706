"""Lineages with very many datasets: the same as with few, in parts, with few locks and few searches."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.catalog_model import Asset, AssetName, UploadResult
from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, CatalogUnavailable
from core.event_model import DatasetId
from core.lineage_model import Application, Lineage
from core.replacing import replace
from purview import creation, entities, uploader
from purview.catalog import Catalog
from purview.creation import BUCKETS, creation_locks
from purview.fingerprint import fingerprints
from purview.lookup import look_up
from purview.search_index import SearchIndex
from purview.search_request import SearchHit, SearchResult
from purview.uploader import upload
from qualified_names.resource_sets import same_resource_set
from tests.purview.helpers import (
    LAKE,
    PATH,
    PROCESS,
    RESOURCE_SET,
    DataMap,
    MemoryCache,
    MemoryRecord,
    ThreadLocks,
    column,
    dataset,
    folder,
    lineage,
    resolve,
    resolve_all,
    table,
)

SALES = folder("gold/sales")
FIND = "GET /atlas/v2/entity/bulk/uniqueAttribute/type/{type}"
SEARCH = "POST /search/query"
NUMBER = 45


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts so small that a few dozen datasets are many."""
    monkeypatch.setattr(creation, "_LOOK_UP_AT_ONCE", 20)
    monkeypatch.setattr(creation, "CREATE_AT_ONCE", 6)


def many(*columns: str, number: int = NUMBER, application: str = "nightly") -> Lineage:
    """A lineage from many folders and tables."""
    ids = [folder(f"raw/source_{n}") if n % 2 else table(f"db.dbo.source_{n}") for n in range(number)]
    sinks = [column(name, *((each, name) for each in ids)) for name in columns]
    item = lineage(dataset(SALES, *columns), *(dataset(each, *columns) for each in ids), columns=sinks)
    return replace(item, application=Application("spark", application))


class Worker:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.cache, self.record, self.locks = MemoryCache(), MemoryRecord(), ThreadLocks()
        self.referred: frozenset[AssetName] = frozenset()

    def upload(self, item: Lineage, collection: str = "") -> UploadResult:
        resolutions, referred = resolve_all(item), self.referred
        room = (self.catalog, self.cache, self.record, self.locks)
        result = upload(item, resolutions, *room, collection, referred=referred)
        self.referred = frozenset(each.asset for each in resolutions.values())
        return result


@pytest.fixture
def worker(catalog: Catalog) -> Worker:
    return Worker(catalog)


def picture(data_map: DataMap) -> list[str]:
    """What the Data Map contains, except for what differs each time."""
    return sorted(
        str(
            [
                each["typeName"],
                sorted(each["attributes"].items()),
                each["collectionId"],
                {name: sorted(each["relationships"][name]) for name in sorted(each["relationships"])},
            ]
        )
        for each in data_map.entities()
    )


def test_many_datasets_end_in_the_same_picture_as_few(
    worker: Worker, catalog: Catalog, data_map: DataMap, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    result = worker.upload(many("id", "total"), "sales")
    assert len(worker.locks.held) > NUMBER // 6
    in_parts = picture(data_map)
    assert result.created == len(in_parts)
    assert set(result.assets) == {each.id for each in entities.datasets_of(many())}
    data_map.reset()
    monkeypatch.undo()
    at_once = Worker(catalog)
    assert at_once.upload(many("id", "total"), "sales").created == result.created
    assert len(at_once.locks.held) == 1
    assert picture(data_map) == in_parts
    assert set(at_once.record.kept) == set(worker.record.kept)


def test_many_datasets_again_are_not_created_again(worker: Worker, data_map: DataMap, small: None) -> None:
    first = worker.upload(many("id"))
    before = data_map.entities()
    worker.locks.held.clear()
    for kept in (dict(worker.cache.kept), {}):
        worker.cache.kept = kept
        again = worker.upload(many("id"))
        assert (again.created, again.updated, again.process_guid) == (0, 0, first.process_guid)
    assert data_map.entities() == before
    assert worker.locks.held == []


def test_many_datasets_of_ours_grow(worker: Worker, data_map: DataMap, small: None) -> None:
    worker.upload(many("id"))
    worker.upload(many("id", "total"))
    assert len(data_map.entities("column")) == 2 * (NUMBER // 2 + 1)
    assert len(data_map.entities("azure_sql_column")) == 2 * (NUMBER - NUMBER // 2)


def test_few_locks_are_held_at_a_time_and_never_more_than_there_are(worker: Worker, small: None) -> None:
    worker.upload(many())
    assert max(map(len, worker.locks.held)) <= 6 + 1
    names = [AssetName(PATH, f"https://x/{number}") for number in range(5_000)]
    locks = creation_locks(names)
    assert len(locks) == BUCKETS
    assert locks == sorted(locks)
    assert creation_locks(names[:1])[0] in locks
    assert not any(lock.startswith("sparklin://") for lock in locks), "the locks of processes are others"


def test_an_attempt_that_takes_too_long_leaves_the_rest_to_the_next(
    worker: Worker, data_map: DataMap, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploader, "LONGEST", -1.0)
    counts = [0]
    while len(data_map.entities(PROCESS)) == 0:
        try:
            worker.upload(many("id"))
        except CatalogConflict:
            counts.append(len(data_map.entities()))
            assert counts[-1] > counts[-2]
    assert len(counts) >= NUMBER // 6
    assert len(data_map.entity(PROCESS)["relationships"]["inputs"]) == NUMBER


def test_what_was_done_before_a_fault_is_not_done_again(worker: Worker, data_map: DataMap, small: None) -> None:
    data_map.fail(path="entity/bulk$", method="POST", count=4)  # which only counts
    data_map.fail(path="entity/bulk$", method="POST", status=400)
    with pytest.raises(CatalogRefused):
        worker.upload(many())
    made = len(data_map.entities())
    assert made
    assert worker.upload(many()).created == NUMBER + 2 - made


def test_workers_at_once_create_one_asset_of_each_name(catalog: Catalog, data_map: DataMap, small: None) -> None:
    data_map.settings(lenient=True, pause=0.005)
    locks, record = ThreadLocks(), MemoryRecord()

    def run(application: str) -> UploadResult:
        own = Worker(catalog)
        own.locks, own.record = locks, record
        return own.upload(many("id", application=application))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, ["one", "two", "three", "two"]))
    names = [(e["typeName"], e["attributes"]["qualifiedName"]) for e in data_map.entities()]
    assert len(names) == len(set(names))
    assert len({result.process_guid for result in results}) == 3


def test_a_type_that_the_tenant_does_not_know_is_found_out_once(worker: Worker, data_map: DataMap, small: None) -> None:
    item = many()
    resolutions = {
        id_: replace(each, asset=name, candidates=(name,))
        for id_, each in resolve_all(item).items()
        for name in (AssetName("no_such_type", each.asset.qualified_name),)
    }
    upload(item, resolutions, worker.catalog, worker.cache, worker.record, worker.locks)
    assert len(data_map.entities("DataSet")) == NUMBER + 1
    slices = NUMBER // 6 + 3
    assert data_map.calls()["POST /atlas/v2/entity/bulk"] <= slices + 2


def test_inputs_beyond_the_limit_are_neither_looked_up_nor_created(
    worker: Worker, data_map: DataMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entities, "REFERENCES", 3)
    item = lineage(dataset(SALES), *(dataset(folder(f"raw/{name}")) for name in "edcba"))
    result = worker.upload(item)
    assert [name for _, name in data_map.entity(PROCESS)["relationships"]["inputs"]] == [
        f"{LAKE}/raw/{name}/{{SparkPartitions}}" for name in "abc"
    ]
    assert len(data_map.entities(RESOURCE_SET)) == 4
    assert [note.code for note in result.notes] == ["inputs-cut"]
    assert "Only 3 of 5 inputs" in data_map.entity(PROCESS)["attributes"]["description"]
    draft = entities.preview_entities(item, resolve_all(item))
    assert [note.code for note in draft.notes] == ["inputs-cut"]
    assert len(draft.inputs) == 3
    assert worker.upload(item).updated == 0


def test_what_is_not_shown_changes_no_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities, "REFERENCES", 2)
    one, other = (lineage(dataset(SALES), *(dataset(folder(f"raw/{n}")) for n in names)) for names in ("abc", "dba"))
    assert fingerprints(one, resolve_all(one)) == fingerprints(other, resolve_all(other))


# --- Searches ---


def looked_up(catalog: Any, datasets: Iterable[DatasetId]) -> dict[DatasetId, Asset]:
    def same(wanted: AssetName, found: AssetName) -> bool:
        return same_resource_set(wanted.qualified_name, found.qualified_name)

    return look_up({each: resolve(dataset(each)) for each in datasets}, catalog, MemoryCache(), same)


def test_datasets_with_the_same_words_share_a_search(catalog: Catalog, data_map: DataMap) -> None:
    wanted = [folder(f"raw/source_{number}") for number in range(100)]
    guid = data_map.add(RESOURCE_SET, f"{LAKE}/raw/source_{{N}}/Year={{Year}}/{{SparkPartitions}}")
    data_map.forget_calls()
    found = looked_up(catalog, wanted)
    assert {asset.guid for asset in found.values()} == {guid}
    assert data_map.calls()[SEARCH] == 1


def test_several_searches_go_into_one_request(catalog: Catalog, data_map: DataMap) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"{one}{other}-folder" for one in letters for other in letters[:4]]
    guids = {
        folder(f"raw/{name}"): data_map.add(RESOURCE_SET, f"{LAKE}/raw/{name}/Year={{Year}}/{{SparkPartitions}}")
        for name in names[::2]
    }
    wanted = [*(folder(f"raw/{name}") for name in names), *(table(f"db.dbo.{name}") for name in names[:3])]
    data_map.forget_calls()
    found = looked_up(catalog, wanted)
    assert {each: asset.guid for each, asset in found.items() if asset.guid} == guids
    assert data_map.calls()[SEARCH] == -(-len(names) // 16) + 1


class Index:
    """A search over some assets that stops beyond a number of hits or words."""

    def __init__(self, assets: Sequence[Asset], hits: int = 1000, alternatives: int = 1000) -> None:
        self.assets, self.hits, self.alternatives = assets, hits, alternatives
        self.asked: list[int] = []
        self.error: Exception | None = None

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]:
        wanted = set(names)
        return {asset.name: asset for asset in self.assets if asset.name in wanted}

    def search(self, alternatives: Sequence[Sequence[str]], types: Sequence[str]) -> SearchResult:
        self.asked.append(len(alternatives))
        if self.error:
            raise self.error
        if len(alternatives) > self.alternatives:
            raise CatalogRefused(400, "", "the filter is too long", "")
        found = [asset for asset in self.assets if any(_has(asset, words) for words in alternatives)]
        hits = tuple(SearchHit(asset, "") for asset in found[: self.hits])
        return SearchResult(hits, len(found) <= self.hits)


def _has(asset: Asset, words: Iterable[str]) -> bool:
    return all(word.lower() in asset.name.qualified_name.lower() for word in words)


def indexed(names: Iterable[str]) -> list[Asset]:
    return [Asset(AssetName(RESOURCE_SET, f"{LAKE}/raw/{name}/A={{A}}/{{SparkPartitions}}"), name) for name in names]


@pytest.mark.parametrize("limit", [{"hits": 3}, {"alternatives": 3}, {"hits": 1}, {"alternatives": 1}, {}], ids=str)
def test_a_request_that_asks_too_much_is_divided(limit: dict[str, int]) -> None:
    names = [f"folder-{letter}" for letter in "abcdefghijklmnop"]
    index = Index(indexed(names), **limit)
    found = looked_up(index, [folder(f"raw/{name}") for name in names])
    assert [asset.guid for asset in found.values()] == names
    assert index.asked[0] == 16
    assert (len(index.asked) == 1) == (limit == {})


@pytest.mark.parametrize(
    "error", [CatalogUnavailable("down"), CatalogDenied(403, "", "no rights", ""), CatalogRefused(400, "", "bad", "")]
)
def test_a_dataset_whose_search_failed_is_never_taken_for_a_missing_one(error: Exception) -> None:
    index = Index([])
    index.error = error
    with pytest.raises(type(error)):
        looked_up(index, [folder(f"raw/{name}") for name in "abcdefgh"])


def test_a_search_that_fails_creates_nothing(worker: Worker, data_map: DataMap, small: None) -> None:
    data_map.fail(path="search/query", status=503, count=1000)
    with pytest.raises(CatalogUnavailable):
        worker.upload(lineage(dataset(SALES), dataset(folder("raw/x"))))
    assert data_map.entities() == []


NAMES = [
    f"{LAKE}/raw/sales",
    f"{LAKE}/raw/sales/",
    f"{LAKE}/raw/sales/{{SparkPartitions}}",
    f"{LAKE}/raw/sales/Year={{Year}}/{{SparkPartitions}}",
    f"{LAKE}/raw/sales/{{Year}}/{{Month}}/{{SparkPartitions}}",
    f"{LAKE}/raw/sales/dt=2024-01-31",
    f"{LAKE}/raw/sales/dt=2024-01-31/{{SparkPartitions}}",
    f"{LAKE}/raw/sales/2024/01/31/{{SparkPartitions}}",
    f"{LAKE}/raw/sales/{{Year}}/{{Month}}/{{Day}}/{{SparkPartitions}}",
    f"{LAKE}/raw/sales_12/{{SparkPartitions}}",
    f"{LAKE}/raw/sales_{{N}}/{{SparkPartitions}}",
    f"{LAKE}/raw/sales_{{N}}/x/{{SparkPartitions}}",
    f"{LAKE}/raw/sales_12/x",
    f"{LAKE}/raw/{{GUID}}/x.csv",
    f"{LAKE}/raw/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x.csv",
    f"{LAKE}/raw/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x.CSV",
    f"{LAKE}/raw/en-us/x.csv",
    f"{LAKE}/raw/{{LOC}}/x.csv",
    f"{LAKE}/raw/{{SparkPartitions}}/x.csv",
    f"{LAKE}/RAW/sales",
    f"{LAKE}",
    f"{LAKE}/{{SparkPartitions}}",
]


@pytest.mark.parametrize("host", [lambda name: name, lambda name: name.replace(".dfs.", ".blob.")], ids=["dfs", "blob"])
def test_nothing_that_means_the_same_is_ruled_out(host: Callable[[str], str]) -> None:
    """The hits after narrowing, checked against the comparison itself."""
    assets = [Asset(AssetName(PATH, host(name)), str(number)) for number, name in enumerate(NAMES)]
    found = SearchIndex(assets)
    pairs = 0
    for wanted in NAMES:
        like = found.like(wanted)
        same = [asset for asset in assets if same_resource_set(wanted, asset.name.qualified_name)]
        assert set(same) <= set(like), wanted
        pairs += len(same)
    assert pairs > len(NAMES)


def test_thousands_of_hits_are_not_compared_with_thousands_of_names() -> None:
    assets = indexed(f"source_{number}" for number in range(3_000))
    found = SearchIndex([replace(each, name=AssetName(PATH, f"{LAKE}/raw/{each.guid}/")) for each in assets])
    assert [asset.guid for asset in found.like(f"{LAKE}/raw/source_7/{{SparkPartitions}}")] == ["source_7"]
