"""An installation is updated: this version takes over what earlier versions left in storage and in the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.demo.check import expected_processes, missing
from pipeline.run import process_run
from tests.support.catalogue import entities, twice
from tests.support.installation import Installation, installed
from tests.support.storage_accounts import StorageAccounts
from tests.upgrade.stores import STORES, Store

# Each update is made once, for all tests.
pytestmark = pytest.mark.xdist_group("update")

VERSIONS = sorted(path.name.removesuffix(".json.gz") for path in STORES.glob("*.json.gz"))

# Versions in which the sessions of a Fabric notebook still had their own processes: those move.
RENAMED = {"06ad8d8": "nb_merge_customers_1_c8_ef325_a4_d6_4_b70_9_e32_06_f9_b18_d4_ca7"}


@dataclass
class Update:
    """An update from one version, after the timer and all retries had their turn."""

    store: Store
    after: Installation
    before: dict[str, Any]


@pytest.fixture(scope="module", params=VERSIONS)
def update(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, storage_accounts: StorageAccounts
) -> Iterator[Update]:
    store = Store.read(STORES / f"{request.param}.json.gz")
    with installed(tmp_path_factory.mktemp("update"), store, storage=storage_accounts.new()) as installation:
        before = installation.processes()
        assert installation.take_messages() == len(store.queues["lineage-retry"])
        installation.timer()
        yield Update(store, installation, before)


def bodies(update: Update) -> list[bytes]:
    """The events in the store, without those of dead-lettered runs and of runs that have not ended."""
    counts = update.after.statuses()
    blobs = [blob for blob in update.store.blobs if blob["container"] == "openlineage"]
    return [blob["data"].encode() for blob in blobs if counts[_run(blob)].keys() <= {"Processed", "Ignored"}]


def _run(blob: dict[str, Any]) -> str:
    return str(blob["name"].split("/")[1])


def test_every_event_is_still_there_with_its_row(update: Update) -> None:
    stored = [_run(blob) for blob in update.store.blobs if blob["container"] == "openlineage"]
    counts = update.after.statuses()
    assert {run: counts[run].total() for run in counts} == {run: stored.count(run) for run in stored}


def test_what_waited_for_a_retry_or_was_interrupted_by_the_update_is_processed(update: Update) -> None:
    left = {status for counts in update.after.statuses().values() for status in counts}
    assert left == {"Processed", "Ignored", "DeadLettered", "Waiting"}


def test_runs_that_have_not_ended_keep_waiting(update: Update) -> None:
    rows = update.store.tables["EventMetadata"]
    waiting = {row["RowKey"].partition("|")[0] for row in rows if row.get("Status") == "Waiting"}
    assert {run for run, counts in update.after.statuses().items() if "Waiting" in counts} == waiting


def test_dead_letters_are_read_and_can_be_replayed(update: Update) -> None:
    services = update.after.services
    letters = [services.dead_letters.read(name) for name in services.dead_letters.names()]
    assert letters
    assert all(letter and letter.reason and letter.remedy for letter in letters)
    for run in {letter.run_key for letter in letters if letter}:
        assert process_run(run, services, replay=True)
    assert not any("DeadLettered" in counts for counts in update.after.statuses().values())


def test_no_lineage_is_lost(update: Update) -> None:
    expected = expected_processes(bodies(update), {})
    assert expected
    assert list(missing(expected, entities(update.after.data_map))) == []


def test_nothing_is_drawn_twice(update: Update) -> None:
    assert twice(update.after.data_map) == []
    renamed = RENAMED.get(update.store.version)
    assert [name for name in update.after.processes() if renamed and renamed in name] == []


def test_processes_keep_their_guids(update: Update) -> None:
    after = update.after.processes()
    kept = {name: entity["guid"] for name, entity in update.before.items() if name in after}
    assert len(kept) >= len(update.before) - 2
    assert {name: after[name]["guid"] for name in kept} == kept


def test_no_unchanged_process_is_uploaded(update: Update) -> None:
    # Interrupted, retried and renamed ones are. The store is an hour or two old, so no refresh is due.
    unfinished = {row["qualifiedName"] for row in update.store.tables["LineageDetails"] if row["dirty"]}
    renamed = RENAMED.get(update.store.version, "-")
    unchanged = [name for name in update.before if name not in unfinished and renamed not in name]
    assert len(unchanged) > 10
    assert {name: update.after.uploads[name] for name in unchanged if update.after.uploads[name]} == {}


def test_what_the_timer_finds_a_second_time_is_not_uploaded_again(update: Update) -> None:
    update.after.uploads.clear()
    update.after.timer()
    update.after.timer()
    assert update.after.uploads == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", VERSIONS)
def test_after_a_replay_the_catalogue_is_that_of_a_new_installation(
    version: str, tmp_path: Path, storage_accounts: StorageAccounts
) -> None:
    store = Store.read(STORES / f"{version}.json.gz")
    (tmp_path / "new").mkdir()
    (tmp_path / "old").mkdir()
    with (
        installed(tmp_path / "old", store, storage=storage_accounts.new()) as updated,
        installed(tmp_path / "new", storage=storage_accounts.new()) as new,
    ):
        updated.take_messages()
        updated.timer()
        updated.process_again()
        events = [blob for blob in store.blobs if blob["container"] == "openlineage"]
        sent = {_run(blob): new.send(blob["data"].encode()) for blob in events}
        for last in sent.values():
            new.deliver(last)
        assert updated.picture() == new.picture()
