"""The host's own endpoints: `/admin/*`, the extensions' webhooks, and the home page.

`/admin/local/events` is specific to this host: GET and PUT how events are misdelivered, `{"drop", "copies", "shuffle",
"hold"}`.
"""

import asyncio
import functools
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.host.blob_message import BlobMessage
from local.host.blob_source import BlobSource, Misdelivery
from local.host.blob_trigger import BlobQueue
from local.host.errors import InvocationFailed
from local.host.event_grid import WEBHOOK, receive_events
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.timer_trigger import TimerListener
from local.host.worker import HostedFunction, event_hub_events, queue_message

EVENTS = "/admin/local/events"

_log = logging.getLogger("local.host")
_ANY = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
_Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that the endpoints use."""

    host_id: str
    keys: Keys
    functions: tuple[HostedFunction, ...]
    invoker: Invoker
    blobs: BlobQueue
    sources: tuple[BlobSource, ...]
    timers: dict[str, TimerListener]
    began: float


class Admin:
    """Builds the routes. They come before the functions' routes, which therefore can't shadow them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """All routes of this module."""
        return [
            Route("/", self._home, methods=["GET"]),
            Route("/admin/host/ping", self._ping, methods=["GET", "POST"]),
            Route("/admin/host/status", self._needs("admin", self._status), methods=["GET"]),
            Route("/admin/functions", self._needs("admin", self._list), methods=["GET"]),
            Route("/admin/functions/{name}", self._needs("admin", self._function), methods=["GET", "POST"]),
            Route("/admin/host/{kind:str}/{name}", self._needs("admin", self._key), methods=["GET", "PUT", "DELETE"]),
            Route(EVENTS, self._needs("admin", self._events), methods=["GET", "PUT"]),
            Route(WEBHOOK, self._needs("system", self._webhook), methods=_ANY),
        ]

    def _needs(self, level: str, endpoint: _Endpoint) -> _Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            if not self._parts.keys.allow(request, level):
                return Response(status_code=401)
            return await endpoint(request)

        return guarded

    async def _home(self, _request: Request) -> Response:
        return PlainTextResponse("The local function host is up and running.\n")

    async def _ping(self, _request: Request) -> Response:
        return Response(status_code=200)

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "id": self._parts.host_id,
                "state": "Running",
                "version": "4.0-local",
                "instanceId": str(os.getpid()),
                "processUptime": int((time.monotonic() - self._parts.began) * 1000),
            }
        )

    async def _key(self, request: Request) -> Response:
        """GET, PUT `{"value": key}` and DELETE a key of all functions (`keys`) or of an extension (`systemkeys`)."""
        level = {"keys": "function", "systemkeys": "system"}.get(request.path_params["kind"])
        if level is None:
            return Response(status_code=404)
        keys, name = self._parts.keys.named[level], request.path_params["name"]
        if request.method == "PUT":
            try:
                keys[name] = str((await request.json())["value"])
            except (ValueError, KeyError, TypeError):
                return Response(status_code=400)
        elif name not in keys:
            return Response(status_code=404)
        elif request.method == "DELETE":
            del keys[name]
            return Response(status_code=204)
        return JSONResponse({"name": name, "value": keys[name]})

    async def _list(self, _request: Request) -> Response:
        return JSONResponse([_described(function) for function in self._parts.functions])

    async def _function(self, request: Request) -> Response:
        """GET: a description of the function. POST `{"input": text}`: run it in the background, 202."""
        name = request.path_params["name"].lower()
        function = next((f for f in self._parts.functions if f.name.lower() == name), None)
        if function is None:
            return Response(status_code=404)
        if request.method == "GET":
            return JSONResponse(_described(function))
        try:
            text = str((await request.json())["input"] or "") if await request.body() else ""
        except (ValueError, KeyError, TypeError):
            return Response(status_code=400)
        task = asyncio.create_task(asyncio.to_thread(self._run, function, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Response(status_code=202)

    def _run(self, function: HostedFunction, text: str) -> None:
        """Run a function by hand: a blob's input is `container/blob`, a queue's the message's text.

        The input of an event hub's function is a message on each line.
        """
        try:
            match function.trigger["type"]:
                case "timerTrigger":
                    self._parts.timers[function.name].fire(past_due=False)
                case "blobTrigger":
                    container, _, blob = text.partition("/")
                    self._parts.blobs.run(BlobMessage(function.id, container, blob, ""))
                case "queueTrigger":
                    self._parts.invoker.run(function, queue_message(text.encode(), {"DequeueCount": 0}))
                case "eventHubTrigger":
                    self._parts.invoker.run(function, event_hub_events(text.encode().splitlines()))
                case kind:
                    _log.warning("Functions of type %s can't be run by hand", kind)
        except InvocationFailed:
            return

    async def _events(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                misdelivery = Misdelivery(**await request.json())
            except (ValueError, TypeError):
                return Response(status_code=400)
            for source in self._parts.sources:
                source.misdelivery = misdelivery
        return JSONResponse([asdict(source.misdelivery) for source in self._parts.sources])

    async def _webhook(self, request: Request) -> Response:
        return await receive_events(request, self._parts.blobs)


def _described(function: HostedFunction) -> dict[str, object]:
    return {"name": function.name, "language": "python", "config": {"bindings": [dict(function.trigger)]}}
