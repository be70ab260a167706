"""Keys are changed while Spark sends: no event is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from core.key_tags import key_tag
from local.stack.lifecycle import Stack
from tests.support.events import body, dataset, event
from tests.support.health import wait_until_healthy
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("stack")

NEW = "a-new-key-0123456789"


@pytest.fixture
def _keys_as_before(stack: Stack) -> Iterator[None]:
    yield
    set_key(stack, "PUT", "keys", "default", stack.keys.function)
    set_key(stack, "DELETE", "keys", "spark-2")


@pytest.fixture
def stack_that_sweeps(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path, in_memory=True, environment={"SWEEP_AFTER_MINUTES": "1"}) as running:
        wait_until_healthy(running.receiver)
        yield running


def send(stack: Stack, run: str, key: str) -> int:
    written = dataset(f"out/{run}", ["a"], {"a": [("s", "x")]})
    content = body(event(run=run, job_name=f"{run}.append_data", inputs=[dataset("s", ["x"])], outputs=[written]))
    headers = {"x-functions-key": key}
    return requests.post(f"{stack.receiver}/api/v1/lineage", content, headers=headers, timeout=30).status_code


def set_key(stack: Stack, method: str, kind: str, name: str, value: str = "") -> None:
    url = f"{stack.receiver}/admin/host/{kind}/{name}"
    headers = {"x-functions-key": stack.keys.master}
    requests.request(method, url, json={"value": value}, headers=headers, timeout=30).raise_for_status()


def is_shown(stack: Stack, run: str) -> bool:
    assert stack.data_map
    found = requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()
    return any(f"/{run}#" in each["attributes"]["qualifiedName"] for each in found)


@pytest.mark.usefixtures("_keys_as_before")
def test_the_function_key_is_changed_without_a_lost_event(stack: Stack) -> None:
    old = stack.keys.function
    assert (send(stack, "before", old), send(stack, "early", NEW)) == (202, 401)
    set_key(stack, "PUT", "keys", "spark-2", NEW)
    assert (send(stack, "both-old", old), send(stack, "both-new", NEW)) == (202, 202)
    set_key(stack, "DELETE", "keys", "default")
    assert (send(stack, "late", old), send(stack, "after", NEW)) == (401, 202)
    until(lambda: all(is_shown(stack, run) for run in ("before", "both-old", "both-new", "after")))


@pytest.mark.usefixtures("_keys_as_before")
def test_the_log_shows_which_key_a_job_uses_but_no_key(stack: Stack) -> None:
    set_key(stack, "PUT", "keys", "spark-2", NEW)
    assert (send(stack, "uses-old", stack.keys.function), send(stack, "uses-new", NEW)) == (202, 202)
    lines = stack.host.log.read_text().splitlines()
    for job, key in (("uses-old", stack.keys.function), ("uses-new", NEW)):
        (line,) = (line for line in lines if '"step": "receive"' in line and f"/{job}." in line)
        assert f'"key": "{key_tag(key)}"' in line
    assert NEW not in "\n".join(lines)
    assert stack.keys.function not in "\n".join(lines)
    until(lambda: all(is_shown(stack, run) for run in ("uses-old", "uses-new")))


@pytest.mark.exhaustive
def test_an_event_whose_notification_is_refused_is_not_lost(stack_that_sweeps: Stack) -> None:
    stack = stack_that_sweeps
    set_key(stack, "PUT", "systemkeys", "blobs_extension", "another")
    try:
        assert send(stack, "unreported", stack.keys.function) == 202
        until(lambda: "was not taken: HTTP Error 401" in stack.host.log.read_text())
        assert not is_shown(stack, "unreported")
    finally:
        set_key(stack, "PUT", "systemkeys", "blobs_extension", stack.keys.system)
    until(lambda: is_shown(stack, "unreported"))
