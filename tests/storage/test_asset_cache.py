"""Guids are cached for a while, and an unavailable cache does no harm."""

from datetime import UTC, datetime, timedelta

import pytest

from core.catalog_model import AssetName
from core.storage_connection import StorageConnection
from storage import batches
from storage.asset_cache import AssetCache
from storage.clients import StorageClients, connect
from storage.request_budget import budget
from tests.storage.asset_names import neighbours
from tests.storage.runs import new_run

KEEP = timedelta(hours=1)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2024, 1, 31, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Midnight."""
    return Clock()


@pytest.fixture
def cache(storage_clients: StorageClients, clock: Clock) -> AssetCache:
    """The cache on Azurite."""
    return AssetCache(storage_clients, KEEP, clock)


def names(number: int) -> list[AssetName]:
    """Names that no other test has."""
    return [AssetName("azure_datalake_gen2_path", f"https://x/{new_run()}/{n}") for n in range(number)]


def test_guids_are_remembered_and_dropped(cache: AssetCache) -> None:
    one, two, three = names(3)
    cache.put_many({one: "g1", two: "g2"})
    assert cache.get_many([one, two, three, one]) == {one: "g1", two: "g2"}
    cache.put_many({one: "g3"})
    cache.drop([two, three, two])
    assert cache.get_many([one, two, three]) == {one: "g3"}


def test_names_of_one_partition_are_written_together(cache: AssetCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    some = {name: f"g{number}" for number, name in enumerate(neighbours(3))}
    cache.put_many(some)
    assert cache.get_many(some) == some
    cache.put_many(dict.fromkeys(some, "new"))
    assert cache.get_many(some) == dict.fromkeys(some, "new")


def test_expired_guids_are_purged_and_counted(cache: AssetCache, clock: Clock) -> None:
    old, new, lasting = names(3)
    # Beyond what other tests have left.
    clock.now += 10 * KEEP
    cache.purge()
    cache.put_many({old: "g1"})
    cache.put_many({lasting: "g2"}, lasting=True)
    clock.now += KEEP
    cache.put_many({new: "g3"})
    assert cache.purge() == 0
    clock.now += timedelta(seconds=1)
    assert cache.purge() == 1
    clock.now -= timedelta(seconds=2)
    assert cache.get_many([old, new, lasting]) == {new: "g3", lasting: "g2"}


@pytest.mark.exhaustive
def test_many_are_remembered(cache: AssetCache, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough that several are in one partition."""
    monkeypatch.setattr(batches, "_WORTH_A_TRANSACTION", 2)
    some = {name: f"g{number}" for number, name in enumerate(names(600))}
    cache.put_many(some)
    others = names(50)
    assert cache.get_many([*others, *some]) == some
    clock.now += KEEP / 2
    cache.put_many(dict.fromkeys(list(some)[:2000], "new"))
    clock.now += KEEP / 2
    assert cache.get_many(some) == dict.fromkeys(list(some)[:2000], "new")


def test_guids_expire(cache: AssetCache, clock: Clock) -> None:
    (name,) = names(1)
    cache.put_many({name: "g"})
    clock.now += KEEP - timedelta(seconds=1)
    assert cache.get_many([name]) == {name: "g"}
    clock.now += timedelta(seconds=1)
    assert cache.get_many([name]) == {}


def test_lasting_guids_stay_until_they_are_dropped(cache: AssetCache, clock: Clock) -> None:
    (name,) = names(1)
    cache.put_many({name: "g"}, lasting=True)
    clock.now += 1000 * KEEP
    assert cache.get_many([name]) == {name: "g"}
    cache.drop([name])
    assert cache.get_many([name]) == {}


def test_the_type_is_a_part_of_the_name(cache: AssetCache) -> None:
    (name,) = names(1)
    cache.put_many({name: "g"})
    assert cache.get_many([AssetName("azure_sql_table", name.qualified_name)]) == {}


@pytest.mark.parametrize("text", ["\x00/\\#?'", "😀" * 10_000, "half \ud800"])
def test_strange_names(cache: AssetCache, text: str) -> None:
    name = AssetName("t", text + new_run())
    cache.put_many({name: "g"})
    assert cache.get_many([name]) == {name: "g"}


def test_nothing_asked_nothing_done(cache: AssetCache) -> None:
    cache.put_many({})
    cache.drop([])
    assert cache.get_many([]) == {}


def test_an_unavailable_cache_is_an_empty_one(unreachable: StorageConnection, clock: Clock) -> None:
    cache = AssetCache(connect(unreachable), KEEP, clock)
    (name,) = names(1)
    with budget(0.5):
        cache.put_many({name: "g"})
        cache.drop([name])
        assert cache.get_many([name]) == {}
