"""Signals that end a command: they raise an exception, so that what it started is ended too.

Without `end_by_signals`, the other functions have no effect.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _State:
    """How many `held` blocks are open, the signal that arrived meanwhile, and whether one has been raised."""

    held: int = 0
    waiting: int = 0
    raised: bool = False
    terminals: tuple[int, ...] = ()


_state = _State()


def end_by_signals() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP raise `SystemExit(128 + number)` from now on.

    Only the first does, so that a second one does not interrupt the end. An ignored signal (SIGHUP under nohup) stays
    ignored.
    """
    _state.terminals = tuple(number for number in (1, 2) if os.isatty(number))
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _arrived)


@contextmanager
def held() -> Iterator[None]:
    """Don't interrupt this block: a signal that arrives meanwhile is raised at its end."""
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
        if _state.waiting and not _state.held:
            _raise(_state.waiting)


def _arrived(number: int, _frame: FrameType | None) -> None:
    _leave_dead_terminals()
    if _state.held:
        _state.waiting = number
    else:
        _raise(number)


def _raise(number: int) -> None:
    if not _state.raised:
        _state.raised = True
        raise SystemExit(128 + number)


def _leave_dead_terminals() -> None:
    """Discard further output once the terminal is closed; writing there would fail."""
    dead = [number for number in _state.terminals if not os.isatty(number)]
    if dead:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in dead:
            os.dup2(nowhere, number)
        os.close(nowhere)
