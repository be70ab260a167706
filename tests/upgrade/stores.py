"""Stores that earlier versions wrote: everything in their storage account and their catalogue, as data in a file.

Times in a store move along when it is loaded, by whole hours, so that it looks as if it had been written just now:
otherwise the timer would not look back far enough one day, and every upload would be too old to be trusted.
"""

import base64
import gzip
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.threads import in_threads
from local.data_map.store import Store as DataMapStore
from storage.clients import StorageClients, provision

STORES = Path(__file__).parent / "stores"

_HOUR = timedelta(hours=1)
_HOURS = re.compile(r"(?<![0-9a-zA-Z])20\d{8}(?![0-9a-zA-Z])")
_TIMES = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
_NEVER = 9000
_AT_ONCE = 8
# In these columns of the tables, hours of receipt are spelled as in keys.
_WITH_HOURS = ("PartitionKey", "RowKey", "hours", "Partition")


@dataclass(frozen=True, slots=True)
class Store:
    """What one version left behind: JSON objects, as ``record`` writes them."""

    version: str
    recorded: datetime
    tables: Mapping[str, list[dict[str, Any]]]
    blobs: list[dict[str, Any]]
    queues: Mapping[str, list[str]]
    catalogue: Mapping[str, list[dict[str, Any]]]

    @classmethod
    def read(cls, path: Path) -> "Store":
        """The store in a file that ``write`` has written."""
        value = json.loads(gzip.decompress(path.read_bytes()))
        return cls(**{**value, "recorded": datetime.fromisoformat(value["recorded"])})

    def write(self, path: Path) -> None:
        """Write the store; equal stores give equal bytes."""
        value = {name: getattr(self, name) for name in self.__slots__}
        text = json.dumps({**value, "recorded": self.recorded.isoformat()}, ensure_ascii=False, sort_keys=True)
        path.write_bytes(gzip.compress(text.encode(), mtime=0))

    def load(self, clients: StorageClients, database: Path) -> None:
        """Fill an empty storage account, and the database of a Data Map that is not running yet."""
        # An hour or two ago: longer than the timer waits for anything but a run that never ends.
        moved = _Shift(((datetime.now(UTC) - self.recorded) // _HOUR - 1) * _HOUR)
        provision(clients)
        load_tables(clients, self.tables, moved)
        load_blobs(clients, self.blobs, moved)
        for name, messages in self.queues.items():
            for message in messages:
                clients.queue(name).send_message(moved.times(message), time_to_live=-1)
        _load_catalogue(self.catalogue, database)


def packed(value: Any) -> Any:
    """A value of a table or blob as JSON."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"time": value.astimezone(UTC).isoformat()}
    return value


def unpacked(value: Any) -> Any:
    """The value that was packed."""
    if not isinstance(value, dict):
        return value
    return base64.b64decode(value["bytes"]) if "bytes" in value else datetime.fromisoformat(value["time"])


def read_catalogue(database: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of the database of a Data Map, by table."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        tables = ("entities", "relationships", "documents", "definitions")
        # The names are those above.
        found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in tables}
    connection.close()
    return found


def _load_catalogue(catalogue: Mapping[str, Iterable[Mapping[str, Any]]], database: Path) -> None:
    DataMapStore(database).close()  # It makes the tables.
    with sqlite3.connect(database) as connection:
        for name, rows in catalogue.items():
            for row in rows:
                columns, marks = ", ".join(row), ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", tuple(row.values()))
    connection.close()


@dataclass(frozen=True, slots=True)
class _Shift:
    """Moves times by so much."""

    by: timedelta

    def value(self, column: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return value + self.by if value.year < _NEVER else value
        return self.hours(value) if column in _WITH_HOURS and isinstance(value, str) else value

    def hours(self, text: str) -> str:
        """The text with all hours of receipt (``yyyyMMddHH``) in it moved."""
        return _HOURS.sub(lambda found: f"{_hour(found[0]) + self.by:%Y%m%d%H}", text)

    def times(self, text: str) -> str:
        """The text with all ISO times in it moved."""
        return _TIMES.sub(lambda found: (datetime.fromisoformat(found[0]) + self.by).isoformat(), text)


def _hour(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H").replace(tzinfo=UTC)


NOT_MOVED = _Shift(timedelta())


def load_tables(
    clients: StorageClients, tables: Mapping[str, Iterable[Mapping[str, Any]]], moved: _Shift = NOT_MOVED
) -> None:
    """Write the rows of tables, with their times moved."""

    def put(item: tuple[str, Mapping[str, Any]]) -> None:
        name, row = item
        clients.table(name).upsert_entity({key: moved.value(key, unpacked(value)) for key, value in row.items()})

    in_threads(put, [(name, row) for name, rows in tables.items() for row in rows], _AT_ONCE)


def load_blobs(clients: StorageClients, blobs: Iterable[Mapping[str, Any]], moved: _Shift = NOT_MOVED) -> None:
    """Write blobs, with the times of their receipt moved."""

    def put(blob: Mapping[str, Any]) -> None:
        data = unpacked(blob["data"])
        # Dead letters contain the time at which they were written; the times in events are not ours.
        text = moved.times(data) if isinstance(data, str) and blob["container"] == "dead-letters" else data
        metadata = {key: moved.hours(value) for key, value in blob["metadata"].items()}
        clients.container(blob["container"]).upload_blob(blob["name"], text, metadata=metadata, overwrite=True)

    in_threads(put, list(blobs), _AT_ONCE)
