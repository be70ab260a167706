"""Which processes a run belongs to."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.identity import run_key
from storage.clients import StorageClients
from storage.run_records import RecordsOfOneWorker, RunRecord, RunRecords
from tests.storage.runs import NOON, new_run


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


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("begin", ""), ("begin", ""), ("give_up",)], RunRecord(at_work=1)),
        ([("give_up",)], RunRecord()),
        ([("note_answered", "events"), ("give_up",)], RunRecord()),
        ([("end", "events")], RunRecord(processed="events")),
        ([("note_retry", NOON)], RunRecord(retry_at=NOON)),
        ([("note_retry", NOON), ("note_answered", "events")], RunRecord(processed="events")),
        ([("note_retry", NOON), ("end", "events")], RunRecord(processed="events")),
        ([("note_retry", NOON), ("begin", ""), ("begin", ""), ("end", "events")], RunRecord(at_work=1)),
        ([("note_answered", "events"), ("note_retry", NOON)], RunRecord(processed="events", retry_at=NOON)),
        (
            [("add", ["a"]), ("note_answered", "events"), ("note_retry", NOON), ("note_unprocessed",)],
            RunRecord(frozenset("a")),
        ),
        ([("add", ["a"]), ("delete",)], RunRecord()),
        ([("delete",)], RunRecord()),
    ],
    ids=lambda value: "-".join(name for name, *_ in value) if isinstance(value, list) else "",
)
def test_what_a_record_says_after_some_changes(
    changes: list[tuple[Any, ...]], expected: RunRecord, processes: RunRecords
) -> None:
    run = new_run()
    for name, *arguments in changes:
        getattr(processes, name)(run, *arguments)
    assert processes.read(run) == expected


@pytest.mark.parametrize(
    ("known", "is_first", "expected"),
    [
        (None, True, {"10"}),
        (None, False, set()),
        (set(), True, set()),
        (set(), False, set()),
        ({"09"}, True, {"09", "10"}),
        ({"09"}, False, {"09", "10"}),
    ],
)
def test_an_hour_is_noted_if_the_others_are_known(
    known: set[str] | None, is_first: bool, expected: set[str], processes: RunRecords
) -> None:
    run = new_run()
    if known is not None:
        processes.add(run, ["a"])
        processes.note_hours(run, processes.read(run), known)
    assert processes.note_hour(run, "10", is_first=is_first) == expected
    assert processes.read(run).hours == expected


def test_hours_are_added_to_the_record_that_was_read_and_to_no_other(processes: RunRecords) -> None:
    run = new_run()
    read = processes.read(run)
    processes.note_hours(run, read, ["09", "10"])
    processes.note_hours(run, read, ["11"])
    assert processes.read(run) == RunRecord(hours=frozenset({"09", "10"}))
    processes.note_hours(run, processes.read(run), ["11", "09"])
    assert processes.read(run) == RunRecord(hours=frozenset({"09", "10", "11"}))


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
