"""Which locks a creation takes, and what is checked where they were not held."""

import random

import pytest

from core.catalog_model import Asset, AssetName
from core.errors import CatalogConflict
from purview.catalog import Catalog
from purview.creation import BUCKETS, CREATE_AT_ONCE, confirm, creation_locks, neighbours
from purview.upload_task import Task
from tests.purview.helpers import PROCESS, SQL, DataMap, MemoryCache, MemoryRecord, ThreadLocks, dataset, lineage, table

NAMES = [AssetName(SQL, f"mssql://s/d/dbo/t{number}") for number in range(2 * CREATE_AT_ONCE + 1)]


def test_every_lock_is_one_of_a_fixed_number_and_neighbours_share_them() -> None:
    assert creation_locks(NAMES) == [f"creation {number:02}" for number in range(BUCKETS)]
    assert creation_locks([]) == []
    assert creation_locks(NAMES[:9]) == sorted({lock for name in NAMES[:9] for lock in creation_locks([name])})


def test_names_are_in_groups_whose_locks_follow_each_other() -> None:
    groups = list(neighbours(random.Random(1).sample(NAMES, len(NAMES))))
    assert [len(group) for group in groups] == [CREATE_AT_ONCE, CREATE_AT_ONCE, 1]
    locks = [lock for group in groups for name in group for lock in creation_locks([name])]
    assert locks == sorted(locks)
    assert sorted(name for group in groups for name in group) == sorted(NAMES)


@pytest.mark.parametrize("happened", ["nothing", "deleted", "created again"])
def test_assets_that_were_deleted_meanwhile_are_noticed(happened: str, catalog: Catalog, data_map: DataMap) -> None:
    assets = [Asset(name, data_map.add(*_pair(name))) for name in NAMES[:3]]
    if happened != "nothing":
        data_map.delete(assets[1].guid)
    if happened == "created again":
        data_map.add(*_pair(NAMES[1]))
    locks = ThreadLocks()
    item = lineage(dataset(table("t")))
    task = Task(
        item, {}, AssetName(PROCESS, "p"), catalog, MemoryCache(), MemoryRecord(), locks, "", lambda a, b: a == b, 1
    )
    if happened == "nothing":
        confirm(task, assets)
    else:
        with pytest.raises(CatalogConflict):
            confirm(task, assets)
    assert locks.held == [creation_locks(NAMES[:3])]


def _pair(name: AssetName) -> tuple[str, str]:
    return name.type_name, name.qualified_name
