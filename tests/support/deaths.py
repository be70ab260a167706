"""Workers that die of an event, played in one process: to storage each life is another worker, and none tidies up."""

import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from pipeline import receive
from receiver.accept import accept
from storage import attempts
from storage.attempts import Attempts


class Died(BaseException):
    """The worker dies: nothing catches this."""


def lives_until(work: Callable[[], object], is_deadly: Callable[[Any], bool], monkeypatch: pytest.MonkeyPatch) -> int:
    """Do some work again and again until a worker lives to its end; how many died of deciding about an event."""
    end = Attempts.end

    def decide(envelope: Any, rules: Any) -> Any:
        if is_deadly(envelope):
            raise Died
        return accept(envelope, rules)

    def end_alive(each: Attempts, piece: str) -> None:
        if not isinstance(sys.exception(), Died):
            end(each, piece)

    for deaths in range(100):
        with monkeypatch.context() as patched:
            process = uuid.uuid4().hex
            patched.setattr(attempts, "_process", lambda process=process: process)
            patched.setattr(receive, "accept", decide)
            patched.setattr(Attempts, "end", end_alive)
            try:
                work()
            except Died:
                continue
            return deaths
    raise AssertionError("workers die of it for ever")
