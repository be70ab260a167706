"""Processes that tests start: they begin with the usual signal handling, and none outlives its test."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: Seconds after which something that a test waits for can no longer happen, however busy the machine is.
PATIENCE = 180.0

# A shell's `&` ignores the first and the last for its command, `nohup` the second; children inherit that.
_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def let_children_be_interrupted() -> None:
    """Turn ignored signals into handled ones that do nothing: this process still ignores them, its children do not.

    A handler, other than an ignored signal, is not inherited by a program that is executed.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@contextmanager
def started(arguments: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that runs in the project's root, and is killed if it still runs when the block is left."""
    with subprocess.Popen(arguments, **{"cwd": ROOT, **options}) as process:
        try:
            yield process
        finally:
            process.kill()


def until(holds: Callable[[], object]) -> None:
    """Wait until a condition holds.

    :raises AssertionError: it does not hold even after ``PATIENCE`` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)
