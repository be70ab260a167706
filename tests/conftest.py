"""Fixtures that all tests may use: a real Azurite for each process, and an account of it for each module."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import HealthCheck, settings

from core.storage_connection import StorageConnection
from storage.clients import StorageClients, connect, provision
from tests.support.processes import let_children_be_interrupted
from tests.support.storage_accounts import StorageAccounts, running_accounts

let_children_be_interrupted()

pytest_plugins = ["tests.support.fixtures", "tests.support.unavailable_storage"]

# The same examples each time, and no deadline, as other work may slow a machine down; `--hypothesis-profile long` seeks
# new ones.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, suppress_health_check=_SLOW)
settings.register_profile("long", max_examples=20_000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def storage_accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageAccounts]:
    """Accounts of an Azurite in memory."""
    with running_accounts(tmp_path_factory.mktemp("azurite")) as accounts:
        yield accounts


@pytest.fixture(scope="module")
def storage_connection(storage_accounts: StorageAccounts) -> StorageConnection:
    """An account that the tests of a module share: each uses its own runs and names."""
    return storage_accounts.new()


@pytest.fixture(scope="module")
def storage_clients(storage_connection: StorageConnection) -> StorageClients:
    """Clients of the module's account, with all containers, tables and queues."""
    clients = connect(storage_connection)
    provision(clients)
    return clients


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes more than processors, as tests often wait: for storage, or for what they start."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have tests that take long: one that began last would keep everyone waiting."""
    take_long = {item.path for item in items if item.get_closest_marker("exhaustive")}
    items.sort(key=lambda item: item.path not in take_long)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--real", action="store_true", help="run tests/real, which fetches and starts a real Apache Atlas")
    parser.addoption("--write-expected", action="store_true", help="write tests/corpus/*/*/_expected.json, and fail")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave tests/real alone unless it is asked for."""
    return True if collection_path.name == "real" and not config.getoption("--real") else None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the figures that tests recorded, also those of other processes."""
    passed = terminalreporter.getreports("passed")
    if lines := sorted(str(value) for report in passed for name, value in report.user_properties if name == "figure"):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
