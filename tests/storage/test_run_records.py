"""Which processes a run belongs to."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.identity import run_key
from storage.clients import StorageClients
from storage.run_records import RecordsOfOneWorker, RunRecord, RunRecords
from tests.storage.runs import new_run


@pytest.fixture
def processes(storage_clients: StorageClients) -> RunRecords:
    """The table on Azurite."""
    return RunRecords(storage_clients)


def test_names_are_added_and_removed(processes: RunRecords) -> None:
    run = new_run()
    assert processes.get(run) == frozenset()
    processes.add(run, ["a", "b"])
    processes.add(run, ["b", "c"])
    assert processes.get(run) == {"a", "b", "c"}
    processes.end(run, "events", ["a", "unknown"])
    assert processes.get(run) == {"b", "c"}
    processes.end(run, "events", ["b", "c"])
    assert processes.get(run) == frozenset()
    processes.add(run, ["d"])
    assert processes.get(run) == {"d"}


def test_only_the_last_worker_that_ends_is_believed(processes: RunRecords) -> None:
    run = new_run()
    processes.add(run, ["a", "b"])
    assert processes.begin(run, "")
    assert processes.begin(run, "")
    processes.end(run, "all events", ["a"])
    assert processes.read(run) == RunRecord(frozenset("ab"), at_work=1)
    processes.end(run, "all events", ["a"])
    assert processes.read(run) == RunRecord(frozenset("b"), "all events")


def test_a_worker_does_not_begin_on_what_others_have_ended(processes: RunRecords) -> None:
    run = new_run()
    processes.begin(run, "")
    processes.end(run, "all events")
    assert not processes.begin(run, "")
    assert processes.begin(run, "all events")


def test_after_a_crash_nothing_is_taken_for_processed(processes: RunRecords) -> None:
    run = new_run()
    processes.begin(run, "")  # and crashes
    processes.begin(run, "")
    processes.end(run, "all events")
    assert processes.read(run).processed == ""


def test_one_that_gives_up_is_not_at_work_any_more(processes: RunRecords) -> None:
    run = new_run()
    processes.begin(run, "")
    processes.give_up(run)
    assert processes.read(run) == RunRecord()


def test_runs_do_not_share_names(processes: RunRecords) -> None:
    one, other = new_run(), run_key("no uuid " + new_run())
    processes.add(one, ["a"])
    processes.add(other, ["b"])
    assert processes.get(one) == {"a"}
    assert processes.get(other) == {"b"}


def test_any_names_and_any_number(processes: RunRecords) -> None:
    run = new_run()
    names = {f"sparklin://x/y#{number}/\x00'\"😀\\" + "n" * 200 for number in range(500)}
    processes.add(run, names)
    assert processes.get(run) == names


def test_workers_at_once_lose_nothing(processes: RunRecords) -> None:
    run = new_run()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: processes.add(run, [f"p{number}"]), range(24)))
    assert processes.get(run) == {f"p{number}" for number in range(24)}


def test_one_worker_writes_on_what_it_knows_and_sees_what_others_wrote(
    processes: RunRecords, storage_clients: StorageClients
) -> None:
    run, worker = new_run(), RecordsOfOneWorker(storage_clients)
    assert worker.read(run) == RunRecord()
    processes.add(run, ["a"])
    assert worker.add(run, ["b"]) == {"a"}
    processes.add(run, ["c"])
    assert worker.get(run) == {"a", "b", "c"}
    processes.end(run, "all events", ["a"])
    assert worker.add(run, ["b"]) == {"b", "c"}
    assert processes.get(run) == {"b", "c"}


def test_one_worker_does_not_begin_on_what_others_have_ended(
    processes: RunRecords, storage_clients: StorageClients
) -> None:
    run, worker = new_run(), RecordsOfOneWorker(storage_clients)
    known = worker.read(run).processed
    processes.begin(run, "")
    processes.end(run, "all events")
    assert not worker.begin(run, known)
    assert worker.begin(run, worker.read(run).processed)
    assert processes.read(run).at_work == 1
    worker.end(run, "all events")
    assert processes.read(run) == RunRecord(processed="all events")
