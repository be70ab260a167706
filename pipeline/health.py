"""Whether the app can store events, for load balancers and people."""

import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

from core.settings import Settings
from core.storage_connection import StorageConnection
from core.version import VERSION
from storage.clients import connect, is_reachable

KEPT_SECONDS = 30.0


def _in_background(task: Callable[[], None]) -> None:
    threading.Thread(target=copy_context().run, args=(task,), name="health", daemon=True).start()


class StorageCheck:
    """The newest answer of storage. It is asked every 30 s at most, by one thread, and no request waits for it."""

    def __init__(
        self,
        is_usable: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = _in_background,
    ) -> None:
        self._is_usable = is_usable
        self._clock = clock
        self._start = start
        self._lock = threading.Lock()
        self._answer: bool | None = None
        self._next = clock()

    def __call__(self) -> bool | None:
        """Whether storage was usable when it last answered; None before the first answer."""
        with self._lock:
            due = self._clock() >= self._next
            if due:
                self._next = math.inf  # While it is being asked.
        if due:
            self._start(self._ask)
        return self._answer

    def _ask(self) -> None:
        usable = False
        try:
            usable = self._is_usable()
        finally:
            with self._lock:
                self._answer = usable
                self._next = self._clock() + KEPT_SECONDS


def health_report(settings: Settings) -> tuple[int, dict[str, str]]:
    """The HTTP status and body of ``GET /api/health``, which anybody may ask for as often as they like."""
    usable = _check(settings.lineage_storage, settings.storage_budget_seconds)()
    status = {None: "starting", True: "ok", False: "storage is unavailable"}[usable]
    return (200 if usable else 503), {"status": status, "version": VERSION}


_checks: dict[StorageConnection, StorageCheck] = {}
_checks_lock = threading.Lock()


def _check(connection: StorageConnection, seconds: float) -> StorageCheck:
    with _checks_lock:
        if connection not in _checks:
            # A new deployment has no containers before its first event; then the answer is whether they can be created.
            clients = connect(connection, makes_missing=True)
            _checks[connection] = StorageCheck(lambda: is_reachable(clients, seconds))
        return _checks[connection]
