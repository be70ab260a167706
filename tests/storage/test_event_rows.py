"""A row of an event is read as it was written, and as received if it has lost its columns."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.data.tables import TableEntity

from core import naming
from storage.event_rows import EventRow, Status, new_entity, read_row, status_entity
from tests.storage.runs import NOON, new_event

CHANGED = datetime(2024, 2, 1, tzinfo=UTC)
ENVELOPE, DIGEST, _ = new_event(job_namespace="prod", job_name="app.write")
NAME = naming.event_name(ENVELOPE, DIGEST)
WRITTEN = new_entity(ENVELOPE, NAME, NOON)
KEYS = {key: WRITTEN[key] for key in ("PartitionKey", "RowKey")}


def read(entity: dict[str, Any], etag: str | None = "e") -> EventRow:
    found = TableEntity(entity)
    found._metadata = {"etag": etag, "timestamp": CHANGED}
    return read_row(found)


def test_a_new_row_says_what_its_event_says() -> None:
    assert WRITTEN["isArchived"] is False
    assert read(WRITTEN) == EventRow(
        naming.partition_key(NOON, ENVELOPE.run_key), NAME.row_key, ENVELOPE.run_key, DIGEST, Status.RECEIVED, 0,
        f"{naming.CONTAINER}/{NAME.blob}", "", "COMPLETE", ENVELOPE.time.isoformat(), "prod", "app.write",
        ENVELOPE.run_id, NOON, CHANGED, "e",
    )  # fmt: skip


def test_a_row_that_lost_its_columns_counts_as_received() -> None:
    assert read(KEYS, None) == EventRow(
        WRITTEN["PartitionKey"], NAME.row_key, ENVELOPE.run_key, DIGEST, Status.RECEIVED, 0, "", "", "", "", "", "", "",
        datetime.min.replace(tzinfo=UTC), CHANGED, "",
    )  # fmt: skip


@pytest.mark.parametrize(("count", "expected"), [(None, 0), (3, 3)])
@pytest.mark.parametrize("status", Status)
def test_a_change_of_status_keeps_the_rest(status: Status, count: int | None, expected: int) -> None:
    changed = read({**WRITTEN, **status_entity(KEYS["PartitionKey"], KEYS["RowKey"], status, "why", count)})
    assert (changed.status, changed.message, changed.retry_count) == (status, "why", expected)
    assert (changed.file_path, changed.received) == (f"{naming.CONTAINER}/{NAME.blob}", NOON)


def test_a_status_of_another_version_counts_as_received() -> None:
    assert read({**WRITTEN, "Status": "Unheard"}).status is Status.RECEIVED
