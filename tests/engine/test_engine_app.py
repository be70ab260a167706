"""The app on Azure's trigger engine and worker: recorded events come out as they do under the local host.

Each disturbance is one that Azure has; whatever it does, all events are accounted for and the catalogue is the same.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from local.demo.check import Inbox, expected_processes, missing
from local.demo.scenarios import ENVIRONMENT, SCENARIOS, Scenario
from local.stack.lifecycle import Stack
from storage.event_rows import Status
from tests.engine.availability import skip_without_engine
from tests.engine.stack import EngineStack, engine_stack
from tests.support.catalogue import entities, in_any_order, picture, twice
from tests.support.storage_proxy import storage_proxy

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("engine app")]
SEED = 20261129
#: Far more than is needed; after that, what has not happened fails.
SECONDS = 240.0
POISON_QUEUE = "webjobs-blobtrigger-poison"
BLOB_QUEUE = "azure-webjobs-blobtrigger-sparklin"

#: Those that are sent where something is disturbed: many writes, a MERGE, a failure, and an old agent.
DISTURBED = [SCENARIOS[number] for number in (3, 4, 8, 9)]


@dataclass(frozen=True)
class Sample:
    """Events, and the catalogue that the local host creates from them, in order and each once."""

    events: Sequence[bytes]
    catalogue: Sequence[str]


def events_of(scenarios: Iterable[Scenario]) -> list[bytes]:
    return [body for scenario in scenarios for body in scenario.bodies()]


def until(is_so: Callable[[], object], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


@pytest.fixture(scope="module", autouse=True)
def _needs_engine() -> None:
    skip_without_engine()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, Sample]:
    """All events, and those of a few scenarios."""
    few, others = events_of(DISTURBED), events_of(each for each in SCENARIOS if each not in DISTURBED)
    with Stack(tmp_path_factory.mktemp("local"), environment=ENVIRONMENT) as stack:
        catalogues = [sent_to(stack, few), sent_to(stack, others)]
    assert len(catalogues[0]) > 50
    assert len(catalogues[1]) > 100
    return Sample([*few, *others], catalogues[1]), Sample(few, catalogues[0])


def sent_to(stack: Stack, events: Iterable[bytes]) -> list[str]:
    """The catalogue of a local stack after some additional events."""
    assert stack.data_map
    inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
    with requests.Session() as session:
        for body in events:
            answer = session.post(f"{stack.receiver}/api/v1/lineage", body, headers=stack.key_header, timeout=60)
            assert answer.status_code in (200, 202)
    until(lambda: not inbox.progress().pending, lambda: inbox.progress())
    return in_any_order(picture(stack.data_map.url))


@pytest.fixture
def all_events(samples: tuple[Sample, Sample]) -> Sample:
    return samples[0]


@pytest.fixture
def few_events(samples: tuple[Sample, Sample]) -> Sample:
    return samples[1]


def received(running: EngineStack, sample: Sample) -> tuple[Inbox, list[str]]:
    """Send the events, and return what happened to them: their rows, and the blobs that were stored."""
    inbox = Inbox(running.stack.azurite.connection_string, datetime.now(UTC))
    statuses = {running.post(body) for body in sample.events}
    assert statuses == {200, 202}
    return inbox, running.blobs()


def assert_all_came_out(running: EngineStack, inbox: Inbox, sample: Sample, *, sweeps: bool = False) -> None:
    """Every event is accounted for, and the catalogue is as expected, without duplicates.

    With ``sweeps``, the timer comes due until it has nothing more to find.
    """

    def is_over() -> bool:
        progress = inbox.progress()
        if sweeps and progress.counts.get(Status.RECEIVED):
            running.sweep()
        return not progress.pending

    until(is_over, lambda: (inbox.progress(), running.messages()))
    assert inbox.progress().counts.get(Status.DEAD_LETTERED, 0) == 0
    found = in_any_order(picture(running.data_map))
    assert [line for line in found if line not in sample.catalogue] == []
    assert [line for line in sample.catalogue if line not in found] == []
    assert twice(running.data_map) == []
    assert list(missing(expected_processes(sample.events, ENVIRONMENT), entities(running.data_map))) == []


@pytest.mark.parametrize(("hosts", "sent"), [(1, "few_events"), (2, "all_events")])
def test_recorded_events_come_out_as_under_the_local_host(
    hosts: int, sent: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sample: Sample = request.getfixturevalue(sent)
    with engine_stack(tmp_path, hosts, app=ENVIRONMENT) as running:
        inbox, blobs = received(running, sample)
        assert list(running.event_grid(SEED).deliver(blobs))
        assert_all_came_out(running, inbox, sample)
        until(lambda: not running.messages(), running.messages)


def test_a_worker_that_is_killed_again_and_again_loses_nothing(few_events: Sample, tmp_path: Path) -> None:
    with engine_stack(tmp_path, app=ENVIRONMENT) as running:
        inbox, blobs = received(running, few_events)
        (host,) = running.hosts
        for number, _ in enumerate(running.event_grid(SEED).deliver(blobs)):
            if number % 20 == 10:
                until_in_work(running)
                host.kill_worker_process()
        assert_all_came_out(running, inbox, few_events)
        assert len(host.worker.process_ids()) > 3
        until(lambda: not running.messages(), running.messages)


def test_the_sweep_recovers_the_work_of_a_killed_engine(few_events: Sample, tmp_path: Path) -> None:
    with engine_stack(tmp_path, app=ENVIRONMENT) as running:
        inbox, blobs = received(running, few_events)
        (host,) = running.hosts
        for number, _ in enumerate(running.event_grid(SEED).deliver(blobs)):
            if number % 20 == 10:
                until_in_work(running)
                host.kill_engine()
        until(lambda: host.restarts >= 3, lambda: host.restarts)
        assert_all_came_out(running, inbox, few_events, sweeps=True)


def test_storage_that_is_unavailable_until_the_engine_ends(few_events: Sample, tmp_path: Path) -> None:
    with engine_stack(tmp_path, app=ENVIRONMENT) as running:
        inbox, blobs = received(running, few_events)
        (host,) = running.hosts
        for number, _ in enumerate(running.event_grid(SEED).deliver(blobs)):
            if number == len(blobs) // 2:
                running.stack.azurite.stop()
                until(lambda: host.restarts, lambda: "the engine ends without its storage")
                running.stack.azurite.start()
        assert_all_came_out(running, inbox, few_events, sweeps=True)


def test_a_blob_that_the_trigger_can_never_read_joins_the_retries(few_events: Sample, tmp_path: Path) -> None:
    """The engine asks for blobs through a proxy that refuses those of one run; the app can read them."""
    with (
        engine_stack(tmp_path, app=ENVIRONMENT) as running,
        storage_proxy(running.stack.azurite.connection_string) as proxy,
    ):
        inbox, blobs = received(running, few_events)
        run = blobs[0].split("/")[1]
        proxy.refuses = lambda method, path: method == "GET" and run in path
        (host,) = running.hosts
        host.listen_to(proxy.connection_string)
        assert list(running.event_grid(SEED).deliver(blobs))
        assert_all_came_out(running, inbox, few_events)
        until(lambda: not running.messages(), running.messages)
    refused = [sent.path for sent in proxy.sent if sent.status == 403]
    poison = [sent for sent in proxy.sent if sent.status == 201 and sent.path.endswith(f"/{POISON_QUEUE}/messages")]
    assert len(refused) == 5 * len(poison) > 0


def until_in_work(running: EngineStack) -> None:
    """Wait until the engine has something in work."""
    until(lambda: running.messages().get(BLOB_QUEUE), running.messages)
