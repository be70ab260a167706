"""Processes are recognised again, and only those that were started are ended."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local import environment
from local.stack import processes
from local.stack.processes import Command, Started
from local.stack.stack_error import StackError
from tests.support.processes import PATIENCE, until

SLEEP = "import time; time.sleep(1000)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)"
)
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


def python(folder: Path, code: str) -> Command:
    """A command that runs a line of Python."""
    return Command("python", (sys.executable, "-c", code), folder, environment.variables(), folder / "log")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Started]:
    """A process that sleeps for a minute."""
    started = processes.launch(python(tmp_path, SLEEP))
    yield started
    processes.kill(started)


def test_a_process_is_ended_and_no_longer_exists(sleeper: Started) -> None:
    assert processes.is_running(sleeper)
    processes.end(sleeper)
    assert not processes.is_running(sleeper)
    processes.end(sleeper)  # again is fine


def test_a_later_process_under_the_same_id_is_left_alone(sleeper: Started) -> None:
    earlier = replace(sleeper, mark="another time")
    assert not processes.is_running(earlier)
    processes.end(earlier)
    processes.kill(earlier)
    assert processes.is_running(sleeper)


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    started = processes.launch(python(tmp_path, STUBBORN))
    deadline = time.monotonic() + PATIENCE
    while "up" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    processes.end(started, grace_seconds=0.3)
    assert not processes.is_running(started)


def state_of(pid: str) -> str:
    """The state of a process, as ``ps`` shows it; "" if there is none."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
    return found.stdout.strip()[:1]


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    started = processes.launch(python(tmp_path, PARENT))
    child = ""
    deadline = time.monotonic() + PATIENCE
    while not child and time.monotonic() < deadline:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(started.pid)], capture_output=True, text=True, check=False
        )
        child = found.stdout.strip()
    processes.end(started)
    # It was sent SIGKILL, which takes effect when the system next runs it.
    until(lambda: state_of(child) in {"", "Z"})


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    command = Command("thing", ("/nowhere/thing",), tmp_path, {}, tmp_path / "log")
    with pytest.raises(StackError, match="thing: /nowhere/thing can't be run"):
        processes.launch(command)
