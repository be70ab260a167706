"""Timer trigger: calls a function when its schedule comes due, on the one host that has the timer's lock.

When it last ran and is due next is stored in the host's storage, `azure-webjobs-hosts/timers/{host id}/{function
id}/status`, written after each run, successful or not. For a due time that passed while no host ran, or at which a host
died, the function runs once, with `past_due`, when a host starts or takes the lock over. Schedules that fire more than
once a minute are not stored and never past due.
"""

import itertools
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from local.host import worker
from local.host.connections import HOST_STORAGE, connect, place
from local.host.errors import HostError, InvocationFailed
from local.host.host_lock import STATE_CONTAINER, HostLock
from local.host.invoker import Invoker
from local.host.ncrontab import Schedule, parse_schedule
from local.host.pace import Pace
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 1.0
_MONITORED_FROM = timedelta(minutes=1)
_OCCURRENCES = 5
#: .NET's smallest date stands for "never".
_NEVER = datetime(1, 1, 1)  # noqa: DTZ001  written without a zone, as there


@dataclass(frozen=True, slots=True)
class Status:
    """When a timer last ran, when it is due next, and when that was computed; UTC."""

    last: datetime | None
    due: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """The fields by their names in .NET."""
        last = self.last or _NEVER
        return {"Last": last.isoformat(), "Next": self.due.isoformat(), "LastUpdated": self.updated.isoformat()}

    @classmethod
    def from_json(cls, fields: Mapping[str, str]) -> "Status":
        """Inverse of `as_json`."""
        last, due, updated = (_utc(fields[name]) for name in ("Last", "Next", "LastUpdated"))
        return cls(None if last.year == _NEVER.year else last, due, updated)

    def rescheduled(self, schedule: Schedule, now: datetime) -> "Status":
        """The status under the present schedule, which may have changed since it was written."""
        since = self.last or self.updated
        due = schedule.after(since)
        if due == self.due:
            return self
        if due < now:
            since, due = now, schedule.after(now)
        return Status(None, due, since)


class TimerListener:
    """Runs one timer-triggered function until it is stopped."""

    def __init__(
        self, function: HostedFunction, settings: Mapping[str, str], host_id: str, invoker: Invoker, pace: Pace
    ) -> None:
        try:
            self._schedule = parse_schedule(str(function.trigger["schedule"]))
            self._is_monitored = _shortest_gap(self._schedule) >= _MONITORED_FROM
        except ValueError as error:
            raise HostError(f"Function {function.name}: schedule: {error}") from error
        self._function = function
        self._invoker = invoker
        self._storage = connect(HOST_STORAGE, settings).blobs
        self._note: BlobClient = self._storage.get_blob_client(
            STATE_CONTAINER, f"timers/{host_id}/{function.id}/status"
        )
        self._lock = HostLock(self._storage, host_id, f"{function.id}.Listener", pace)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"timer {function.name}", daemon=True)

    @property
    def address(self) -> str:
        """The storage of its due time."""
        return place(str(self._storage.url))

    def start(self) -> None:
        """Take the timer's lock if it is free, and wait for the timer.

        :raises AzureError: when the storage doesn't answer.
        """
        self._lock.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop running it, without waiting for a run in progress."""
        self._stopping.set()
        self._lock.stop()

    def fire(self, *, past_due: bool, status: Status | None = None) -> None:
        """Run the function now. Its failure is in the log and is not tried again before the next due time."""
        recorded = status.as_json() if status else None
        try:
            self._invoker.run(self._function, worker.timer_request(past_due, recorded))
        except InvocationFailed:
            return

    def _watch(self) -> None:
        while not self._stopping.is_set():
            if not self._lock.wait(_LONGEST_WAIT_SECONDS):
                continue
            try:
                self._own()
            except AzureError as error:
                _log.warning("Timer %s: %s", self._function.name, str(error).splitlines()[0])
                self._stopping.wait(_PAUSE_AFTER_ERROR_SECONDS)

    def _own(self) -> None:
        """Run the timer while this host has the lock, first for a past due time."""
        status = self._begin()
        if status and status.due < datetime.now(UTC):
            _log.info("Function '%s' is past due on startup. Executing now.", self._function.name)
            self._run(status.due, past_due=True, status=status)
        elif self._function.trigger.get("runOnStartup"):
            self._run(datetime.now(UTC), past_due=False, status=status)
        while self._lock.held:
            due = self._schedule.after(datetime.now(UTC))
            if self._wait_until(due):
                self._run(due, past_due=False, status=self._read())

    def _wait_until(self, due: datetime) -> bool:
        """Wait for a due time. False if another host has taken the lock before, or this one stops."""
        while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
            if self._stopping.wait(min(left, _LONGEST_WAIT_SECONDS)) or not self._lock.held:
                return False
        return True

    def _run(self, due: datetime, *, past_due: bool, status: Status | None) -> None:
        # Not before the due time, which an early clock would bring again.
        last = max(datetime.now(UTC), due)
        self.fire(past_due=past_due, status=status)
        if self._is_monitored:
            self._write(Status(last, self._schedule.after(last), last))

    def _begin(self) -> Status | None:
        """The stored status of the timer, under its present schedule; None if it is not monitored."""
        if not self._is_monitored:
            return None
        now = datetime.now(UTC)
        noted = self._read()
        status = noted.rescheduled(self._schedule, now) if noted else Status(None, self._schedule.after(now), now)
        if status != noted:
            self._write(status)
        return status

    def _read(self) -> Status | None:
        if not self._is_monitored:
            return None
        try:
            return Status.from_json(json.loads(self._note.download_blob().readall()))
        except ResourceNotFoundError:
            return None

    def _write(self, status: Status) -> None:
        self._note.upload_blob(json.dumps(status.as_json(), separators=(",", ":")), overwrite=True)


def _shortest_gap(schedule: Schedule) -> timedelta:
    """The shortest time between some of the next occurrences."""
    times = [schedule.after(datetime.now(UTC))]
    while len(times) < _OCCURRENCES:
        times.append(schedule.after(times[-1]))
    return min(later - earlier for earlier, later in itertools.pairwise(times))


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
