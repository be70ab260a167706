"""The names under which an event is stored: its blob, its row in EventMetadata, and the way back from a blob's name.

All parts are digits, hex or of a fixed set of types, so no foreign text gets into a key or a path.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from core.event_model import Envelope

CONTAINER = "openlineage"
FOLDER = "runs/"
SHARDS = 16

_BLOB = re.compile(
    r"runs/(?P<run>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|x-[0-9a-f]{32})/"
    r"(?P<date>[0-9]{8})T(?P<time>[0-9]{12})Z-(?P<type>START|RUNNING|COMPLETE|FAIL|ABORT|OTHER)-"
    r"(?P<digest>[0-9a-f]{16})\.json"
)


@dataclass(frozen=True, slots=True)
class EventName:
    """The parts of a blob's name, which identify its event; ``time`` is UTC."""

    run_key: str
    time: datetime
    event_type: str
    digest: str

    @property
    def blob(self) -> str:
        """The blob's name in ``CONTAINER``."""
        return f"{run_folder(self.run_key)}{_stamp(self.time)}-{self.event_type}-{self.digest}.json"

    @property
    def row_key(self) -> str:
        """RowKey in EventMetadata."""
        return f"{self.run_key}|{self.digest}"


def event_name(envelope: Envelope, digest: str) -> EventName:
    """The name of the event with this envelope; ``digest`` is that of its expanded body."""
    return EventName(envelope.run_key, envelope.time, envelope.event_type, digest)


def folder_of(blob: str) -> str:
    """The key of the run in whose folder a blob lies."""
    return blob.removeprefix(FOLDER).partition("/")[0]


def parse_blob_name(name: str) -> EventName | None:
    """The event whose blob has this name (without container); None for a name of another form."""
    match = _BLOB.fullmatch(name)
    if not match:
        return None
    try:
        time = datetime.strptime(match["date"] + match["time"], "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return EventName(match["run"], time, match["type"], match["digest"])


def run_folder(run_key: str) -> str:
    """The prefix that the blobs of one run share, and no others have."""
    return f"{FOLDER}{run_key}/"


def hour(received: datetime) -> str:
    """The hour of receipt as keys spell it: ``yyyyMMddHH`` in UTC."""
    utc = received.astimezone(UTC)
    return f"{utc.year:04}{utc.month:02}{utc.day:02}{utc.hour:02}"


def shard(run_key: str) -> str:
    """Two digits, 00 to 15, by the run: all rows of a run and hour are in one partition."""
    return f"{int(hashlib.sha256(run_key.encode()).hexdigest()[:8], 16) % SHARDS:02}"


def partition_key(received: datetime, run_key: str) -> str:
    """PartitionKey in EventMetadata."""
    return f"{hour(received)}-{shard(run_key)}"


def _stamp(time: datetime) -> str:
    # strftime does not pad years below 1000 on every platform.
    utc = time.astimezone(UTC)
    day, clock = f"{utc.year:04}{utc.month:02}{utc.day:02}", f"{utc.hour:02}{utc.minute:02}{utc.second:02}"
    return f"{day}T{clock}{utc.microsecond:06}Z"
