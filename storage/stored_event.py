"""An event in container ``openlineage``, as its blob's name and metadata identify it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from azure.storage.blob import BlobProperties

from core import naming
from core.naming import EventName

# Far above the budget of a put.
_PUT_AT_MOST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A blob of an event.

    ``partition`` is that of its row, "" for a blob that the receiver did not write. ``modified`` (UTC) is set for blobs
    that were listed.
    """

    name: EventName
    partition: str
    modified: datetime = field(default=datetime.min.replace(tzinfo=UTC), compare=False)

    @property
    def received(self) -> datetime | None:
        """The hour of receipt (UTC), None for a blob that the receiver did not write."""
        try:
            return datetime.strptime(self.partition[:10], "%Y%m%d%H").replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def received_about(self) -> datetime | None:
        """The time of receipt (UTC), None for a blob that the receiver did not write.

        The blob was written within seconds, so this is its time; the hour alone if the blob was copied later.
        """
        hour = self.received
        if hour is None:
            return None
        last = hour + timedelta(minutes=59, seconds=59)
        return min(self.modified, last) if hour <= self.modified < last + _PUT_AT_MOST else hour


def stored_events(blobs: Iterable[BlobProperties]) -> Iterator[StoredEvent]:
    """The stored events of these blobs; blobs of other names are left out."""
    for blob in blobs:
        if name := naming.parse_blob_name(blob.name):
            yield StoredEvent(name, partition_of_row(blob.metadata), blob.last_modified)


def partition_of_row(metadata: Mapping[str, str] | None) -> str:
    """The partition of an event's row by the blob's metadata; "" if they do not contain it."""
    found = metadata or {}
    return f"{found['hour']}-{found['shard']}" if "hour" in found and "shard" in found else ""
