"""An event in container ``openlineage``, as its blob's name and metadata identify it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from azure.storage.blob import BlobProperties

from core import naming
from core.naming import EventName


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


def stored_events(blobs: Iterable[BlobProperties]) -> Iterator[StoredEvent]:
    """The stored events of these blobs; blobs of other names are left out."""
    for blob in blobs:
        if name := naming.parse_blob_name(blob.name):
            yield StoredEvent(name, partition_of_row(blob.metadata), blob.last_modified)


def partition_of_row(metadata: Mapping[str, str] | None) -> str:
    """The partition of an event's row by the blob's metadata; "" if they do not contain it."""
    found = metadata or {}
    return f"{found['hour']}-{found['shard']}" if "hour" in found and "shard" in found else ""
