"""The sample app under the local host and under the trigger engine, and Azurite for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import environment
from local.azurite import Azurite
from tests.engine.hosts import ENGINE, RUNNERS, TriggerApp
from tests.engine.parts import ENGINE as PROGRAM
from tests.local.host.sample import eventually, prepared
from tests.support.azure_worker import HAS_WORKER


def skip_without_engine() -> None:
    """Skip on a machine without the engine. Where a file is named, it must be there."""
    program = environment.variables().get(PROGRAM)
    if not program:
        pytest.skip(f"{PROGRAM} does not name the trigger engine; see CONTRIBUTING.md")
    if not HAS_WORKER:
        pytest.skip("the engine calls Azure's own worker, which needs Python 3.13")
    assert Path(program).is_file(), f"{PROGRAM} names {program}, which is no file"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """An Azurite that keeps its data in memory."""
    with Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log") as azurite:
        yield azurite


@pytest.fixture(scope="module", params=RUNNERS)
def runs_on(request: pytest.FixtureRequest) -> str:
    """What runs the triggers in this test: once the local host, once the engine."""
    if request.param == ENGINE:
        skip_without_engine()
    return str(request.param)


@pytest.fixture
def app(runs_on: str, azurite: Azurite, tmp_path: Path) -> Iterator[TriggerApp]:
    """The sample app with empty queues and an empty container; nothing runs yet, and nothing is left running."""
    made = prepared(TriggerApp(azurite, tmp_path, runs_on=runs_on))
    yield made
    made.kill_all()


@pytest.fixture(scope="module")
def shared(runs_on: str, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TriggerApp]:
    """The sample app of all tests of a module that can share one, with a runner of host.json's own values."""
    made = prepared(TriggerApp(azurite, tmp_path_factory.mktemp("shared"), runs_on=runs_on))
    made.runner("on_blob", "on_message", "on_poison")
    yield made
    made.kill_all()


@pytest.fixture
def served(shared: TriggerApp) -> TriggerApp:
    """The shared app, running, and with nothing told yet."""
    eventually(lambda: shared.count(shared.blob_queue) in (None, 0), "the end of another test's messages")
    shared.forget()
    shared.runners[0].start()
    return shared
