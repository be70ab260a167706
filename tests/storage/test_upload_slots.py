"""Upload slots on Azurite: never more uploads than slots, however many workers want one."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from core.errors import CircuitOpen
from core.storage_connection import StorageConnection
from storage.clients import StorageClients
from storage.locks import Locks
from storage.upload_slots import UploadSlots
from tests.storage.runs import new_run

ROOT = Path(__file__).parent.parent.parent
CRASH = """
import os, sys
from core.storage_connection import StorageConnection
from storage.clients import connect
from storage.locks import Locks

with Locks(connect(StorageConnection(connection_string=sys.argv[1])), 15).hold([sys.argv[2]], wait_seconds=5):
    os._exit(0)
"""


def slots(clients: StorageClients, name: str, count: int) -> UploadSlots:
    """Slots that no other test uses."""
    made = UploadSlots(Locks(clients, 15), count)
    made._keys = tuple(f"{name} {number}" for number in range(count))
    return made


def held(slots: UploadSlots, wait_seconds: float = 0) -> AbstractContextManager[None]:
    return slots.hold(wait_seconds, lambda: None)


def test_workers_of_several_clients_share_the_slots(storage_clients: StorageClients) -> None:
    name = new_run()
    guard, inside, most = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal inside, most
        with held(slots(storage_clients, name, 3), wait_seconds=60):
            with guard:
                inside += 1
                most = max(most, inside)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(24)))
    assert 1 <= most <= 3


def test_without_a_free_slot_the_upload_is_held_back(storage_clients: StorageClients) -> None:
    mine = slots(storage_clients, new_run(), 1)
    with held(mine), pytest.raises(CircuitOpen, match="all 1 upload slots"), held(mine, wait_seconds=0.2):
        pass
    with held(mine):
        pass


def test_the_wait_for_a_slot_ends_when_the_circuit_opens(storage_clients: StorageClients) -> None:
    mine = slots(storage_clients, new_run(), 1)

    def open_circuit() -> None:
        raise CircuitOpen("Purview was not asked")

    with held(mine), pytest.raises(CircuitOpen, match="was not asked"), mine.hold(60, open_circuit):
        pass


@pytest.mark.exhaustive
def test_the_slot_of_a_crashed_worker_is_free_again(
    storage_connection: StorageConnection, storage_clients: StorageClients
) -> None:
    name = new_run()
    command = [sys.executable, "-c", CRASH, storage_connection.connection_string, f"{name} 0"]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=30).returncode == 0
    mine = slots(storage_clients, name, 1)
    with pytest.raises(CircuitOpen), held(mine):
        pass
    with held(mine, wait_seconds=25):
        pass
