"""A clock that only sleeping, or the test, moves."""

import threading


class Time:
    """Seconds; ``slept`` is how many of them were spent asleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept += seconds
