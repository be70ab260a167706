"""Locks work between threads and processes, and a lost one is noticed."""

import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.storage.blob import BlobLeaseClient

from core.errors import LeaseLost
from core.storage_connection import StorageConnection
from storage import locks as locks_module
from storage.clients import LOCKS, StorageClients
from storage.locks import Locks
from tests.storage.runs import new_run
from tests.support.processes import PATIENCE, started, until

ROOT = Path(__file__).parent.parent.parent

#: Seconds between renewals where a test renews on its own.
NEVER = 1e6

COUNTER = """
import sys
from core.storage_connection import StorageConnection
from storage.clients import connect
from storage.locks import Locks

connection, key, file = sys.argv[1:]
locks = Locks(connect(StorageConnection(connection_string=connection)), 15)
for _ in range(10):
    with locks.hold([key], wait_seconds=180) as held:
        with open(file) as counter:
            number = int(counter.read())
        held.check()
        with open(file, "w") as counter:
            counter.write(str(number + 1))
"""
CRASH = """
import os, sys
from core.storage_connection import StorageConnection
from storage.clients import connect
from storage.locks import Locks

with Locks(connect(StorageConnection(connection_string=sys.argv[1])), 15).hold([sys.argv[2]], wait_seconds=60):
    os._exit(0)
"""


@pytest.fixture
def locks(storage_clients: StorageClients) -> Locks:
    """Locks of the shortest lease that Azure has."""
    return Locks(storage_clients, lease_seconds=15)


def break_lease(clients: StorageClients, key: str) -> None:
    """What a person, or time, can do to a lease."""
    name = locks_module._blob_name(key)
    BlobLeaseClient(clients.container(LOCKS).get_blob_client(name)).break_lease(0)


def is_held(locks: Locks, key: str) -> bool:
    """Whether anybody holds a lock."""
    try:
        with locks.hold([key], wait_seconds=0):
            return False
    except LeaseLost:
        return True


def test_one_holder_at_a_time(locks: Locks) -> None:
    key = new_run()
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with locks.hold([key], wait_seconds=PATIENCE) as held:
            inside.append(number)
            most.append(len(inside))
            held.check()
            inside.remove(number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))
    assert most == [1] * 12


@pytest.mark.exhaustive
@pytest.mark.usefixtures("storage_clients")
def test_two_processes_count_together(storage_connection: StorageConnection, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNTER, storage_connection.connection_string, new_run(), str(counter)]
    with started(command) as one, started(command) as other:
        assert (one.wait(PATIENCE), other.wait(PATIENCE)) == (0, 0)
    assert counter.read_text() == "20"


def test_a_lock_is_polled_at_growing_intervals_and_last_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[-1], sleep=lambda seconds: now.append(now[-1] + seconds))
    monkeypatch.setattr("storage.locks.time", clock)
    looks = list(locks_module._looks(1010.0))
    pauses = [later - earlier for earlier, later in pairwise(now)]
    chosen = [0.05, 0.1, 0.2, 0.4, 0.8, *[1.0] * len(pauses)]
    assert looks == list(range(len(now)))
    assert [n for n, pause in enumerate(pauses[:-1]) if not 0.5 * chosen[n] <= pause <= 1.5 * chosen[n]] == []
    assert now[-1] == 1010.0


def test_a_wait_ends_after_the_given_time(locks: Locks) -> None:
    key, asked = new_run(), []
    with locks.hold_any([key], 0, lambda: asked.append("free")) as held:
        assert held
        with locks.hold_any([key], 0, lambda: asked.append("at once")) as other:
            assert other is None
        with locks.hold_any([key], 0.2, lambda: asked.append("later")) as other:
            assert other is None
    # The callback is not called before the first check.
    assert set(asked) == {"later"}


def test_other_keys_do_not_wait(locks: Locks) -> None:
    one, other = new_run(), new_run()
    with locks.hold([one], wait_seconds=1), locks.hold([other], wait_seconds=0):
        assert (is_held(locks, one), is_held(locks, other)) == (True, True)


def test_a_key_given_twice_is_held_once(locks: Locks) -> None:
    key = new_run()
    with locks.hold([key, key], wait_seconds=0) as held:
        held.check()
        assert is_held(locks, key)
    assert not is_held(locks, key)


def test_a_released_lock_is_not_reported_as_held(locks: Locks) -> None:
    with locks.hold([new_run()], wait_seconds=0) as held:
        held.check()
    with pytest.raises(LeaseLost, match="was lost"):
        held.check()


def test_no_keys_no_lock(locks: Locks) -> None:
    with locks.hold([], wait_seconds=0) as held:
        held.check()
        assert held._leases == []


def test_overlapping_sets_in_any_order_never_wait_for_each_other(locks: Locks) -> None:
    keys = [new_run() for _ in range(4)]
    done: list[int] = []
    inside: list[str] = []

    def work(number: int) -> None:
        mine = (keys[number % 4 :] + keys[: number % 4])[:3]
        with locks.hold(mine, wait_seconds=PATIENCE) as held:
            assert not set(mine) & set(inside), "two workers hold one lock"
            inside.extend(mine)
            held.check()
            for key in mine:
                inside.remove(key)
            done.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert sorted(done) == list(range(16))


@pytest.mark.parametrize("wait_seconds", [0, 0.5])
def test_waiting_ends_and_gives_back_what_was_taken(locks: Locks, wait_seconds: float) -> None:
    first, second = sorted([new_run(), new_run()])
    with locks.hold([second], wait_seconds=1):
        with pytest.raises(LeaseLost, match="held by another"), locks.hold([first, second], wait_seconds):
            pass
        assert not is_held(locks, first)
    with locks.hold([first, second], wait_seconds=0):
        pass


def test_a_lock_is_released_when_the_work_fails(locks: Locks) -> None:
    key = new_run()
    with pytest.raises(KeyError), locks.hold([key], wait_seconds=0):
        raise KeyError
    with locks.hold([key], wait_seconds=0):
        pass


def test_a_lease_that_was_taken_away_is_noticed(
    storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_run()
    locks = Locks(storage_clients, 15)
    monkeypatch.setattr(locks, "_renew_seconds", 0.2)
    with locks.hold([key], wait_seconds=0) as held:
        break_lease(storage_clients, key)
        until(lambda: held._leases[0].valid_until == 0)
        with pytest.raises(LeaseLost, match="was lost"):
            held.check()


@pytest.mark.parametrize(("status", "is_lost"), [(404, True), (409, True), (412, True), (403, False), (503, False)])
def test_a_renewal_that_fails_loses_the_lease_only_if_it_is_no_longer_ours(
    status: int, is_lost: bool, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: BlobLeaseClient) -> None:
        raise HttpResponseError(response=SimpleNamespace(status_code=status, reason="", headers={}))

    monkeypatch.setattr(locks, "_renew_seconds", NEVER)
    with locks.hold([new_run()], wait_seconds=0) as held:
        monkeypatch.setattr(BlobLeaseClient, "renew", refused)
        held._leases[0].renew()
        assert (held._leases[0].valid_until == 0) is is_lost


def test_lines_of_the_renewing_thread_belong_to_the_invocation(
    storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Functions host drops the others; the worker's library keeps the id in this variable."""
    worker = pytest.importorskip("azure_functions_runtime")
    lines: list[str | None] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(worker.invocation_id_cv.get())

    handler, key, locks = Lines(), new_run(), Locks(storage_clients, 15)
    monkeypatch.setattr(locks, "_renew_seconds", 0.2)
    locks_module.log.addHandler(handler)
    token = worker.invocation_id_cv.set("invocation-1")
    try:
        with locks.hold([key], wait_seconds=0):
            break_lease(storage_clients, key)
            until(lambda: bool(lines))
    finally:
        worker.invocation_id_cv.reset(token)
        locks_module.log.removeHandler(handler)
    assert set(lines) == {"invocation-1"}


def test_leases_are_renewed(storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = Locks(storage_clients, 15)
    monkeypatch.setattr(locks, "_renew_seconds", 0.1)
    with locks.hold([new_run(), new_run()], wait_seconds=0) as held:
        before = [lease.valid_until for lease in held._leases]
        until(lambda: all(lease.valid_until > old for lease, old in zip(held._leases, before, strict=True)))


def test_many_leases_are_renewed_at_once(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    """In sequence, 64 renewals on slow storage would take longer than the renewal interval."""
    monkeypatch.setattr(locks, "_renew_seconds", NEVER)
    renew, sixteen, counting = BlobLeaseClient.renew, threading.Event(), threading.Lock()
    waiting: list[BlobLeaseClient] = []

    def with_others(client: BlobLeaseClient, **more: Any) -> None:
        with counting:
            waiting.append(client)
            if len(waiting) == 16:
                sixteen.set()
        sixteen.wait(PATIENCE)
        renew(client, **more)

    with locks.hold([new_run() for _ in range(64)], wait_seconds=0) as held:
        monkeypatch.setattr(BlobLeaseClient, "renew", with_others)
        held.renew()
    assert sixteen.is_set()


def test_a_renewal_that_hangs_does_not_keep_the_others_waiting(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_renew_seconds", NEVER)
    renew, hanging = BlobLeaseClient.renew, threading.Event()
    renewed: list[BlobLeaseClient] = []

    with locks.hold([new_run() for _ in range(5)], wait_seconds=0) as held:
        hangs = held._leases[0]._client

        def hang_for_one(client: BlobLeaseClient, **more: Any) -> None:
            if client is hangs:
                hanging.wait(PATIENCE)
                raise ServiceRequestError("hung")
            renew(client, **more)
            renewed.append(client)

        monkeypatch.setattr(BlobLeaseClient, "renew", hang_for_one)
        renewing = threading.Thread(target=held.renew)
        renewing.start()
        try:
            until(lambda: len(renewed) == 4)
        finally:
            hanging.set()
            renewing.join()


def test_a_stalled_worker_notices_by_its_own_clock(locks: Locks, monkeypatch: pytest.MonkeyPatch) -> None:
    with locks.hold([new_run()], wait_seconds=0) as held:
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 16)
        with pytest.raises(LeaseLost):
            held.check()
        monkeypatch.undo()


@pytest.mark.exhaustive
def test_the_lock_of_a_crashed_worker_runs_out(storage_connection: StorageConnection, locks: Locks) -> None:
    key = new_run()
    command = [sys.executable, "-c", CRASH, storage_connection.connection_string, key]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE).returncode == 0
    with pytest.raises(LeaseLost), locks.hold([key], wait_seconds=0):
        pass
    with locks.hold([key], wait_seconds=PATIENCE):
        pass


def test_no_thread_is_left_behind(locks: Locks) -> None:
    before = threading.active_count()
    for _ in range(3):
        with locks.hold([new_run()], wait_seconds=0):
            pass
    assert threading.active_count() == before


@pytest.mark.parametrize("key", ["", "a/b?c#d\\", "\x00", "😀" * 5000, "half \ud800"])
def test_strange_keys(locks: Locks, key: str) -> None:
    strange = key + new_run()
    with locks.hold([strange], wait_seconds=1):
        assert is_held(locks, strange)
    assert not is_held(locks, strange)


@pytest.mark.parametrize("seconds", [14, 61])
def test_azure_has_leases_of_15_to_60_seconds(storage_clients: StorageClients, seconds: int) -> None:
    with pytest.raises(ValueError, match="15 to 60"):
        Locks(storage_clients, seconds)


def test_old_locks_that_are_free_are_purged_and_counted(locks: Locks) -> None:
    hour = timedelta(hours=1)
    locks.purge(datetime.now(UTC) + hour)
    with locks.hold(["held"], 0):
        with locks.hold(["free", "free too"], 0):
            pass
        assert locks.purge(datetime.now(UTC) - hour) == 0
        assert locks.purge(datetime.now(UTC) + hour) == 2
        assert locks.purge(datetime.now(UTC) + hour) == 0
        with pytest.raises(LeaseLost), locks.hold(["held"], 0):
            pass
    assert locks.purge(datetime.now(UTC) + hour) == 1
