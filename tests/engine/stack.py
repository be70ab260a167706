"""The app as Azure runs it: a receiver, storage, the trigger engine with Azure's worker, and a Data Map.

The receiver is the local host, which has the HTTP functions and the timer; what blobs and queues trigger runs on the
engine alone. Event Grid is played by `EventGrid`.
"""

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from azure.storage.queue import QueueServiceClient

from core.naming import CONTAINER
from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT
from local.stack.stack_error import StackError
from storage.clients import connect
from tests.engine.parts import TriggerEngine, Worker

TRIGGERED = ("parse", "retry", "poison", "poison_retry")
HOST_ID = "sparklin"
#: Waits are short if a setting controls them.
APP = {"RETRY_FIRST_DELAY_SECONDS": "1", "RETRY_MAX_DELAY_SECONDS": "2", "SWEEP_AFTER_MINUTES": "1"}
ENGINE = {"extensions__queues__visibilityTimeout": "00:00:01", "extensions__queues__maxPollingInterval": "00:00:00.2"}
_REQUEST_SECONDS = 30
_PAUSE_SECONDS = 0.2


@dataclass
class EngineHost:
    """A trigger engine with a worker, which the platform restarts as long as it is ``wanted``."""

    worker: Worker
    engine: TriggerEngine
    wanted: bool = False
    restarts: int = 0
    _mutex: threading.RLock = field(default_factory=threading.RLock)

    def start(self) -> None:
        with self._mutex:
            self.worker.start()
            self.engine.start()
            self.wanted = True

    def listen_to(self, connection: str) -> None:
        """Restart the engine with other storage for the triggers than the worker's functions have."""
        with self._mutex:
            self.engine.stop()
            self.engine.settings["LINEAGE_STORAGE"] = connection
            self.engine.start()

    def use_storage(self, connection: str) -> None:
        """Restart with other storage for both the triggers and the functions."""
        with self._mutex:
            self.worker.stop()
            self.worker.settings["LINEAGE_STORAGE"] = connection
            self.worker.start()
            self.listen_to(connection)

    def kill_engine(self) -> None:
        """Kill the engine with what it is processing; `restart_if_ended` restarts it."""
        self.engine.kill()

    def kill_worker_process(self) -> None:
        """Kill the worker's process, as the lack of memory does; the worker starts another one on its own."""
        self.worker.kill_process()

    def end(self) -> None:
        with self._mutex:
            self.wanted = False
            self.engine.kill()
            self.worker.kill()

    def restart_if_ended(self) -> None:
        """Restart the engine if it has ended, as the platform does."""
        with self._mutex:
            if self.wanted and not self.engine.is_running:
                self.restarts += 1
                with suppress(StackError):
                    self.engine.start()


@dataclass
class EngineStack:
    """The running app. ``hosts`` are its engines; they share the storage and its work."""

    stack: Stack
    hosts: list[EngineHost]

    @property
    def data_map(self) -> str:
        """The address of the Data Map."""
        assert self.stack.data_map
        return self.stack.data_map.url

    def post(self, body: bytes) -> int:
        """Send an event as an agent does; the status of the answer."""
        url = f"{self.stack.receiver}/api/v1/lineage"
        return requests.post(url, body, headers=self.stack.key_header, timeout=_REQUEST_SECONDS).status_code

    def blobs(self) -> list[str]:
        """The names of all stored events."""
        clients = connect(StorageConnection(self.stack.azurite.connection_string))
        return sorted(clients.container(CONTAINER).list_blob_names())

    def messages(self) -> dict[str, int]:
        """How many messages there are on each queue that has any, hidden ones too."""
        queues = QueueServiceClient.from_connection_string(self.stack.azurite.connection_string)
        counted = {
            str(queue.name): queues.get_queue_client(str(queue.name)).get_queue_properties().approximate_message_count
            for queue in queues.list_queues()
        }
        return {name: count for name, count in counted.items() if count}

    def sweep(self) -> None:
        """Let the timer become due."""
        self.stack.fire_timer("sweep")

    def event_grid(self, seed: int) -> "EventGrid":
        """Event Grid, which misdelivers by that seed."""
        return EventGrid(self, random.Random(seed))


@dataclass
class EventGrid:
    """Sends a notification of each blob to one of the hosts, of some blobs two, in any order, until they are taken."""

    stack: EngineStack
    chance: random.Random
    function: str = "Host.Functions.parse"
    twice_share: float = 0.3

    def deliver(self, blobs: Sequence[str]) -> Iterator[str]:
        """Notify the hosts; each blob's name once its notification was taken."""
        doubled = [blob for blob in blobs if self.chance.random() < self.twice_share]
        notified = [*blobs, *doubled]
        self.chance.shuffle(notified)
        for number, blob in enumerate(notified):
            while not self._is_taken(blob, self.stack.hosts[number % len(self.stack.hosts)]):
                threading.Event().wait(_PAUSE_SECONDS)
            yield blob

    def _is_taken(self, blob: str, host: EngineHost) -> bool:
        """Post a notification; False if it must be repeated, as Event Grid does unless it is answered 2xx."""
        url = f"{self.stack.stack.azurite.blob_url}/{CONTAINER}/{quote(blob)}"
        data: dict[str, Any] = {"url": url, "eTag": "0x1", "blobType": "BlockBlob"}
        with suppress(requests.RequestException):
            answer = requests.post(
                f"{host.engine.url}/runtime/webhooks/blobs",
                params={"functionName": self.function},
                headers={"aeg-event-type": "Notification"},
                json=[{"eventType": "Microsoft.Storage.BlobCreated", "data": data}],
                timeout=_REQUEST_SECONDS,
            )
            return answer.status_code == 202
        return False


@contextmanager
def engine_stack(
    folder: Path,
    hosts: int = 1,
    app: Mapping[str, str] | None = None,
    engine: Mapping[str, str] | None = None,
) -> Iterator[EngineStack]:
    """The running app, with settings of the app and of the engine in addition to `APP` and `ENGINE`."""
    elsewhere = {f"AzureWebJobs.{name}.Disabled": "true" for name in TRIGGERED}
    settings = {**APP, **(app or {})}
    with Stack(folder, environment={**settings, **elsewhere}, host_options=("--no-events",)) as stack:
        assert stack.data_map
        storage = stack.azurite.connection_string
        settings |= {"LINEAGE_STORAGE": storage, "PURVIEW_ENDPOINT": stack.data_map.url, "PURVIEW_AUTH": "none"}
        settings["AzureFunctionsWebHost__hostid"] = HOST_ID
        running = EngineStack(stack, [])
        for number in range(hosts):
            logs = folder / "logs"
            own = {**settings, "AzureWebJobsStorage": storage}
            worker = Worker(logs / f"worker{number}.log", ROOT, own, TRIGGERED, short_leases=True)
            listening = {**own, **ENGINE, **(engine or {})}
            program = TriggerEngine(logs / f"engine{number}.log", ROOT / "host.json", worker, listening)
            running.hosts.append(EngineHost(worker, program))
        with _looked_after(running):
            yield running


@contextmanager
def _looked_after(running: EngineStack) -> Iterator[None]:
    """Start the hosts, and restart those that end; in the end none is left."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(_PAUSE_SECONDS):
            for host in running.hosts:
                host.restart_if_ended()

    platform = threading.Thread(target=look, daemon=True)
    try:
        for host in running.hosts:
            host.start()
        platform.start()
        yield
    finally:
        done.set()
        if platform.ident is not None:
            platform.join()
        for host in running.hosts:
            host.end()
