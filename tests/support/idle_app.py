"""The app without a host: it works only while a command waits, on a clock that goes no further than the waiting."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import pytest
import requests

from cli.checks.endpoint import Receiver
from cli.tasks.purge_runs import forget_run
from pipeline import retries
from storage.clients import EVENT_METADATA, EVENTS, RETRY_QUEUE
from storage.poison_queues import poison_messages
from tests.support.installation import Installation


@dataclass
class IdleApp:
    """What the app does with an event, ``answer`` with the status of its answer, and ``work`` while a command waits."""

    installation: Installation
    now: float = 0.0
    answer: Callable[[bytes], int] = field(init=False)
    work: Callable[[], object] = field(init=False)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.answer, self.work = self.store, self.take_everything

    def store(self, body: bytes) -> int:
        self.installation.send(body)
        return 202

    def take_everything(self) -> None:
        """Process new blobs, and take all messages."""
        for blob in self.installation.services.clients.container(EVENTS).list_blob_names():
            if blob not in self._seen:
                self._seen.add(blob)
                self.installation.deliver(f"{EVENTS}/{blob}")
        self.take_messages()

    def take_messages(self) -> None:
        """Take all messages, also those that the host gave up."""
        services = self.installation.services
        self.installation.take_messages()
        for queue in map(services.clients.queue, poison_messages(services.clients)):
            for message in queue.receive_messages():
                retries.poisoned(base64.b64decode(message.content), services)
                queue.delete_message(message)

    def be_empty(self) -> None:
        """Forget all events, processes and assets, and the versions that were noted."""
        services = self.installation.services
        for run in self.installation.runs():
            forget_run(run, services)
        for process in services.details.all():
            services.details.delete(process)
        for name, created in list(services.created.all()):
            services.created.remove(name, created.guid)
        rows = services.clients.table(EVENT_METADATA)
        for version in rows.query_entities("PartitionKey eq 'version'"):
            rows.delete_entity(version)
        for queue in (RETRY_QUEUE, *poison_messages(services.clients)):
            services.clients.queue(queue).clear_messages()
        requests.post(f"{self.installation.data_map}/_control/reset", timeout=30).raise_for_status()

    @property
    def receiver(self) -> Receiver:
        """The receiver, which the app answers without HTTP."""

        class Direct(Receiver):
            def post(_, body: bytes, *, chunked: bool = False) -> requests.Response:  # noqa: N805
                answer = requests.Response()
                answer.status_code = self.answer(body)
                answer._content = b"its text"
                return answer

        return Direct("http://app", "key")

    def keeps_time_of(self, *modules: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let these modules wait for this app."""
        for module in modules:
            monkeypatch.setattr(module, "time", self)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.work()

    def monotonic(self) -> float:
        """A clock whose zero was long ago."""
        return 1000 + self.now

    perf_counter = monotonic
