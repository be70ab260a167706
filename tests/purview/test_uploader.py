"""Uploads as people see them afterwards in the catalogue."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core.catalog_model import Asset, AssetName, Resolution, UploadResult
from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, LeaseLost
from core.lineage_model import Application, Lineage
from purview import schema
from purview.catalog import Catalog, Written
from purview.creation import creation_locks
from purview.retry_policy import RetryPolicy
from purview.uploader import remove, upload
from tests.purview.helpers import (
    LAKE,
    PATH,
    PROCESS,
    RESOURCE_SET,
    SQL,
    DataMap,
    MemoryCache,
    MemoryRecord,
    ThreadLease,
    ThreadLocks,
    column,
    copy_of,
    dataset,
    folder,
    lineage,
    mapping,
    resolve_all,
    table,
)

RAW, SALES, ORDERS = folder("raw/orders"), folder("gold/sales"), table("db.dbo.Orders")
BULK = "POST /atlas/v2/entity/bulk"


class Recorder(Catalog):
    """A catalogue that keeps what it was sent: the type names and the collection of each request."""

    sent: list[tuple[list[str], str]]

    def upload(self, entities: Sequence[Any], collection: str = "", guard: Any = None) -> Written:
        self.sent.append(([entity["typeName"] for entity in entities], collection))
        return super().upload(entities, collection, guard)


@pytest.fixture
def recorder(data_map: DataMap) -> Any:
    with Recorder(data_map.url, "none", retry_policy=RetryPolicy(budget=2, first_wait=0.01)) as catalog:
        catalog.sent = []
        yield catalog


class Worker:
    """One worker, with a cache, locks and a record of what was created that the others share or not."""

    def __init__(
        self, catalog: Catalog, cache: MemoryCache, locks: ThreadLocks, record: MemoryRecord | None = None
    ) -> None:
        self.catalog, self.cache, self.locks, self.record = catalog, cache, locks, record or MemoryRecord()
        self.referred: dict[object, frozenset[AssetName]] = {}

    def upload(self, item: Lineage, collection: str = "", **more: Any) -> UploadResult:
        resolutions = more.pop("resolutions", resolve_all(item))
        more.setdefault("referred", self.referred.get((item.application, item.sink.id), frozenset()))
        result = upload(item, resolutions, self.catalog, self.cache, self.record, self.locks, collection, **more)
        self.referred[item.application, item.sink.id] = frozenset(each.asset for each in resolutions.values())
        return result


@pytest.fixture
def worker(catalog: Catalog, cache: MemoryCache, locks: ThreadLocks) -> Worker:
    return Worker(catalog, cache, locks)


def test_an_empty_catalogue_gets_datasets_columns_and_the_process_in_one_request(
    worker: Worker, data_map: DataMap
) -> None:
    result = worker.upload(copy_of(RAW, SALES, "id", "total"))
    assert data_map.calls()[BULK] == 1
    process = data_map.entity(PROCESS)
    assert process["guid"] == result.process_guid
    assert process["relationships"]["inputs"] == [[RESOURCE_SET, f"{LAKE}/raw/orders/{{SparkPartitions}}"]]
    assert process["relationships"]["outputs"] == [[RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}"]]
    assert process["attributes"]["qualifiedName"] == f"sparklin://spark/nightly#{LAKE}/gold/sales/{{SparkPartitions}}"
    assert [pair["ColumnMapping"] for pair in mapping(process)] == [
        [{"Source": "id", "Sink": "id"}, {"Source": "total", "Sink": "total"}]
    ]
    assert len(data_map.entities("column")) == 4
    assert result.created == len(data_map.entities()) == 9
    assert result.notes == ()
    assert set(result.assets) == {RAW, SALES}
    assert {asset.guid for asset in result.assets.values()} == {e["guid"] for e in data_map.entities(RESOURCE_SET)}


def test_scanned_assets_are_used_and_left_unchanged(worker: Worker, data_map: DataMap) -> None:
    data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}", "sales of spark", partitionCount=7)
    data_map.add(PATH, f"{LAKE}/raw/orders/", "orders", owner="me")
    before = data_map.entities()
    worker.upload(copy_of(RAW, SALES, "id"))
    after = data_map.entities()
    assert [entity["typeName"] for entity in after] == [RESOURCE_SET, PATH, PROCESS]
    for old, new in zip(before, after, strict=False):
        assert new["attributes"] == old["attributes"]
        assert new["collectionId"] == old["collectionId"]
    (pair,) = mapping(data_map.entity(PROCESS))
    assert pair["DatasetMapping"] == {
        "Source": f"{LAKE}/raw/orders/",
        "Sink": f"{LAKE}/gold/sales/{{SparkPartitions}}",
    }


def test_a_later_scan_lands_on_the_asset_that_was_created(worker: Worker, data_map: DataMap) -> None:
    result = worker.upload(copy_of(RAW, SALES, "id"))
    scanned = data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}", "by scan")
    assert scanned == result.assets[SALES].guid
    worker.upload(copy_of(RAW, SALES, "id"))
    assert data_map.named(f"{LAKE}/gold/sales/{{SparkPartitions}}")["attributes"]["name"] == "by scan"


def test_the_same_again_changes_nothing(worker: Worker, data_map: DataMap) -> None:
    first = worker.upload(copy_of(RAW, SALES, "id"))
    before = data_map.entities()
    again = worker.upload(copy_of(RAW, SALES, "id"))
    worker.cache.kept.clear()
    assert again.process_guid == worker.upload(copy_of(RAW, SALES, "id")).process_guid == first.process_guid
    assert (again.created, again.updated) == (0, 0)
    assert again.assets == first.assets
    assert data_map.entities() == before


def test_a_changed_lineage_updates_its_process_in_place(worker: Worker, data_map: DataMap) -> None:
    first = worker.upload(copy_of(RAW, SALES, "id"))
    data_map.forget_calls()
    changed = lineage(dataset(SALES, "id"), dataset(ORDERS, "key"), columns=[column("id", (ORDERS, "key"))])
    second = worker.upload(changed)
    assert second.process_guid == first.process_guid
    process = data_map.entity(PROCESS)
    assert [name for _, name in process["relationships"]["inputs"]] == [
        "mssql://srv.database.windows.net/db/dbo/Orders"
    ]
    assert mapping(process)[0]["ColumnMapping"] == [{"Source": "key", "Sink": "id"}]


def test_with_everything_known_an_upload_is_two_calls_and_no_lock(
    worker: Worker, data_map: DataMap, locks: ThreadLocks
) -> None:
    worker.upload(copy_of(RAW, SALES, "id"))
    data_map.forget_calls()
    locks.held.clear()
    worker.upload(copy_of(RAW, SALES, "id"))
    assert sum(data_map.calls().values()) == 2
    assert locks.held == []


def test_two_applications_that_fill_one_sink_are_two_processes(worker: Worker, data_map: DataMap) -> None:
    worker.upload(copy_of(RAW, SALES, "id"))
    worker.upload(lineage(dataset(SALES), dataset(ORDERS), application="other"))
    assert len(data_map.entities(PROCESS)) == 2
    assert len(data_map.entities(RESOURCE_SET)) == 2


def test_what_is_created_is_locked(worker: Worker, locks: ThreadLocks, data_map: DataMap) -> None:
    data_map.add(PATH, f"{LAKE}/raw/orders/")
    worker.upload(copy_of(RAW, SALES, "id"))
    name = f"{LAKE}/gold/sales/{{SparkPartitions}}"
    names = [AssetName(RESOURCE_SET, name), AssetName(PROCESS, f"sparklin://spark/nightly#{name}")]
    assert locks.held == [creation_locks(names)]


def test_wide_tables_are_sent_in_requests_of_at_most_fifty(recorder: Recorder, data_map: DataMap) -> None:
    names = [f"column_{number}" for number in range(120)]
    columns = [column(name, (RAW, name), (ORDERS, name)) for name in names]
    item = lineage(dataset(SALES, *names), dataset(RAW, *names), dataset(ORDERS, *names), columns=columns)
    result = Worker(recorder, MemoryCache(), ThreadLocks()).upload(item)
    sizes = [len(types) for types, _ in recorder.sent]
    assert sum(sizes) == 3 * 120 + 2 + 3 + 1
    assert max(sizes) == 50
    assert len(sizes) == 8
    assert recorder.sent[-1][0][-1] == PROCESS
    assert result.created == sum(sizes)
    assert len(data_map.entities("azure_sql_column")) == 120
    assert len(data_map.entity(SQL)["relationships"]["columns"]) == 120
    schemas = data_map.entities("tabular_schema")
    assert [len(each["relationships"]["columns"]) for each in schemas] == [120, 120]
    for each in data_map.entities(RESOURCE_SET):
        assert each["relationships"]["tabular_schema"] == [
            ["tabular_schema", f"{each['attributes']['qualifiedName']}#__tabular_schema"]
        ]
    assert len(mapping(data_map.entity(PROCESS))) == 2


def test_a_dataset_exists_only_with_all_its_columns(recorder: Recorder, data_map: DataMap) -> None:
    """An upload that ends between two requests leaves nothing that a later one would treat as complete."""
    names = [f"column_{number}" for number in range(120)]
    item = lineage(dataset(SALES, *names), dataset(ORDERS, *names))
    data_map.fail(path="entity/bulk$", method="POST", count=4)  # which only counts
    data_map.fail(path="entity/bulk$", method="POST", status=400)
    with pytest.raises(CatalogRefused):
        Worker(recorder, MemoryCache(), ThreadLocks()).upload(item)
    for each in data_map.entities():
        if each["typeName"] in (SQL, RESOURCE_SET):
            columns = [
                c
                for c in data_map.entities()
                if c["attributes"]["qualifiedName"].startswith(each["attributes"]["qualifiedName"])
            ]
            assert len(columns) >= 121
    Worker(recorder, MemoryCache(), ThreadLocks()).upload(item)
    assert len(data_map.entity(SQL)["relationships"]["columns"]) == 120
    assert len(data_map.entity("tabular_schema")["relationships"]["columns"]) == 120


def test_new_assets_and_a_new_process_go_into_the_collection(recorder: Recorder, data_map: DataMap) -> None:
    Worker(recorder, MemoryCache(), ThreadLocks()).upload(copy_of(RAW, SALES, "id"), "abcdef")
    assert {entity["collectionId"] for entity in data_map.entities()} == {"abcdef"}
    assert [collection for _, collection in recorder.sent] == ["abcdef"]


def test_a_collection_never_moves_what_exists(recorder: Recorder, data_map: DataMap) -> None:
    data_map.add(PATH, f"{LAKE}/raw/orders/", collection="scans")
    worker = Worker(recorder, MemoryCache(), ThreadLocks())
    worker.upload(copy_of(RAW, SALES, "id"), "first")
    existing = {entity["guid"]: entity["collectionId"] for entity in data_map.entities()}
    recorder.sent.clear()
    more = lineage(dataset(SALES), dataset(RAW), dataset(ORDERS, "x"))
    worker.upload(more, "second")
    assert recorder.sent == [(["azure_sql_column", SQL], "second"), ([PROCESS], "")]
    for entity in data_map.entities():
        assert entity["collectionId"] == existing.get(entity["guid"], "second")
    recorder.sent.clear()
    worker.upload(copy_of(RAW, SALES, "id"), "third")
    assert recorder.sent == [([PROCESS], "")]
    assert "third" not in {entity["collectionId"] for entity in data_map.entities()}


def test_many_columns_and_a_collection_keep_both_rules(recorder: Recorder, data_map: DataMap) -> None:
    worker = Worker(recorder, MemoryCache(), ThreadLocks())
    worker.upload(lineage(dataset(SALES)), "first")
    recorder.sent.clear()
    names = [f"column_{number}" for number in range(99)]
    worker.upload(lineage(dataset(SALES), dataset(ORDERS, *names)), "second")
    assert [(len(types), collection) for types, collection in recorder.sent] == [
        (50, "second"),
        (50, "second"),
        (1, ""),
    ]
    assert data_map.entity(PROCESS)["collectionId"] == "first"


def test_a_type_that_the_tenant_does_not_know_becomes_a_plain_data_set(worker: Worker, data_map: DataMap) -> None:
    item = copy_of(RAW, SALES, "id")
    resolutions = resolve_all(item)
    name = AssetName("no_such_type", "https://example.org/x")
    resolutions[RAW] = Resolution(item.inputs[0], "test", name, (name,), "x")
    first = worker.upload(item, resolutions=resolutions)
    assert first.assets[RAW].name == AssetName("DataSet", name.qualified_name)
    assert [note.code for note in first.notes] == ["generic-type"]
    process = data_map.entity(PROCESS)
    assert process["relationships"]["inputs"] == [["DataSet", name.qualified_name]]
    assert mapping(process)[0]["DatasetMapping"]["Source"] == name.qualified_name
    before = data_map.entities()
    for kept in (worker.cache.kept, {}):
        worker.cache.kept = dict(kept)
        assert worker.upload(item, resolutions=resolutions).assets == first.assets
    assert data_map.entities() == before


def test_unknown_types_of_columns_and_tables_are_found_out_one_after_the_other(
    worker: Worker, data_map: DataMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = lineage(dataset(SALES, "id"))
    name = AssetName("no_such_table", "scheme://x")
    forms = {**schema._FORMS, "no_such_table": replace(schema._FORMS[SQL], type_name="no_such_column")}
    monkeypatch.setattr(schema, "_FORMS", forms)
    result = worker.upload(item, resolutions={SALES: Resolution(item.sink, "test", name, (name,), "x")})
    assert result.assets[SALES].name.type_name == "DataSet"
    assert data_map.entity("column")["attributes"]["qualifiedName"] == "scheme://x#__tabular_schema//id"


def test_an_unusable_process_type_is_refused(worker: Worker, data_map: DataMap) -> None:
    body = (
        '{"errorCode":"ATLAS-400-00-014","errorMessage":"Type ENTITY with name azure_synapse_operation does not exist"}'
    )
    data_map.fail(status=400, body=body, path="entity/bulk$")
    with pytest.raises(CatalogRefused, match="azure_synapse_operation"):
        worker.upload(copy_of(RAW, SALES, "id"))


def test_a_remembered_asset_that_is_gone_is_looked_up_again(worker: Worker, data_map: DataMap) -> None:
    first = worker.upload(copy_of(RAW, SALES, "id"))
    data_map.delete(first.assets[RAW].guid)
    moved = data_map.add(PATH, f"{LAKE}/raw/orders/")
    second = worker.upload(copy_of(RAW, SALES, "id", "more"))
    assert second.assets[RAW] == Asset(AssetName(PATH, f"{LAKE}/raw/orders/"), moved)
    assert data_map.entity(PROCESS)["relationships"]["inputs"] == [[PATH, f"{LAKE}/raw/orders/"]]


def test_a_remembered_asset_that_is_gone_is_created_again(worker: Worker, data_map: DataMap) -> None:
    first = worker.upload(copy_of(RAW, SALES, "id"))
    for asset in first.assets.values():
        data_map.delete(asset.guid)
    second = worker.upload(copy_of(RAW, SALES, "id"))
    assert len(data_map.entities(RESOURCE_SET)) == 2
    assert second.process_guid == first.process_guid
    assert first.assets[RAW].guid != second.assets[RAW].guid


def test_references_that_keep_vanishing_mean_later(worker: Worker, data_map: DataMap) -> None:
    body = '{"errorCode":"ATLAS-404-00-00A","errorMessage":"Referenced entity x is not found"}'
    data_map.fail(status=404, body=body, path="entity/bulk$", count=2)
    with pytest.raises(CatalogConflict):
        worker.upload(copy_of(RAW, SALES, "id"))


class Forgetful(Catalog):
    """A catalogue that does not return the entities of one type that it wrote."""

    silent: str

    def upload(self, entities: Sequence[Any], collection: str = "", guard: Any = None) -> Written:
        written = super().upload(entities, collection, guard)
        unsaid = {entity["guid"] for entity in entities if entity["typeName"] == self.silent}
        return replace(written, assigned={sent: guid for sent, guid in written.assigned.items() if sent not in unsaid})


@pytest.mark.parametrize("silent", [PROCESS, RESOURCE_SET])
def test_without_the_guid_of_the_process_or_an_asset_the_upload_is_repeated_later(
    silent: str, data_map: DataMap, worker: Worker
) -> None:
    with Forgetful(data_map.url, "none", retry_policy=RetryPolicy(budget=2, first_wait=0.01)) as forgetful:
        forgetful.silent = silent
        with pytest.raises(CatalogConflict, match="which guids it gave"):
            Worker(forgetful, MemoryCache(), ThreadLocks()).upload(copy_of(RAW, SALES, "id"))
    result = worker.upload(copy_of(RAW, SALES, "id"))
    assert result.process_guid == data_map.entity(PROCESS)["guid"]
    assert {asset.guid for asset in result.assets.values()} == {e["guid"] for e in data_map.entities(RESOURCE_SET)}


def test_workers_at_the_same_time_create_one_asset_of_each_name(
    catalog: Catalog, locks: ThreadLocks, data_map: DataMap
) -> None:
    """The Data Map is configured to take no lock itself, like Atlas."""
    data_map.settings(lenient=True, pause=0.02)
    barrier = threading.Barrier(8)
    applications = ["one", "two"] * 4

    def run(application: str) -> UploadResult:
        own = Worker(catalog, MemoryCache(), locks)
        barrier.wait()
        return own.upload(replace(copy_of(RAW, SALES, "id"), application=Application("spark", application)))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, applications))
    names = [(e["typeName"], e["attributes"]["qualifiedName"]) for e in data_map.entities()]
    assert len(names) == len(set(names)) == 2 + 2 + 2 + 2
    assert len({result.process_guid for result in results}) == 2
    assert len({result.assets[SALES].guid for result in results}) == 1


def test_without_locks_the_same_race_makes_duplicates(catalog: Catalog, data_map: DataMap) -> None:
    """Shows that the test above can fail."""
    data_map.settings(lenient=True, pause=0.5)
    barrier = threading.Barrier(2)

    def run(_: int) -> UploadResult:
        own = Worker(catalog, MemoryCache(), ThreadLocks())
        barrier.wait()
        return own.upload(copy_of(RAW, SALES, "id"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert len(data_map.entities(RESOURCE_SET)) == 4


def test_a_lost_lease_stops_before_the_next_request(catalog: Catalog, data_map: DataMap) -> None:
    names = [f"column_{number}" for number in range(120)]
    locks = ThreadLocks(ThreadLease(LeaseLost("expired"), checks=3))
    with pytest.raises(LeaseLost):
        Worker(catalog, MemoryCache(), locks).upload(lineage(dataset(SALES, *names)))
    assert data_map.calls()[BULK] == 1
    assert data_map.entities(RESOURCE_SET) == []


def test_another_workers_asset_is_found_under_the_lock(catalog: Catalog, cache: MemoryCache, data_map: DataMap) -> None:
    """The asset appears after the first look and before the lock is had."""

    class Late(ThreadLocks):
        def hold(self, keys: Sequence[str], wait_seconds: float) -> Any:
            data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}", "of another worker")
            return super().hold(keys, wait_seconds)

    Worker(catalog, cache, Late()).upload(copy_of(RAW, SALES, "id"))
    assert data_map.named(f"{LAKE}/gold/sales/{{SparkPartitions}}")["attributes"]["name"] == "of another worker"


def test_missing_rights_are_refused_with_what_to_do(worker: Worker, data_map: DataMap) -> None:
    data_map.fail(status=403, body="Forbidden", path="entity/bulk$")
    with pytest.raises(CatalogDenied) as caught:
        worker.upload(copy_of(RAW, SALES, "id"))
    assert "Data Curator" in caught.value.remedy
    assert worker.cache.kept == {}


@pytest.mark.parametrize("fault", [{"status": 429, "retryAfter": 1}, {"status": 500}, {"drop": True, "applied": True}])
def test_passing_faults_leave_no_trace(fault: dict[str, Any], worker: Worker, data_map: DataMap) -> None:
    data_map.fail(path="entity/bulk$", method="POST", **fault)
    worker.upload(copy_of(RAW, SALES, "id"))
    assert len(data_map.entities()) == 7


def test_a_wide_mapping_is_cut_with_a_note(worker: Worker, data_map: DataMap) -> None:
    names = [f"a_rather_long_column_name_{number}" for number in range(1_000)]
    data_map.add(RESOURCE_SET, f"{LAKE}/raw/orders/{{SparkPartitions}}")
    data_map.add(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}")
    result = worker.upload(copy_of(RAW, SALES, *names))
    assert [note.code for note in result.notes] == ["column-mapping-cut"]
    process = data_map.entity(PROCESS)
    assert 31_800 < len(process["attributes"]["columnMapping"]) <= 32_000
    assert "LineageDetails" in process["attributes"]["description"]


def test_a_removed_process_leaves_its_datasets(worker: Worker, catalog: Catalog, data_map: DataMap) -> None:
    worker.upload(copy_of(RAW, SALES, "id"))
    name = data_map.entity(PROCESS)["attributes"]["qualifiedName"]
    assert remove(name, catalog)
    assert data_map.entities(PROCESS) == []
    assert len(data_map.entities(RESOURCE_SET)) == 2
    assert not remove(name, catalog)


def test_a_removed_process_comes_back_with_the_next_upload(worker: Worker, catalog: Catalog, data_map: DataMap) -> None:
    worker.upload(copy_of(RAW, SALES, "id"))
    remove(data_map.entity(PROCESS)["attributes"]["qualifiedName"], catalog)
    worker.upload(copy_of(RAW, SALES, "id"), "late")
    assert data_map.entity(PROCESS)["collectionId"] == "late"
