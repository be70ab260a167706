"""The sample app under the local host and under the trigger engine, and Azurite for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.engine.availability import skip_without_engine
from tests.engine.hosts import ENGINE, RUNNERS, TriggerApp
from tests.local.host.sample import eventually, prepared


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """An Azurite that keeps its data in memory."""
    with Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log") as azurite:
        yield azurite


@pytest.fixture(scope="module", params=RUNNERS)
def runs_on(request: pytest.FixtureRequest) -> str:
    """The runner of the triggers in this test: once the local host, once the engine."""
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
    """The shared app, running, and with nothing reported yet."""
    eventually(lambda: shared.count(shared.blob_queue) in (None, 0), "the end of another test's messages")
    shared.forget()
    shared.runners[0].start()
    return shared
