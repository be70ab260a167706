"""Whether the app can do its first duty, storing events, for load balancers and people."""

import threading
import time
from collections.abc import Callable

from core.errors import StorageUnavailable
from core.settings import Settings, StorageConnection
from core.version import VERSION
from storage.clients import StorageClients, connect, is_reachable, provision
from storage.request_budget import budget

KEPT_SECONDS = 30.0


class StorageCheck:
    """Asks storage at most every 30 s, however many ask."""

    def __init__(self, is_usable: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_usable = is_usable
        self._clock = clock
        self._lock = threading.Lock()
        self._answer: tuple[float, bool] | None = None

    def __call__(self) -> bool:
        with self._lock:
            if self._answer is None or self._clock() - self._answer[0] > KEPT_SECONDS:
                self._answer = (self._clock(), self._is_usable())
            return self._answer[1]


def health_report(settings: Settings) -> tuple[int, dict[str, str]]:
    """The HTTP status and body of ``GET /api/health``."""
    usable = _check(settings.lineage_storage, settings.storage_budget_seconds)()
    return (200 if usable else 503), {"status": "ok" if usable else "storage is unavailable", "version": VERSION}


_checks: dict[StorageConnection, StorageCheck] = {}
_checks_lock = threading.Lock()


def _check(connection: StorageConnection, seconds: float) -> StorageCheck:
    with _checks_lock:
        if connection not in _checks:
            clients = connect(connection)
            _checks[connection] = StorageCheck(lambda: is_reachable(clients, seconds) or _made(clients, seconds))
        return _checks[connection]


def _made(clients: StorageClients, seconds: float) -> bool:
    """Whether containers, tables and queues can be made; a new deployment has none before its first event."""
    try:
        with budget(seconds):
            provision(clients)
    except StorageUnavailable:
        return False
    return True
