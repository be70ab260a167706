"""Azurite once for all tests of a module; the sample app for each test, or running for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite
from local.stack.parts import FunctionHost
from tests.local.host.sample import SampleApp, sample_app


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """An Azurite that keeps its data in memory."""
    with Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log") as azurite:
        yield azurite


@pytest.fixture
def app(azurite: Azurite, tmp_path: Path) -> Iterator[SampleApp]:
    """The sample app with empty queues and an empty container, without a host."""
    made = sample_app(azurite, tmp_path)
    yield made
    for host in made.hosts:
        host.kill()


@pytest.fixture(scope="module")
def served(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionHost]:
    """A running host of the sample app, for tests that only ask it over HTTP."""
    with sample_app(azurite, tmp_path_factory.mktemp("served")).host() as host:
        yield host
