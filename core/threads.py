"""Several requests at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int) -> list[_Result]:
    """The results of ``work`` on each item, in their order, in this thread's context.

    The first exception is raised once what has begun is over; what has not is left out.
    """
    tasks = [(copy_context(), item) for item in items]
    if len(tasks) < 2:
        return [work(item) for _, item in tasks]
    with ThreadPoolExecutor(min(threads, len(tasks)), "sparklin") as pool:
        return list(pool.map(lambda task: task[0].run(work, task[1]), tasks))
