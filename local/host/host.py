"""The host: connects the functions of one app with their triggers, starts the listeners, and stops them.

Made and used on one event loop. `start` returns when everything listens; `stop_listening` and `drain` end it.
"""

import asyncio
import hashlib
import logging
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from azure.core.exceptions import AzureError, HttpResponseError
from starlette.applications import Starlette
from starlette.routing import Mount

from local.host.admin import Admin, Parts
from local.host.blob_source import BlobSource, to_queue, to_webhook
from local.host.blob_trigger import SCAN, BlobFunction, BlobQueue, blob_function
from local.host.connections import HOST_STORAGE, connect
from local.host.errors import HostError
from local.host.host_json import HostJson
from local.host.host_lock import HostLock
from local.host.http_trigger import HttpFunctions
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.pace import QUICK, Pace
from local.host.queue_trigger import queue_listener
from local.host.receipts import Receipts
from local.host.timer_trigger import TimerListener
from local.host.wakes import Wakes
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")
_STORAGE_WAIT_SECONDS = 30.0
_SILENT_SECONDS = 2.0
_HOST_ID_LENGTH = 32
_SCAN_LOCK = "WebJobs.Internal.Blobs.Listener"


class _Listener(Protocol):
    @property
    def address(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Waiting times of the host.

    `event_seconds` (between two scans for new blobs; None: no notifications at all) and `claim_seconds` (after which
    another host sends the events of a dead one) belong to the replacement of Event Grid. `grace_seconds` is the time in
    which running invocations may finish when the host stops.
    """

    pace: Pace = QUICK
    event_seconds: float | None = 0.3
    claim_seconds: float = 10.0
    grace_seconds: float = 5.0


class Host:
    """All triggers of one function app, at `url`."""

    def __init__(
        self,
        app_dir: Path,
        functions: tuple[HostedFunction, ...],
        host_json: HostJson,
        settings: Mapping[str, str],
        *,
        url: str,
        keys: Keys,
        options: HostOptions,
    ) -> None:
        self._functions = tuple(f for f in functions if not is_disabled(f.name, settings))
        self._settings = settings
        self._host_json = host_json
        self._host_id = host_id(app_dir, settings)
        self._url = url
        self._keys = keys
        self._options = options
        self._pace = options.pace
        self._loop = asyncio.get_running_loop()
        self._wakes = Wakes()
        #: Set when the host can't go on; `failure` then says why.
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None
        self._invoker = Invoker(app_dir, settings)
        self._timers = {
            f.name: TimerListener(f, settings, self._host_id, self._invoker, self._pace)
            for f in self._of("timerTrigger")
        }
        targets = tuple(blob_function(f, settings) for f in self._of("blobTrigger"))
        self._blobs = BlobQueue(targets, settings, self._host_id, self._invoker, self._wakes)
        self._locks = self._scan_lock(targets)
        self._sources = tuple(source for target in targets if (source := self._source(target)))
        self._listeners = self._all_listeners()
        self.asgi = self._application()

    async def start(self) -> None:
        """Start all listeners.

        :raises HostError: when the storage doesn't answer within half a minute.
        """
        for listener in reversed(self._listeners):
            await _start(listener)

    async def stop_listening(self) -> None:
        """Take no more work, other than requests."""
        for listener in self._listeners:
            await asyncio.to_thread(listener.stop)

    async def drain(self) -> bool:
        """Wait a little for running invocations. True if all have ended."""
        return await self._invoker.drain(self._options.grace_seconds)

    def _of(self, kind: str) -> Iterable[HostedFunction]:
        return (function for function in self._functions if function.trigger["type"] == kind)

    def _source(self, target: BlobFunction) -> BlobSource | None:
        """The source of a function's blobs; None if others post to the webhook."""
        host = connect(HOST_STORAGE, self._settings).blobs
        receipts = Receipts(target, host, self._host_id, self._options.claim_seconds)
        if target.source == SCAN:
            (lock,) = self._locks
            deliver = to_queue(target, self._blobs)
            return BlobSource(target, receipts, deliver, self._pace.scan_seconds, lambda: lock.held)
        if self._options.event_seconds is None:
            return None
        deliver = to_webhook(target, self._url, self._keys.system)
        return BlobSource(target, receipts, deliver, self._options.event_seconds)

    def _scan_lock(self, targets: tuple[BlobFunction, ...]) -> tuple[HostLock, ...]:
        """The lock of the host that scans, if a function needs a scan."""
        if not any(target.source == SCAN for target in targets):
            return ()
        return (HostLock(connect(HOST_STORAGE, self._settings).blobs, self._host_id, _SCAN_LOCK, self._pace),)

    def _end(self, error: BaseException) -> None:
        """Let the host end, as an exception that leaves a listener does in Azure."""
        _log.critical("An unhandled exception has occurred. Host is shutting down.", exc_info=error)
        self.failure = self.failure or error
        self._loop.call_soon_threadsafe(self.failed.set)

    def _all_listeners(self) -> tuple[_Listener, ...]:
        queues = [
            queue_listener(f, self._settings, self._host_json.queues, self._invoker, self._pace, self._wakes, self._end)
            for f in self._of("queueTrigger")
        ]
        blobs = (
            [self._blobs.listener(self._host_json.blobs, self._pace, self._end)] if any(self._of("blobTrigger")) else []
        )
        # In the order of stopping: the sources before the queues they feed. They start in the opposite one.
        return (*self._sources, *self._locks, *blobs, *queues, *self._timers.values())

    def _application(self) -> Starlette:
        functions = HttpFunctions(
            tuple(self._of("httpTrigger")),
            self._settings,
            self._host_json.route_prefix,
            self._keys,
            self._invoker,
        )
        parts = Parts(
            self._host_id,
            self._keys,
            self._functions,
            self._invoker,
            self._blobs,
            self._sources,
            self._timers,
            time.monotonic(),
        )
        return Starlette(routes=[*Admin(parts).routes(), Mount("/", app=functions)])


def host_id(app_dir: Path, settings: Mapping[str, str]) -> str:
    """The id of this app in the host's storage: hosts with the same id share their work."""
    given = settings.get("AzureFunctionsWebHost__hostid")
    if given:
        return given.lower()
    # Azure's hash differs between versions; only that it is stable for a machine and folder matters.
    path = hashlib.sha256(str(app_dir).encode()).hexdigest()[:10]
    machine = "".join(c for c in platform.node().lower() if c.isalnum())[: _HOST_ID_LENGTH - len(path) - 1]
    return f"{machine}-{path}" if machine else path


def is_disabled(name: str, settings: Mapping[str, str]) -> bool:
    """Whether the setting `AzureWebJobs.{name}.Disabled` (or with `__`) switches a function off."""
    values = (settings.get(f"AzureWebJobs{mark}{name}{mark}Disabled", "") for mark in (".", "_", "__"))
    return any(value.lower() in {"1", "true"} for value in values)


async def _start(listener: _Listener) -> None:
    text = "The storage at %s does not answer yet; it has %.0f seconds"
    loop = asyncio.get_running_loop()
    remark = loop.call_later(_SILENT_SECONDS, _log.warning, text, listener.address, _STORAGE_WAIT_SECONDS)
    try:
        await _start_within(listener, time.monotonic() + _STORAGE_WAIT_SECONDS)
    finally:
        remark.cancel()


async def _start_within(listener: _Listener, deadline: float) -> None:
    while True:
        try:
            await asyncio.to_thread(listener.start)
        except AzureError as error:
            if time.monotonic() > deadline:
                raise HostError(f"The storage at {listener.address} can't be used: {_why(error)}") from error
            await asyncio.sleep(0.5)
        else:
            return


def _why(error: AzureError) -> str:
    """Why the storage can't be used, without the client's message, which may contain a signature."""
    if isinstance(error, HttpResponseError):
        return f"it answers {error.status_code} {error.reason or ''}".rstrip()
    cause: BaseException | None = error.inner_exception
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "it does not answer"
