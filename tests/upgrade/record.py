"""Records the store that a version writes, for tests/upgrade: once for each release, with that release's own code.

    git worktree add ../release v1.2.0
    make -C ../release up
    .venv/bin/python -m tests.upgrade.record ../release/.local v1.2.0
    make -C ../release down

The first argument is the folder of a running local stack that is empty, the second the name of the file in
tests/upgrade/stores. Only what every version has is used: the receiver, the storage account, the Data Map and its
database. It takes about two minutes, and ends the function host: that is the moment of the update.

The store has runs in every state: processed, ignored, failed, repeated, waiting for their end, waiting for a retry that
is on the queue, dead-lettered, and one that a worker was uploading when its host was killed.
"""

import json
import os
import signal
import sys
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from azure.core.exceptions import ResourceNotFoundError

from core.storage_connection import StorageConnection
from storage.clients import EVENT_METADATA, StorageClients, connect
from tests.support.corpus import SPARK_31, SPARK_35, bodies
from tests.upgrade.stores import STORES, Store, packed, read_catalogue

FINISHED = (
    *(f"{SPARK_35}/{name}" for name in ("tutorial_parquet_plain_spark", "delta_merge", "jdbc_read_and_write")),
    *(f"{SPARK_35}/{name}" for name in ("partitioned_write_and_read_one", "onelake_names", "streaming_files")),
    *(f"{SPARK_35}/{name}" for name in ("failing_udf_plain_spark", "no_lineage_actions")),
    "fabric-1.26.0_spark-3.5.1/merge_simple",
    f"{SPARK_31}/customer_master_views",
)
REPEATED = f"{SPARK_35}/tutorial_parquet_plain_spark"
REPETITIONS = 3
WAITING = f"{SPARK_35}/views"
RETRIED = f"{SPARK_35}/jdbc_azure_sql"
REFUSED = f"{SPARK_35}/aggregation"
INTERRUPTED = f"{SPARK_35}/union_two_inputs"

_HOST_CONTAINERS = ("azure-webjobs-", "$")
_SECONDS = 180


def repetition(body: bytes, number: int) -> bytes:
    """The event of the same run at another time: with other run ids."""
    event = json.loads(body)
    parent = event["run"].get("facets", {}).get("parent")
    for run in (event["run"], *([parent["run"]] if parent else [])):
        run["runId"] = str(uuid.uuid5(uuid.UUID(run["runId"]), str(number)))
    return json.dumps(event).encode()


def finished() -> Iterator[bytes]:
    """The events of everything that was processed to its end."""
    for scenario in FINISHED:
        yield from bodies(scenario)
    for number in range(REPETITIONS):
        yield from (repetition(body, number) for body in bodies(REPEATED))


def starts() -> list[bytes]:
    """The events of runs without an end."""
    return [body for body in bodies(WAITING) if json.loads(body)["eventType"] == "START"]


def main(folder: Path, name: str) -> None:
    """Record the store of the stack in a folder."""
    stack = json.loads((folder / "stack.json").read_text())
    clients = connect(StorageConnection(connection_string=stack["storage"]))
    agent = _Agent(stack["receiver"], stack["functionKey"])
    agent.send(finished())
    _until(lambda: set(_statuses(clients)) <= {"Processed", "Ignored", "Duplicate", "Waiting"})
    agent.send(starts())
    for scenario, status, fault in (
        (RETRIED, "Retrying", {"status": 503, "body": "busy"}),
        (REFUSED, "DeadLettered", {"status": 400, "body": '{"errorCode": "ATLAS-400-00-01D", "errorMessage": "no"}'}),
        (INTERRUPTED, "Received", {"hang": 600.0}),
    ):
        _fault(stack["dataMap"], **fault)
        agent.send(bodies(scenario))
        _until(lambda status=status: status in _statuses(clients))  # type: ignore[misc]
    _until(lambda: _is_at_work(clients))
    os.kill(stack["pids"]["host"], signal.SIGKILL)
    store = Store(
        version=name,
        recorded=datetime.now(UTC),
        tables=read_tables(clients),
        blobs=read_blobs(clients),
        queues=_queues(clients),
        catalogue=read_catalogue(folder / "data" / "data_map.db"),
    )
    path = STORES / f"{name}.json.gz"
    store.write(path)
    sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")


class _Agent:
    def __init__(self, receiver: str, key: str) -> None:
        self._url = f"{receiver}/api/v1/lineage"
        self._headers = {"x-functions-key": key, "Content-Type": "application/json"}

    def send(self, events: Sequence[bytes] | Iterator[bytes]) -> None:
        for event in events:
            requests.post(self._url, event, headers=self._headers, timeout=30).raise_for_status()


def _fault(data_map: str, **fault: Any) -> None:
    url = f"{data_map}/_control/faults"
    requests.delete(url, timeout=10)
    requests.post(url, json={"count": 1_000_000, "path": "entity/bulk", "method": "POST", **fault}, timeout=10)


def _statuses(clients: StorageClients) -> list[str]:
    return [row["Status"] for row in clients.table(EVENT_METADATA).list_entities() if "Status" in row]


def _is_at_work(clients: StorageClients) -> bool:
    return any(row.get("atWork") for row in clients.table("RunProcesses").list_entities())


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError("the stack did not come to the expected state")
        time.sleep(0.5)
    time.sleep(2)  # What belongs to the same step may follow.


def read_tables(clients: StorageClients) -> dict[str, list[dict[str, Any]]]:
    """All rows of the app's tables."""
    names = [item.name for item in clients.tables.list_tables()]
    return {
        name: [{key: packed(value) for key, value in row.items()} for row in clients.table(name).list_entities()]
        for name in names
        if not name.startswith("AzureFunctions")
    }


def read_blobs(clients: StorageClients) -> list[dict[str, Any]]:
    """All blobs of the app's containers."""
    found = []
    for container in clients.blobs.list_containers():
        if container.name.startswith(_HOST_CONTAINERS):
            continue
        client = clients.container(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            data = packed(_text(client.download_blob(blob.name).readall()))
            metadata = dict(blob.metadata or {})
            found.append({"container": container.name, "name": blob.name, "metadata": metadata, "data": data})
    return found


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _queues(clients: StorageClients) -> dict[str, list[str]]:
    """The messages of the app's queues. Storage does not show those that are not due yet, so they are waited for."""
    found: dict[str, list[str]] = {}
    for queue in clients.queues.list_queues():
        if not queue.name.startswith("lineage-"):
            continue
        client = clients.queue(queue.name)
        messages: list[str] = []
        deadline = time.monotonic() + _SECONDS
        with suppress(ResourceNotFoundError):
            while len(messages) < (client.get_queue_properties().approximate_message_count or 0):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the messages of {queue.name} did not become due")
                due = client.receive_messages(visibility_timeout=600)
                messages += [b64decode(each.content).decode() for each in due]
                time.sleep(1)
        found[queue.name] = messages
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
