"""Messages of an event hub: the same door as HTTP, and no message that stops the others."""

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.envelope import read_envelope
from core.errors import StorageUnavailable
from local.host.worker import event_hub_events
from pipeline import receive
from pipeline.intake import MOST_DEATHS
from pipeline.run import process_run
from pipeline.services import Services
from pipeline.stream import take_messages
from receiver import accept
from storage.attempts import Attempts
from storage.event_store import EventStore
from tests.pipeline.test_collect import a_write
from tests.support.deaths import lives_until
from tests.support.events import body, event
from tests.support.fixtures import new_universe

CURATED = "https://contosolake.dfs.core.windows.net/curated"


@pytest.fixture
def hub(services: Services) -> Services:
    """Services with a hub whose dead letters are this test's own."""
    return replace(services, settings=replace(services.settings, event_hub=f"hub-{uuid.uuid4()}"))


def stored(content: bytes, services: Services) -> int:
    run = read_envelope(content).run_key
    return len(services.events.names(run))


def letters(services: Services) -> list[str]:
    """The texts of the hub's dead letters."""
    box = services.dead_letters
    prefix = box.name_of(f"event hub {services.settings.event_hub}", "x").partition("/")[0]
    found = [box.read(name) for name in box.names(prefix)]
    return sorted(str(letter.details["text"]) for letter in found if letter)


def unavailable(*_: object) -> None:
    raise StorageUnavailable("not now")


def padded(content: bytes, size: int) -> bytes:
    """The same event with a producer of that many characters."""
    return content.replace(b"{", b'{"producer":"' + b"x" * size + b'",', 1)


def recorded() -> list[dict[str, Any]]:
    """What agent 1.53.0 on Spark 3.5.1 sent to an Apache Kafka 3.7.1 broker: two writes of one application."""
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("kafka_messages.json").read_text("utf-8"))
    return found


def test_an_agent_sends_an_event_a_message_in_one_partition_for_an_application() -> None:
    assert {(each["partition"], each["key"]) for each in recorded()} == {(0, "run:contoso-fabric/nb_kafka")}


def test_the_messages_of_an_agent_are_drawn(hub: Services) -> None:
    here = replace(new_universe(hub), services=hub)
    events = [here.own(each["value"].encode()) for each in recorded()]

    take_messages(events, hub)
    for run in sorted({read_envelope(each).run_key for each in events}):
        process_run(run, hub)

    assert letters(hub) == []
    written = [name for process in here.processes().values() for name in process["outputs"]]
    assert sorted(written) == [
        f"{CURATED}/{name}/{{SparkPartitions}}" for name in ("customer_master", "customers_by_city")
    ]


def test_messages_are_stored_once_and_bad_ones_are_dead_lettered_once(hub: Services) -> None:
    events = [a_write(number) for number in range(4)]
    ignored = body(event(job_name="app.collect_limit", outputs=[]))
    messages = [events[0], b"[" + b",".join(events[1:3]) + b"]", b"{half", ignored, b"[half", b"", events[3]]

    for _ in range(2):
        take_messages(messages, hub)

    assert [stored(each, hub) for each in events] == [1] * 4
    assert letters(hub) == ["", "[half", "{half"]


def test_the_batch_is_delivered_again_while_storage_is_unavailable(
    hub: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = a_write()
    with monkeypatch.context() as patched:
        patched.setattr(EventStore, "put", unavailable)
        with pytest.raises(StorageUnavailable):
            take_messages([written], hub)
    take_messages([written], hub)

    assert (stored(written, hub), letters(hub)) == (1, [])


def test_an_event_on_which_the_code_fails_does_not_stop_the_partition(
    hub: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = a_write(), a_write()

    def failing(envelope: Any, rules: Any) -> Any:
        if envelope.run_key == read_envelope(bad).run_key:
            raise RuntimeError("a fault of ours")
        return accept.accept(envelope, rules)

    monkeypatch.setattr(receive, "accept", failing)
    take_messages([bad, good], hub)

    assert (stored(good, hub), stored(bad, hub), letters(hub)) == (1, 0, [bad.decode()])


def test_a_message_that_kills_the_worker_is_dead_lettered_whole_and_the_others_of_its_batch_are_taken(
    hub: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, deadly, last = a_write(), padded(a_write(), 10_000), a_write()
    run = read_envelope(deadly).run_key

    deaths = lives_until(
        lambda: take_messages([first, deadly, last], hub), lambda each: each.run_key == run, monkeypatch
    )

    assert deaths == 2 * MOST_DEATHS
    assert [stored(each, hub) for each in (first, deadly, last)] == [1, 0, 1]
    assert letters(hub) == [deadly.decode()]


def test_workers_that_end_for_other_reasons_cost_no_message(hub: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    written, left = a_write(), iter(range(2 * MOST_DEATHS - 1))

    deaths = lives_until(lambda: take_messages([written], hub), lambda _: next(left, None) is not None, monkeypatch)

    assert (deaths, stored(written, hub), letters(hub)) == (2 * MOST_DEATHS - 1, 1, [])


def test_outages_are_not_taken_for_deaths(hub: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    written = a_write()
    with monkeypatch.context() as patched:
        patched.setattr(EventStore, "put", unavailable)
        patched.setattr(Attempts, "end", unavailable)
        for _ in range(3 * MOST_DEATHS):
            with pytest.raises(StorageUnavailable):
                take_messages([written], hub)
    take_messages([written], hub)

    assert (stored(written, hub), letters(hub)) == (1, [])


def test_the_local_host_makes_the_events_that_a_function_gets() -> None:
    assert [each.get_body() for each in event_hub_events([b"a", b"b"])] == [b"a", b"b"]
