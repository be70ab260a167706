"""The stack as tests use it: each part can fail and recover on its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.stack.files import StackFiles
from local.stack.lifecycle import Stack
from local.stack.stack_error import StackError

APP = """
import azure.functions as func
from local import environment

app = func.FunctionApp()

@app.route(route="setting/{name}", methods=["GET"])
def setting(req: func.HttpRequest) -> str:
    return environment.variables().get(req.route_params["name"], "")
"""


def write_app(folder: Path, source: str = APP) -> Path:
    """A small function app in its own folder."""
    folder.mkdir()
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text('{"version": "2.0"}')
    return folder


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A running stack of two hosts."""
    made = Stack(
        tmp_path / "stack",
        app_dir=write_app(tmp_path / "app"),
        environment={"EXTRA": "yes"},
        hosts=2,
        in_memory=True,
    )
    with made:
        yield made


def setting(stack: Stack, name: str, host: int = 0) -> str:
    """The value of a setting in a host's function."""
    answer = requests.get(f"{stack.hosts[host].url}/api/setting/{name}", headers=stack.key_header, timeout=60)
    answer.raise_for_status()
    return answer.text


def test_the_hosts_get_the_addresses_of_the_others(stack: Stack) -> None:
    assert stack.data_map is not None
    assert setting(stack, "LINEAGE_STORAGE") == stack.azurite.connection_string
    assert setting(stack, "AzureWebJobsStorage", host=1) == stack.azurite.connection_string
    assert setting(stack, "PURVIEW_ENDPOINT") == stack.data_map.url
    assert setting(stack, "PURVIEW_AUTH") == "none"
    assert setting(stack, "BLOB_TRIGGER_SOURCE") == "EventGrid"
    assert setting(stack, "EXTRA", host=1) == "yes"


@pytest.mark.exhaustive
def test_commands_use_a_demos_stack_only_while_that_of_up_does_not_run(stack: Stack, tmp_path: Path) -> None:
    files = StackFiles(tmp_path / "published")
    with files.published_meanwhile(stack):
        assert files.is_published(stack)
    assert not files.is_published(stack)
    files.note(stack.parts[0])
    with files.published_meanwhile(stack):
        assert not files.is_published(stack)


@pytest.mark.exhaustive
def test_every_part_restarts_at_the_same_address(stack: Stack) -> None:
    for part in stack.parts:
        before = part.addresses()
        part.kill()
        assert not part.is_running
        part.start()
        assert part.addresses() == before
    assert setting(stack, "EXTRA") == "yes"
    assert requests.get(stack.page, timeout=60).status_code == 200


@pytest.mark.exhaustive
def test_all_hosts_get_the_faults_of_event_delivery(stack: Stack) -> None:
    stack.misdeliver_events(drop=True)
    with pytest.raises(requests.HTTPError):
        stack.fire_timer("nobody")


@pytest.mark.exhaustive
def test_nothing_runs_after_the_stack_has_stopped(stack: Stack) -> None:
    stack.stop()
    assert [part.name for part in stack.parts if part.is_running] == []


def test_a_part_that_fails_is_named_and_the_others_are_stopped(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", "raise RuntimeError('this app is broken')")
    stack = Stack(tmp_path / "stack", app_dir=app, data_map=False, in_memory=True)
    with pytest.raises(StackError, match=r"(?s)host ended while starting.*this app is broken"):
        stack.start()
    assert not stack.azurite.is_running
