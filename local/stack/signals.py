"""Signals that end a command: they unwind it as an exception does, so that what it started is ended too.

Without `end_by_signals` all else here has no effect.
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
    """How many `held` blocks are open, the signal that came meanwhile, and whether one has been raised."""

    held: int = 0
    waiting: int = 0
    raised: bool = False
    terminals: tuple[int, ...] = ()


_state = _State()


def end_by_signals() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP raise `SystemExit(128 + number)` from now on.

    Only the first does, so that no second one cuts off the end. One that is ignored (SIGHUP under nohup) stays so.
    """
    _state.terminals = tuple(number for number in (1, 2) if os.isatty(number))
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _arrived)


@contextmanager
def held() -> Iterator[None]:
    """Don't cut this block off: a signal that comes meanwhile counts at its end."""
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
    """What is still to be said goes nowhere once the terminal is closed; writing there would fail."""
    dead = [number for number in _state.terminals if not os.isatty(number)]
    if dead:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in dead:
            os.dup2(nowhere, number)
        os.close(nowhere)
