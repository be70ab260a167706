"""The worst bodies through the running app: each is answered, and the app keeps working."""

import gzip
import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from storage.clients import connect
from storage.event_rows import Status
from storage.event_store import EventStore
from tests.support.events import body, dataset, event
from tests.support.health import wait_until_healthy
from tests.support.hostile import NASTY

# Without an app, tests/hostile sends the same kinds of bodies in each run.
pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("hostile stack")]

DONE = {Status.PROCESSED, Status.IGNORED, Status.DEAD_LETTERED, Status.DUPLICATE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    with Stack(folder) as running:
        yield running


def a_write(run: str = "run", sink: str = "t", **more: Any) -> Any:
    return event(run=run, inputs=[dataset("s", ["x"])], outputs=[dataset(sink, ["a"], {"a": [("s", "x")]})], **more)


def with_plan(plan: object) -> bytes:
    whole = a_write(run="plan", sink="planned")
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": plan}
    return json.dumps(whole).encode()


def post(stack: Stack, content: bytes, **headers: str) -> requests.Response:
    sent = {**stack.key_header, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return requests.post(f"{stack.receiver}/api/v1/lineage", content, headers=sent, timeout=60)


def works(stack: Stack, sink: str) -> None:
    """An ordinary event sent now becomes lineage."""
    assert post(stack, body(a_write(run=sink, sink=sink))).status_code == 202
    assert stack.data_map is not None
    deadline = time.monotonic() + 120
    while f"nb → {sink}" not in {entity["attributes"]["name"] for entity in _entities(stack)}:
        assert time.monotonic() < deadline, "the app has stopped working"
        time.sleep(0.2)


def _entities(stack: Stack) -> Any:
    assert stack.data_map is not None
    return requests.get(f"{stack.data_map.url}/_control/entities", timeout=60).json()


UTF_16 = {"Content_Type": "application/json; charset=utf-16"}
WORST: list[tuple[str, Callable[[], bytes], dict[str, str], int]] = [
    ("a bomb", lambda: gzip.compress(bytes(300_000_000), 1), {"Content_Encoding": "gzip"}, 413),
    ("gzip in gzip", lambda: gzip.compress(gzip.compress(body(a_write()))), {"Content_Encoding": "gzip"}, 400),
    ("two encodings", lambda: body(a_write()), {"Content_Encoding": "gzip, gzip"}, 415),
    ("UTF-16", lambda: json.dumps(a_write()).encode("utf-16"), UTF_16, 400),
    ("arrays without end", lambda: b"[" * 1_000_000, {}, 400),
    ("half a character", lambda: json.dumps(a_write(job_name="\ud800")).encode(), {}, 400),
    ("a time of brackets", lambda: json.dumps({**a_write(), "eventTime": "[" * 1_900_000}).encode(), {}, 400),
    ("more brackets than any event", lambda: json.dumps({**a_write(), "eventTime": "[" * 3_000_000}).encode(), {}, 413),
    ("a long job", lambda: body(a_write(job_name="x" * 10_000_000)), {}, 400),
    ("another type", lambda: body(a_write(run="type")), {"Content_Type": "text/html"}, 202),
    ("a long name", lambda: body(a_write(run="long", sink="x" * 1_000_000)), {}, 202),
    ("a plan of signs", lambda: with_plan([{"class": "$" * 50_000, "num-children": 0}]), {}, 202),
    ("a time at the end", lambda: body({**a_write(run="end"), "eventTime": "9999-12-31T23:59:59Z"}), {}, 202),
]  # fmt: skip


@pytest.mark.parametrize(("case", "content", "headers", "status"), WORST, ids=[row[0] for row in WORST])
def test_each_is_answered_by_the_table(
    stack: Stack, case: str, content: Callable[[], bytes], headers: dict[str, str], status: int
) -> None:
    assert post(stack, content(), **headers).status_code == status, case


RAW = [
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: five\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
]


@pytest.mark.parametrize("headers", RAW, ids=range(len(RAW)))
def test_lengths_that_contradict_each_other_get_no_answer_of_ours(stack: Stack, headers: bytes) -> None:
    """The server in front of the function refuses them, or the body is no event."""
    url = urlsplit(stack.receiver)
    key = stack.key_header["x-functions-key"].encode()
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=60) as connection:
        connection.sendall(b"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nx-functions-key: " + key + b"\r\n" + headers)
        connection.sendall(b"\r\n0\r\n\r\n")
        with http.client.HTTPResponse(connection) as answer:
            answer.begin()
            assert answer.status in (400, 411)


def test_every_kept_event_ends_and_the_app_keeps_working(stack: Stack) -> None:
    for number, text in enumerate(NASTY):
        nasty = a_write(run=text or "none", sink=f"{number}/{text}", job_name=text or "none", job_namespace=text)
        assert post(stack, body(nasty)).status_code in (202, 400)
    works(stack, "afterwards")
    store = EventStore(connect(StorageConnection(connection_string=stack.azurite.connection_string)))
    deadline = time.monotonic() + 180
    now, hour = datetime.now(UTC), timedelta(hours=1)
    while left := [row for row in store.rows(now - hour, now + hour) if row.status not in DONE]:
        assert time.monotonic() < deadline, [(row.run_id[:40], row.status, row.message[:200]) for row in left]
        time.sleep(0.5)
    wait_until_healthy(stack.receiver)


def test_no_event_forges_a_line_of_the_log(stack: Stack, folder: Path) -> None:
    forged = 'x\r\nstep {"step": "receive", "outcome": "forged"}'
    for content in (body(a_write(run=forged, job_name=forged, job_namespace=forged)), body({"run": {forged: forged}})):
        post(stack, content)
    works(stack, "logged")
    lines = [line for path in folder.rglob("host*.log") for line in path.read_text("utf-8").splitlines()]
    assert any('"step": "receive"' in line for line in lines)
    assert [line for line in lines if re.search(r'(^|[^\\])"outcome": "forged"', line)] == []
