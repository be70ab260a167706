"""Which processes a run belongs to."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.identity import run_key
from storage.clients import StorageClients
from storage.run_processes import RunProcesses
from tests.storage.runs import new_run


@pytest.fixture
def processes(storage_clients: StorageClients) -> RunProcesses:
    """The table on Azurite."""
    return RunProcesses(storage_clients)


def test_names_are_added_and_removed(processes: RunProcesses) -> None:
    run = new_run()
    assert processes.get(run) == frozenset()
    processes.add(run, ["a", "b"])
    processes.add(run, ["b", "c"])
    assert processes.get(run) == {"a", "b", "c"}
    processes.remove(run, ["a", "unknown"])
    assert processes.get(run) == {"b", "c"}
    processes.remove(run, ["b", "c"])
    processes.remove(run, ["b"])
    assert processes.get(run) == frozenset()
    processes.add(run, ["d"])
    assert processes.get(run) == {"d"}


def test_runs_do_not_share_names(processes: RunProcesses) -> None:
    one, other = new_run(), run_key("no uuid " + new_run())
    processes.add(one, ["a"])
    processes.add(other, ["b"])
    assert processes.get(one) == {"a"}
    assert processes.get(other) == {"b"}


def test_any_names_and_any_number(processes: RunProcesses) -> None:
    run = new_run()
    names = {f"sparklin://x/y#{number}/\x00'\"😀\\" + "n" * 200 for number in range(500)}
    processes.add(run, names)
    assert processes.get(run) == names


def test_workers_at_once_lose_nothing(processes: RunProcesses) -> None:
    run = new_run()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: processes.add(run, [f"p{number}"]), range(24)))
    assert processes.get(run) == {f"p{number}" for number in range(24)}
