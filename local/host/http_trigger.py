"""HTTP trigger: routes a request to its function, checks its key, and converts the result to the answer.

It has the unexpected behaviour of Azure's host too: a wrong method is 404, a chunked body arrives as `b""`,
an exception is 500 without a body, and a body over the limit is 500 too, since its reading fails inside.
"""

import logging
from collections.abc import Iterable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.host import worker
from local.host.errors import InvocationFailed
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.routes import Route, in_order, parse_route
from local.host.worker import HostedFunction

_log = logging.getLogger("local.host")
_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
_DEFAULT_LIMIT = 104_857_600
_METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")


class _BodyTooLarge(Exception):
    """The body is over the limit."""


class HttpFunctions:
    """An ASGI application of all HTTP-triggered functions."""

    def __init__(
        self,
        functions: tuple[HostedFunction, ...],
        settings: Mapping[str, str],
        route_prefix: str,
        keys: Keys,
        invoker: Invoker,
    ) -> None:
        self._routes = in_order((_route(function, route_prefix), function) for function in functions)
        limit = settings.get(_LIMIT_SETTING, "")
        self._limit = int(limit) if limit.isdigit() else _DEFAULT_LIMIT
        self._keys = keys
        self._invoker = invoker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return Response(status_code=404)
        function, parameters = found
        if not self._keys.allow(request, str(function.trigger.get("authLevel") or "function").lower()):
            return Response(status_code=401)
        try:
            body = await _body(request, self._limit)
        except _BodyTooLarge:
            _log.error("The body for %s is larger than %d bytes", function.name, self._limit)
            return Response(status_code=500, headers={"connection": "close"})
        return await self._call(function, _http_request(request, parameters, body))

    async def _call(self, function: HostedFunction, value: object) -> Response:
        try:
            returned = await self._invoker.invoke(function, value)
        except InvocationFailed:
            return Response(status_code=500)
        try:
            answer = worker.http_answer(returned)
        except TypeError:
            _log.exception("Function %s returned what is no response", function.name)
            return Response(status_code=500)
        response = Response(answer.body, answer.status)
        # Set together: Response(headers=) accepts each name only once, and cookies repeat one.
        length = [] if answer.status in {204, 304} else [(b"content-length", str(len(answer.body)).encode())]
        given = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in answer.headers]
        response.raw_headers = [*(item for item in given if item[0] != b"content-length"), *length]
        return response

    def _find(self, request: Request) -> tuple[HostedFunction, dict[str, str]] | None:
        path = _raw_path(request).strip("/")
        for route, function in self._routes:
            parameters = route.match(path)
            if parameters is not None and request.method in _methods(function):
                return function, parameters
        return None


def _route(function: HostedFunction, prefix: str) -> Route:
    return parse_route(f"{prefix}/{str(function.trigger.get('route') or function.name).strip('/')}")


def _methods(function: HostedFunction) -> tuple[str, ...]:
    return tuple(str(method).upper() for method in function.trigger.get("methods") or _METHODS)


def _raw_path(request: Request) -> str:
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return bytes(raw).decode("latin-1").partition("?")[0]


async def _body(request: Request, limit: int) -> bytes:
    """The body if its length was announced. A chunked one is read and dropped, as the host does.

    :raises _BodyTooLarge: when it is over `limit` bytes.
    """
    announced = request.headers.get("content-length")
    if announced is not None and int(announced) > limit:
        raise _BodyTooLarge
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _BodyTooLarge
        if announced is not None:
            pieces.append(piece)
    return b"".join(pieces)


def _http_request(request: Request, parameters: Mapping[str, str], body: bytes) -> object:
    return worker.http_request(
        request.method,
        str(request.url),
        _joined((name.lower(), value) for name, value in request.headers.items()),
        # The Python worker gets no empty query values.
        _joined((name, value) for name, value in request.query_params.multi_items() if value),
        parameters,
        body,
    )


def _joined(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Several values of one name, joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in items:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
