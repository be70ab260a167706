"""The files that `up` writes for others: `.local/stack.json` for users, `.local/processes.json` for `down`.

`processes.json` is written whenever a process was started, so that `down` knows every process even of an `up` that was
killed half-way. `stack.json` exists exactly while the stack is ready. `choices.json` has ports and key for the next
`up`, and stays.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.stack.choices import Choices
from local.stack.lifecycle import Stack
from local.stack.part import Part
from local.stack.processes import Started, is_running
from local.stack.stack_error import StackError

_STACK = "stack.json"
_PROCESSES = "processes.json"
_CHOICES = "choices.json"


class StackFiles:
    """The files in the stack's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Started] = []

    def note(self, part: Part) -> None:
        """Record a part's process for `down`."""
        if part.started is not None:
            self._started.append(part.started)
            self._write(_PROCESSES, [asdict(started) for started in self._started])

    def publish(self, stack: Stack) -> None:
        """Write the addresses. Only this user can read the file, because it contains the key."""
        self._write(
            _STACK,
            {
                "receiver": stack.receiver,
                "functionKey": stack.keys.function,
                "dataMap": stack.data_map.url if stack.data_map else "",
                "page": stack.page,
                "storage": stack.azurite.connection_string,
                "pids": {part.name: part.started.pid for part in stack.parts if part.started},
            },
        )

    @contextmanager
    def published_meanwhile(self, stack: Stack) -> Iterator[None]:
        """Write the addresses for the time of the block, unless the stack of `up` runs or the folder is read-only."""
        is_ours = False
        with suppress(OSError, StackError):
            if not any(is_running(started) for started in self.started()):
                self.publish(stack)
                is_ours = True
        try:
            yield
        finally:
            if is_ours and self.is_published(stack):
                self.withdraw()

    def is_published(self, stack: Stack) -> bool:
        """Whether the published addresses, those of commands with ``--local``, are those of the stack."""
        found = self.published()
        return found is not None and found.get("receiver") == stack.receiver

    def remember(self, choices: Choices) -> None:
        """Store the stack's choices for the next `up`."""
        self._write(_CHOICES, choices.as_object())

    def remembered(self) -> Choices:
        """The choices that `remember` stored last; empty if they cannot be read."""
        try:
            return Choices.read(self._read(_CHOICES))
        except StackError:
            return Choices({})

    def published(self) -> dict[str, Any] | None:
        """The addresses that `publish` wrote; None if there is no stack."""
        found = self._read(_STACK)
        return found if isinstance(found, dict) else None

    def started(self) -> list[Started]:
        """The processes that `up` started, running or not.

        :raises StackError: when the file can't be read, since then the processes are unknown.
        """
        try:
            return [Started(**fields) for fields in self._read(_PROCESSES) or []]
        except TypeError as error:
            raise StackError(f"{self.folder / _PROCESSES} is not of this stack: {error}") from error

    def withdraw(self) -> None:
        """The stack is no longer ready."""
        (self.folder / _STACK).unlink(missing_ok=True)

    def clear(self) -> None:
        """All processes have ended."""
        self.withdraw()
        (self.folder / _PROCESSES).unlink(missing_ok=True)

    def _read(self, name: str) -> Any:
        path = self.folder / name
        try:
            return json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StackError(f"{path} can't be read: {error}") from error

    def _write(self, name: str, content: object) -> None:
        """Write atomically: a reader never sees half a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
        with os.fdopen(number, "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        Path(temporary).replace(self.folder / name)
