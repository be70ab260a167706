"""One Data Map for all tests of the folder, emptied before each."""

from collections.abc import Iterator

import pytest
import requests

from local.data_map.server import running
from tests.local.data_map.api import Api


@pytest.fixture(scope="session")
def server() -> Iterator[Api]:
    with running() as address, requests.Session() as session:
        yield Api(address, session)


@pytest.fixture
def api(server: Api) -> Api:
    assert server.call("POST", "/_control/reset").status_code == 200
    return server
