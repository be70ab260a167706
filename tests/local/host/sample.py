"""The sample app with its storage, and what tests ask of it."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.azurite import Azurite
from local.stack.parts import FunctionHost

SAMPLE_APP = Path(__file__).parent / "sample_app"
SECONDS = 15.0

T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str, seconds: float = SECONDS) -> T:
    """The first thing that `look` finds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@dataclass
class SampleApp:
    """The sample app with a container of its own, and everything that its functions told."""

    azurite: Azurite
    container: str
    folder: Path
    source: str = "EventGrid"
    schedule: str = "0 0 0 1 1 *"
    told: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[FunctionHost] = field(default_factory=list)

    def host(self, *options: str, **settings: str) -> FunctionHost:
        """A host for the app, not started yet. All hosts of one app share its work."""
        connection = self.azurite.connection_string
        number = len(self.hosts)
        host = FunctionHost(
            self.folder / f"host{number}.log",
            SAMPLE_APP,
            {
                "LINEAGE_STORAGE": connection,
                "AzureWebJobsStorage": connection,
                "CONTAINER": self.container,
                "BLOB_SOURCE": self.source,
                "SCHEDULE": self.schedule,
                "WORK_QUEUE": self.queue("work"),
                "SEEN_QUEUE": self.queue("seen"),
                # Each test has a host id of its own, and so a queue of its own.
                "AzureFunctionsWebHost__hostid": self.container,
                **settings,
            },
            options=(
                "--event-seconds",
                "0.1",
                "--poll-seconds",
                "0.05",
                "--lock-seconds",
                "2",
                "--grace-seconds",
                "2",
                *options,
            ),
            name=f"host{number}",
        )
        self.hosts.append(host)
        return host

    def upload(self, name: str, content: str, metadata: dict[str, str] | None = None) -> None:
        """Put a blob into the app's container."""
        self.blobs.get_blob_client(self.container, name).upload_blob(content, metadata=metadata, overwrite=True)

    def queue(self, name: str) -> str:
        """The app's own queue of that name."""
        return f"{name}-{self.container}"

    def send(self, text: str) -> None:
        """Put a text on the work queue as it is; see `encoded`."""
        self.queues.get_queue_client(self.queue("work")).send_message(text)

    def tellings(self, function: str) -> list[dict[str, Any]]:
        """What a function told so far, oldest first."""
        for message in self._seen.receive_messages(messages_per_page=32):
            self.told.append(json.loads(message.content))
            self._seen.delete_message(message)
        return [telling for telling in self.told if telling["function"] == function]

    def until_told(self, function: str, count: int) -> list[dict[str, Any]]:
        """Wait until a function told `count` times."""

        def look() -> list[dict[str, Any]] | None:
            tellings = self.tellings(function)
            return tellings if len(tellings) >= count else None

        return eventually(look, f"{count} calls of {function}")

    def messages(self, queue: str) -> list[str]:
        """The texts on a queue, taken off it; empty if there is no such queue."""
        client = self.queues.get_queue_client(queue)
        try:
            taken = list(client.receive_messages(messages_per_page=32))
        except ResourceNotFoundError:
            return []
        for message in taken:
            client.delete_message(message)
        return [message.content for message in taken]

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
    app = SampleApp(azurite, f"events-{uuid.uuid4().hex[:12]}", folder, **options)
    app.blobs.create_container(app.container)
    app.queues.create_queue(app.queue("seen"))
    app.queues.create_queue(app.queue("work"))
    return app


def encoded(message: object) -> str:
    """A queue message as the host's default encoding wants it: JSON in base64."""
    return base64.b64encode(json.dumps(message).encode()).decode()


def ask(host: FunctionHost, method: str, path: str, **options: Any) -> requests.Response:
    """One request to a host."""
    return requests.request(method, f"{host.url}{path}", timeout=SECONDS, **options)
