"""What waits while the catalogue is unavailable is processed when it is back: all of it, in any order, gradually.

Several hosts work on the backlog, and share one upload slot.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from local.demo.check import Inbox
from local.stack.lifecycle import Stack
from storage.event_rows import Status
from tests.faults.dying import DyingHost
from tests.faults.host import Plan
from tests.support.catalogue import entities, twice
from tests.support.events import body, dataset, event

pytestmark = pytest.mark.exhaustive

RUNS = 24
HOSTS = 3
SLOTS = 1
# The hosts of tests/faults do not die here; they soon give up on the catalogue, so that the test is short.
QUICK = {"RETRY_FIRST_DELAY_SECONDS": "2", "RETRY_MAX_DELAY_SECONDS": "4", "MAX_CONCURRENT_UPLOADS": str(SLOTS)}
#: Seconds that each write takes, so that all uploads that are allowed run at the same time.
SLOW = 1.0


def a_write(number: int) -> bytes:
    """A run; every fourth one fills the same sink, each from its own source."""
    source, sink = f"source-{number:02}", f"sink-{number:02}" if number % 4 else "shared"
    written = dataset(sink, ["a"], {"a": [(source, "x")]})
    return body(event(run=f"run-{number}", minute=number, inputs=[dataset(source, ["x"])], outputs=[written]))


def wait_for(inbox: Inbox, expected: Counter[Status]) -> None:
    deadline = time.monotonic() + 120
    while (found := inbox.progress().counts) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def processes(url: str) -> dict[str, Any]:
    return {e["attributes"]["name"]: e for e in entities(url) if e["typeName"] == "azure_synapse_operation"}


def test_a_backlog_comes_out_smoothly(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    stack = Stack(tmp_path, environment=QUICK, hosts=HOSTS)
    plan = Plan((), str(tmp_path / "journal"), lost_share=0.0, seed=0)
    stack.hosts = [DyingHost(host, plan) for host in stack.hosts]
    with stack:
        assert stack.data_map is not None
        inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
        stack.data_map.stop()
        for number in range(RUNS):
            answer = requests.post(
                f"{stack.receiver}/api/v1/lineage", a_write(number), headers=stack.key_header, timeout=10
            )
            assert answer.status_code == 202
        wait_for(inbox, Counter({Status.RETRYING: RUNS}))
        stack.data_map.start()
        slow = {"hang": SLOW, "method": "POST", "path": "entity/bulk$", "count": 1000}
        requests.post(f"{stack.data_map.url}/_control/faults", json=slow, timeout=60).raise_for_status()
        began = time.monotonic()
        wait_for(inbox, Counter({Status.PROCESSED: RUNS}))
        took = time.monotonic() - began
        url = stack.data_map.url
        found = processes(url)
        assert sorted(found) == ["nb → shared", *(f"nb → sink-{number:02}" for number in range(RUNS) if number % 4)]
        assert len(found["nb → shared"]["relationships"]["inputs"]) == RUNS // 4
        assert twice(url) == []
        calls = requests.get(f"{url}/_control/calls", timeout=60).json()
        writes = sum(
            call["count"] for call in calls if call["route"].endswith("/entity/bulk") and call["method"] == "POST"
        )
        assert writes > RUNS // 2
        # One after the other; the first few may have come before writes were slow.
        assert took > (writes - 3) * SLOW
        record_property("figure", f"backlog: {RUNS} runs out in {took:.0f} s by {HOSTS} hosts with one upload slot")
