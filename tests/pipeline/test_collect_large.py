"""A file that is much larger than one read, call by call; benchmarks/collector.py does it with 1 GB."""

import math

import pytest

from benchmarks.collector import large_file, measured
from core.storage_connection import StorageConnection
from pipeline.collect import _PART_BYTES

pytestmark = pytest.mark.exhaustive
MEGABYTES = 64
#: Python, its libraries and some parts take more at one time than at another; the file would take 64 MB and more.
MOST_MORE = 32


def test_a_large_file_is_read_in_calls_that_end_and_resume_and_takes_no_memory(
    storage_connection: StorageConnection,
) -> None:
    """The time of each call is up at once, so each reads one part."""
    connection = storage_connection.connection_string

    found = measured(connection, large_file(connection, MEGABYTES), call_seconds=0)

    assert found["kept"] == MEGABYTES + 1
    assert found["MB"] <= found["MB read"] < found["MB"] * 1.01
    assert found["calls"] >= math.floor(found["MB"] * 1_000_000 / _PART_BYTES)
    assert found["MB of memory at most"] - found["MB of memory before"] < MOST_MORE
