"""Events whose notification got lost: rows that have been waiting for too long, hour by hour.

An hour in which nothing waits any more is closed and not read again. Its marker is a row in EventMetadata, in a
partition of the task for which it is closed, so that two tasks with different patience do not disturb each other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from core import naming
from storage.clients import EVENT_METADATA, StorageClients
from storage.event_rows import EventRow, Status
from storage.event_store import EventStore
from storage.faults import storage_faults

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run and those of its rows, all of one hour, that wait."""

    run_key: str
    rows: tuple[EventRow, ...]


class Sweep:
    """Finds the runs that wait in the statuses of one task; ``task`` is a word of letters."""

    def __init__(self, clients: StorageClients, events: EventStore, task: str, statuses: Iterable[Status]) -> None:
        self._table = clients.table(EVENT_METADATA)
        self._events = events
        self._partition = f"closed-{task}"
        self._statuses = tuple(statuses)

    def waiting(self, since: datetime, now: datetime, after: timedelta) -> Iterator[WaitingRun]:
        """The runs with rows that have been waiting for longer than ``after``, and were received after ``since``.

        Hours that ended longer ago than ``after`` and in which nothing waits are closed on the way.

        :raises StorageUnavailable: also in the midst of the iteration.
        """
        for start in self.open_hours(since, now):
            rows = list(self._events.rows(start, start, self._statuses))
            old = [row for row in rows if row.received <= now - after]
            for run_key, group in groupby(old, key=lambda row: row.run_key):
                settled = self._events.settle_rows(run_key, group, now)
                if settled:
                    yield WaitingRun(run_key, settled)
            if not rows and start + _HOUR <= now - after:
                self._close(start)

    def forget(self, before: datetime) -> None:
        """Delete the markers of hours before a time that no search reaches back to.

        :raises StorageUnavailable: some may be left.
        """
        query = "PartitionKey eq @partition and RowKey lt @first"
        span = {"partition": self._partition, "first": naming.hour(before)}
        with storage_faults("forget which hours are closed"):
            for entity in self._table.query_entities(query, parameters=span):
                self._table.delete_entity(entity["PartitionKey"], entity["RowKey"])

    def open_hours(self, since: datetime, now: datetime) -> tuple[datetime, ...]:
        """The hours (their beginnings, UTC) from ``since`` to ``now`` that are not closed.

        :raises StorageUnavailable: the markers could not be read.
        """
        query = "PartitionKey eq @partition and RowKey ge @first and RowKey le @last"
        span = {"partition": self._partition, "first": naming.hour(since), "last": naming.hour(now)}
        with storage_faults("read which hours are closed"):
            closed = {entity["RowKey"] for entity in self._table.query_entities(query, parameters=span)}
        first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours = (first + index * _HOUR for index in range(int((now - first) / _HOUR) + 1))
        return tuple(hour for hour in hours if naming.hour(hour) not in closed)

    def _close(self, start: datetime) -> None:
        with storage_faults("close an hour"):
            self._table.upsert_entity({"PartitionKey": self._partition, "RowKey": naming.hour(start)})
