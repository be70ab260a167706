"""What we created is known by its guid and its columns, and no worker's columns are lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from benchmarks.counting import TABLE, counted
from core.catalog_model import AssetName, Created
from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from storage import batches
from storage.asset_cache import asset_key
from storage.clients import CREATED_ASSETS, DETAILS, StorageClients, connect
from storage.created_assets import CreatedAssets
from storage.request_budget import budget
from tests.storage.asset_names import a_name, neighbours


@pytest.fixture
def created(storage_clients: StorageClients) -> CreatedAssets:
    """The table on Azurite."""
    return CreatedAssets(storage_clients)


def columns(*names: str) -> frozenset[str]:
    return frozenset(names)


def undated(created: CreatedAssets, *names: AssetName) -> dict[AssetName, Created]:
    """What is known about these names, without times."""
    return {name: replace(each, announced=None) for name, each in created.get_many(names).items()}


def test_columns_of_one_guid_are_united(created: CreatedAssets) -> None:
    one, other = a_name(), a_name()
    assert created.get_many([one, other]) == {}
    created.add_many({one: Created("g", columns("a", "b")), other: Created("h")})
    created.add_many({one: Created("g", columns("b", "c"))})
    assert created.get_many([one, other, one]) == {one: Created("g", columns("a", "b", "c")), other: Created("h")}


def test_another_guid_starts_again(created: CreatedAssets) -> None:
    name = a_name()
    created.add_many({name: Created("old", columns("a"))})
    created.add_many({name: Created()})
    assert undated(created, name) == {name: Created()}
    created.add_many({name: Created("new", columns("b"))})
    assert created.get_many([name]) == {name: Created("new", columns("b"))}


@pytest.mark.exhaustive
def test_many_are_kept_whatever_was_there(
    created: CreatedAssets, storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough that several are in one partition: some announced, some known, some too large for a row."""
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    wide = frozenset(f"a rather long name of a column {number}" for number in range(1_500))
    some = [a_name() for _ in range(300)]
    known = {name: Created("g", columns("a")) for name in some[:100]} | {
        name: Created("h", wide) for name in some[100:110]
    }
    CreatedAssets(storage_clients).add_many(known)
    announced = dict.fromkeys(some, Created())
    created.add_many(announced)
    assert undated(created, *some) == announced
    made = {name: Created(f"g{number}", columns("b")) for number, name in enumerate(some)}
    created.add_many({name: made[name] for name in some[:200]})
    CreatedAssets(storage_clients).add_many({name: made[name] for name in some[200:]})
    assert created.get_many(some) == made
    created.add_many({name: replace(each, columns=columns("c")) for name, each in made.items()})
    assert created.get_many(some) == {name: replace(each, columns=columns("b", "c")) for name, each in made.items()}
    grown = {name: replace(each, columns=wide) for name, each in list(made.items())[:150:15]}
    created.add_many(made | grown)
    assert all(created.get_many(grown)[name].columns == wide | columns("b", "c") for name in grown)


WIDE = frozenset(f"a rather long name of a column {number}" for number in range(500))


@pytest.mark.parametrize(
    ("before", "added", "after"),
    [
        (None, Created("g", columns("b")), Created("g", columns("b"))),
        (None, Created(), Created()),
        (Created(), Created("g", columns("b")), Created("g", columns("b"))),
        (Created(), Created(), Created()),
        (Created("g", columns("a")), Created("g", columns("b")), Created("g", columns("a", "b"))),
        (Created("g", columns("a")), Created("h", columns("b")), Created("h", columns("b"))),
        (Created("g", columns("a")), Created("g", WIDE), Created("g", columns("a") | WIDE)),
        (Created("g", WIDE), Created("g", columns("a")), Created("g", columns("a") | WIDE)),
        (Created("g", columns("a")), Created(), Created()),
    ],
)
def test_what_is_added_together_with_others_is_united_with_what_was_there(
    before: Created | None,
    added: Created,
    after: Created,
    created: CreatedAssets,
    storage_clients: StorageClients,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part of the assets of one partition is known, and another one not."""
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    one, two, three = neighbours(3)
    CreatedAssets(storage_clients).add_many({one: before, two: Created("x")} if before else {two: Created("x")})
    created.add_many({one: added, two: Created("x"), three: added})
    assert undated(created, one, two, three) == {one: after, two: Created("x"), three: added}


def test_announcements_of_one_partition_are_completed_together(
    created: CreatedAssets, storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    some = neighbours(3)
    created.add_many(dict.fromkeys(some, Created()))
    assert undated(created, *some) == dict.fromkeys(some, Created())
    CreatedAssets(storage_clients).add_many({some[1]: Created("g", columns("a"))})
    created.add_many(dict.fromkeys(some, Created("g", columns("b"))))
    one, two, three = some
    assert created.get_many(some) == {
        one: Created("g", columns("b")),
        two: Created("g", columns("a", "b")),
        three: Created("g", columns("b")),
    }


class Requests:
    """Counts the requests for each call of ``add_many``."""

    def __init__(self, clients: StorageClients) -> None:
        self._kinds = {urlsplit(clients.tables.url).netloc: TABLE}

    def of(self, created: CreatedAssets, added: dict[AssetName, Created]) -> dict[str, int]:
        with counted(self._kinds) as requests:
            created.add_many(added)
        return {kind: number for kind, number in requests.items() if not kind.startswith("rows of")}


def test_an_asset_is_announced_and_completed_without_a_read(
    created: CreatedAssets, storage_clients: StorageClients
) -> None:
    requests, name, made = Requests(storage_clients), a_name(), Created("g", columns("a"))
    assert requests.of(created, {name: Created()}) == {"table write": 1}
    assert requests.of(created, {name: made}) == {"table write": 1}
    assert requests.of(created, {name: made}) == {"table read": 1}
    assert requests.of(CreatedAssets(storage_clients), {name: made}) == {"table read": 1}


def test_assets_of_one_partition_are_announced_and_completed_in_one_request(
    created: CreatedAssets, storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    requests, some, made = Requests(storage_clients), neighbours(2), Created("g", columns("a"))
    assert requests.of(created, dict.fromkeys(some, Created())) == {"table transaction": 1}
    assert requests.of(created, dict.fromkeys(some, made)) == {"table transaction": 1}
    assert requests.of(created, dict.fromkeys(some, made)) == {"table query": 1}
    grown = dict.fromkeys(some, Created("g", columns("b")))
    assert requests.of(created, grown) == {"table query": 1, "table transaction": 1}
    assert requests.of(created, {some[0]: made, some[1]: Created("h")}) == {"table query": 1, "table write": 1}


def test_a_worker_remembers_a_limited_number_of_announcements(
    created: CreatedAssets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.created_assets._MOST_ANNOUNCED", 2)
    known = []
    for _ in range(5):
        created.add_many({a_name(): Created()})
        known.append(len(created._announced))
    assert known == [1, 2, 3, 1, 2]


@pytest.mark.parametrize(
    ("removed", "is_left"), [("g", False), ("", True), ("h", True)], ids=["it", "an announcement", "another"]
)
def test_only_the_asset_that_was_meant_is_removed(removed: str, is_left: bool, created: CreatedAssets) -> None:
    name = a_name()
    created.remove(name, removed)
    created.add_many({name: Created("g", columns("a"))})
    created.remove(name, removed)
    assert (name in created.get_many([name])) == is_left


def test_what_was_announced_here_and_changed_elsewhere_is_not_overwritten(
    created: CreatedAssets, storage_clients: StorageClients
) -> None:
    name = a_name()
    created.add_many({name: Created()})
    CreatedAssets(storage_clients).add_many({name: Created("g", columns("a"))})
    created.add_many({name: Created("g", columns("b"))})
    assert created.get_many([name]) == {name: Created("g", columns("a", "b"))}


def test_an_announcement_is_as_old_as_the_last_worker_that_made_it(
    created: CreatedAssets, storage_clients: StorageClients
) -> None:
    name = a_name()
    times = []
    for each in (created, CreatedAssets(storage_clients), CreatedAssets(storage_clients), created):
        each.add_many({name: Created()})
        times.append(str(created.get_many([name])[name].announced))
    assert "None" not in times
    assert sorted(set(times)) == times
    created.add_many({name: Created("g")})
    assert created.get_many([name]) == {name: Created("g")}


def test_announcements_of_earlier_versions_are_dated_by_their_rows(
    created: CreatedAssets, storage_clients: StorageClients
) -> None:
    """Table Storage itself records when a row was written, so the row needs no property for it."""
    name = a_name()
    key = asset_key(name)
    row = {"typeName": name.type_name, "qualifiedName": name.qualified_name, "guid": "", "columns": "[]"}
    keys = {"PartitionKey": key.partition, "RowKey": key.row}
    before = datetime.now(UTC) - timedelta(seconds=1)
    storage_clients.table(CREATED_ASSETS).create_entity({**row, **keys})
    announced = created.get_many([name])[name].announced
    assert announced is not None
    assert before <= announced <= datetime.now(UTC) + timedelta(seconds=1)


def test_the_type_is_a_part_of_the_name(created: CreatedAssets) -> None:
    name = a_name()
    created.add_many({name: Created("g")})
    assert created.get_many([AssetName("DataSet", name.qualified_name)]) == {}


def test_strange_names_and_any_number_of_columns(created: CreatedAssets) -> None:
    name = a_name("\x00/\\#?'😀half \ud800" + "ä" * 40_000)
    wide = frozenset(f"column {number} \x00'\"😀\ud800" for number in range(5_000))
    created.add_many({name: Created("g", wide)})
    assert created.get_many([name]) == {name: Created("g", wide)}


def test_all_lists_what_was_really_created(created: CreatedAssets) -> None:
    one, other = a_name("b ü"), a_name()
    created.add_many({one: Created("g", columns("a")), other: Created()})
    listed = dict(created.all())
    assert listed[one] == Created("g", columns("a"))
    assert other not in listed


def test_workers_at_once_lose_nothing(created: CreatedAssets) -> None:
    name = a_name()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: created.add_many({name: Created("g", columns(f"c{number}"))}), range(24)))
    assert created.get_many([name])[name].columns == {f"c{number}" for number in range(24)}


def test_what_is_known_already_is_not_written(created: CreatedAssets, storage_clients: StorageClients) -> None:
    name = a_name()

    def etag() -> str:
        query = f"qualifiedName eq '{name.qualified_name}'"
        (row,) = storage_clients.table(CREATED_ASSETS).query_entities(query)
        return str(row.metadata["etag"])

    created.add_many({name: Created("g", columns("a", "b"))})
    before = etag()
    created.add_many({name: Created("g", columns("b"))})
    assert etag() == before


def test_an_asset_without_its_recorded_columns_counts_as_foreign(
    created: CreatedAssets, storage_clients: StorageClients
) -> None:
    name = a_name()
    created.add_many({name: Created("g", frozenset(str(number) for number in range(10_000)))})
    container = storage_clients.container(DETAILS)
    for blob in container.list_blob_names(name_starts_with=f"{CREATED_ASSETS}/"):
        container.delete_blob(blob)
    assert created.get_many([name]) == {}
    assert name not in dict(created.all())


def test_unavailable_storage_is_reported(unreachable: StorageConnection) -> None:
    created = CreatedAssets(connect(unreachable))
    with budget(0.5), pytest.raises(StorageUnavailable):
        created.get_many([a_name()])
