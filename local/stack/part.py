"""A part of the local stack: one process that can be started, stopped, killed and started again by itself.

A part is ready when a line of its output says so. The first start may let the system pick a port; the part then keeps
it, so that its address stays valid after a restart.
"""

import re
import time
from abc import ABC, abstractmethod
from itertools import takewhile
from pathlib import Path
from typing import Self

from local.stack import processes, signals
from local.stack.processes import Command, Started
from local.stack.stack_error import StackError

_POLL_SECONDS = 0.02
_TAIL_LINES = 25
_PROBLEM = "error: "


class Part(ABC):
    """One process of the stack. Subclasses define its command and the output that means that it is ready."""

    #: Patterns that must all be found in the output of a start; group 1 is an address.
    ready: tuple[re.Pattern[str], ...]

    def __init__(self, name: str, log: Path, *, ready_seconds: float = 60.0) -> None:
        self.name = name
        self.log = log
        self.ready_seconds = ready_seconds
        self.started: Started | None = None
        self._addresses: tuple[str, ...] = ()

    @abstractmethod
    def command(self) -> Command:
        """The command, with the ports that are known by now.

        :raises StackError: when something it needs is not installed.
        """

    @property
    def is_running(self) -> bool:
        """Whether the last started process still runs."""
        return self.started is not None and processes.is_running(self.started)

    def addresses(self) -> tuple[str, ...]:
        """The matches of the `ready` patterns, in their order.

        :raises StackError: before the first start.
        """
        if not self._addresses:
            raise StackError(f"{self.name} has not been started")
        return self._addresses

    def launch(self) -> None:
        """Start the process without waiting for it; nothing if it runs already."""
        if not self.is_running:
            self._log_start = self.log.stat().st_size if self.log.exists() else 0
            with signals.held():
                # If this were interrupted, an unknown process would run.
                self.started = processes.launch(self.command())

    def wait_until_ready(self, deadline: float | None = None) -> None:
        """Wait until every `ready` pattern was printed; `deadline` in seconds of `time.monotonic`.

        :raises StackError: when the process ends or prints nothing in time; the message contains the log's tail.
        """
        limit = time.monotonic() + self.ready_seconds if deadline is None else deadline
        while True:
            running = self.is_running
            found = [pattern.search(self.output()) for pattern in self.ready]
            if all(found):
                self._addresses = tuple(match.group(1) for match in found if match)
                return
            if not running:
                raise StackError(self._why_ended())
            if time.monotonic() > limit:
                raise StackError(f"{self.name} was not ready in time.\n{self.tail()}")
            time.sleep(_POLL_SECONDS)

    def start(self) -> Self:
        """Start the process and wait until it is ready; nothing if it runs already.

        :raises StackError: when the process ends or is not ready in time; it is ended before.
        """
        self.launch()
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Let the process finish (SIGTERM; SIGKILL after 10 seconds); nothing if it doesn't run."""
        if self.started is not None:
            processes.end(self.started)

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would; nothing if it doesn't run."""
        if self.started is not None:
            processes.kill(self.started)

    def restart(self) -> Self:
        """Stop and start again on the same ports and data."""
        self.stop()
        return self.start()

    def output(self) -> str:
        """The output of the process since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def tail(self) -> str:
        """The last lines of its output, with the path of the whole file."""
        lines = self.output().splitlines()[-_TAIL_LINES:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def _why_ended(self) -> str:
        """Why a start failed: the problems that it named last, as `error: …`, or the log's tail."""
        lines = self.output().rstrip().splitlines()
        named = list(takewhile(lambda line: line.startswith(_PROBLEM), reversed(lines)))
        if named:
            return "\n".join(line.removeprefix(_PROBLEM) for line in reversed(named))
        return f"{self.name} ended while starting.\n{self.tail()}"

    _log_start: int = 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
