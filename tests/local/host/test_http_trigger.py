"""HTTP functions: who has access, what is routed where, and what a function receives and returns."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from local.stack.parts import FunctionHost
from tests.local.host.sample import SampleApp, ask

pytestmark = pytest.mark.xdist_group("host http")

ECHO = "/api/echo/abc"
FUNCTION, SYSTEM, MASTER, WRONG, NONE = "function", "system", "master", "wrong", ""


def key_of(host: FunctionHost, kind: str) -> str:
    """The key of that kind."""
    return "wrong" if kind == WRONG else str(getattr(host.keys, kind))


@pytest.mark.parametrize(
    ("path", "header", "query", "status"),
    [
        (ECHO, FUNCTION, NONE, 200),
        (ECHO, NONE, FUNCTION, 200),
        (ECHO, NONE, NONE, 401),
        (ECHO, WRONG, NONE, 401),
        (ECHO, NONE, WRONG, 401),
        (ECHO, WRONG, FUNCTION, 401),
        (ECHO, FUNCTION, WRONG, 200),
        (ECHO, MASTER, NONE, 200),
        (ECHO, SYSTEM, NONE, 401),
        ("/api/open", NONE, NONE, 200),
        ("/api/open", WRONG, NONE, 200),
        ("/api/master", FUNCTION, NONE, 401),
        ("/api/master", MASTER, NONE, 200),
        ("/admin/host/status", FUNCTION, NONE, 401),
        ("/admin/host/status", MASTER, NONE, 200),
        ("/admin/host/ping", NONE, NONE, 200),
        ("/admin/functions", NONE, NONE, 401),
        ("/", NONE, NONE, 200),
    ],
)
def test_the_key_decides_who_is_let_in(served: FunctionHost, path: str, header: str, query: str, status: int) -> None:
    headers = {"x-functions-key": key_of(served, header)} if header else {}
    params = {"code": key_of(served, query)} if query else {}
    answer = ask(served, "GET", path, headers=headers, params=params)
    assert answer.status_code == status
    if status == 401:
        assert answer.content == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/echo/abc", 200),
        ("POST", "/api/echo/abc", 200),
        ("PUT", "/api/echo/abc", 404),
        ("HEAD", "/api/echo/abc", 404),
        ("POST", "/api/open", 404),
        ("GET", "/API/Echo/abc", 200),
        ("GET", "/api/echo/abc/", 200),
        ("GET", "/api/echo/abc/12", 200),
        ("GET", "/api/echo/abc/twelve", 404),
        ("GET", "/api/echo/123", 404),
        ("GET", "/api/echo", 404),
        ("GET", "/echo/abc", 404),
        ("GET", "/runtime/webhooks/eventhubs", 404),
    ],
)
def test_a_request_without_a_fitting_route_is_not_found(
    served: FunctionHost, method: str, path: str, status: int
) -> None:
    answer = ask(served, method, path, headers={"x-functions-key": served.keys.function})
    assert answer.status_code == status


def test_a_function_gets_what_was_sent(served: FunctionHost) -> None:
    answer = ask(
        served,
        "POST",
        "/api/echo/abc/12?a=1&empty=&a=2&b=%C3%A9",
        headers={"x-functions-key": served.keys.function, "X-Mixed-Case": "v"},
        data=b"\x00\xff{}",
    )
    seen = answer.json()
    assert seen["method"] == "POST"
    assert seen["params"] == {"a": "1,2", "b": "é"}
    assert seen["route"] == {"kind": "abc", "number": "12"}
    assert seen["headers"]["x-mixed-case"] == "v"
    assert seen["headers"]["content-length"] == "4"
    assert seen["body"] == "\x00\xff{}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-sample"] == "yes"


def test_an_optional_parameter_that_is_absent_has_no_key(served: FunctionHost) -> None:
    answer = ask(served, "GET", ECHO, headers={"x-functions-key": served.keys.function})
    assert answer.json()["route"] == {"kind": "abc"}


def test_a_chunked_body_is_dropped_but_its_header_stays(served: FunctionHost) -> None:
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)
    headers = {"x-functions-key": served.keys.function}
    for _ in range(2):  # the second request shows that the connection is still in order
        connection.request("POST", ECHO, body=iter([b"one", b"two"]), headers=headers, encode_chunked=True)
        seen = json.loads(connection.getresponse().read())
        assert seen["body"] == ""
        assert seen["headers"]["transfer-encoding"] == "chunked"
        assert "content-length" not in seen["headers"]
    connection.close()


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [("nothing", 500, b""), ("raise", 500, b""), ("bare", 204, b""), ("slow", 200, b"slow")],
)
def test_what_a_function_returns_becomes_the_answer(
    served: FunctionHost, outcome: str, status: int, body: bytes
) -> None:
    answer = ask(served, "GET", f"/api/outcome/{outcome}")
    assert (answer.status_code, answer.content) == (status, body)


def test_an_exception_is_in_the_log_with_its_function(served: FunctionHost) -> None:
    ask(served, "GET", "/api/outcome/raise")
    assert "RuntimeError: this outcome is a failure" in served.output()
    assert "Executed 'Functions.outcome' (Failed" in served.output()


def test_a_cookie_is_sent_once(served: FunctionHost) -> None:
    answer = ask(served, "GET", "/api/outcome/bare")
    assert answer.headers["set-cookie"] == "a=1; Path=/"


def test_text_is_an_answer_and_the_context_is_known(served: FunctionHost) -> None:
    answer = ask(served, "GET", "/api/open?why=testing")
    assert answer.text == "open_to_all 36"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "sample: asked testing" in served.output()


def test_functions_are_listed_with_their_bindings(served: FunctionHost) -> None:
    listed = ask(served, "GET", "/admin/functions", headers={"x-functions-key": served.keys.master}).json()
    kinds = {item["name"]: item["config"]["bindings"][0]["type"] for item in listed}
    assert kinds["on_blob"] == "blobTrigger"
    assert kinds["on_message"] == "queueTrigger"
    assert kinds["on_time"] == "timerTrigger"


@pytest.mark.exhaustive
def test_a_body_over_the_limit_fails_as_in_azure(app: SampleApp) -> None:
    with app.host(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT="10") as host:
        key = {"x-functions-key": host.keys.function}
        statuses = [ask(host, "POST", ECHO, headers=key, data=b"x" * size).status_code for size in (10, 11)]
    assert statuses == [200, 500]
