"""Limits the time of requests to storage: the SDK retries until the budget is spent, and not longer.

The SDK knows a timeout per attempt only, so two writes with retries may take minutes. A budget covers all requests in
its block: the time left is the timeout of each attempt, and waiting past its end is an error.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3.util import Timeout

from core.errors import StorageUnavailable

_CONNECTIONS = 64
_MISSING_PARTS = ("ContainerNotFound", "TableNotFound", "QueueNotFound")
_ATTEMPTS = 4

LONGEST_PAUSE = 1.0
"""Seconds between two attempts, at most."""

MakeMissing = Callable[[str], bool]
"""Called with the URL of a request whose container, table or queue is missing; returns whether to send it once more."""

_deadline: ContextVar[float | None] = ContextVar("storage_deadline", default=None)


@contextmanager
def budget(seconds: float) -> Iterator[None]:
    """Limit all storage calls of the block together to ``seconds``; of nested budgets the smaller one applies."""
    outer = _deadline.get()
    end = time.monotonic() + seconds
    token = _deadline.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float | None:
    """Seconds left of the budget, None outside of one.

    :raises StorageUnavailable: nothing is left.
    """
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise StorageUnavailable("storage did not answer in time")
    return left


def _stop_if_late(failure: str) -> None:
    deadline = _deadline.get()
    if deadline is not None and deadline - time.monotonic() < LONGEST_PAUSE:
        raise StorageUnavailable(f"storage did not answer in time ({failure})")


class _BudgetAdapter(HTTPAdapter):
    """Connections with a timeout for the whole of an attempt, which the SDK cannot set."""

    def send(self, request: Any, stream: bool = False, timeout: Any = None, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        left = seconds_left()
        if left is not None and isinstance(timeout, tuple):
            connect, read = timeout
            timeout = Timeout(total=left, connect=min(connect or left, left), read=min(read or left, left))
        return super().send(request, stream=stream, timeout=timeout, **kwargs)


class BudgetTransport(RequestsTransport):  # type: ignore[misc]  # the SDK exports it lazily, untyped
    """The SDK's transport on one pool of connections, limited to what is left of the budget.

    The SDK sleeps between attempts where this class cannot stop it, so a failure shortly before the end of the
    budget is made final here.
    """

    def __init__(self, make_missing: MakeMissing | None = None) -> None:
        self._make_missing = make_missing
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _BudgetAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS, max_retries=0))
        super().__init__(session=session)

    def send(self, request: Any, *, proxies: Any = None, **kwargs: Any) -> Any:
        """Send one request; see the base class.

        :raises StorageUnavailable: it failed, and the budget has no time for another attempt.
        """
        response = self._send(request, proxies, kwargs)
        if self._make_missing and _names_missing_part(response) and self._make_missing(request.url):
            return self._send(request, proxies, kwargs)
        return response

    def _send(self, request: Any, proxies: Any, more: dict[str, Any]) -> Any:
        try:
            response = super().send(request, proxies=proxies, **more)
        except AzureError as error:
            _stop_if_late(type(error).__name__)
            raise
        if response.status_code in (408, 429) or response.status_code >= 500:
            _stop_if_late(f"HTTP {response.status_code}")
        return response


def _names_missing_part(response: Any) -> bool:
    """Whether an answer says that a container, table or queue is missing, and not only a blob, row or message."""
    if response.status_code != 404:
        return False
    code = response.headers.get("x-ms-error-code") or response.internal_response.text
    return any(missing in code for missing in _MISSING_PARTS)


class TableTransport(BudgetTransport):
    """Repeats what the SDK of tables does not repeat by itself: POST and PATCH whose connection failed.

    The app's requests are safe to repeat: that a row exists, or has another ETag, is a normal answer.
    """

    def send(self, request: Any, *, proxies: Any = None, **kwargs: Any) -> Any:
        """Send one request; see the base class."""
        left = _ATTEMPTS if request.method in ("POST", "PATCH") else 1
        while True:
            left -= 1
            try:
                return super().send(request, proxies=proxies, **kwargs)
            except (ServiceRequestError, ServiceResponseError):
                if left == 0:
                    raise
                time.sleep(random.uniform(0, LONGEST_PAUSE))
