"""Names of blobs and rows, there and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import naming
from core.envelope import read_envelope
from core.identity import run_key
from core.naming import EventName, event_name, parse_blob_name
from tests.support.events import body, event

RUN = "01a204f9-ced0-75cb-96b6-56e74817518a"
TIME = datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
BLOB = f"runs/{RUN}/20240131T120000123456Z-COMPLETE-0123456789abcdef.json"


def test_an_events_blob_and_row() -> None:
    name = EventName(RUN, TIME, "COMPLETE", "0123456789abcdef")
    assert name.blob == BLOB
    assert name.row_key == f"{RUN}|0123456789abcdef"


def test_a_blob_lies_in_the_folder_of_its_run() -> None:
    assert naming.folder_of(BLOB) == RUN
    assert BLOB.startswith(naming.run_folder(RUN))


def test_the_name_of_an_event_is_that_of_its_envelope() -> None:
    envelope = read_envelope(body(event("FAIL", run=RUN)))

    assert event_name(envelope, "0123456789abcdef") == EventName(RUN, envelope.time, "FAIL", "0123456789abcdef")


def test_times_of_other_zones_become_utc() -> None:
    east = TIME.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert EventName(RUN, east, "COMPLETE", "0123456789abcdef").blob == BLOB
    assert naming.hour(east) == "2024013112"


@given(
    run=st.text(),
    time=st.datetimes(timezones=st.just(UTC)),
    event_type=st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"]),
)
def test_every_name_can_be_read_back(run: str, time: datetime, event_type: str) -> None:
    name = EventName(run_key(run), time, event_type, "0123456789abcdef")
    assert parse_blob_name(name.blob) == name


FOREIGN = [
    "",
    "runs/",
    BLOB + "x",
    "/" + BLOB,
    "openlineage/" + BLOB,
    BLOB.replace("runs/", "other/"),
    BLOB.upper(),
    BLOB.replace(RUN, "x-short"),
    BLOB.replace(RUN, f"{RUN}/{RUN}"),
    BLOB.replace("20240131", "20241331"),
    BLOB.replace("COMPLETE", "DONE"),
    BLOB.replace(".json", ".json.gz"),
    BLOB.replace("0123456789abcdef", "0123456789ABCDEF"),
    BLOB + "\n",
    "azure-webjobs-hosts/blobreceipts/x.json",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names_are_not_ours(name: str) -> None:
    assert parse_blob_name(name) is None


def test_exactly_the_known_shards_are_used() -> None:
    shards = {naming.shard(run_key(str(number))) for number in range(2000)}
    assert shards == {f"{number:02}" for number in range(naming.SHARDS)}
    assert naming.partition_key(TIME, RUN) == f"2024013112-{naming.shard(RUN)}"
