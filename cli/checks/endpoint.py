"""Checks of the receiver, with requests like those of Spark's agent."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

from cli.checks.check import Check, State, note, ok, wrong
from core.version import VERSION, is_same_release

NAMESPACE = "sparklin-doctor"
_SECONDS = 10
_START_SECONDS = 10
_POLL_SECONDS = 0.2
_KEY = (
    "az functionapp keys list -g <group> -n <app> --query functionKeys.default; in Spark's configuration it belongs to "
    "spark.openlineage.transport.headers.x-functions-key"
)
_APP_SETTINGS = "az functionapp config appsettings list -g <group> -n <app>"
_APP_STATE = "az functionapp show -g <group> -n <app> --query '[state, defaultHostName]'; is inbound access limited?"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The function app's address, without a path, and one of its function keys."""

    url: str
    key: str

    def post(self, body: bytes, *, chunked: bool = False) -> requests.Response:
        """Send an event.

        :raises requests.RequestException: the app is unavailable.
        """
        headers = {"x-functions-key": self.key, "Content-Type": "application/json"}
        sent = iter([body]) if chunked else body
        return requests.post(f"{self.url}/api/v1/lineage", sent, headers=headers, timeout=_SECONDS)


def check_receiver(receiver: Receiver) -> Iterator[Check]:
    """The checks of the receiver; those that depend on a failed one are left out."""
    reached = _health(receiver)
    yield reached
    if reached.state is State.WRONG:
        return
    answer = receiver.post(ignored_event())
    if answer.status_code == 401:
        yield wrong("function key", "the app does not accept the key (401)", _KEY)
        return
    if answer.status_code != 200:
        found = f"an event without lineage was answered {answer.status_code} instead of 200: {answer.text[:200]}"
        yield wrong("function key", found, "look at the app's log; is this the address of Sparklin?")
        return
    yield ok("function key", "the app accepts events with this key")
    yield _chunked(receiver)


def _health(receiver: Receiver) -> Check:
    name = "receiver"
    try:
        answer = _first_report(receiver)
    except requests.RequestException as error:
        return wrong(name, f"{receiver.url} cannot be reached ({type(error).__name__})", _APP_STATE)
    if answer.status_code == 503:
        repair = f"{_APP_SETTINGS}; check LINEAGE_STORAGE__… and the roles of the app's identity"
        return wrong(name, "the app runs, but its storage is unavailable", repair)
    try:
        version = answer.json()["version"]
    except (ValueError, KeyError, TypeError):
        found = f"{receiver.url}/api/health was answered with {answer.status_code}, but not by Sparklin"
        return wrong(name, found, "func azure functionapp publish <app>; or fix the address")
    if not is_same_release(str(version)):
        return note(
            name,
            f"the app has version {version}, this command {VERSION}",
            "use the command of the deployed version",
        )
    return ok(name, f"{receiver.url} answers, version {version}")


def _first_report(receiver: Receiver) -> requests.Response:
    """The first health report in which the app has checked its storage."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        answer = requests.get(f"{receiver.url}/api/health", timeout=_SECONDS)
        if answer.status_code != 503 or b'"starting"' not in answer.content or time.monotonic() > deadline:
            return answer
        time.sleep(_POLL_SECONDS)


def _chunked(receiver: Receiver) -> Check:
    """Agents send chunked bodies if compression is on; the Functions host may drop their content."""
    answer = receiver.post(ignored_event(), chunked=True)
    if answer.status_code == 200:
        return ok("compression", "chunked bodies arrive: spark.openlineage.transport.compression=gzip can be used")
    found = (
        "chunked bodies arrive without their content" if answer.status_code == 411 else f"answered {answer.status_code}"
    )
    return note("compression", found, "do not set spark.openlineage.transport.compression")


def event_of_ours(event_type: str, run: str, job: str, inputs: Sequence[object], outputs: Sequence[object]) -> bytes:
    """An event to test a deployment."""
    event = {
        "eventType": event_type,
        "eventTime": datetime.now(UTC).isoformat(),
        "run": {"runId": run},
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": inputs,
        "outputs": outputs,
    }
    return json.dumps(event).encode()


def ignored_event() -> bytes:
    """An event that is never stored: a START without datasets."""
    return event_of_ours("START", "00000000-0000-4000-8000-000000000000", "sparklin_doctor", (), ())
