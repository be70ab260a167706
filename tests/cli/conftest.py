"""Fixtures of the tests of commands that send an event and wait for the app."""

from collections.abc import Iterator

import pytest

from tests.support.idle_app import IdleApp
from tests.support.installation import Installation, installed
from tests.support.storage_accounts import StorageAccounts


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, storage_accounts: StorageAccounts) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("installation"), storage=storage_accounts.new()) as running:
        yield running


@pytest.fixture
def idle_app(installation: Installation) -> IdleApp:
    """An app without an event, a process or an asset."""
    found = IdleApp(installation)
    found.be_empty()
    return found
