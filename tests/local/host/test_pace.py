"""How long the host waits, and that only time depends on it."""

import pytest

from local.host.pace import AZURE, QUICK, BackOff
from local.host.queue_listener import Concurrency
from tests.local.host.sample import SampleApp, encoded

#: Seconds between polls of an empty queue, as recorded, without their spread.
RECORDED = [0.1, 0.2, 0.3, 0.5, 0.9, 1.7, 3.3, 6.5, 12.9, 25.7, 51.3, 60.0, 60.0]


def waits(longest: float, count: int) -> list[float]:
    back_off = BackOff(longest)
    return [back_off.next() for _ in range(count)]


def test_an_empty_queue_is_polled_at_growing_intervals() -> None:
    assert waits(AZURE.longest_poll_seconds, len(RECORDED)) == [pytest.approx(wait, rel=0.2) for wait in RECORDED]


def test_the_longest_wait_is_the_configured_one() -> None:
    assert waits(QUICK.longest_poll_seconds, 50)[-1] == QUICK.longest_poll_seconds


def test_a_found_message_resets_the_waits() -> None:
    back_off = BackOff(60)
    for _ in range(5):
        back_off.next()
    back_off.found()
    assert back_off.next() == 0.1


def test_a_message_is_locked_for_ten_minutes_in_azure() -> None:
    assert (AZURE.lock_seconds, AZURE.scan_seconds, AZURE.lease_seconds, AZURE.takeover_seconds) == (600, 10, 60, 60)


@pytest.mark.parametrize(
    ("degree", "batch", "threshold"), [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (8, 5, 3), (64, 32, 32)]
)
def test_blobs_are_taken_in_batches_of_little_more_than_half(degree: int, batch: int, threshold: int) -> None:
    assert Concurrency.of_degree(degree) == Concurrency(batch, threshold)


@pytest.mark.exhaustive
def test_a_host_at_the_pace_of_azure_does_the_same(app: SampleApp) -> None:
    with app.host("--pace", "azure", "--poll-seconds", "0.1"):
        app.upload("runs/a", "x")
        app.send(encoded("b"))
        assert app.until_reported("on_blob", 1)[0]["content"] == "x"
        assert app.until_reported("on_message", 1)[0]["body"] == "b"
