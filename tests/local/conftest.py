"""An app that several files of tests use."""

from collections.abc import Iterator

import pytest

from local.stack.lifecycle import Stack
from tests.support.health import wait_until_healthy


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An app that has answered once, and so has created its containers, tables and queues.

    Files that use it name the ``xdist_group`` "stack", so that it is started once, and leave it as it was.
    """
    # What the catalogue refuses is tried again soon, so that no test has to wait for its end.
    environment = {"RETRY_FIRST_DELAY_SECONDS": "1"}
    with Stack(tmp_path_factory.mktemp("stack"), in_memory=True, environment=environment) as running:
        wait_until_healthy(running.receiver)
        yield running
