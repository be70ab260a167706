"""HTTP to the Data Map: one session, tokens, timeouts, and patience within a budget.

A request is repeated after 408, 429, any 5xx and broken connections; all requests that are sent through here may be
carried out twice without harm. Everything else that is no success is refused at once.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import AzureError
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from core.errors import CatalogUnavailable
from purview.refusals import refusal

SCOPE = "https://purview.azure.net/.default"

_log = logging.getLogger(__name__)
# A token is renewed when it has less than this left, in seconds; azure-identity does the same in its own cache.
_RENEW_BEFORE = 300.0
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class Token(Protocol):
    """What azure-identity's credentials return; ``expires_on`` is in seconds since 1970."""

    @property
    def token(self) -> str: ...
    @property
    def expires_on(self) -> int: ...


class Credential(Protocol):
    """Any credential of azure-identity."""

    def get_token(self, *scopes: str) -> Token: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take, in seconds.

    ``budget`` bounds the time after which no further attempt begins; ``first_wait`` doubles from attempt to attempt.
    """

    connect: float = 5.0
    read: float = 60.0
    budget: float = 60.0
    first_wait: float = _FIRST_WAIT


class Transport:
    """Sends requests; safe to use from several threads."""

    def __init__(self, credential: Credential | None, patience: Patience, *, trust_environment: bool = True) -> None:
        self._patience = patience
        self._auth = _BearerAuth(credential) if credential else None
        self._session = requests.Session()
        # Proxies come from the environment; passwords (.netrc) don't, since the session has an auth of its own.
        self._session.trust_env = trust_environment
        self._session.auth = self._auth
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=32))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        guard: Callable[[], None] | None = None,
    ) -> requests.Response:
        """Send a request, again if need be, and return the successful answer.

        :param guard: called before each attempt; what it raises ends the call.
        :raises CatalogUnavailable: the catalogue was out of reach, busy or faulty beyond the budget.
        :raises CatalogRefused: it refused the request.
        """
        request = f"{method} {urlsplit(url).path}"
        start = time.monotonic()
        attempt, renewed = 0, False
        while True:
            if guard:
                guard()
            answer = self._attempt(method, url, params, json)
            if isinstance(answer, requests.Response):
                if answer.status_code == 401 and self._auth and not renewed:
                    renewed = True
                    self._auth.forget()
                    continue
                if not _is_transient(answer.status_code):
                    return _accepted(answer, request)
            attempt += 1
            self._wait(answer, request, attempt, self._patience.budget - (time.monotonic() - start))

    def _attempt(
        self, method: str, url: str, params: Mapping[str, str] | None, json: object
    ) -> requests.Response | Exception:
        timeout = (self._patience.connect, self._patience.read)
        try:
            # A redirect would turn a POST into a GET.
            return self._session.request(method, url, params=params, json=json, timeout=timeout, allow_redirects=False)
        except _BROKEN as error:
            return error
        except AzureError as error:
            text = str(error).partition("\n")[0][:300]
            raise CatalogUnavailable(f"no token for Purview ({type(error).__name__}): {text}") from None

    def _wait(self, answer: requests.Response | Exception, request: str, attempt: int, left: float) -> None:
        """Sleep before the next attempt.

        :raises CatalogUnavailable: the wait is longer than what is left of the budget.
        """
        asked = retry_after(answer.headers.get("Retry-After")) if isinstance(answer, requests.Response) else None
        backoff = min(_LONGEST_WAIT, self._patience.first_wait * 2.0 ** (attempt - 1))
        # Jitter keeps workers that failed together from coming back together; it never shortens what was asked for.
        wait = max(asked or 0.0, backoff * random.uniform(0.5, 1.0))
        what = str(answer.status_code) if isinstance(answer, requests.Response) else type(answer).__name__
        if wait > min(left, _LONGEST_WAIT):
            raise CatalogUnavailable(f"{request} failed {attempt} times, last with {what}", asked)
        _log.info("%s failed with %s; again in %.1f s", request, what, wait)
        time.sleep(wait)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number, or an HTTP date; None if there is none to read."""
    if not value:
        return None
    try:
        return max(0.0, float(value)) if float(value) < float("inf") else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def _is_transient(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _accepted(answer: requests.Response, request: str) -> requests.Response:
    if 200 <= answer.status_code < 300:
        return answer
    raise refusal(answer.status_code, answer.text, request)


class _BearerAuth(AuthBase):
    """Puts a token on each request and renews it before it expires."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._token: Token | None = None

    def forget(self) -> None:
        """Make the next request get a new token: this one was not accepted."""
        with self._lock:
            self._token = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def _current(self) -> str:
        with self._lock:
            left = self._token.expires_on - time.time() if self._token else 0.0
            if self._token is None or left < _RENEW_BEFORE:
                try:
                    self._token = self._credential.get_token(SCOPE)
                except AzureError:
                    # One that is still good bridges a pause of the identity service.
                    if self._token is None or left < 1:
                        raise
            return self._token.token
