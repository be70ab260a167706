"""How long events wait in a private network, where Event Grid reports none: for the timer, and for the app's queue.

.venv/bin/python -m benchmarks.private_mode [--write]

The receiver is the local host, which has the timer; the queue is listened to by the trigger engine of Azure Functions
with the values of host.json and of the templates for ``private``; SPARKLIN_TRIGGER_ENGINE names the engine. Each event
is a COMPLETE of its own run, and waits from its answer until its run was processed. Takes about half an hour.
``--write`` puts the seconds into benchmarks/measured.json, from which docs/cost-and-scale.md is made.
"""

import json
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.calls import keep
from core.storage_connection import StorageConnection
from local.stack.parts import ROOT
from storage.clients import connect
from storage.event_rows import Status
from storage.event_store import EventStore
from tests.engine.stack import EngineStack, engine_stack
from tests.support.events import body, dataset, event

#: Fifteen events, so that one falls into each part of the five minutes between two calls of the timer.
_BEFORE = [20.0 * number for number in range(15)]
#: Long enough apart that the polls of the idle queue have slowed down; not in step with them.
_AFTER = [37.3 * number for number in range(1, 13)]
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 1800.0
_TEMPLATE = ROOT / "infra" / "modules" / "function.bicep"


def main() -> None:
    """Print the seconds as JSON."""
    found = {
        "the queue": _summary(_waits({"QUEUE_NOTIFICATIONS": "true"}, _AFTER)),
        "the timer alone": _summary(_waits({}, _BEFORE)),
        "maxPollingInterval": private_settings()["extensions__queues__maxPollingInterval"],
    }
    print(json.dumps(found, indent=2))
    if "--write" in sys.argv:
        keep("private mode", found)


def private_settings() -> dict[str, str]:
    """The values of host.json that the templates set with network=private, in the engine's form."""
    return dict(re.findall(r"AzureFunctionsJobHost__(\w+): '([^']+)'", _TEMPLATE.read_text("utf-8")))


def _waits(app: Mapping[str, str], offsets: Sequence[float]) -> list[float]:
    """Seconds from the answer to each event until its run was processed; events are sent at these seconds."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]["queues"]
    engine = {f"extensions__queues__{name}": str(value) for name, value in host.items()} | private_settings()
    settings = {"SWEEP_AFTER_MINUTES": "10", **app}
    with tempfile.TemporaryDirectory() as folder, engine_stack(Path(folder), app=settings, engine=engine) as stack:
        return _sent_and_seen(stack, offsets)


def _sent_and_seen(stack: EngineStack, offsets: Sequence[float]) -> list[float]:
    store = EventStore(connect(StorageConnection(connection_string=stack.stack.azurite.connection_string)))
    began, left = time.monotonic(), list(offsets)
    answered: dict[str, float] = {}
    waits: dict[str, float] = {}
    while len(waits) < len(offsets):
        if left and time.monotonic() - began >= left[0]:
            del left[0]
            run = _send(stack)
            answered[run] = time.monotonic()
        if open_runs := answered.keys() - waits.keys():
            for run in _processed(store) & open_runs:
                waits[run] = time.monotonic() - answered[run]
        if time.monotonic() - began > offsets[-1] + _PATIENCE_SECONDS:
            raise TimeoutError(f"{len(offsets) - len(waits)} events were not processed")
        time.sleep(_POLL_SECONDS)
    return list(waits.values())


def _send(stack: EngineStack) -> str:
    run = str(uuid.uuid4())
    sent = stack.post(body(event(run=run, inputs=[dataset("source")], outputs=[dataset("sink")])))
    if sent != 202:
        raise RuntimeError(f"the receiver answered {sent}")
    return run


def _processed(store: EventStore) -> set[str]:
    now = datetime.now(UTC)
    return {row.run_key for row in store.rows(now - timedelta(hours=2), now, [Status.PROCESSED])}


def _summary(waits: Sequence[float]) -> dict[str, Any]:
    return {
        "events": len(waits),
        "least": round(min(waits), 1),
        "median": round(statistics.median(waits), 1),
        "most": round(max(waits), 1),
    }


if __name__ == "__main__":
    main()
