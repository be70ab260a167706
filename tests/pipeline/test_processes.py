"""Lineages become processes, whose datasets are named by the settings and by what the events of the lineage say."""

import pytest

from core.catalog_model import NameContext
from core.identity import dataset_id
from core.lineage_model import Lineage
from core.replacing import replace
from pipeline.processes import Naming, _context, by_process, process_of
from qualified_names.rules import load
from tests.purview.helpers import LAKE, copy_of, folder

Pairs = tuple[tuple[str, str], ...]

OF_SETTINGS = NameContext(mount_points={"/mnt/a": "abfss://a@acct"}, onelake_ids={"Sales": "1"})
NAMING = Naming(load(), OF_SETTINGS)
MOUNTED, SALES = dataset_id("dbfs", "/mnt/raw/t"), folder("gold/sales")
RAW = (("/mnt/raw", "abfss://lake@acct.dfs.core.windows.net/raw"),)


def a_copy(mounts: Pairs = (), ids: Pairs = ()) -> Lineage:
    return replace(copy_of(MOUNTED, SALES, "id"), mount_points=mounts, onelake_ids=ids)


@pytest.mark.parametrize(
    ("mounts", "ids", "expected"),
    [
        ((), (), OF_SETTINGS),
        ((("/mnt/b", "b"),), (), replace(OF_SETTINGS, mount_points={"/mnt/a": "abfss://a@acct", "/mnt/b": "b"})),
        ((("/mnt/a", "b"),), (), replace(OF_SETTINGS, mount_points={"/mnt/a": "b"})),
        ((), (("Gold", "2"),), replace(OF_SETTINGS, onelake_ids={"Sales": "1", "Gold": "2"})),
        ((), (("sales", "2"),), OF_SETTINGS),
        ((("/mnt/a", "b"),), (("Gold", "2"),), NameContext({"/mnt/a": "b"}, "", {"Sales": "1", "Gold": "2"})),
    ],
    ids=["nothing", "mount", "another source", "GUID", "GUID of the settings", "both"],
)
def test_names_depend_on_the_settings_and_on_the_events(mounts: Pairs, ids: Pairs, expected: NameContext) -> None:
    assert _context(a_copy(mounts, ids), NAMING) == expected


def test_datasets_that_are_known_are_named_anew_once_other_mounts_are_known() -> None:
    known = process_of(a_copy(), NAMING)
    mounted = f"{LAKE}/raw/t/{{SparkPartitions}}"
    assert process_of(a_copy(), NAMING, known=known) == known
    assert [each.asset.qualified_name for each in process_of(a_copy(RAW), NAMING, known=known).inputs] == [mounted]
    assert known.inputs[0].asset.qualified_name != mounted


def test_lineages_of_one_sink_are_one_process_with_the_inputs_of_all() -> None:
    one, other = (copy_of(folder(f"raw/{name}"), SALES, "id") for name in ("one", "two"))
    assert list(by_process([one], NAMING).values()) == [process_of(one, NAMING)]
    (process,) = by_process([one, other, one], NAMING).values()
    assert [each.short_name for each in process.inputs] == ["one", "two"]
    assert process.qualified_name == process_of(one, NAMING).qualified_name


def test_a_sink_that_shares_the_name_of_a_process_is_not_shown_but_noted() -> None:
    naming = replace(NAMING, process=lambda _write: "shared")
    shown, silver, bronze = (copy_of(folder("raw/t"), folder(f"{zone}/t"), "id") for zone in ("z", "silver", "bronze"))
    (process,) = by_process([shown, silver, bronze], naming).values()
    assert process.lineage.sink == shown.sink
    also = [f"{LAKE}/{zone}/t/{{SparkPartitions}}" for zone in ("bronze", "silver")]
    assert [note.text for note in process.lineage.notes] == [
        f"This process also writes {name}: PROCESS_NAMING gives both one name." for name in also
    ]
