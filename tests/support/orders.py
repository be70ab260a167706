"""Orders in which events may come, workers that overtake others, and runs that are processed again because of it."""

import base64
import random
from collections.abc import Callable
from typing import Any

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


def once(original: Callable[..., Any], meanwhile: Callable[[], object], *, late: bool = False) -> Callable[..., Any]:
    """``original`` whose first call is overtaken by ``meanwhile``: before it or, if ``late``, right behind it."""
    calls: list[int] = []

    def overtaken(*arguments: object, **more: object) -> object:
        calls.append(1)
        if len(calls) > 1:
            return original(*arguments, **more)
        if not late:
            meanwhile()
        result = original(*arguments, **more)
        if late:
            meanwhile()
        return result

    return overtaken
