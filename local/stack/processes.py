"""Detached processes: started in sessions of their own, recognised again later, and ended.

A process id alone does not identify a process, since ids are reused. A `Started` therefore also has the time when the
process began, and nothing is signalled unless both still match. POSIX only (Linux, macOS, WSL).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.stack.stack_error import StackError

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Started:
    """A process that we started: its part's name, its id, and the mark that distinguishes it from a later one."""

    name: str
    pid: int
    mark: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: program and arguments, working folder, whole environment, and the file for its output."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    log: Path


def launch(command: Command) -> Started:
    """Start a process in its own session, with stdout and stderr appended to its log.

    :raises StackError: when the program can't be run.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        try:
            process = subprocess.Popen(  # noqa: S603  the parts of the stack
                command.arguments,
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise StackError(f"{command.name}: {command.arguments[0]} can't be run: {error}") from error
    _CHILDREN[process.pid] = process
    return Started(command.name, process.pid, _mark(process.pid) or "gone")


# Children of this process must be waited for, or they stay as zombies with their old id and start time.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


def is_running(started: Started) -> bool:
    """Whether this process (not another one with its id) still runs."""
    mark = _mark(started.pid)
    if mark is None and started.pid in _CHILDREN:
        # It has ended, so this returns at once.
        _CHILDREN.pop(started.pid).wait()
    return mark == started.mark


def end(started: Started, grace_seconds: float = 10.0) -> None:
    """SIGTERM, wait, SIGKILL after `grace_seconds`; nothing if it is gone already. Returns when it has ended."""
    signal_group(started, signal.SIGTERM)
    if not wait_until_gone(started, grace_seconds):
        kill(started)


def kill(started: Started) -> None:
    """SIGKILL, as a crash or a power cut would end it. Returns when it has ended."""
    signal_group(started, signal.SIGKILL)
    if not wait_until_gone(started, 10.0):
        raise StackError(f"{started.name}: process {started.pid} does not end")


def signal_group(started: Started, number: signal.Signals) -> None:
    """Signal the process and what it started (its group has its id, as it leads a session)."""
    if is_running(started):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, number)


def wait_until_gone(started: Started, seconds: float) -> bool:
    """Wait at most `seconds` for the process to end. True if it has."""
    deadline = time.monotonic() + seconds
    while is_running(started):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _mark(pid: int) -> str | None:
    """When the process began, in a form that is equal for equal processes; None if there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return _mark_of_stat(stat)
    return _mark_of_ps(pid)


def _mark_of_stat(stat: Path) -> str | None:
    try:
        # The second field is the program's name in brackets and may contain spaces and brackets itself.
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, start_ticks = fields[0], fields[19]
    if state in {"Z", "X"}:
        return None
    # Ticks are counted from boot, so two boots may give the same number.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {start_ticks}"


def _mark_of_ps(pid: int) -> str | None:
    columns: Sequence[str] = ("ps", "-o", "stat=,lstart=", "-p", str(pid))
    printed = subprocess.run(columns, capture_output=True, text=True, check=False).stdout  # noqa: S603
    state, _, began = printed.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()
