"""Table RunProcesses: what is stored of a run in addition to its events.

The processes to which it contributed, so that a failure can take it out of them again; the set of its events that was
processed last, so that a notification without news costs nothing; when it is tried again, so that its other events do
not start retries of their own; and the hours in which its events were received, so that they are found by their rows.
"""

import json
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core import naming
from core.errors import LeaseLost
from storage.clients import DETAILS, RUN_PROCESSES, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, Version

_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run's processes by qualified name; ``processed`` names a set of its events, ``retry_at`` is UTC.

    ``at_work`` counts the workers that began and have not ended. One that crashed counts forever: then every
    notification is processed, which costs reading, and completes what the crash left undone. ``hours`` are those of
    receipt of its events (see storage.run_events), empty if they are not known. ``version`` is that of the row.
    """

    processes: frozenset[str] = frozenset()
    processed: str = ""
    retry_at: datetime | None = None
    at_work: int = 0
    hours: frozenset[str] = frozenset()
    version: Version | None = field(default=None, compare=False)


class RunRecords:
    """The records of runs, by run key."""

    def __init__(self, clients: StorageClients) -> None:
        self._rows = LargeRows(clients.table(RUN_PROCESSES), clients.container(DETAILS))

    def read(self, run_key: str) -> RunRecord:
        """The record of a run; an empty one if nothing is stored.

        :raises StorageUnavailable: if storage does not answer.
        """
        record = self._read(run_key)
        self._noted(run_key, record)
        return record

    def _read(self, run_key: str) -> RunRecord:
        found = self._rows.get(_key(run_key))
        if found is None:
            return RunRecord()
        values, version = found
        at = values.get("retryAt")
        return RunRecord(
            processes=frozenset(json.loads(values.get("processes") or "[]")),
            processed=values.get("processed") or "",
            retry_at=at.astimezone(UTC) if isinstance(at, datetime) else None,
            at_work=int(values.get("atWork") or 0),
            hours=frozenset(str(values.get("hours") or "").split()),
            version=version,
        )

    def get(self, run_key: str) -> frozenset[str]:
        """The names of a run's processes.

        :raises StorageUnavailable: if storage does not answer.
        """
        return self.read(run_key).processes

    def add(self, run_key: str, names: Iterable[str]) -> frozenset[str]:
        """Add names to those of a run; returns those that it had before.

        :raises StorageUnavailable: they may not be added.
        """
        added = frozenset(names)
        before, _ = self._change(run_key, lambda record: replace(record, processes=record.processes | added))
        return before.processes

    def begin(self, run_key: str, processed: str) -> bool:
        """Count a worker that is about to process the run; False if others ended since ``processed`` was read.

        :raises StorageUnavailable: it may be counted.
        """
        before, after = self._change(
            run_key,
            lambda record: replace(record, at_work=record.at_work + 1) if record.processed == processed else record,
        )
        return after != before

    def end(self, run_key: str, processed: str, left: Iterable[str] = ()) -> None:
        """Store that this set of events was processed completely, and that the run has left some processes.

        While others are at work neither is stored: they may know fewer events, and write after this worker.

        :raises StorageUnavailable: it may not be stored.
        """
        names = frozenset(left)

        def ended(record: RunRecord) -> RunRecord:
            at_work = max(0, record.at_work - 1)
            if at_work:
                return replace(record, at_work=at_work, processed="", retry_at=None)
            processes = record.processes - names
            return replace(record, processes=processes, processed=processed, retry_at=None, at_work=0)

        self._change(run_key, ended)

    def give_up(self, run_key: str) -> None:
        """Count a worker as ended without success.

        :raises StorageUnavailable: it may still be counted.
        """
        self._change(run_key, lambda record: replace(record, at_work=max(0, record.at_work - 1), processed=""))

    def note_answered(self, run_key: str, events: str) -> None:
        """Store that nothing more is to be done for this set of events; no retry is due any more.

        :raises StorageUnavailable: it may not be stored.
        """
        self._change(run_key, lambda record: replace(record, processed=events, retry_at=None))

    def note_hour(self, run_key: str, hour: str, *, is_first: bool) -> frozenset[str]:
        """Add an hour in which an event of the run was received; returns all that are known then.

        It is added only if others are known, or if ``is_first`` and the run has no record.

        :raises StorageUnavailable: it may not be added.
        """

        def noted(record: RunRecord) -> RunRecord:
            is_known = bool(record.hours) or (is_first and record == RunRecord())
            return replace(record, hours=record.hours | {hour}) if is_known else record

        return self._change(run_key, noted)[1].hours

    def note_hours(self, run_key: str, record: RunRecord, hours: Iterable[str]) -> None:
        """Add hours to those of the record as it was read; if it has changed since, nothing is added.

        :raises StorageUnavailable: they may not be added.
        """
        noted = replace(record, hours=record.hours | frozenset(hours))
        if noted != record:
            with suppress(Conflict):
                version = self._rows.put(_key(run_key), _values(noted), record.version)
                self._noted(run_key, replace(noted, version=version))

    def delete(self, run_key: str) -> None:
        """Delete the record of a run, unless it changes meanwhile.

        :raises StorageUnavailable: it may still be there.
        """
        version = self.read(run_key).version
        if version:
            with suppress(Conflict):
                self._rows.delete(_key(run_key), version)

    def note_unprocessed(self, run_key: str) -> None:
        """Store that the run is neither processed nor to be retried.

        :raises StorageUnavailable: it may not be stored.
        """
        self._change(run_key, lambda record: replace(record, processed="", retry_at=None))

    def note_retry(self, run_key: str, at: datetime) -> None:
        """Store when the run is tried again.

        :raises StorageUnavailable: it may not be stored.
        """
        self._change(run_key, lambda record: replace(record, retry_at=at))

    def _change(self, run_key: str, change: Callable[[RunRecord], RunRecord]) -> tuple[RunRecord, RunRecord]:
        """Change a record; returns it as it was before and after. Equal records are not written."""
        key = _key(run_key)
        for attempt in range(_ATTEMPTS):
            remembered = self._remembered(run_key)
            before = remembered or self.read(run_key)
            after = change(before)
            if after == before:
                if remembered:
                    continue  # The record may have changed by now, which is not noticed if nothing is written.
                return before, after
            try:
                if after == RunRecord() and before.version is not None:
                    self._rows.delete(key, before.version)
                else:
                    version = self._rows.put(key, _values(after), before.version)
                    self._noted(run_key, replace(after, version=version))
            except Conflict:
                if not remembered:
                    time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            else:
                return before, after
        raise LeaseLost(f"the row of run {run_key} was changed by others {_ATTEMPTS} times in a row")

    def _noted(self, run_key: str, record: RunRecord) -> None:
        """A record was read or written."""

    def _remembered(self, run_key: str) -> RunRecord | None:
        """A record as it was, to be changed only if it has not changed since; None if it must be read."""
        del run_key
        return None


class RecordsOfOneWorker(RunRecords):
    """The records of the few runs that a single worker processes; known records are changed without reading.

    A change is written on the known version; if others have changed the record meanwhile, it is read again.
    """

    def __init__(self, clients: StorageClients) -> None:
        super().__init__(clients)
        self._known: dict[str, RunRecord] = {}

    def read(self, run_key: str) -> RunRecord:
        """The record of a run, perhaps an old one: good enough for changes, as ``begin`` and ``note_hours`` make them.

        :raises StorageUnavailable: if storage does not answer.
        """
        return self._known.get(run_key) or super().read(run_key)

    def get(self, run_key: str) -> frozenset[str]:
        """The names of a run's processes as they are now.

        :raises StorageUnavailable: if storage does not answer.
        """
        self._known.pop(run_key, None)
        return super().get(run_key)

    def _noted(self, run_key: str, record: RunRecord) -> None:
        self._known[run_key] = record

    def _remembered(self, run_key: str) -> RunRecord | None:
        return self._known.pop(run_key, None)


def _values(record: RunRecord) -> dict[str, str | int | datetime]:
    values: dict[str, str | int | datetime] = {
        "processes": json.dumps(sorted(record.processes)),
        "processed": record.processed,
        "atWork": record.at_work,
        "hours": " ".join(sorted(record.hours)),
    }
    if record.retry_at:
        values["retryAt"] = record.retry_at
    return values


def _key(run_key: str) -> Key:
    return Key(naming.shard(run_key), run_key)
