"""Several requests at a time, with their results in order."""

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from core.threads import stream_in_threads

LEVEL = ContextVar("LEVEL", default=0)


def test_results_come_in_the_order_of_the_items() -> None:
    gates = [threading.Event() for _ in range(3)]
    gates[2].set()

    def work(number: int) -> int:
        assert gates[number].wait(30)
        if number:
            gates[number - 1].set()
        return number

    assert list(stream_in_threads(work, range(3), 3)) == [0, 1, 2]


def test_items_are_taken_only_so_far_ahead_as_there_is_work() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = stream_in_threads(str, items(), 2)
    assert next(results) == "0"
    assert len(taken) == 4
    assert list(results) == [str(number) for number in range(1, 100)]


def test_the_first_exception_ends_it() -> None:
    results = stream_in_threads(lambda number: 1 // (number - 2), range(100), 2)
    assert [next(results), next(results)] == [-1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_work_is_done_in_the_context_of_the_caller() -> None:
    LEVEL.set(3)
    assert list(stream_in_threads(lambda _: LEVEL.get(), range(3), 2)) == [3, 3, 3]
