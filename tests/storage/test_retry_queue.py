"""Pointers on the retry queue: as the Functions host reads them, never lost."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from azure.storage.queue import QueueClient

from core.errors import UnreadableEvent
from storage.clients import RETRY_QUEUE, StorageClients
from storage.retry_queue import RetryPointer, RetryQueue, decode, encode
from tests.storage.runs import new_run

FAILED = datetime(2024, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def raw(storage_clients: StorageClients) -> QueueClient:
    """The empty queue, with messages as sent over the wire."""
    client = storage_clients.queues.get_queue_client(RETRY_QUEUE)
    client.clear_messages()
    return client


def test_a_message_is_base64_json_that_never_expires(storage_clients: StorageClients, raw: QueueClient) -> None:
    pointer = RetryPointer(new_run(), 2, FAILED, "HTTP 429")
    RetryQueue(storage_clients).enqueue(pointer, 0)
    message = raw.receive_message()
    assert message is not None
    assert decode(base64.b64decode(message.content)) == pointer
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


def test_a_message_is_delivered_when_it_is_due(storage_clients: StorageClients, raw: QueueClient) -> None:
    RetryQueue(storage_clients).enqueue(RetryPointer(new_run(), 1, FAILED), 3600)
    assert raw.receive_message() is None
    assert raw.get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("delay", [-5, 0.4, 10_000_000])
def test_delays_are_brought_into_what_a_queue_takes(
    storage_clients: StorageClients, raw: QueueClient, delay: float
) -> None:
    RetryQueue(storage_clients).enqueue(RetryPointer(new_run(), 1, FAILED), delay)
    assert raw.get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("reason", ["x" * 100_000, "😀" * 100_000, "\x00\ud800\n'\"<>&"])
def test_messages_stay_small_whatever_the_reason(
    storage_clients: StorageClients, raw: QueueClient, reason: str
) -> None:
    pointer = RetryPointer(new_run(), 1, FAILED, reason)
    assert len(encode(pointer)) < 16_000
    RetryQueue(storage_clients).enqueue(pointer, 0)
    message = raw.receive_message()
    assert message is not None
    assert decode(base64.b64decode(message.content)).run_key == pointer.run_key


def test_the_next_attempt_keeps_the_first_failure() -> None:
    later = RetryPointer("r", 1, FAILED, "a").next("b")
    assert later == RetryPointer("r", 2, FAILED, "b")


def test_times_are_utc() -> None:
    east = FAILED.astimezone(timezone(timedelta(hours=5)))
    assert "+00:00" in encode(RetryPointer("r", 1, east))
    assert decode(encode(RetryPointer("r", 1, east))).first_failed == FAILED


GOOD = json.loads(encode(RetryPointer("r", 1, FAILED)))
FOREIGN = [
    "",
    "text",
    "5",
    "[]",
    "{}",
    b"\xff\xfe",
    "[" * 100_000,
    *(json.dumps({**GOOD, key: value}) for key, value in (("run", 5), ("attempt", "x"), ("firstFailed", "never"))),
    *(json.dumps({**GOOD, key: None}) for key in ("run", "attempt", "firstFailed")),
]


@pytest.mark.parametrize("text", FOREIGN)
def test_foreign_messages_are_recognised(text: str | bytes) -> None:
    with pytest.raises(UnreadableEvent) as caught:
        decode(text)
    assert caught.value.remedy
