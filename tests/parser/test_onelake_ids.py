"""GUIDs of OneLake: which names a lineage needs them for, and which of several counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.catalog_model import LearnedId
from core.event_model import Dataset, EventDataset, Symlink
from core.identity import dataset_id
from core.lineage_model import Application, Lineage
from core.replacing import replace
from parser.merge import merge
from parser.onelake_ids import known_among, learned_ids, used_names, with_ids
from tests.support.events import run_event

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORKSPACE, ITEM = "5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4", "3c8e5d12-94ab-4f70-a6d3-5b29e7c0f481"
OTHER = "99999999-2c56-4d9f-8e1a-f3a96c4b7d20"
HOST = "onelake.dfs.fabric.microsoft.com"


def lineage(*inputs: tuple[str, str]) -> Lineage:
    """A write to the local disk from datasets in OneLake, each a workspace and a path in it."""
    datasets = tuple(Dataset(dataset_id(f"abfss://{workspace}@{HOST}", path)) for workspace, path in inputs)
    sink = Dataset(dataset_id("file", "t"))
    return Lineage(application=Application("ns", "nb"), operation="insert", sink=sink, inputs=datasets, columns=())


@pytest.mark.parametrize(
    ("workspace", "path", "names"),
    [
        ("Sales", "Lake.Lakehouse/Tables/t", ["Sales", "Sales/Lake.Lakehouse"]),
        ("Sales", f"{ITEM}/Tables/t", ["Sales"]),
        (WORKSPACE, "Lake.Lakehouse/Tables/t", [f"{WORKSPACE}/Lake.Lakehouse"]),
        (WORKSPACE, f"{ITEM}/Tables/t", []),
    ],
)
def test_names_need_guids(workspace: str, path: str, names: list[str]) -> None:
    assert list(used_names(lineage((workspace, path)))) == names


def learned(guid: str, minutes: int = 0, name: str = "Sales") -> LearnedId:
    return LearnedId(NOON + timedelta(minutes=minutes), name, guid)


@pytest.mark.parametrize(
    ("known", "ids", "notes"),
    [
        ({}, (), []),
        ({"sales": [learned(WORKSPACE)]}, (("Sales", WORKSPACE),), []),
        ({"other": [learned(WORKSPACE)]}, (), []),
        ({"sales": [learned(OTHER), learned(WORKSPACE, 1)]}, (("Sales", WORKSPACE),), ["onelake-ids-differ"]),
        ({"sales": [learned(WORKSPACE, 1), learned(OTHER)]}, (("Sales", WORKSPACE),), ["onelake-ids-differ"]),
        ({"sales": [learned(WORKSPACE, 1), learned(WORKSPACE)]}, (("Sales", WORKSPACE),), []),
    ],
)
def test_of_two_guids_that_of_the_newest_event_counts(
    known: dict[str, list[LearnedId]], ids: tuple[tuple[str, str], ...], notes: list[str]
) -> None:
    found = with_ids(lineage(("Sales", f"{ITEM}/Tables/t")), known)
    assert (found.onelake_ids, [note.code for note in found.notes]) == (ids, notes)


BY_NAMES = {"workspace.name": "Sales", "workspace.id": WORKSPACE, "lakehouse.name": "Lake", "lakehouse.id": ITEM}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (
            BY_NAMES,
            {("Sales", WORKSPACE), ("Sales/Lake.Lakehouse", ITEM), (f"{WORKSPACE}/Lake.Lakehouse", ITEM)},
        ),
        (
            {**BY_NAMES, "lakehouse.name": "Lake.Lakehouse", "workspace.name": ""},
            {(f"{WORKSPACE}/Lake.Lakehouse", ITEM)},
        ),
        ({**BY_NAMES, "lakehouse.id": "no guid", "workspace.id": "no guid"}, set()),
        (
            {**BY_NAMES, "workspace.name": OTHER, "lakehouse.name": ""},
            set(),
        ),
    ],
)
def test_properties_of_fabric_name_what_they_give_the_guid_of(
    properties: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    event = replace(run_event(), properties={f"trident.{key}": value for key, value in properties.items()})
    assert {(each.name, each.guid) for each in learned_ids(merge([event]))} == expected


def linked(one: tuple[str, str], other: tuple[str, str], kind: str = "LOCATION") -> set[tuple[str, str]]:
    """What an event says whose output is called in one way, and in another way by its symlink."""
    spaces = [f"abfss://{workspace}@{HOST}" for workspace, _ in (one, other)]
    dataset = Dataset(dataset_id(spaces[0], one[1]), symlinks=(Symlink(spaces[1], other[1], kind),))
    event = replace(run_event(), outputs=(EventDataset(dataset),))
    return {(each.name, each.guid) for each in learned_ids(merge([event]))}


NAMES, GUIDS = ("Sales", "Lake.Lakehouse/Tables/t"), (WORKSPACE, f"{ITEM}/Tables/t")
SAME = {("Sales", WORKSPACE), ("Sales/Lake.Lakehouse", ITEM)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NAMES, GUIDS, SAME),
        (GUIDS, NAMES, SAME),
        (NAMES, (WORKSPACE, f"{ITEM}/Tables/u"), set()),
        (NAMES, (WORKSPACE, ITEM), set()),
        # What both spell in the same way must be equal, but for case and encoding.
        (NAMES, ("Sales", f"{ITEM}/Tables/t"), {("Sales/Lake.Lakehouse", ITEM)}),
        (NAMES, ("SALES", f"{ITEM}/Tables/t"), SAME - {("Sales", WORKSPACE)}),
        (NAMES, ("Other", f"{ITEM}/Tables/t"), set()),
        (GUIDS, (OTHER, "Lake.Lakehouse/Tables/t"), set()),
        (GUIDS, (WORKSPACE, "Lake.Lakehouse/Tables/t"), {(f"{WORKSPACE}/Lake.Lakehouse", ITEM)}),
        (NAMES, NAMES, set()),
        # A folder of a workspace that has no kind is no item.
        (("Sales", "Lake/Tables/t"), GUIDS, {("Sales", WORKSPACE)}),
    ],
)
def test_a_location_pairs_names_with_guids(
    one: tuple[str, str], other: tuple[str, str], expected: set[tuple[str, str]]
) -> None:
    assert linked(one, other) == expected
    assert linked(one, other, kind="location") == expected
    assert linked(one, other, kind="TABLE") == set()


def test_what_several_runs_say_is_kept_by_plain_name_with_the_newest_time_of_each_guid() -> None:
    def said(minute: float, guid: str, name: str) -> Any:
        properties = {"trident.workspace.name": name, "trident.workspace.id": guid}
        return merge([replace(run_event(minute=minute), properties=properties)])

    runs = [said(1, WORKSPACE, "Sales"), said(2, OTHER, "SALES"), said(3, WORKSPACE, "sales")]
    for order in (runs, runs[::-1]):
        found = known_among(order)
        assert {key: {(each.guid, each.time.minute) for each in listed} for key, listed in found.items()} == {
            "sales": {(WORKSPACE, 3), (OTHER, 2)}
        }
