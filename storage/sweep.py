"""Finds events whose notification was lost: rows that have been waiting for too long, hour by hour from the oldest.

An hour in which nothing waits any more is closed and not read again. Its marker is a row in EventMetadata, in a
partition of the task for which it is closed, so that two tasks with different waiting times do not disturb each other.
A call that reaches its limits writes its position into a row there: the next call continues after it, and the call
after the last hour begins with the oldest hour again. Position and markers only save work. Only the status of a row
says that it waits, so concurrent sweeps, or one that is killed, at worst repeat work.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby, islice

from core import naming
from core.threads import in_threads
from storage.clients import EVENT_METADATA, StorageClients
from storage.event_rows import EventRow, RowKeys, Status
from storage.event_store import EventStore
from storage.faults import storage_faults

_HOUR = timedelta(hours=1)
#: How many runs are looked at together, and how many of them at the same time.
BATCH = 64
_AT_ONCE = 8
_ROWS_A_FINDING = 1_000
# After the hours, which begin with a digit.
_POSITION = "position"


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run and some of its waiting rows, all of one hour."""

    run_key: str
    rows: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """The number of runs, or seconds, after which a sweep stops; the next one continues there."""

    runs: int = 20_000
    seconds: float = 200.0


class Sweep:
    """Finds the runs that wait in the statuses of one task; ``task`` is a word of letters."""

    def __init__(self, clients: StorageClients, events: EventStore, task: str, statuses: Iterable[Status]) -> None:
        self._table = clients.table(EVENT_METADATA)
        self._events = events
        self._partition = f"closed-{task}"
        self._statuses = tuple(statuses)

    def waiting(
        self, since: datetime, now: datetime, after: timedelta, limits: SweepLimits | None = None
    ) -> Iterator[tuple[WaitingRun, ...]]:
        """The runs with rows that have been waiting for longer than ``after``, and were received after ``since``.

        A row that is to be retried has been waiting since it was last changed, any other since it was received. Runs
        come in batches as they are found. A batch counts as handled when the next one is asked for. Hours that ended
        longer ago than ``after`` and in which nothing waits are closed.

        :raises StorageUnavailable: also during the iteration.
        """
        limits = limits or SweepLimits()
        stop = time.monotonic() + limits.seconds
        hours, position = self._open_hours(since, now - after)
        number = 0
        for start in hours:
            behind = position if position and position.partition.startswith(naming.hour(start)) else None
            if position and behind is None and naming.hour(start) < position.partition:
                continue
            is_empty = behind is None
            for found in self._batches(start, behind):
                is_empty = False
                yield self._settled(found, now, after)
                number += len(found)
                if number >= limits.runs or time.monotonic() >= stop:
                    last = found[-1].rows[-1]
                    self._note_position(RowKeys(last.partition, last.row_key))
                    return
            if is_empty and start + _HOUR <= now - after:
                self._close(start)
        if position:
            self._forget_position()

    def forget(self, before: datetime) -> None:
        """Delete the markers of hours before a time, which no sweep reads any more.

        :raises StorageUnavailable: some may be left.
        """
        query = "PartitionKey eq @partition and RowKey lt @first"
        span = {"partition": self._partition, "first": naming.hour(before)}
        with storage_faults("forget which hours are closed"):
            old = self._table.query_entities(query, parameters=span, select=["RowKey"])
            in_threads(lambda row: self._table.delete_entity(self._partition, row["RowKey"]), old, _AT_ONCE)

    def reopen(self, hours: Iterable[datetime]) -> None:
        """Let hours be read again, because something in them waits once more.

        :raises StorageUnavailable: some may still be closed.
        """
        with storage_faults("open an hour"):
            for hour in {naming.hour(each) for each in hours}:
                self._table.delete_entity(self._partition, hour)

    def open_hours(self, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """The hours (their beginnings, UTC) from ``since`` to ``until`` that are not closed.

        :raises StorageUnavailable: the markers could not be read.
        """
        return self._open_hours(since, until)[0]

    def _open_hours(self, since: datetime, until: datetime) -> tuple[tuple[datetime, ...], RowKeys | None]:
        """The hours that are not closed, and the position at which the last sweep stopped."""
        query = "PartitionKey eq @partition and ( RowKey eq @position or ( RowKey ge @first and RowKey le @last ) )"
        span = {"partition": self._partition, "first": naming.hour(since), "last": naming.hour(until)}
        with storage_faults("read which hours are closed"):
            found = self._table.query_entities(query, parameters={**span, "position": _POSITION})
            markers = {str(entity["RowKey"]): entity for entity in found}
        first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours = (first + index * _HOUR for index in range(max(0, int((until - first) / _HOUR) + 1)))
        at: Mapping[str, object] = markers.get(_POSITION, {})
        position = RowKeys(str(at["Partition"]), str(at["Row"])) if "Partition" in at and "Row" in at else None
        return tuple(hour for hour in hours if naming.hour(hour) not in markers), position

    def _batches(self, start: datetime, behind: RowKeys | None) -> Iterator[Sequence[WaitingRun]]:
        """The runs of an hour with their rows, by key. A run with very many rows occurs several times."""
        rows = self._events.rows(start, start, self._statuses, behind)
        groups = groupby(rows, key=lambda row: row.run_key)
        runs = (
            WaitingRun(run_key, some)
            for run_key, group in groups
            for some in iter(lambda: tuple(islice(group, _ROWS_A_FINDING)), ())  # noqa: B023 - used at once
        )
        while batch := list(islice(runs, BATCH)):
            yield batch

    def _settled(self, runs: Iterable[WaitingRun], now: datetime, after: timedelta) -> tuple[WaitingRun, ...]:
        """The runs without recent rows and without rows that belong to no stored event."""
        old = [
            WaitingRun(run.run_key, rows)
            for run in runs
            if (rows := tuple(row for row in run.rows if _waits_since(row) <= now - after))
        ]
        settle = partial(self._events.settle_rows, now=now)
        settled = in_threads(lambda run: settle(run.run_key, run.rows), old, _AT_ONCE)
        return tuple(WaitingRun(run.run_key, rows) for run, rows in zip(old, settled, strict=True) if rows)

    def _close(self, start: datetime) -> None:
        with storage_faults("close an hour"):
            self._table.upsert_entity({"PartitionKey": self._partition, "RowKey": naming.hour(start)})

    def _note_position(self, last: RowKeys) -> None:
        row = {"PartitionKey": self._partition, "RowKey": _POSITION, "Partition": last.partition, "Row": last.row}
        with storage_faults("note how far the sweep came"):
            self._table.upsert_entity(row)

    def _forget_position(self) -> None:
        with storage_faults("note that the sweep came to its end"):
            self._table.delete_entity(self._partition, _POSITION)


def _waits_since(row: EventRow) -> datetime:
    return row.changed if row.status is Status.RETRYING else row.received
