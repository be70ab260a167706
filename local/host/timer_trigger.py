"""Timer trigger: calls a function when its schedule comes due, once whatever the number of hosts.

When it was last due and when it is next is kept in the host's storage (`azure-webjobs-hosts/timers/…`).
Whoever moves that on, under its ETag, runs the function; the others don't. A due time that passed while no
host ran is made up for once, with `past_due`.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from local.host import worker
from local.host.connections import HOST_STORAGE, connect, place
from local.host.errors import HostError, InvocationFailed
from local.host.invoker import Invoker
from local.host.ncrontab import parse_schedule
from local.host.receipts import STATE_CONTAINER, create_state_container
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")
_PAUSE_AFTER_ERROR_SECONDS = 1.0
# A due time that is later than this counts as past due.
_LATE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class _Status:
    """When the timer last ran (empty before the first time), when it is due, and the ETag of that note."""

    last: str
    due: datetime
    etag: str


class TimerListener:
    """Runs one timer-triggered function until it is stopped."""

    def __init__(self, function: HostedFunction, settings: Mapping[str, str], host_id: str, invoker: Invoker) -> None:
        expression = str(function.trigger["schedule"])
        try:
            self._schedule = parse_schedule(expression)
            self._schedule.after(datetime.now(UTC))
        except ValueError as error:
            raise HostError(f"Function {function.name}: schedule: {error}") from error
        self._function = function
        self._invoker = invoker
        self._storage = connect(HOST_STORAGE, settings).blobs
        # The expression is part of the name, so a changed schedule begins anew.
        name = f"timers/{host_id}/{function.id}/{expression.replace('/', '|')}"
        self._note: BlobClient = self._storage.get_blob_client(STATE_CONTAINER, name)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"timer {function.name}", daemon=True)

    @property
    def address(self) -> str:
        """The storage that keeps when it is due."""
        return place(str(self._storage.url))

    def start(self) -> None:
        """Note when the timer is next due where that is not known yet, and wait for it.

        :raises AzureError: when the storage doesn't answer.
        """
        create_state_container(self._storage)
        self._status()
        self._thread.start()

    def stop(self) -> None:
        """Run it no more; a run that goes on is not waited for."""
        self._stopping.set()

    def _watch(self) -> None:
        if self._function.trigger.get("runOnStartup"):
            self.fire(past_due=False)
        while not self._stopping.is_set():
            try:
                self._wait_and_fire()
            except AzureError as error:
                _log.warning("Timer %s: %s", self._function.name, str(error).splitlines()[0])
                self._stopping.wait(_PAUSE_AFTER_ERROR_SECONDS)

    def _wait_and_fire(self) -> None:
        status = self._status()
        if self._stopping.wait(max(0.0, (status.due - datetime.now(UTC)).total_seconds())):
            return
        now = datetime.now(UTC)
        if self._move_on(status, now):
            late = (now - status.due).total_seconds() > _LATE_SECONDS
            self.fire(past_due=late, last=status.last)

    def fire(self, *, past_due: bool, last: str = "") -> None:
        """Run the function now. Its failure is in the log and is not tried again before the next due time."""
        due = self._schedule.after(datetime.now(UTC))
        try:
            self._invoker.run(self._function, worker.timer_request(past_due, last, due.isoformat()))
        except InvocationFailed:
            return

    def _status(self) -> _Status:
        """What the note says; it is written first where it is missing."""
        try:
            download = self._note.download_blob()
            fields = json.loads(download.readall())
        except ResourceNotFoundError:
            self._write("", self._schedule.after(datetime.now(UTC)), None)
            return self._status()
        return _Status(fields["Last"], datetime.fromisoformat(fields["Next"]), download.properties.etag)

    def _move_on(self, status: _Status, now: datetime) -> bool:
        """Note the run that is due now. False when another host did."""
        return self._write(now.isoformat(), self._schedule.after(now), status.etag)

    def _write(self, last: str, due: datetime, etag: str | None) -> bool:
        text = json.dumps({"Last": last, "Next": due.isoformat(), "LastUpdated": last})
        try:
            if etag is None:
                self._note.upload_blob(text, overwrite=False)
            else:
                self._note.upload_blob(text, overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        except (ResourceExistsError, ResourceModifiedError):
            return False
        return True
