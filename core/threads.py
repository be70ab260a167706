"""Several requests at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int) -> list[_Result]:
    """The results of ``work`` on each item, in their order, in this thread's context.

    The first exception is raised when the running items have ended; the others are not started.
    """
    tasks = [(copy_context(), item) for item in items]
    if len(tasks) < 2:
        return [work(item) for _, item in tasks]
    with ThreadPoolExecutor(min(threads, len(tasks)), "sparklin") as pool:
        return list(pool.map(lambda task: task[0].run(work, task[1]), tasks))


def stream_in_threads(work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int) -> Iterator[_Result]:
    """The results of ``work`` on each item, in their order, as they come.

    Items are taken in this thread, at most twice as many as ``threads`` ahead of the results. The first exception is
    raised when the running items have ended; the others are not started.
    """
    pool = ThreadPoolExecutor(threads, "sparklin")
    ahead: deque[Future[_Result]] = deque()
    try:
        for item in items:
            ahead.append(pool.submit(copy_context().run, work, item))
            if len(ahead) >= 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
