"""Messages in poison queues that no function takes: they stay hidden until they expire after seven days.

A function takes readable messages within seconds. One that stays is not base64, or a function fails on it again and
again; in both cases the host locks the message for ten minutes each time, so that it is invisible on the queue.
"""

import logging

from core.errors import StorageUnavailable
from core.logs import step
from pipeline.services import Services
from storage.poison_queues import poison_messages
from storage.request_budget import budget

log = logging.getLogger(__name__)

_SECONDS = 10


def report(services: Services) -> None:
    """Log how many messages each poison queue has; an alert counts these lines. Storage that is unavailable is not."""
    try:
        with budget(_SECONDS):
            found = poison_messages(services.clients)
    except StorageUnavailable as error:
        log.warning("could not look at the poison queues: %s", error.reason)
        return
    for queue, messages in found.items():
        step(log, "poison", "waiting", {"queue": queue, "messages": messages}, logging.WARNING)
