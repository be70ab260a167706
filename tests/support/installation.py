"""An installation that tests update: storage, a Data Map, and this version's services on both, without a host."""

import base64
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import requests

from core.envelope import read_envelope
from core.event_fields import digest
from core.naming import CONTAINER, event_name
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.azurite import Azurite
from local.data_map.server import running
from pipeline import artifact_migration, retries
from pipeline.receive import receive
from pipeline.run import process_run
from pipeline.services import Services, build
from purview.process_name import PROCESS_TYPE
from storage.clients import EVENT_METADATA, connect, provision
from tests.support.catalogue import entities, picture
from tests.upgrade.stores import Store

_LOOK_BACK = timedelta(hours=6)


@dataclass
class Installation:
    """The services, and what they upload: how often the processes were uploaded and removed, by qualified name."""

    services: Services
    data_map: str
    uploads: Counter[str] = field(default_factory=Counter)
    removals: Counter[str] = field(default_factory=Counter)

    @property
    def connection(self) -> str:
        return self.services.settings.lineage_storage.connection_string

    def statuses(self) -> dict[str, Counter[str]]:
        """How many events of each run are in which status, by the run's key."""
        found: dict[str, Counter[str]] = {}
        for row in self.services.clients.table(EVENT_METADATA).list_entities():
            if "Status" in row:
                found.setdefault(row["RowKey"].partition("|")[0], Counter())[row["Status"]] += 1
        return found

    def runs(self) -> list[str]:
        """The keys of all runs, sorted."""
        return sorted(self.statuses())

    def picture(self) -> list[str]:
        return picture(self.data_map)

    def processes(self) -> dict[str, Mapping[str, Any]]:
        """The processes of the catalogue by qualified name."""
        found = [each for each in entities(self.data_map) if each["typeName"] == PROCESS_TYPE]
        return {each["attributes"]["qualifiedName"]: each for each in found}

    def take_messages(self) -> int:
        """Do what the messages on the retry queue ask for until none is due, and count them."""
        queue = self.services.clients.queue()
        number = 0
        while messages := list(queue.receive_messages(visibility_timeout=600)):
            for message in messages:
                retries.retry(base64.b64decode(message.content), self.services)
                queue.delete_message(message)
                number += 1
        return number

    def timer(self) -> None:
        """What the timer does, and its consequences."""
        retries.sweep(self.services)
        artifact_migration.move_to_artifacts(self.services)
        self.take_messages()

    def send(self, body: bytes) -> str:
        """Send an event to the receiver of this version; the blob that it is stored in, as the trigger names it."""
        status, answer = receive(body, {}, self.services.receiver, datetime.now(UTC))
        assert status == 202, answer
        return self.blob(body)

    def take(self, body: bytes) -> None:
        """Send an event and, if it was kept, let a worker see it."""
        status, _ = receive(body, {}, self.services.receiver, datetime.now(UTC))
        if status == 202:
            self.deliver(self.blob(body))

    @staticmethod
    def blob(body: bytes) -> str:
        """Where every version stores an event, as the trigger names it."""
        return f"{CONTAINER}/{event_name(read_envelope(body), digest(body)).blob}"

    def deliver(self, blob: str) -> None:
        """Let a worker of this version see a blob."""
        retries.stored(blob, self.services)

    def process_again(self) -> None:
        """Process every run again, as ``sparklin replay`` does for those that were processed."""
        for run in self.runs():
            process_run(run, self.services, replay=True)

    def fault(self, **fault: object) -> None:
        requests.post(f"{self.data_map}/_control/faults", json=fault, timeout=10).raise_for_status()


@contextmanager
def installed(
    folder: Path, store: Store | None = None, *, storage: StorageConnection | None = None
) -> Iterator[Installation]:
    """An installation with what is in a store, or an empty one. No retry that the timer asks for waits.

    It starts an Azurite unless it gets an empty account.
    """
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(retries, "SPREAD_SECONDS", 0))
        stack.enter_context(mock.patch.object(artifact_migration, "_SPREAD_SECONDS", 0))
        # A new store has no closed hours: the timer would look at each of 14 days.
        stack.enter_context(mock.patch.object(retries, "LOOK_BACK", _LOOK_BACK))
        connection = storage or StorageConnection(
            stack.enter_context(Azurite(folder / "azurite.log")).connection_string
        )
        clients = connect(connection)
        if store:
            store.load(clients, folder / "data_map.db")
        else:
            provision(clients)
        data_map = stack.enter_context(running(folder / "data_map.db"))
        services = build(Settings(lineage_storage=connection, purview_endpoint=data_map, purview_auth="none"))
        found = Installation(services, data_map)
        stack.enter_context(_counted(found))
        yield found


@contextmanager
def _counted(found: Installation) -> Iterator[None]:
    """Count the uploads that are logged."""

    class Uploads(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if text.startswith('step {"step": "upload"'):
                facts = json.loads(text.removeprefix("step "))
                counts = {"uploaded": found.uploads, "removed": found.removals}.get(facts["outcome"], Counter[str]())
                counts[facts["process"]] += 1

    log, handler = logging.getLogger("pipeline.publish"), Uploads()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
