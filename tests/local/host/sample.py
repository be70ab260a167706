"""The sample app with its storage, and what tests ask of it."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from local.azurite import Azurite
from local.stack.parts import FunctionHost
from tests.support.processes import PATIENCE

SAMPLE_APP = Path(__file__).parent / "sample_app"
SECONDS = PATIENCE

T = TypeVar("T")
App = TypeVar("App", bound="SampleApp")


def eventually(look: Callable[[], T | None], what: str, seconds: float = SECONDS) -> T:
    """The first value that `look` returns."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@dataclass
class SampleApp:
    """The sample app with its own container, and everything that its functions reported."""

    azurite: Azurite
    folder: Path
    container: str = field(default_factory=lambda: f"events-{uuid.uuid4().hex[:12]}")
    source: str = "EventGrid"
    schedule: str = "0 0 0 1 1 *"
    timer_order: str = ""
    longest_hold: int = 120
    #: The connection strings that hosts are given, where it is not that of Azurite: of the app, and of the host.
    through: str = ""
    host_storage: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[FunctionHost] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """The app's settings, equal for all its hosts. Each test has its own host id, and therefore its own queues."""
        connection = self.through or self.azurite.connection_string
        return {
            "LINEAGE_STORAGE": connection,
            "AzureWebJobsStorage": self.host_storage or connection,
            "CONTAINER": self.container,
            "BLOB_SOURCE": self.source,
            "SCHEDULE": self.schedule,
            "WORK_QUEUE": self.queue("work"),
            "SEEN_QUEUE": self.queue("seen"),
            "TIMER_ORDER": self.timer_order,
            "LONGEST_HOLD_SECONDS": str(self.longest_hold),
            "AzureFunctionsWebHost__hostid": self.container,
        }

    def host(self, *options: str, **settings: str) -> FunctionHost:
        """A host for the app, not started yet. All hosts of one app share its work."""
        name = f"host{len(self.hosts)}"
        quick = ("--event-seconds", "0.1", "--poll-seconds", "0.05", "--lock-seconds", "2", "--grace-seconds", "2")
        host = FunctionHost(
            self.folder / f"{name}.log",
            SAMPLE_APP,
            {**self.settings(), **settings},
            options=(*quick, *options),
            name=name,
        )
        self.hosts.append(host)
        return host

    def upload(self, name: str, content: str, metadata: dict[str, str] | None = None) -> None:
        """Put a blob into the app's container."""
        self.blobs.get_blob_client(self.container, name).upload_blob(content, metadata=metadata, overwrite=True)

    def release(self, name: str) -> None:
        """Let the functions continue that were ordered to `hold NAME`."""
        self.upload(f"go/{name}", "")

    def queue(self, name: str) -> str:
        """The app's own queue of that name."""
        return f"{name}-{self.container}"

    def send(self, text: str, queue: str = "") -> None:
        """Put a text on a queue (default: the work queue) without encoding it; see `encoded`."""
        self.queues.get_queue_client(queue or self.queue("work")).send_message(text)

    def reports(self, function: str) -> list[dict[str, Any]]:
        """What a function reported so far, oldest first."""
        for message in self._seen.receive_messages(messages_per_page=32):
            self.received.append(json.loads(message.content))
            self._seen.delete_message(message)
        return [report for report in self.received if report["function"] == function]

    def until_reported(self, function: str, count: int) -> list[dict[str, Any]]:
        """Wait until a function reported `count` times."""

        def look() -> list[dict[str, Any]] | None:
            found = self.reports(function)
            return found if len(found) >= count else None

        return eventually(look, f"{count} calls of {function}")

    def messages(self, queue: str) -> list[QueueMessage]:
        """The visible messages of a queue, which stay there; empty if there is no such queue."""
        try:
            return list(self.queues.get_queue_client(queue).peek_messages(32))
        except ResourceNotFoundError:
            return []

    def count(self, queue: str) -> int | None:
        """How many messages are on a queue, also hidden ones; None if there is no such queue."""
        try:
            return self.queues.get_queue_client(queue).get_queue_properties().approximate_message_count
        except ResourceNotFoundError:
            return None

    @property
    def blobs(self) -> BlobServiceClient:
        """A client for the app's storage."""
        return BlobServiceClient.from_connection_string(self.azurite.connection_string)

    @property
    def queues(self) -> QueueServiceClient:
        """A client for the app's queues."""
        return QueueServiceClient.from_connection_string(self.azurite.connection_string)

    @property
    def _seen(self) -> QueueClient:
        return self.queues.get_queue_client(self.queue("seen"))


def sample_app(azurite: Azurite, folder: Path, **options: Any) -> SampleApp:
    """The sample app with empty queues and an empty container, without a host."""
    return prepared(SampleApp(azurite, folder, **options))


def prepared(app: App) -> App:
    """An app with its container and queues."""
    app.blobs.create_container(app.container)
    for name in ("seen", "work"):
        app.queues.create_queue(app.queue(name))
    return app


def encoded(text: str | bytes) -> str:
    """A queue message in the host's default encoding: base64."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def ask(host: FunctionHost, method: str, path: str, **options: Any) -> requests.Response:
    """One request to a host."""
    return requests.request(method, f"{host.url}{path}", timeout=SECONDS, **options)


def lifetime(message: QueueMessage) -> timedelta:
    """How long after it was written a message expires."""
    assert message.expires_on
    assert message.inserted_on
    return message.expires_on - message.inserted_on
