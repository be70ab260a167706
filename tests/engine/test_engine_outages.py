"""What storage's outages do to retries, with the app on Azure's trigger engine and worker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from local.demo.check import Inbox
from storage.clients import RETRY_QUEUE
from storage.event_rows import Status
from tests.engine.availability import skip_without_engine
from tests.engine.stack import EngineStack, engine_stack
from tests.engine.test_engine_app import SEED, until
from tests.support.events import body, dataset, event
from tests.support.storage_proxy import StorageProxy, storage_proxy

pytestmark = pytest.mark.xdist_group("engine app")
WRITE = body(event(inputs=[dataset("s", ["x"])], outputs=[dataset("t", ["a"], {"a": [("s", "x")]})]))


@pytest.fixture(scope="module", autouse=True)
def _needs_engine() -> None:
    skip_without_engine()


@contextmanager
def refused_uploads(running: EngineStack) -> Iterator[None]:
    """While it lasts, uploads are refused in a way that an operator can fix."""
    faults, fault = f"{running.data_map}/_control/faults", {"count": 1000, "path": "entity/bulk", "status": 423}
    requests.post(faults, json=fault, timeout=30).raise_for_status()
    yield
    requests.delete(faults, timeout=30).raise_for_status()


def was_sent(proxy: StorageProxy, queue: str) -> bool:
    """Whether a message was put on a queue."""
    return any(sent.status == 201 and sent.path.endswith(f"/{queue}/messages") for sent in proxy.sent)


def tables_and_new_retries(method: str, path: str) -> bool:
    """Requests of the app alone: the engine uses no tables, and takes retries without sending any."""
    names = ("EventMetadata", "RunProcesses", "LineageDetails", "AssetCache", "CreatedAssets")
    return any(name in path for name in names) or (method == "POST" and path.endswith(f"/{RETRY_QUEUE}/messages"))


def new_retries(method: str, path: str) -> bool:
    return method == "POST" and path.endswith(f"/{RETRY_QUEUE}/messages")


@pytest.mark.parametrize("refused", [tables_and_new_retries, new_retries])
def test_a_retry_that_storage_refuses_for_all_its_attempts_is_retried_later(
    refused: Callable[[str, str], bool], tmp_path: Path
) -> None:
    with engine_stack(tmp_path) as running, storage_proxy(running.stack.azurite) as proxy:
        (host,) = running.hosts
        host.use_storage(proxy.connection_string)
        inbox = Inbox(running.stack.azurite.connection_string, datetime.now(UTC))
        poison = f"{RETRY_QUEUE}-poison"
        proxy.refuses = lambda method, path: (
            refused(method, path) and was_sent(proxy, RETRY_QUEUE) and not was_sent(proxy, poison)
        )
        with refused_uploads(running):
            assert running.post(WRITE) == 202
            list(running.event_grid(SEED).deliver(running.blobs()))
            until(lambda: was_sent(proxy, poison), lambda: "the end of the host's attempts")
        until(lambda: not inbox.progress().pending, lambda: (inbox.progress(), running.messages()))
        assert inbox.progress().counts == {Status.PROCESSED: 1}
