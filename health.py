"""Whether the app can do its first duty, storing events, for load balancers and people."""

import threading
import time

from core.errors import StorageUnavailable
from core.version import VERSION
from services import Services

_KEPT_SECONDS = 30.0
_lock = threading.Lock()
_checked: dict[int, tuple[float, bool]] = {}


def health_report(services: Services) -> tuple[int, dict[str, str]]:
    """The HTTP status and body; storage is asked at most every 30 s."""
    with _lock:
        at, usable = _checked.get(id(services), (float("-inf"), False))
        if time.monotonic() - at > _KEPT_SECONDS:
            usable = _is_usable(services)
            _checked[id(services)] = (time.monotonic(), usable)
    return (200 if usable else 503), {"status": "ok" if usable else "storage is out of reach", "version": VERSION}


def _is_usable(services: Services) -> bool:
    try:
        services.inbox.check()
    except StorageUnavailable:
        return False
    return True
