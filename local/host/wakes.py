"""Wakes the listeners of this process when it sends a message itself, so that no poll is needed."""

from collections.abc import Callable


class Wakes:
    """The listeners of this process by the name of their queue."""

    def __init__(self) -> None:
        self._listeners: dict[str, Callable[[], None]] = {}

    def add(self, queue: str, wake: Callable[[], None]) -> None:
        """Let `wake` be called whenever this process sends something to `queue`."""
        self._listeners[queue] = wake

    def sent(self, queue: str) -> None:
        """This process sent something to `queue`."""
        wake = self._listeners.get(queue)
        if wake:
            wake()
