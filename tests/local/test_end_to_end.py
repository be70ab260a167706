"""The app under the local host: HTTP in, lineage in the Data Map out."""

import gzip
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.stack.lifecycle import Stack
from tests.support.corpus import SPARK_31, SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.health import wait_until_healthy
from tests.support.processes import PATIENCE, until
from tests.support.tiers import sweep

pytestmark = pytest.mark.xdist_group("end to end")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    environment = {"MAX_BODY_BYTES": "200000", "MAX_EXPANDED_BYTES": "1000000", "EXCLUDE_JOBS": "^test/excluded"}
    with Stack(tmp_path_factory.mktemp("stack"), environment=environment) as running:
        yield running


def a_write(sink: str = "t", run: str = "run-1", **more: Any) -> bytes:
    written = dataset(sink, ["a"], {"a": [("s", "x")]})
    return body(event(run=run, inputs=[dataset("s", ["x"])], outputs=[written], **more))


def post(stack: Stack, content: bytes, route: str = "/api/v1/lineage", **headers: str) -> requests.Response:
    sent = {**stack.key_header, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return requests.post(stack.receiver + route, content, headers=sent, timeout=30)


def processes(stack: Stack) -> dict[str, Any]:
    assert stack.data_map is not None
    found = requests.get(f"{stack.data_map.url}/_control/entities", timeout=60).json()
    return {e["attributes"]["name"]: e for e in found if e["typeName"] == "azure_synapse_operation"}


def wait_for(stack: Stack, process: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while process not in processes(stack):
        assert time.monotonic() < deadline, f"{process} did not come out; there are {sorted(processes(stack))}"
        time.sleep(0.1)
    return processes(stack)[process]


NOT_KEPT = [
    ("an application event", bodies(f"{SPARK_35}/tutorial_customer_master")[0], 200, "application"),
    ("an excluded job", a_write(job_namespace="test", job_name="excluded.append_data"), 200, "EXCLUDE_JOBS"),
    ("a read", body(event(job_name="app.collect_limit", inputs=[dataset("s")])), 200, "collect_limit"),
    ("a DatasetEvent", b'{"schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent"}',
     200, "no run"),
    ("not JSON", b"hello", 400, "JSON"),
    ("no body", b"", 400, "empty"),
    ("JSON that is no event", b'{"a": 1}', 400, "$.run"),
    ("no run id", body({**event(), "run": {}}), 400, "$.run.runId"),
    ("a run id of another type", body({**event(), "run": {"runId": 7}}), 400, "$.run.runId: Expected str, got int"),
    ("no time", body({**event(), "eventTime": "yesterday"}), 400, "$.eventTime"),
    ("invalid UTF-8", b'{"run": {"runId": "\xff"}}', 400, "UTF-8"),
    ("deep nesting", b'{"a":' * 20_000, 400, "nested"),
    ("too large", b" " * 200_001, 413, "MAX_BODY_BYTES"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "content", "status", "reason"), NOT_KEPT, ids=[row[0] for row in NOT_KEPT])
def test_the_answer_says_why_an_event_is_not_kept(
    stack: Stack, case: str, content: bytes, status: int, reason: str
) -> None:
    answer = post(stack, content)
    assert (answer.status_code, reason in answer.json()["reason"]) == (status, True), answer.text
    assert answer.json()["status"] == ("ignored" if status == 200 else "rejected")


ENCODED = [
    ("gzip", gzip.compress(a_write(run="gzip")), "gzip", 202),
    ("no encoding at all", a_write(run="identity"), "identity", 202),
    ("a bomb", gzip.compress(b" " * 50_000_000), "gzip", 413),
    ("not gzip", b"hello", "gzip", 400),
    ("cut short", gzip.compress(a_write())[:-20], "gzip", 400),
    ("another encoding", a_write(), "br", 415),
]


@pytest.mark.parametrize(("case", "content", "encoding", "status"), ENCODED, ids=[row[0] for row in ENCODED])
def test_compressed_bodies(stack: Stack, case: str, content: bytes, encoding: str, status: int) -> None:
    assert post(stack, content, Content_Encoding=encoding).status_code == status


def test_a_chunked_body_is_answered_with_the_setting_to_change(stack: Stack) -> None:
    url = urlsplit(stack.receiver)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    chunks = iter([gzip.compress(a_write())])
    headers = {**stack.key_header, "Content-Encoding": "gzip"}
    connection.request("POST", "/api/v1/lineage", chunks, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 411
    assert b"spark.openlineage.transport.compression" in answer.read()
    connection.close()


KEYS = [
    ({}, "", 401),
    ({"x-functions-key": "wrong"}, "", 401),
    ({}, "?code=wrong", 401),
    ({"Authorization": "Bearer wrong"}, "", 401),
]


@pytest.mark.parametrize(("headers", "query", "status"), KEYS)
def test_requests_without_the_key_are_refused(stack: Stack, headers: dict[str, str], query: str, status: int) -> None:
    answer = requests.post(f"{stack.receiver}/api/v1/lineage{query}", a_write(), headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (status, b"")


def test_the_key_may_come_in_the_query(stack: Stack) -> None:
    code = {"code": stack.keys.function}
    answer = requests.post(f"{stack.receiver}/api/v1/lineage", a_write(run="query"), params=code, timeout=60)
    assert answer.status_code == 202


def test_a_wrong_method_is_no_route(stack: Stack) -> None:
    assert requests.get(f"{stack.receiver}/api/v1/lineage", headers=stack.key_header, timeout=60).status_code == 404


def test_health_needs_no_key(stack: Stack) -> None:
    wait_until_healthy(stack.receiver)


def test_an_event_comes_out_as_lineage(stack: Stack) -> None:
    answer = post(stack, a_write(sink="whole/way", run="whole-way"))
    assert answer.status_code == 202
    assert answer.json() == {"status": "kept", "reason": "it names an output", "run": "whole-way"}
    process = wait_for(stack, "nb → way")
    mapping = json.loads(process["attributes"]["columnMapping"])
    assert mapping[0]["ColumnMapping"] == [{"Source": "x", "Sink": "a"}]


def test_agent_0_4_0_posts_to_its_own_path(stack: Stack) -> None:
    for stored in bodies(f"{SPARK_31}/customer_master_views"):
        assert post(stack, stored, "/api/1/lineage").status_code in (200, 202)
    wait_for(stack, "synapse_nb_demo → customer_master")


def test_a_batch_is_answered_item_by_item(stack: Stack) -> None:
    items = [json.loads(a_write(sink="batched", run="batch")), {"a": 1}, json.loads(NOT_KEPT[0][1])]
    answer = post(stack, body(items), "/api/v1/lineage/batch")
    assert answer.status_code == 202
    assert [item["status"] for item in answer.json()["results"]] == ["kept", "rejected", "ignored"]
    wait_for(stack, "nb → batched")


@pytest.mark.parametrize(
    ("content", "status"), [(b"[]", 200), (b"{}", 200), (b"[", 400), (b"1", 400), (b'[{"a": 1}]', 200)]
)
def test_a_batch_that_keeps_nothing(stack: Stack, content: bytes, status: int) -> None:
    assert post(stack, content, "/api/v1/lineage/batch").status_code == status


ODD_NAMES = ["a\u0000b", "a/../b", "ünïcode 数据", "quote'\"", "x" * 3000, "{N}", "%2F", "a#b?c", "<script>", " "]


@pytest.mark.parametrize("name", sweep(ODD_NAMES, ODD_NAMES[:3]))
def test_odd_names_lose_nothing(stack: Stack, name: str) -> None:
    before = len(processes(stack))
    run = f"odd-{ODD_NAMES.index(name)}"
    job = f"odd{ODD_NAMES.index(name)}.append_data"
    assert post(stack, a_write(sink=f"odd/{name}", run=run, job_name=job)).status_code == 202
    until(lambda: len(processes(stack)) > before)


@pytest.mark.exhaustive
def test_unavailable_storage_is_reported_in_time_and_recovers(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        assert post(stack, a_write(run="before")).status_code == 202
        stack.azurite.stop()
        began = time.monotonic()
        answer = post(stack, a_write(run="during"))
        assert answer.status_code == 503
        assert time.monotonic() - began < 5
        stack.azurite.start()
        assert post(stack, a_write(sink="after", run="after")).status_code == 202
        wait_for(stack, "nb → after")
