"""What goes wrong around the queues, and how it is reported, with the app on Azure's trigger engine and worker."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from cli.checks.check import State
from cli.checks.end_to_end import check_end_to_end
from cli.checks.endpoint import Receiver
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.demo.check import Inbox
from pipeline.services import build
from storage.clients import RETRY_QUEUE, connect, provision
from storage.event_rows import Status
from storage.poison_queues import RETRY_POISON_QUEUE
from tests.engine.availability import skip_without_engine
from tests.engine.stack import EngineStack, engine_stack
from tests.engine.test_engine_app import SECONDS, SEED, until
from tests.support.events import body, dataset, event
from tests.support.storage_proxy import StorageProxy, storage_proxy

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine app")]
WRITE = body(event(inputs=[dataset("s", ["x"])], outputs=[dataset("t", ["a"], {"a": [("s", "x")]})]))


@pytest.fixture(scope="module", autouse=True)
def _needs_engine() -> None:
    skip_without_engine()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineStack]:
    """The running app of all tests of this module that can share one."""
    with engine_stack(tmp_path_factory.mktemp("shared")) as running:
        yield running


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
    with engine_stack(tmp_path) as running, storage_proxy(running.stack.azurite.connection_string) as proxy:
        (host,) = running.hosts
        host.use_storage(proxy.connection_string)
        inbox = Inbox(running.stack.azurite.connection_string, datetime.now(UTC))
        poison = RETRY_POISON_QUEUE
        proxy.refuses = lambda method, path: (
            refused(method, path) and was_sent(proxy, RETRY_QUEUE) and not was_sent(proxy, poison)
        )
        with refused_uploads(running):
            assert running.post(WRITE) == 202
            list(running.event_grid(SEED).deliver(running.blobs()))
            until(lambda: was_sent(proxy, poison), lambda: "the end of the host's attempts")
        until(lambda: not inbox.progress().pending, lambda: (inbox.progress(), running.messages()))
        assert inbox.progress().counts == {Status.PROCESSED: 1}


def test_a_message_that_no_function_can_read_is_reported(running: EngineStack) -> None:
    storage = connect(StorageConnection(running.stack.azurite.connection_string))
    provision(storage)
    storage.queues.get_queue_client(RETRY_QUEUE).send_message('{"run": "plain"}')
    until(lambda: running.messages() == {RETRY_POISON_QUEUE: 1}, running.messages)
    reported = f'"outcome": "waiting", "queue": "{RETRY_POISON_QUEUE}", "messages": 1'

    def is_reported() -> bool:
        # While the timer's own call continues, another one is not made.
        running.sweep()
        return reported in running.stack.host.output()

    until(is_reported, running.stack.host.output)


@pytest.mark.parametrize(
    ("function", "state", "found_text"),
    [
        ("Host.Functions.parse", State.OK, "a notification reported it"),
        # The engine answers 202 and drops it.
        ("Host.Functions.Parse", State.WRONG, "because the timer found it"),
    ],
)
def test_the_doctor_says_what_had_its_event_processed(
    function: str, state: State, found_text: str, running: EngineStack
) -> None:
    storage = StorageConnection(running.stack.azurite.connection_string)
    services = build(Settings(lineage_storage=storage, purview_endpoint=running.data_map, purview_auth="none"))
    receiver = Receiver(running.stack.receiver, running.stack.keys.function)
    with background(running, function):
        found = {check.name: check for check in check_end_to_end(receiver, services, SECONDS)}
    services.catalog.close()
    (check,) = (each for name, each in found.items() if name != "clean-up")
    assert (check.state, found_text in check.found) == (state, True), found


@contextmanager
def background(running: EngineStack, function: str) -> Iterator[None]:
    """While it lasts, each new event is notified once, and the timer becomes due repeatedly.

    The first event is notified to that function, and those of the clean-up, which need not wait for the timer as well,
    to the right one.
    """
    done, delivered = threading.Event(), set(running.blobs())

    def go_on() -> None:
        grid = running.event_grid(SEED)
        right, grid.function, grid.twice_share = grid.function, function, 0
        while not done.wait(0.5):
            new = [blob for blob in running.blobs() if blob not in delivered]
            delivered.update(grid.deliver(new))
            grid.function = right if new else grid.function
            running.sweep()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
