"""No request costs much more than its size allows, whatever it contains: bounds on CPU, memory, log and answer.

CPU is counted in normal events, each of which costs some 40 µs; a worker receives thousands of them a second.
"""

import time
import tracemalloc

import msgspec
import pytest

from core.envelope import read_envelope
from receiver.accept import accept
from tests.support.attacks import ACCEPTED, ATTACKS, Attack, cost, largest, normal
from tests.support.events import body, dataset, event
from tests.support.hostile import RULES, taken

NORMAL_EVENTS = 20_000
MEGABYTE = 1_000_000


# A normal event is measured once, for all attacks.
pytestmark = pytest.mark.xdist_group("cost")


@pytest.fixture(scope="module")
def one_event() -> float:
    """CPU seconds of a normal event."""
    content = normal()
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(200):
            taken(content)
        best = min(best, time.process_time() - began)
    return best / 200


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_an_attack_is_cheap(attack: Attack, one_event: float) -> None:
    status, answer, found = cost(attack)

    assert (status, attack.named in answer) == (attack.status, True)
    assert found.cpu < NORMAL_EVENTS * one_event
    assert found.memory < 10 * max(len(attack.content()), 4 * MEGABYTE)
    assert found.log_lines == 1
    assert found.answer < 200 * 1_000


@pytest.mark.parametrize("attack", ACCEPTED, ids=[attack.name for attack in ACCEPTED])
def test_the_worst_accepted_body_takes_less_than_ten_times_its_memory(attack: Attack) -> None:
    status, answer, found = cost(attack)

    assert (status, "kept" in answer) == (202, True)
    assert found.memory < 10 * len(largest() if attack.is_gzip else attack.content())


def test_the_largest_reported_event_costs_no_more_than_half_as_much_again_as_its_decoding() -> None:
    """It is above no limit, and is not decoded: only counted, hashed and looked through."""
    content = largest()
    decoded = float("inf")
    for _ in range(3):
        began = time.process_time()
        msgspec.json.decode(content)
        decoded = min(decoded, time.process_time() - began)
    status, _, found = cost(Attack("plain", lambda: content, 202))

    assert status == 202
    assert found.cpu < 1.5 * decoded


def test_long_names_are_not_remembered() -> None:
    """4,200 events with other names of 64 KB each would leave 270 MB in caches that count entries only."""

    def receive_and_name(numbers: range) -> None:
        for number in numbers:
            long = f"{number}-" + "x" * 60_000
            whole = event(job_name=f"{long}.{long[:5_000]}", inputs=[dataset("in", namespace=f"s3://{long}")])
            accept(read_envelope(body(whole)), RULES.receiver)

    receive_and_name(range(10))
    tracemalloc.start()
    receive_and_name(range(10, 1_010))
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert left < MEGABYTE
