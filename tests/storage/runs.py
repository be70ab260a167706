"""Events with their own runs, so that tests may share one storage."""

import uuid
from datetime import UTC, datetime
from typing import Any

from core.envelope import read_envelope
from core.event_fields import digest
from core.event_model import Envelope
from tests.support.events import body, event

NOON = datetime(2024, 1, 31, 12, 10, tzinfo=UTC)


def new_run() -> str:
    """A run id that no other test has."""
    return str(uuid.uuid4())


def new_event(event_type: str = "COMPLETE", *, run: str = "", **more: Any) -> tuple[Envelope, str, bytes]:
    """The envelope, digest and body of an event, of a new run unless one is given."""
    text = body(event(event_type, run=run or new_run(), **more))
    return read_envelope(text), digest(text), text
