"""HTTP to the Data Map: one session, tokens, time-outs, and retries within a budget (see purview.retry_policy).

A request is repeated after 408, 429, any 5xx and broken connections; all requests of this module are safe to repeat.
Any other answer that is not a success ends the call at once.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
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
from purview.clouds import scope_of
from purview.refusals import refusal
from purview.retry_policy import Clock, RetryBudget, RetryPolicy, current_budget

_log = logging.getLogger(__name__)
# A token is renewed when it has less than this left, in seconds; azure-identity does the same in its own cache.
_RENEW_BEFORE = 300.0
# A requested wait is honoured in the call up to this; the app's own wait stays shorter, so that the end of a fault is
# noticed soon.
_LONGEST_WAIT = 30.0
_LONGEST_BACKOFF = 5.0
# A server cannot make the app wait longer than this: a run is retried at least once an hour.
_LONGEST_RETRY_AFTER = 3600.0
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


def default_credential() -> Credential:
    """The identity of the app or of `az login`, or a service principal by environment."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


class Transport:
    """Sends requests; safe to use from several threads."""

    def __init__(
        self,
        credential: Credential | None,
        policy: RetryPolicy,
        *,
        trust_environment: bool = True,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._auth = _BearerAuth(credential) if credential else None
        self._session = requests.Session()
        # Proxies come from the environment; passwords (.netrc) do not, since the session has its own authentication.
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
        """Send a request, several times if necessary, and return the successful answer.

        :param guard: called before each attempt; what it raises ends the call.
        :raises CatalogUnavailable: the catalogue was unavailable, busy or faulty beyond the budget.
        :raises CatalogDenied: the app has no access.
        :raises CatalogConflict: another change got in the way (409, 412).
        :raises CatalogRefused: the catalogue refused the content of the request.
        """
        request = f"{method} {urlsplit(url).path}"
        budget = current_budget() or RetryBudget(self._policy.budget, self._clock)
        failures, renewed = 0, False
        try:
            while True:
                if guard:
                    guard()
                began = self._clock()
                answer = self._attempt(method, url, params, json)
                if isinstance(answer, requests.Response):
                    if answer.status_code == 401 and self._auth and not renewed:
                        renewed = True
                        self._auth.forget()
                        continue
                    if not _is_transient(answer.status_code):
                        return _accepted(answer, request, (params or {}).get("collectionId", ""))
                failures += 1
                if failures == 1:
                    budget.begin_failing(began)
                self._wait(answer, request, failures, budget)
        finally:
            if failures:
                budget.end_failing()

    def _attempt(
        self, method: str, url: str, params: Mapping[str, str] | None, json: object
    ) -> requests.Response | Exception:
        timeout = (self._policy.connect, self._policy.read)
        try:
            # A redirect would turn a POST into a GET.
            return self._session.request(method, url, params=params, json=json, timeout=timeout, allow_redirects=False)
        except _BROKEN as error:
            return error
        except AzureError as error:
            text = str(error).partition("\n")[0][:300]
            raise CatalogUnavailable(
                f"no token for Purview; `az login`, or the app's identity, gives one ({type(error).__name__}: {text})"
            ) from None

    def _wait(self, answer: requests.Response | Exception, request: str, failures: int, budget: RetryBudget) -> None:
        """Sleep before the next attempt.

        :raises CatalogUnavailable: the wait is longer than what is left of the budget.
        """
        asked = retry_after(answer.headers.get("Retry-After")) if isinstance(answer, requests.Response) else None
        backoff = min(_LONGEST_BACKOFF, self._policy.first_wait * 2.0 ** min(failures - 1, 30))
        # Jitter keeps workers that failed together from retrying together; it never shortens a requested wait.
        wait = max(asked or 0.0, backoff * random.uniform(0.5, 1.0))
        what = str(answer.status_code) if isinstance(answer, requests.Response) else type(answer).__name__
        if wait > min(budget.seconds_left(), _LONGEST_WAIT):
            raise CatalogUnavailable(f"Purview: {request} failed {failures} times, last with {what}", asked)
        _log.info("%s failed with %s; again in %.1f s", request, what, wait)
        self._sleep(wait)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number, or an HTTP date; at most an hour.

    None if the header is missing or cannot be read.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return None if math.isnan(seconds) else min(max(0.0, seconds), _LONGEST_RETRY_AFTER)


def _is_transient(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _accepted(answer: requests.Response, request: str, collection: str) -> requests.Response:
    if 200 <= answer.status_code < 300:
        return answer
    raise refusal(answer.status_code, answer.text, request, collection)


class _BearerAuth(AuthBase):
    """Puts a token on each request and renews it before it expires."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._token: Token | None = None

    def forget(self) -> None:
        """Discard the token, which was not accepted: the next request gets a new one."""
        with self._lock:
            self._token = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        host = urlsplit(request.url or "").hostname or ""
        request.headers["Authorization"] = f"Bearer {self._current(scope_of(host))}"
        return request

    def _current(self, scope: str) -> str:
        with self._lock:
            left = self._token.expires_on - time.time() if self._token else 0.0
            if self._token is None or left < _RENEW_BEFORE:
                try:
                    self._token = self._credential.get_token(scope)
                except AzureError:
                    # A token that is still valid bridges an outage of the identity service.
                    if self._token is None or left < 1:
                        raise
            return self._token.token
