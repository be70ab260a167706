"""Orders in which events may come, and the runs that are processed again because of what came later."""

import base64
import random

from pipeline import retries
from storage.retry_queue import decode
from tests.support.universe import Universe


def backwards(found: list[bytes]) -> list[bytes]:
    return found[::-1]


def shuffled_and_doubled(found: list[bytes]) -> list[bytes]:
    return random.Random(7).sample([*found, *found], 2 * len(found))


def follow_up(here: Universe, reason: str) -> int:
    """Process the runs that were enqueued for a reason; how many."""
    queue, count = here.services.clients.queue(), 0
    for message in queue.receive_messages(visibility_timeout=600):
        pointer = base64.b64decode(message.content)
        if decode(pointer).reason == reason:
            retries.retry(pointer, here.services)
            count += 1
        queue.delete_message(message)
    return count
