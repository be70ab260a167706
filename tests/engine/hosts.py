"""The sample app with a runner of its triggers: the local host, or Azure's trigger engine with Azure's worker."""

import json
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

import requests

from local.host.blob_message import BlobMessage
from local.stack.part import Part
from local.stack.parts import FunctionHost
from local.stack.processes import signal_group
from tests.engine.parts import TriggerEngine, Worker
from tests.local.host.sample import SAMPLE_APP, SECONDS, SampleApp, encoded, eventually

LOCAL_HOST = "local host"
ENGINE = "engine"
RUNNERS = (LOCAL_HOST, ENGINE)
FUNCTIONS = ("on_blob", "on_message")
WEBHOOK = "/runtime/webhooks/blobs"
#: An idle queue is polled ten times a second; locks are not shortened, because the engine's cannot be.
QUICK = {"queues__maxPollingInterval": "00:00:00.1"}


class Runner(ABC):
    """Something that runs the triggers of one sample app; a context manager that starts and stops it."""

    url: str
    #: Keys of the webhook, as query parameters.
    keys: Mapping[str, str] = {}

    @abstractmethod
    def start(self) -> Self: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def ask_to_stop(self) -> None:
        """Ask what listens to stop (SIGTERM), without waiting."""

    @abstractmethod
    def kill(self) -> None: ...

    @abstractmethod
    def output(self) -> str: ...

    @property
    @abstractmethod
    def is_running(self) -> bool: ...

    def notify(
        self, body: object, function: str | None = "Host.Functions.on_blob", kind: str | None = "Notification"
    ) -> requests.Response:
        """Post to the webhook as Event Grid does; a `str` unchanged, anything else as JSON."""
        return requests.post(
            self.url + WEBHOOK,
            params={**self.keys, **({} if function is None else {"functionName": function})},
            headers={} if kind is None else {"aeg-event-type": kind},
            data=(body if isinstance(body, str) else json.dumps(body)).encode(),
            timeout=SECONDS,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class LocalRunner(Runner):
    """The local host, with the lock of Azure, without its own notifications."""

    def __init__(self, app: "TriggerApp", name: str, functions: Sequence[str], host_json: Mapping[str, str]) -> None:
        others = {"on_blob", "on_message", "on_poison", "on_time"} - set(functions)
        settings = {
            **{f"AzureFunctionsJobHost__extensions__{name}": value for name, value in host_json.items()},
            **{f"AzureWebJobs.{name}.Disabled": "true" for name in others},
        }
        options = ("--lock-seconds", "600", "--no-events", "--grace-seconds", "30")
        log = app.folder / f"{name}.log"
        self._host = FunctionHost(log, SAMPLE_APP, {**app.settings(), **settings}, options=options, name=name)
        self.keys = {"code": self._host.keys.system}

    def start(self) -> Self:
        self._host.start()
        self.url = self._host.url
        return self

    def stop(self) -> None:
        self._host.stop()

    def ask_to_stop(self) -> None:
        _ask_to_stop(self._host)

    def kill(self) -> None:
        self._host.kill()

    def output(self) -> str:
        return self._host.output()

    @property
    def is_running(self) -> bool:
        return self._host.is_running


class EngineRunner(Runner):
    """The trigger engine and the worker that it calls."""

    def __init__(self, app: "TriggerApp", name: str, functions: Sequence[str], host_json: Mapping[str, str]) -> None:
        settings = {**app.settings(), **{f"extensions__{name}": value for name, value in host_json.items()}}
        self.worker = Worker(app.folder / f"{name}-worker.log", SAMPLE_APP, settings, functions=functions)
        self.engine = TriggerEngine(app.folder / f"{name}.log", SAMPLE_APP / "host.json", self.worker, settings)

    def start(self) -> Self:
        self.worker.start()
        try:
            self.engine.start()
        except BaseException:
            self.worker.kill()
            raise
        self.url = self.engine.url
        return self

    def stop(self) -> None:
        self.engine.stop()
        self.worker.stop()

    def ask_to_stop(self) -> None:
        _ask_to_stop(self.engine)

    def kill(self) -> None:
        self.engine.kill()
        self.worker.kill()

    def output(self) -> str:
        return self.engine.output()

    @property
    def is_running(self) -> bool:
        return self.engine.is_running


def _ask_to_stop(part: Part) -> None:
    assert part.started
    signal_group(part.started, signal.SIGTERM)


@dataclass
class TriggerApp(SampleApp):
    """The sample app with an empty container and queues, under the local host or the engine."""

    runs_on: str = LOCAL_HOST
    runners: list[Runner] = field(default_factory=list)

    def runner(self, *functions: str, **host_json: str) -> Runner:
        """A runner of these functions (default: FUNCTIONS), not started yet.

        `host_json` are values of host.json: `queues__batchSize="2"`.
        """
        kind = EngineRunner if self.runs_on == ENGINE else LocalRunner
        name = f"{kind.__name__}{len(self.runners)}"
        runner = kind(self, name, functions or FUNCTIONS, {**QUICK, **host_json})
        self.runners.append(runner)
        return runner

    def kill_all(self) -> None:
        """End whatever still runs."""
        for runner in self.runners:
            runner.kill()

    def forget(self) -> None:
        """Forget what was reported so far."""
        self.reports("")
        self.received.clear()

    @property
    def blob_queue(self) -> str:
        """The host's queue of blobs to run."""
        return f"azure-webjobs-blobtrigger-{self.container}"

    def event(self, blob: str, **instead: Any) -> dict[str, Any]:
        """What Event Grid sends for a blob, with other values or, for None, without them."""
        url = f"{self.azurite.blob_url}/{self.container}/{quote(blob)}"
        data = {"url": url, "eTag": "0x8D4BCC2E4835CD0", "blobType": "BlockBlob", **instead}
        kept = {key: value for key, value in data.items() if value is not None}
        return {"id": "1", "eventType": "Microsoft.Storage.BlobCreated", "data": kept}

    def put(self, runner: Runner, blob: str, content: str, metadata: dict[str, str] | None = None) -> None:
        """Store a blob and send a notification for it."""
        self.upload(blob, content, metadata)
        assert runner.notify([self.event(blob)]).status_code == 202

    def run_others(self, runner: Runner) -> None:
        """Let some blobs run, one after the other, which gives anything else time to begin."""
        for number in range(3):
            self.put(runner, f"runs/others/{number}", "x")
            eventually(lambda: self.count(self.blob_queue) == 0, "the end of a blob")

    def send_dequeued(self, text: str, queue: str, times: int) -> None:
        """Put a message on a queue that hosts have taken `times` times already, and died each time."""
        client = self.queues.get_queue_client(queue)
        message = client.send_message(text)
        for number in range(1, times + 1):
            # Long enough that nobody else takes it in between; the last time it is let go at once.
            (taken,) = client.receive_messages(visibility_timeout=300)
            assert (taken.id, taken.dequeue_count) == (message.id, number)
            client.update_message(taken, visibility_timeout=0)

    def blob_message(self, blob: str, function: str = "Host.Functions.on_blob") -> str:
        """The text on the blob queue that names a blob."""
        return BlobMessage(function, self.container, blob, '"0x1"').encode()

    def names(self, function: str = "on_blob") -> list[str]:
        """The blobs that a function reported, without their container, sorted."""
        return sorted(str(each["name"]).removeprefix(f"{self.container}/") for each in self.reports(function))

    def bodies(self, function: str = "on_message") -> list[str]:
        """The messages that a function reported, in order."""
        return [str(each["body"]) for each in self.reports(function)]

    def send_plain(self, *texts: str, queue: str = "") -> None:
        """Put messages on a queue (default: the work queue), in base64."""
        for text in texts:
            self.send(encoded(text), queue)
