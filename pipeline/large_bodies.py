"""Allows one large body at a time in the memory of a worker: small ones pass, a second large one waits."""

import threading

from core.errors import BadRequest, StorageUnavailable
from storage.request_budget import seconds_left


class LargeBodies:
    """The turns of a worker's large bodies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def turn(self) -> "Turn":
        """A turn that is not taken yet; close it when the request is answered."""
        return Turn(self._lock)


class Turn:
    """The turn of one request, taken only if its body is large."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._is_taken = False

    def take(self) -> None:
        """Wait for the turn, no longer than what is left of the request's budget.

        :raises BadRequest: with status 503: another large body took too long.
        """
        if not self._is_taken:
            self._is_taken = self._lock.acquire(timeout=_patience())
        if not self._is_taken:
            raise BadRequest(503, "not stored, send it again: another body above 1 MiB is being received")

    def close(self) -> None:
        """Release the turn, if it was taken."""
        if self._is_taken:
            self._is_taken = False
            self._lock.release()


def _patience() -> float:
    try:
        left = seconds_left()
    except StorageUnavailable:
        return 0.0
    return threading.TIMEOUT_MAX if left is None else left
