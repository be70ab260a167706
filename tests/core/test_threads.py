"""Several requests at a time, with their results in order."""

import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from core.threads import in_threads, stream_in_threads

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

    results = stream_in_threads(str, items(), 3)
    assert next(results) == "0"
    assert len(taken) == 6
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


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_all_results_come_in_the_order_of_the_items(count: int) -> None:
    assert in_threads(lambda number: number * 2, range(count), 3) == [number * 2 for number in range(count)]


@pytest.mark.parametrize(("count", "here"), [(1, True), (2, False)])
def test_a_single_item_needs_no_thread(count: int, here: bool) -> None:
    threads = in_threads(lambda _: threading.current_thread(), range(count), 3)
    assert [thread is threading.current_thread() for thread in threads] == [here] * count


def test_each_item_has_the_context_of_the_caller_to_itself() -> None:
    def work(step: int) -> int:
        LEVEL.set(LEVEL.get() + step)
        return LEVEL.get()

    LEVEL.set(3)
    assert in_threads(work, range(4), 1) == [3, 4, 5, 6]
    assert LEVEL.get() == 3


def test_after_an_exception_no_other_item_is_started() -> None:
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        return 1 // (number - 1)

    with pytest.raises(ZeroDivisionError):
        list(stream_in_threads(work, range(100), 1))
    assert max(started) <= 2
