"""A row of EventMetadata: one stored event and its state in the app."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from azure.data.tables import TableEntity

from core import naming
from core.event_model import Envelope
from core.naming import EventName
from storage.text import cut

_NAME_UNITS = 1000
_MESSAGE_UNITS = 4000


class Status(Enum):
    """How far a stored event was processed."""

    RECEIVED = "Received"
    """Stored, not looked at yet."""
    PROCESSED = "Processed"
    """Its run is in the catalogue, or was taken out of it."""
    IGNORED = "Ignored"
    """Its run carries no lineage; the message says why."""
    WAITING = "Waiting"
    """Its run has not ended yet."""
    RETRYING = "Retrying"
    """A failed attempt will be repeated."""
    DEAD_LETTERED = "DeadLettered"
    """Given up; the message says why, ``sparklin replay`` tries again."""
    DUPLICATE = "Duplicate"
    """The same event has a row in another hour, which is the one that counts."""


class RowKeys(NamedTuple):
    """PartitionKey and RowKey of a row; they sort as the table does."""

    partition: str
    row: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row as it is read; times are UTC, ``message`` is "" where there is none, ``changed`` is by storage's clock."""

    partition: str
    row_key: str
    run_key: str
    digest: str
    status: Status
    retry_count: int
    file_path: str
    message: str
    event_type: str
    event_time: str
    job_namespace: str
    job_name: str
    run_id: str
    received: datetime
    changed: datetime
    etag: str


def new_entity(envelope: Envelope, name: EventName, received: datetime) -> dict[str, Any]:
    """The row of a new event; foreign texts are cut to the size of a column."""
    return {
        "PartitionKey": naming.partition_key(received, name.run_key),
        "RowKey": name.row_key,
        "Status": Status.RECEIVED.value,
        "RetryCount": 0,
        "FilePath": f"{naming.CONTAINER}/{name.blob}",
        "isArchived": False,
        "Message": "",
        "EventType": envelope.event_type,
        # As text: event times may be outside the range of a table's type of time.
        "EventTime": envelope.time.isoformat(),
        "JobNamespace": cut(envelope.job_namespace, _NAME_UNITS),
        "JobName": cut(envelope.job_name, _NAME_UNITS),
        "RunId": cut(envelope.run_id, _NAME_UNITS),
        "Received": received,
    }


def status_entity(
    partition: str, row_key: str, status: Status, message: str, retry_count: int | None
) -> dict[str, Any]:
    """A change of a row's status, to be merged into the row."""
    change: dict[str, Any] = {
        "PartitionKey": partition,
        "RowKey": row_key,
        "Status": status.value,
        "Message": cut(message, _MESSAGE_UNITS),
    }
    if retry_count is not None:
        change["RetryCount"] = retry_count
    return change


def read_row(entity: TableEntity) -> EventRow:
    """Read a row, also one that lost columns: a missing status counts as received."""
    run_key, _, digest = str(entity["RowKey"]).rpartition("|")
    received = entity.get("Received")
    status = entity.get("Status")
    known = status in {item.value for item in Status}
    return EventRow(
        partition=entity["PartitionKey"],
        row_key=entity["RowKey"],
        run_key=run_key,
        digest=digest,
        status=Status(status) if known else Status.RECEIVED,
        retry_count=int(entity.get("RetryCount") or 0),
        file_path=entity.get("FilePath") or "",
        message=entity.get("Message") or "",
        event_type=entity.get("EventType") or "",
        event_time=entity.get("EventTime") or "",
        job_namespace=entity.get("JobNamespace") or "",
        job_name=entity.get("JobName") or "",
        run_id=entity.get("RunId") or "",
        received=_time(received),
        changed=_time(entity.metadata["timestamp"]),
        etag=entity.metadata["etag"] or "",
    )


def _time(value: object) -> datetime:
    """A time of the SDK, whose class keeps more digits, in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else datetime.min.replace(tzinfo=UTC)
