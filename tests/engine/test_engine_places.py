"""With the values of host.json one slow run does not hold up the others, on the local host and on Azure's engine."""

import json
from typing import Any

import pytest

from local.stack.parts import ROOT
from tests.engine.hosts import TriggerApp
from tests.local.host.sample import eventually

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine places")]
OTHERS = 5


def values_of_host_json(*names: str) -> dict[str, str]:
    """Values of host.json, as a runner takes them: ``queues__batchSize``."""
    extensions: dict[str, Any] = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]
    return {name: str(extensions[name.partition("__")[0]][name.partition("__")[2]]) for name in names}


def test_messages_are_taken_while_one_takes_long(app: TriggerApp) -> None:
    app.send_plain("hold a", *map(str, range(OTHERS)))
    with app.runner(**values_of_host_json("queues__batchSize", "queues__newBatchThreshold")):
        app.until_reported("on_message", 1 + OTHERS)
        eventually(lambda: app.count(app.queue("work")) == 1, "the end of all messages but the one that is held")
        app.release("a")
        eventually(lambda: app.count(app.queue("work")) == 0, "the end of all messages")


def test_blobs_are_taken_while_one_takes_long(app: TriggerApp) -> None:
    app.queues.create_queue(app.blob_queue)
    for name, content in (("held", "hold a"), *((str(number), "x") for number in range(OTHERS))):
        app.upload(f"runs/{name}", content)
        app.send(app.blob_message(f"runs/{name}"), app.blob_queue)
    with app.runner(**values_of_host_json("blobs__maxDegreeOfParallelism")):
        app.until_reported("on_blob", 1 + OTHERS)
        eventually(lambda: app.count(app.blob_queue) == 1, "the end of all messages but the one that is held")
        app.release("a")
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of all messages")
