"""Claims about the receiver: cold start, keys, bodies."""

import gzip
import time
from collections.abc import Callable, Iterator

import requests

from cli.checks.endpoint import Receiver, ignored_event
from cli.verification.claim import Claim

_SECONDS = 60
_AGENT_SECONDS = 5.0

COLD_START = Claim(
    "cold start", "the first event after a pause is answered before the agent gives up, 5 s", "docs/deployment.md#costs"
)
KEYS = Claim("function key", "no event is accepted without a valid key", "docs/access.md")
KEY_IN_ADDRESS = Claim("key in the address", "the key may be in the address (?code=)", "docs/http-api.md")
GZIP = Claim("gzip", "compressed bodies are accepted", "docs/http-api.md")
CHUNKED = Claim(
    "chunked bodies", "the host drops the content of chunked bodies, and the app answers 411", "docs/http-api.md"
)
ALL = (COLD_START, KEYS, KEY_IN_ADDRESS, GZIP, CHUNKED)


def receiving_claims(receiver: Receiver) -> Iterator[Claim]:
    """Each claim with its result. Nothing is stored: the events carry no lineage."""
    yield from _each(
        (COLD_START, lambda claim: _cold_start(claim, receiver)),
        (KEYS, lambda claim: _keys(claim, receiver)),
        (KEY_IN_ADDRESS, lambda claim: _answered(claim, 200, _post(receiver, query=f"?code={receiver.key}"))),
        (GZIP, lambda claim: _answered(claim, 200, _compressed(receiver))),
        (CHUNKED, lambda claim: _answered(claim, 411, receiver.post(ignored_event(), chunked=True).status_code)),
    )


def _each(*claims: tuple[Claim, Callable[[Claim], Claim]]) -> Iterator[Claim]:
    for claim, look in claims:
        try:
            yield look(claim)
        except requests.RequestException as error:
            yield claim.judged(None, f"the app did not answer ({type(error).__name__})")


def _cold_start(claim: Claim, receiver: Receiver) -> Claim:
    """The first request of this command; the user decides whether the app was idle before."""
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        _post(receiver, key=receiver.key)
        seconds.append(time.perf_counter() - began)
    first, second = seconds
    seen = f"the first request took {first:.2f} s, the second {second:.2f} s"
    return claim.judged(first < _AGENT_SECONDS, seen, firstSeconds=first, secondSeconds=second)


def _keys(claim: Claim, receiver: Receiver) -> Claim:
    got = {"no": _post(receiver), "wrong": _post(receiver, key="wrong"), "right": _post(receiver, key=receiver.key)}
    seen = ", ".join(f"{name} key: {status}" for name, status in got.items())
    return claim.judged(got == {"no": 401, "wrong": 401, "right": 200}, seen)


def _answered(claim: Claim, expected: int, status: int) -> Claim:
    return claim.judged(status == expected, f"answered {status}")


def _compressed(receiver: Receiver) -> int:
    return _post(receiver, gzip.compress(ignored_event()), key=receiver.key, encoding="gzip")


def _post(receiver: Receiver, body: bytes = b"", key: str = "", query: str = "", encoding: str = "") -> int:
    headers = {"Content-Type": "application/json"}
    headers |= {"x-functions-key": key} if key else {}
    headers |= {"Content-Encoding": encoding} if encoding else {}
    address = f"{receiver.url}/api/v1/lineage{query}"
    return requests.post(address, body or ignored_event(), headers=headers, timeout=_SECONDS).status_code
