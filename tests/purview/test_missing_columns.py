"""Datasets that we created get the columns that later uploads know; those of scans and people stay as they are."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.catalog_model import Asset, AssetName, Created, Resolution, UploadResult
from core.errors import CatalogRefused, CatalogUnavailable, LeaseLost
from core.event_model import DatasetId, Field
from purview import schema
from purview.catalog import Catalog, Written
from purview.creation import creation_locks
from purview.limits import REFERENCES
from purview.missing_columns import CLOCK_SKEW, SENDING, MissingColumns, adopt, find_missing_columns
from purview.retry_policy import RetryPolicy
from purview.uploader import upload
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
    dataset,
    folder,
    lineage,
    resolve,
    table,
)

SALES, ORDERS = folder("gold/sales"), table("db.dbo.Orders")
SALES_NAME = AssetName(RESOURCE_SET, f"{LAKE}/gold/sales/{{SparkPartitions}}")
ORDERS_NAME = AssetName(SQL, "mssql://srv.database.windows.net/db/dbo/Orders")


class Recorder(Catalog):
    """A catalogue that records what it received: (type, name) of the entities, and the collection of each request."""

    sent: list[tuple[list[tuple[str, str]], str]]

    def upload(self, entities: Sequence[Any], collection: str = "", guard: Any = None) -> Written:
        self.sent.append(([(each["typeName"], each["attributes"]["name"]) for each in entities], collection))
        return super().upload(entities, collection, guard)


class Worker:
    """A worker with its own cache; ``write`` uploads a process that fills a dataset with these columns."""

    def __init__(self, catalog: Catalog, record: MemoryRecord, locks: ThreadLocks) -> None:
        self.catalog, self.record, self.locks = catalog, record, locks
        self.cache = MemoryCache()
        self.referred: dict[str, frozenset[AssetName]] = {}

    def write(
        self, sink: DatasetId, *columns: str, application: str = "nightly", name: AssetName | None = None, **more: Any
    ) -> UploadResult:
        item = lineage(dataset(sink, *columns), application=application)
        found = Resolution(item.sink, "test", name, (name,), "x") if name else resolve(item.sink)
        more.setdefault("referred", self.referred.get(application, frozenset()))
        result = upload(item, {sink: found}, self.catalog, self.cache, self.record, self.locks, **more)
        self.referred[application] = frozenset({found.asset})
        return result


@pytest.fixture
def recorder(data_map: DataMap) -> Any:
    with Recorder(data_map.url, "none", retry_policy=RetryPolicy(budget=2, first_wait=0.01)) as catalog:
        catalog.sent = []
        yield catalog


@pytest.fixture
def worker(recorder: Recorder, record: MemoryRecord, locks: ThreadLocks) -> Worker:
    return Worker(recorder, record, locks)


def columns_of(data_map: DataMap, sink: DatasetId) -> list[str]:
    """The names of the columns that hang on a dataset, by its schema or directly; each is there once."""
    name = resolve(dataset(sink)).asset
    asset = data_map.named(name.qualified_name)["relationships"]
    schemas = [data_map.named(qualified_name)["relationships"] for _, qualified_name in asset.get("tabular_schema", ())]
    found = [data_map.named(column) for each in (asset, *schemas) for _, column in each.get("columns", ())]
    return sorted(each["attributes"]["name"] for each in found)


@pytest.mark.parametrize("sink", [SALES, ORDERS], ids=["folder", "table"])
@pytest.mark.parametrize("first", [(), ("id",), ("id", "day")], ids=len)
def test_columns_that_a_later_upload_knows_are_added(
    sink: DatasetId, first: Sequence[str], worker: Worker, data_map: DataMap
) -> None:
    worker.write(sink, *first)
    worker.write(sink, "total", "id", application="other")
    assert columns_of(data_map, sink) == sorted({*first, "id", "total"})
    assert len(data_map.entities("tabular_schema")) == (sink == SALES)


@pytest.mark.parametrize("kind", [*schema._FORMS, RESOURCE_SET, "azure_blob_path", "DataSet"])
def test_added_columns_hang_where_the_first_ones_do(kind: str, worker: Worker, data_map: DataMap) -> None:
    name = AssetName(kind, "scheme://host/table")
    worker.write(SALES, "id", name=name)
    worker.write(SALES, "id", "größe", name=name)
    first, second = (each for each in data_map.entities() if each["attributes"]["name"] in ("id", "größe"))
    assert first["typeName"] == second["typeName"]
    assert first["relationships"] == second["relationships"] != {}


def test_only_new_columns_are_sent_and_nothing_when_all_are_there(worker: Worker, recorder: Recorder) -> None:
    worker.write(SALES, "id")
    recorder.sent.clear()
    worker.write(SALES, "id", "total")
    assert recorder.sent == [([("column", "total"), (PROCESS, "nightly → sales")], "")]
    recorder.sent.clear()
    worker.locks.held.clear()
    worker.write(SALES, "total", "id")
    assert recorder.sent == [([(PROCESS, "nightly → sales")], "")]
    assert worker.locks.held == []


def test_columns_are_added_under_the_lock_of_the_creation(worker: Worker, locks: ThreadLocks) -> None:
    worker.write(SALES, "id")
    worker.write(SALES, "id", "total")
    process = AssetName(PROCESS, f"sparklin://spark/nightly#{SALES_NAME.qualified_name}")
    assert locks.held == [creation_locks([SALES_NAME, process]), creation_locks([SALES_NAME])]


def test_a_process_starts_to_refer_to_an_asset_of_ours_under_its_lock(
    worker: Worker, locks: ThreadLocks, data_map: DataMap
) -> None:
    """Otherwise somebody could delete the asset, which nothing refers to, while the process is written."""
    worker.write(SALES)
    data_map.add(*_pair(ORDERS_NAME))
    locks.held.clear()
    worker.write(SALES, application="other")
    worker.write(SALES, application="other")
    worker.write(ORDERS)
    new, scanned = (
        AssetName(PROCESS, f"sparklin://spark/{name}")
        for name in (f"other#{SALES_NAME.qualified_name}", f"nightly#{ORDERS_NAME.qualified_name}")
    )
    assert locks.held == [creation_locks([SALES_NAME, new]), creation_locks([scanned])]


def test_assets_of_a_scan_get_no_columns(worker: Worker, data_map: DataMap) -> None:
    data_map.add(PATH, f"{LAKE}/gold/sales/")
    data_map.add(*_pair(ORDERS_NAME))
    worker.write(SALES, "id")
    worker.write(ORDERS, "id")
    worker.write(SALES, "id", "total")
    assert {each["typeName"] for each in data_map.entities()} == {PATH, SQL, PROCESS}


def test_an_asset_that_was_deleted_and_scanned_again_is_not_ours(worker: Worker, data_map: DataMap) -> None:
    result = worker.write(ORDERS, "id")
    data_map.delete(result.assets[ORDERS].guid)
    data_map.add(*_pair(ORDERS_NAME))
    worker.write(ORDERS, "id", "total")
    assert columns_of(data_map, ORDERS) == []


def test_an_asset_that_was_deleted_and_created_again_grows(worker: Worker, data_map: DataMap) -> None:
    result = worker.write(ORDERS, "id")
    data_map.delete(result.assets[ORDERS].guid)
    worker.write(ORDERS, "total")
    worker.write(ORDERS, "total", "day")
    assert columns_of(data_map, ORDERS) == ["day", "total"]


def test_an_asset_whose_record_was_lost_is_not_ours(worker: Worker, data_map: DataMap) -> None:
    worker.write(SALES, "id")
    worker.record.kept.clear()
    worker.write(SALES, "id", "total")
    assert columns_of(data_map, SALES) == ["id"]


def test_what_people_and_scans_wrote_stays(worker: Worker, data_map: DataMap) -> None:
    worker.write(SALES, "id")
    data_map.add(*_pair(SALES_NAME), name="Sales, as the steward calls them")
    data_map.add("column", f"{SALES_NAME.qualified_name}#__tabular_schema//total", name="The total", type="decimal")
    worker.write(SALES, "id", "total", "day")
    assert data_map.named(SALES_NAME.qualified_name)["attributes"]["name"] == "Sales, as the steward calls them"
    column = data_map.named(f"{SALES_NAME.qualified_name}#__tabular_schema//total")
    assert (column["attributes"]["name"], column["attributes"]["type"]) == ("The total", "decimal")
    assert columns_of(data_map, SALES) == ["day", "id"]


def test_a_schema_that_a_scan_gave_is_used(worker: Worker, data_map: DataMap) -> None:
    guid = worker.write(SALES).assets[SALES].guid
    head = {
        "typeName": "tabular_schema",
        "guid": "-1",
        "attributes": {"qualifiedName": "scanned", "name": "schema"},
        "relationshipAttributes": {"associatedDataSets": [{"guid": guid}]},
    }
    worker.catalog.upload([head])
    worker.write(SALES, "id")
    assert columns_of(data_map, SALES) == ["id"]
    assert len(data_map.entities("tabular_schema")) == 1


def test_a_collection_takes_the_columns_and_moves_nothing(
    worker: Worker, recorder: Recorder, data_map: DataMap
) -> None:
    worker.write(SALES, collection="first")
    recorder.sent.clear()
    worker.write(SALES, "id", collection="second")
    assert recorder.sent == [
        ([("tabular_schema", "tabular_schema"), ("column", "id")], "second"),
        ([(PROCESS, "nightly → sales")], ""),
    ]
    assert data_map.entity(RESOURCE_SET)["collectionId"] == data_map.entity(PROCESS)["collectionId"] == "first"


@pytest.mark.parametrize(
    "sink", [pytest.param(SALES, id="folder", marks=pytest.mark.exhaustive), pytest.param(ORDERS, id="table")]
)
def test_growth_that_was_cut_short_is_completed(sink: DatasetId, worker: Worker, data_map: DataMap) -> None:
    names = [f"column_{number}" for number in range(120)]
    worker.write(sink)
    data_map.fail(path="entity/bulk$", method="POST", count=1)  # which only counts
    data_map.fail(path="entity/bulk$", method="POST", status=400)
    with pytest.raises(CatalogRefused):
        worker.write(sink, *names)
    assert 0 < len(columns_of(data_map, sink)) < 120
    worker.write(sink, *names)
    assert columns_of(data_map, sink) == sorted(names)
    assert worker.record.kept[resolve(dataset(sink)).asset].columns == set(names)


def test_a_column_type_that_the_tenant_does_not_know_falls_back(worker: Worker, data_map: DataMap) -> None:
    worker.write(ORDERS)
    body = '{"errorCode":"ATLAS-400-00-014","errorMessage":"Type ENTITY with name azure_sql_column does not exist"}'
    for columns in (["id"], ["id", "total"]):
        data_map.fail(status=400, body=body, path="entity/bulk$")
        worker.write(ORDERS, *columns)
        assert columns_of(data_map, ORDERS) == columns
    assert len(data_map.entities("tabular_schema")) == 1


def test_a_lost_lease_stops_before_columns_are_sent(
    recorder: Recorder, record: MemoryRecord, data_map: DataMap
) -> None:
    Worker(recorder, record, ThreadLocks()).write(SALES, "id")
    with pytest.raises(LeaseLost):
        Worker(recorder, record, ThreadLocks(ThreadLease(LeaseLost("expired")))).write(SALES, "id", "total")
    assert columns_of(data_map, SALES) == ["id"]


class Late(ThreadLocks):
    """Something happens after the first look, before the locks are had."""

    def __init__(self, happening: Callable[[], object]) -> None:
        super().__init__()
        self.happening = happening

    def hold(self, keys: Sequence[str], wait_seconds: float) -> Any:
        happening, self.happening = self.happening, lambda: None
        happening()
        return super().hold(keys, wait_seconds)


def test_another_workers_new_asset_gets_the_columns_that_it_lacks(
    recorder: Recorder, record: MemoryRecord, data_map: DataMap
) -> None:
    first = Worker(recorder, record, ThreadLocks())
    Worker(recorder, record, Late(lambda: first.write(SALES, "id", application="first"))).write(SALES, "id", "total")
    assert columns_of(data_map, SALES) == ["id", "total"]


def test_an_asset_that_is_found_before_its_worker_recorded_it_grows(
    recorder: Recorder, record: MemoryRecord, data_map: DataMap
) -> None:
    Worker(recorder, record, ThreadLocks()).write(SALES, "id")
    done, record.kept[SALES_NAME] = record.kept[SALES_NAME], Created()
    late = Late(lambda: record.kept.update({SALES_NAME: done}))
    Worker(recorder, record, late).write(SALES, "id", "total")
    assert columns_of(data_map, SALES) == ["id", "total"]


def test_a_creation_is_announced_before_it_is_tried(worker: Worker, data_map: DataMap) -> None:
    data_map.fail(path="entity/bulk$", method="POST", status=400)
    with pytest.raises(CatalogRefused):
        worker.write(SALES, "id")
    assert {name: (each.guid, each.columns) for name, each in worker.record.kept.items()} == {
        SALES_NAME: ("", frozenset())
    }
    worker.write(SALES, "id")
    assert worker.record.kept[SALES_NAME].columns == {"id"}


class Dead(Exception):
    """The worker died."""


class DyingRecord(MemoryRecord):
    """A record whose worker dies before it can complete what it announced."""

    def add_many(self, created: Mapping[AssetName, Created]) -> None:
        if any(each.guid for each in created.values()):
            raise Dead
        super().add_many(created)


def _dies_before_it_sends(worker: Worker, data_map: DataMap) -> None:
    worker.record.add_many({SALES_NAME: Created()})


def _dies_after_it_sent(worker: Worker, data_map: DataMap) -> None:
    dying = DyingRecord()
    with pytest.raises(Dead):
        Worker(worker.catalog, dying, worker.locks).write(SALES, "id", "day", application="dead")
    worker.record.kept |= dying.kept


def _gets_no_answer(worker: Worker, data_map: DataMap) -> None:
    data_map.fail(drop=True, applied=True, path="entity/bulk$", method="POST", count=50)
    policy = RetryPolicy(budget=0.2, first_wait=0.01)
    with Catalog(data_map.url, "none", retry_policy=policy) as catalog, pytest.raises(CatalogUnavailable):
        Worker(catalog, worker.record, worker.locks).write(SALES, "id", "day", application="dead")
    data_map.heal()


def _is_followed_by_a_scan(worker: Worker, data_map: DataMap) -> None:
    worker.record.kept[SALES_NAME] = Created(announced=datetime.now(UTC) - timedelta(hours=1))
    data_map.add(*_pair(SALES_NAME))


def _announced_later_than_a_person_created_it(worker: Worker, data_map: DataMap) -> None:
    data_map.add(*_pair(SALES_NAME))
    worker.record.kept[SALES_NAME] = Created(announced=datetime.now(UTC) + timedelta(hours=1))


def _announced_at_an_unknown_time(worker: Worker, data_map: DataMap) -> None:
    data_map.add(*_pair(SALES_NAME))
    worker.record.kept[SALES_NAME] = Created()


@pytest.mark.parametrize(
    ("happened", "expected", "is_ours"),
    [
        (_dies_before_it_sends, ["id", "total"], True),
        (_dies_after_it_sent, ["day", "id", "total"], True),
        (_gets_no_answer, ["day", "id", "total"], True),
        (_is_followed_by_a_scan, [], False),
        (_announced_later_than_a_person_created_it, [], False),
        (_announced_at_an_unknown_time, [], False),
    ],
)
def test_an_asset_is_ours_if_it_was_created_while_its_worker_could_send_it(
    happened: Callable[[Worker, DataMap], None],
    expected: Sequence[str],
    is_ours: bool,
    worker: Worker,
    data_map: DataMap,
) -> None:
    happened(worker, data_map)
    worker.write(SALES, "id", "total")
    assert columns_of(data_map, SALES) == expected
    assert (SALES_NAME in worker.record.kept) == is_ours
    # What was decided stays, without another lock.
    worker.locks.held.clear()
    worker.write(SALES, "id", "total")
    assert worker.locks.held == []


class Dated:
    """A catalogue that says when the asset was created, in milliseconds."""

    def __init__(self, created: int | None) -> None:
        self.entity = {} if created is None else {"createTime": created}

    def get(self, guid: str) -> dict[str, Any]:
        return self.entity

    def find(self, names: object) -> dict[AssetName, Asset]:
        return {}


ANNOUNCED = datetime(2024, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("after", "is_ours"),
    [
        (-CLOCK_SKEW - SECOND, False),
        (-CLOCK_SKEW, True),
        (timedelta(), True),
        (SENDING + CLOCK_SKEW, True),
        (SENDING + CLOCK_SKEW + SECOND, False),
        (None, False),
    ],
    ids=str,
)
def test_an_asset_is_ours_from_its_announcement_until_its_worker_ended(after: timedelta | None, is_ours: bool) -> None:
    created = None if after is None else int((ANNOUNCED + after).timestamp()) * 1000
    record = MemoryRecord({SALES_NAME: Created(announced=ANNOUNCED)})
    asset = Asset(SALES_NAME, "g")
    assert adopt([asset], Dated(created), record) == ([asset] if is_ours else [])
    assert record.kept == ({SALES_NAME: Created("g")} if is_ours else {})


OF_SALES = Asset(SALES_NAME, "g")
WIDE = frozenset(str(number) for number in range(REFERENCES))


def some(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "string") for name in names)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (None, MissingColumns()),
        (Created("g", frozenset("b")), MissingColumns(fields={OF_SALES: some("a", "c")})),
        (Created("g", frozenset("abcd")), MissingColumns()),
        (Created("other", frozenset("b")), MissingColumns()),
        (Created("", frozenset("b")), MissingColumns(unfinished={OF_SALES: some("a", "c")})),
        (Created("", frozenset("abcd")), MissingColumns(unfinished={OF_SALES: ()})),
        (Created("g", WIDE - {"0"}), MissingColumns(fields={OF_SALES: some("a")})),
        (Created("g", WIDE), MissingColumns()),
        (Created("g", WIDE | {"z"}), MissingColumns()),
    ],
    ids=lambda value: "" if isinstance(value, MissingColumns) else f"{value and (value.guid, len(value.columns))}",
)
def test_only_assets_of_ours_lack_columns_and_none_gets_too_many(
    created: Created | None, expected: MissingColumns
) -> None:
    known = {SALES_NAME: created} if created else {}
    assert find_missing_columns({OF_SALES: some("a", "b", "c")}, known) == expected


def test_what_a_part_of_the_assets_lacks() -> None:
    other = Asset(ORDERS_NAME, "h")
    gaps = MissingColumns({OF_SALES: some("a"), other: some("b")}, {other: some("c")})
    assert gaps.names == {SALES_NAME, ORDERS_NAME}
    assert gaps.of({SALES_NAME}) == MissingColumns({OF_SALES: some("a")})
    assert gaps.of({ORDERS_NAME}) == MissingColumns({other: some("b")}, {other: some("c")})


def test_a_worker_sends_no_longer_than_its_function_may_run() -> None:
    host = json.loads((Path(__file__).parents[2] / "host.json").read_text())
    hours, minutes, seconds = host["functionTimeout"].split(":")
    assert timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds)) == SENDING


def test_the_lock_of_an_asset_that_got_another_name_is_taken_too(
    recorder: Recorder, record: MemoryRecord, data_map: DataMap
) -> None:
    """While this worker waits to create the resource set, another one creates it as a generic asset."""
    generic = AssetName("DataSet", SALES_NAME.qualified_name)
    first = Worker(recorder, record, ThreadLocks())
    late = Late(lambda: first.write(SALES, "id", application="first", name=generic))
    Worker(recorder, record, late).write(SALES, "id", "total")
    (lock,) = creation_locks([generic])
    assert lock not in late.held[0]
    assert lock in late.held[1]
    assert data_map.entities(RESOURCE_SET) == []
    assert columns_of(data_map, SALES) == ["id", "total"]


@pytest.mark.parametrize("sink", [SALES, ORDERS], ids=["folder", "table"])
def test_workers_at_once_add_every_column_once(
    sink: DatasetId, catalog: Catalog, record: MemoryRecord, locks: ThreadLocks, data_map: DataMap
) -> None:
    data_map.settings(lenient=True, pause=0.02)
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        worker = Worker(catalog, record, locks)
        barrier.wait()
        worker.write(sink, "id", f"own_{number}", f"shared_{number // 2}", application=f"app {number % 3}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    expected = {"id", *(f"own_{n}" for n in range(8)), *(f"shared_{n // 2}" for n in range(8))}
    assert columns_of(data_map, sink) == sorted(expected)
    names = [(each["typeName"], each["attributes"]["qualifiedName"]) for each in data_map.entities()]
    assert len(names) == len(set(names))


def _pair(name: AssetName) -> tuple[str, str]:
    return name.type_name, name.qualified_name
