"""Lost parts of the store or of the catalogue are rebuilt from the stored events: the same catalogue as before."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from storage.clients import CONTAINERS, TABLES
from tests.support.catalogue import entities, in_any_order, twice
from tests.support.corpus import SPARK_35, bodies
from tests.support.installation import Installation, installed
from tests.support.storage_accounts import StorageAccounts
from tests.upgrade.record import read_blobs, read_tables, repetition
from tests.upgrade.stores import load_blobs, load_tables

# Filled once, for all tests.
pytestmark = pytest.mark.xdist_group("restore")

CONTRACT = json.loads((Path(__file__).parents[2] / "docs" / "contracts" / "rebuild.schema.json").read_text("utf-8"))
TUTORIAL = f"{SPARK_35}/tutorial_parquet_plain_spark"
SCENARIOS = (
    TUTORIAL,
    f"{SPARK_35}/delta_merge",
    f"{SPARK_35}/failing_udf_plain_spark",
    f"{SPARK_35}/partitioned_write_and_read_one",
    "fabric-1.26.0_spark-3.5.1/merge_simple",
)


@dataclass
class Filled:
    """An installation that has processed everything, with what its catalogue and its rows showed then."""

    installation: Installation
    folder: Path
    picture: list[str]
    statuses: dict[str, Any]

    def rebuild(self, *options: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Run ``sparklin rebuild``, as after a restart of the app: nothing is kept in memory."""
        monkeypatch.setenv("LINEAGE_STORAGE", self.installation.connection)
        monkeypatch.setenv("PURVIEW_ENDPOINT", self.installation.data_map)
        monkeypatch.setenv("PURVIEW_AUTH", "none")
        self.installation.uploads.clear()
        result = CliRunner().invoke(app, ["rebuild", *options])
        assert result.exit_code == 0, result.output
        shown: dict[str, Any] = json.loads(result.stdout)
        jsonschema.validate(shown, CONTRACT)
        return shown

    def empty(self, *tables: str) -> None:
        for table in map(self.installation.services.clients.table, tables):
            for row in table.list_entities(select=["PartitionKey", "RowKey"]):
                table.delete_entity(row)

    def drop(self, *tables: str) -> None:
        for name in tables:
            self.installation.services.clients.tables.delete_table(name)

    def sql(self, statement: str, *values: str) -> None:
        """Change the database of the Data Map, as somebody may in Purview's portal."""
        with sqlite3.connect(self.folder / "data_map.db", timeout=30) as connection:
            connection.execute(statement, values)
        connection.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, storage_accounts: StorageAccounts) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    with installed(folder, storage=storage_accounts.new()) as installation:
        for body in events():
            installation.take(body)
        yield Filled(installation, folder, in_any_order(installation.picture()), installation.statuses())


def events() -> Iterator[bytes]:
    for scenario in SCENARIOS:
        yield from bodies(scenario)
    for number in range(2):
        yield from (repetition(body, number) for body in bodies(TUTORIAL))


def test_where_nothing_is_lost_nothing_is_uploaded(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = filled.rebuild(monkeypatch=monkeypatch)
    assert (shown["rows"], shown["uploaded"]) == (0, 0)
    assert shown["events"] == sum(counts.total() for counts in filled.statuses.values())
    assert in_any_order(filled.installation.picture()) == filled.picture


def test_a_dry_run_changes_nothing(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_tables(filled.installation.services.clients)
    shown = filled.rebuild("--dry-run", monkeypatch=monkeypatch)
    assert (shown["rows"], shown["processes"]) == (0, 0)
    assert read_tables(filled.installation.services.clients) == rows


def test_a_dry_run_counts_what_lost_tables_would_get(
    tmp_path: Path, storage_accounts: StorageAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(tmp_path, storage=storage_accounts.new()) as installation:
        for body in bodies(TUTORIAL):
            installation.take(body)
        lost = Filled(installation, tmp_path, [], {})
        events = sum(counts.total() for counts in installation.statuses().values())
        lost.drop("LineageDetails")
        shown = lost.rebuild("--dry-run", monkeypatch=monkeypatch)
        assert (shown["dryRun"], shown["tables"], shown["events"]) == (True, ["LineageDetails"], events)
        assert shown["rows"] == 0
        lost.drop("EventMetadata")
        shown = lost.rebuild("--dry-run", monkeypatch=monkeypatch)
        assert (sorted(shown["tables"]), shown["rows"]) == (["EventMetadata", "LineageDetails"], events)
        assert sorted(lost.rebuild(monkeypatch=monkeypatch)["tables"]) == ["EventMetadata", "LineageDetails"]
        assert lost.rebuild(monkeypatch=monkeypatch)["tables"] == []


def test_processes_that_were_lost_are_uploaded_once_each(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.empty("LineageDetails")
    shown = filled.rebuild(monkeypatch=monkeypatch)
    assert shown["uploaded"] == len(filled.installation.processes())
    assert set(filled.installation.uploads.values()) == {1}
    assert in_any_order(filled.installation.picture()) == filled.picture


@pytest.mark.exhaustive
def test_what_comes_after_the_runs_were_listed_is_recorded_as_well(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One list contains thousands of runs, so that it is old when the last of them is recorded."""
    filled.empty(*TABLES)
    listed = [(run, events[:1]) for run, events in filled.installation.services.events.runs()]
    monkeypatch.setattr("storage.event_store.EventStore.runs", lambda _: iter(listed))
    filled.rebuild(monkeypatch=monkeypatch)
    monkeypatch.undo()
    filled.rebuild(monkeypatch=monkeypatch)
    assert in_any_order(filled.installation.picture()) == filled.picture
    assert filled.installation.statuses() == filled.statuses


LOST: list[tuple[str, Callable[[Filled], None], bool]] = [
    ("the rows of events", lambda filled: filled.empty("EventMetadata"), False),
    ("the records of runs", lambda filled: filled.empty("RunProcesses"), False),
    ("the cache of assets", lambda filled: filled.empty("AssetCache"), False),
    ("the list of our own assets", lambda filled: filled.empty("CreatedAssets"), False),
    ("all rows", lambda filled: filled.empty(*TABLES), True),
    ("the tables themselves", lambda filled: filled.drop(*TABLES), True),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("lost", "lose", "uploads"), LOST, ids=[row[0] for row in LOST])
def test_the_catalogue_is_the_same_whatever_was_lost(
    lost: str, lose: Callable[[Filled], None], uploads: bool, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(filled)
    shown = filled.rebuild(monkeypatch=monkeypatch)
    filled.installation.timer()
    assert filled.installation.statuses() == filled.statuses
    assert bool(shown["uploaded"]) is uploads
    assert in_any_order(filled.installation.picture()) == filled.picture


@pytest.mark.exhaustive
def test_assets_that_somebody_deleted_are_created_again(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    requests.post(f"{filled.installation.data_map}/_control/reset", timeout=30).raise_for_status()
    shown = filled.rebuild("--catalogue", monkeypatch=monkeypatch)
    assert (shown["runs"], shown["uploaded"]) == (0, len(filled.installation.processes()))
    assert in_any_order(filled.installation.picture()) == filled.picture


@pytest.mark.exhaustive
def test_assets_that_were_moved_to_another_collection_stay_there(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.sql("UPDATE entities SET collection = ?", "archive")
    try:
        filled.rebuild("--catalogue", monkeypatch=monkeypatch)
        found = entities(filled.installation.data_map)
        assert {each["collectionId"] for each in found} == {"archive"}
        assert twice(filled.installation.data_map) == []
        assert in_any_order(filled.installation.picture()) == filled.picture
    finally:
        filled.sql("UPDATE entities SET collection = ?", "")


@pytest.mark.exhaustive
def test_an_account_that_was_restored_to_an_earlier_time(
    tmp_path: Path, storage_accounts: StorageAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived since is missing from storage but in the catalogue. Sent again, it gives the same catalogue."""
    earlier, later = list(bodies(TUTORIAL)), list(bodies(SCENARIOS[1])) + [repetition(b, 7) for b in bodies(TUTORIAL)]
    with installed(tmp_path, storage=storage_accounts.new()) as installation:
        clients = installation.services.clients
        for body in earlier:
            installation.take(body)
        tables, blobs = read_tables(clients), read_blobs(clients)
        for body in later:
            installation.take(body)
        restored = Filled(installation, tmp_path, installation.picture(), installation.statuses())

        restored.empty(*TABLES)
        for name in CONTAINERS:
            for blob in clients.container(name).list_blob_names():
                clients.container(name).delete_blob(blob)
        load_tables(clients, tables)
        load_blobs(clients, blobs)

        restored.rebuild(monkeypatch=monkeypatch)
        assert twice(installation.data_map) == []
        for body in later:
            installation.take(body)
        installation.timer()
        assert installation.picture() == restored.picture
        assert installation.statuses() == restored.statuses
