"""What the checks of the receiver report, by its answers."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from cli.checks import endpoint
from cli.checks.endpoint import Receiver, check_receiver
from core.envelope import read_envelope
from core.version import VERSION
from tests.support.http_server import QuietHandler, serving

HEALTHY = (200, {"status": "ok", "version": VERSION})
STARTING = (503, {"status": "starting"})


class Answers:
    """What is answered: ``health`` one after the other, the last one for ever; events by whether they are chunked."""

    def __init__(self) -> None:
        self.health: list[tuple[int, Any]] = [HEALTHY]
        self.whole = self.chunked = 200
        self.keys: set[str] = set()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def receiver(answers: Answers) -> Iterator[Receiver]:
    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/api/health"
            status, health = answers.health.pop(0) if len(answers.health) > 1 else answers.health[0]
            self.answer(status, health if isinstance(health, bytes) else json.dumps(health).encode())

        def do_POST(self) -> None:
            answers.keys.add(self.headers["x-functions-key"])
            if "Content-Length" in self.headers:
                self.body()
                self.answer(answers.whole, b'"why"')
            else:
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
                self.answer(answers.chunked, b'"why"')

    with serving(Handler) as port:
        yield Receiver(f"http://127.0.0.1:{port}", "the key")


def found(receiver: Receiver) -> list[tuple[str, str, str]]:
    """Name, state and finding of each check, without the address."""
    return [
        (check.name, check.state.value, check.found.replace(receiver.url, "it")) for check in check_receiver(receiver)
    ]


RECEIVER = ("receiver", "ok", f"it answers, version {VERSION}")
KEY = ("function key", "ok", "the app accepts events with this key")
COMPRESSION = "chunked bodies arrive: spark.openlineage.transport.compression=gzip can be used"


def test_a_receiver_that_works(receiver: Receiver, answers: Answers) -> None:
    assert found(receiver) == [RECEIVER, KEY, ("compression", "ok", COMPRESSION)]
    assert answers.keys == {"the key"}


@pytest.mark.parametrize(
    ("health", "checks"),
    [
        (
            (503, {"status": "unavailable"}),
            [("receiver", "wrong", "the app runs, but its storage is unavailable")],
        ),
        ((404, {"error": 1}), [("receiver", "wrong", "it/api/health was answered with 404, but not by Sparklin")]),
        ((200, b"<html>"), [("receiver", "wrong", "it/api/health was answered with 200, but not by Sparklin")]),
        ((200, ["version"]), [("receiver", "wrong", "it/api/health was answered with 200, but not by Sparklin")]),
        (
            (200, {"version": "0.0.1"}),
            [
                ("receiver", "note", f"the app has version 0.0.1, this command {VERSION}"),
                KEY,
                ("compression", "ok", COMPRESSION),
            ],
        ),
    ],
)
def test_the_health_of_the_app(
    health: tuple[int, Any], checks: list[tuple[str, str, str]], receiver: Receiver, answers: Answers
) -> None:
    answers.health = [health]

    assert found(receiver) == checks


def test_an_app_that_starts_is_waited_for(
    receiver: Receiver, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_POLL_SECONDS", 0)
    answers.health = [STARTING, STARTING, HEALTHY]

    assert found(receiver)[0] == RECEIVER


def test_an_app_that_does_not_get_ready(receiver: Receiver, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_START_SECONDS", 0)
    answers.health = [STARTING]

    assert found(receiver) == [("receiver", "wrong", "the app runs, but its storage is unavailable")]


def test_an_app_that_is_not_there() -> None:
    (check,) = check_receiver(Receiver("http://127.0.0.1:1", ""))

    assert check.found == "http://127.0.0.1:1 cannot be reached (ConnectionError)"


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (401, "the app does not accept the key (401)"),
        (202, 'an event without lineage was answered 202 instead of 200: "why"'),
        (500, 'an event without lineage was answered 500 instead of 200: "why"'),
    ],
)
def test_an_event_that_is_not_ignored(status: int, seen: str, receiver: Receiver, answers: Answers) -> None:
    answers.whole = status

    assert found(receiver) == [RECEIVER, ("function key", "wrong", seen)]


@pytest.mark.parametrize(
    ("status", "state", "seen"),
    [
        (200, "ok", COMPRESSION),
        (411, "note", "chunked bodies arrive without their content"),
        (500, "note", "answered 500"),
    ],
)
def test_whether_chunked_bodies_arrive(
    status: int, state: str, seen: str, receiver: Receiver, answers: Answers
) -> None:
    answers.chunked = status

    assert found(receiver) == [RECEIVER, KEY, ("compression", state, seen)]


def test_the_event_without_lineage_is_read_and_not_kept() -> None:
    envelope = read_envelope(endpoint.ignored_event())

    assert (envelope.event_type, envelope.inputs, envelope.outputs) == ("START", 0, 0)
    assert (envelope.job_namespace, envelope.job_name) == ("sparklin-doctor", "sparklin_doctor")
