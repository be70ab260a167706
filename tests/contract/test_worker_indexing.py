"""Azure's own worker accepts function_app.py: every function, its trigger and each word of its bindings.

A wrong name or annotation in function_app.py shows in Azure as an app without functions. The worker's library,
driven by worker.py next to this file, reports it here.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.azure_worker import HAS_WORKER
from tests.support.processes import PATIENCE

ROOT = Path(__file__).parent.parent.parent
needs_worker = pytest.mark.skipif(
    not HAS_WORKER, reason="azure-functions-runtime needs Python 3.13: only the decorators' metadata was checked"
)

# Nothing listens on port 9: the worker indexes and loads without any connection.
STORAGE = "DefaultEndpointsProtocol=http;AccountName=nobody;AccountKey=AAAA;" + "".join(
    f"{service}Endpoint=http://127.0.0.1:9/nobody;" for service in ("Blob", "Queue", "Table")
)
SETTINGS = {
    "LINEAGE_STORAGE": STORAGE,
    "PURVIEW_ENDPOINT": "http://127.0.0.1:9",
    "PURVIEW_AUTH": "none",
}


def http(route: str, *methods: str, auth: str = "FUNCTION") -> list[dict[str, Any]]:
    trigger = {"name": "req", "route": route, "methods": list(methods), "authLevel": auth}
    return [
        {"direction": "IN", "type": "httpTrigger", **trigger},
        {"direction": "OUT", "type": "http", "name": "$return"},
    ]


def trigger(kind: str, name: str, **values: str) -> list[dict[str, Any]]:
    return [{"direction": "IN", "type": kind, "name": name, **values}]


EXPECTED = {
    "receive": http("v1/lineage", "POST"),
    "receive_legacy": http("1/lineage", "POST"),
    "receive_batch": http("v1/lineage/batch", "POST"),
    "health": http("health", "GET", auth="ANONYMOUS"),
    "parse": trigger(
        "blobTrigger", "blob", path="openlineage/{name}", connection="LINEAGE_STORAGE", source="EventGrid"
    ),
    "retry": trigger("queueTrigger", "message", queueName="lineage-retry", connection="LINEAGE_STORAGE"),
    "poison": trigger("queueTrigger", "message", queueName="webjobs-blobtrigger-poison", connection="LINEAGE_STORAGE"),
    "poison_retry": trigger("queueTrigger", "message", queueName="lineage-retry-poison", connection="LINEAGE_STORAGE"),
    "sweep": trigger("timerTrigger", "timer", schedule="0 */5 * * * *"),
}

#: Functions that exist only with a setting.
OPTIONAL = {
    "collect": trigger("timerTrigger", "timer", schedule="30 * * * * *"),
    "receive_stream": trigger(
        "eventHubTrigger", "messages", connection="EVENT_HUB_CONNECTION", eventHubName="openlineage",
        cardinality="MANY", consumerGroup="sparklin",
    ),
}  # fmt: skip
DOORS = {
    "EVENT_HUB": "openlineage",
    "EVENT_HUB_CONSUMER_GROUP": "sparklin",
    "EVENT_HUB_CONNECTION__fullyQualifiedNamespace": "contoso.servicebus.windows.net",
    "EVENT_FOLDERS": "https://onelake.blob.fabric.microsoft.com/Sales/Sales.Lakehouse/Files/Lineage",
}


def drive(folder: Path, *invocations: Mapping[str, Any], **settings: str) -> dict[str, Any]:
    """What the worker reports about the app in a folder; see worker.py."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = subprocess.run(
        [sys.executable, "-m", "tests.contract.worker", str(folder)],
        input=json.dumps(invocations),
        env={**kept, **SETTINGS, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def accepted(folder: Path, *invocations: Mapping[str, Any], **settings: str) -> dict[str, Any]:
    result = drive(folder, *invocations, **settings)
    assert "error" not in result, result["error"]
    return result


def plain(bindings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bindings in a fixed order, without redundant fields: the second kind of the trigger, and data types."""
    kept = ({key: value for key, value in b.items() if key not in ("dataType", "webHookType")} for b in bindings)
    return sorted(kept, key=lambda binding: str(binding["name"]), reverse=True)


def test_every_function_has_its_trigger() -> None:
    functions = accepted(ROOT)["functions"]

    assert {name: plain(bindings) for name, bindings in functions.items()} == EXPECTED


def test_doors_that_a_setting_opens_have_their_triggers() -> None:
    functions = accepted(ROOT, **DOORS)["functions"]

    assert {name: plain(bindings) for name, bindings in functions.items()} == EXPECTED | OPTIONAL


def test_the_blob_trigger_follows_its_setting() -> None:
    (binding,) = accepted(ROOT, BLOB_TRIGGER_SOURCE="LogsAndContainerScan")["functions"]["parse"]

    assert binding["source"] == "LogsAndContainerScan"


@needs_worker
def test_the_worker_loads_every_function() -> None:
    assert accepted(ROOT, **DOORS)["loaded"] == sorted(EXPECTED | OPTIONAL)


@needs_worker
def test_the_app_gets_as_many_threads_as_it_asks_for() -> None:
    """Without them requests would wait for one of five, on one processor."""
    assert drive(ROOT, PYTHON_THREADPOOL_THREAD_COUNT="16")["threads"] == 16


@needs_worker
def test_a_request_goes_through_the_worker_and_back() -> None:
    post = {"function": "receive", "argument": "req", "method": "POST", "url": "http://127.0.0.1/api", "body": "{}"}

    (answer,) = accepted(ROOT, post)["answers"]

    assert answer["status"] == 400  # No storage is listening, and none is needed for it.
    assert json.loads(answer["body"])["reason"]


@needs_worker
def test_without_settings_the_worker_names_what_is_missing() -> None:
    error = drive(ROOT, LINEAGE_STORAGE="", PURVIEW_ENDPOINT="")["error"]

    assert "LINEAGE_STORAGE is missing" in error
    assert "PURVIEW_ENDPOINT is missing" in error


def test_the_settings_that_bindings_name_are_in_the_example() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    named = {binding["connection"] for bindings in EXPECTED.values() for binding in bindings if "connection" in binding}

    assert named <= set(example)


# What the check itself can do, on an app of a few lines.

SAMPLE = """
import azure.functions as func

app = func.FunctionApp()


@app.function_name("hello")
@app.route("hello", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body().upper(), status_code=202)


@app.function_name("stored")
@app.blob_trigger("blob", "box/{name}", "BOX", source="EventGrid")
def stored(blob: func.InputStream) -> None:
    assert blob.read() == b"content"
    assert blob.name == "box/a"


@app.function_name("queued")
@app.queue_trigger("message", "work", "BOX")
def queued(message: func.QueueMessage) -> None:
    raise RuntimeError(message.get_body().decode())
"""


def sample(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in SAMPLE
    (folder / "function_app.py").write_text(SAMPLE.replace(old, new) if old else SAMPLE)
    return folder


def test_a_sample_is_indexed(tmp_path: Path) -> None:
    functions = accepted(sample(tmp_path))["functions"]

    assert {name: plain(bindings) for name, bindings in functions.items()} == {
        "hello": http("hello", "POST"),
        "stored": trigger("blobTrigger", "blob", path="box/{name}", connection="BOX", source="EventGrid"),
        "queued": trigger("queueTrigger", "message", queueName="work", connection="BOX"),
    }


@needs_worker
def test_a_sample_is_invoked(tmp_path: Path) -> None:
    hello, stored, queued = accepted(
        sample(tmp_path),
        {"function": "hello", "argument": "req", "method": "POST", "url": "http://127.0.0.1/api/hello", "body": "hi"},
        {"function": "stored", "argument": "blob", "body": "content", "metadata": {"BlobTrigger": "box/a"}},
        {"function": "queued", "argument": "message", "body": "broken"},
    )["answers"]

    assert (hello["status"], hello["body"]) == (202, "HI")
    assert stored == {}
    assert queued == {"error": "RuntimeError: broken"}


@needs_worker
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def stored(blob:", "def stored(input_blob:", r"stored function: .*declared in Python.*'input_blob'"),
        ("message: func.QueueMessage", "message: func.InputStream", r"queued function: .*'message'.* InputStream"),
        ("(req: func.HttpRequest)", "(req: func.HttpRequest, more: str)", r"hello function: .*'more'"),
        ("(blob: func.InputStream)", "(blob: func.Out[bytes])", r'stored function: binding blob .*"in"'),
        ('"queued")', '"hello")', r"hello.* does not have a unique function name"),
        ("app = func.FunctionApp()", "app = func.FunctionApp()\ntwin = func.FunctionApp()", "More than one"),
        ("import azure.functions as func", "import azure.functions as func\nimport nothing_such", "nothing_such"),
    ],
)
def test_a_planted_mistake_is_reported(tmp_path: Path, old: str, new: str, message: str) -> None:
    error = drive(sample(tmp_path, old, new)).get("error", "")

    assert re.search(message, error), error
