"""The ASGI application: the API with its faults, the control routes, the lineage page."""

import asyncio
import logging
import secrets
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.data_map import atlas_routes, control, page
from local.data_map.app_status import AppStatus
from local.data_map.atlas_errors import AtlasError, ServerFault
from local.data_map.control import Control
from local.data_map.data_map import DataMap
from local.data_map.faults import Fault, Faults
from local.data_map.frame import CONTENT_POLICY, SCRIPT, SCRIPT_PATH
from local.data_map.page_overview import OVERVIEW_SCRIPT, OVERVIEW_SCRIPT_PATH, overview

log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
_PAGE_HEADERS = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}
# Exceptions for a body of an unexpected shape. Atlas answers them with a 500 in plain text.
_UNFORESEEN = (ServerFault, LookupError, TypeError, ValueError, AttributeError, sqlite3.Error)


def make_app(data_map: DataMap, app_settings: Path | None = None) -> Starlette:
    """Returns the application for a Data Map.

    ``app_settings`` is the file with the settings of the app whose events the overview shows; it may be written later.
    """
    status = AppStatus(app_settings)
    control_state = Control(data_map)
    api = [
        Route(base + path, _api_endpoint(control_state, path, operation), methods=[method])
        for base in atlas_routes.BASES
        for method, path, operation in atlas_routes.OPERATIONS
    ]
    controls = [
        Route(path, _control_endpoint(control_state, operation), methods=[method])
        for method, path, operation in control.OPERATIONS
    ]
    pages = [
        Route("/", _page_endpoint(data_map, page.index)),
        Route("/overview", _page_endpoint(data_map, partial(overview, status))),
        Route("/lineage", _page_endpoint(data_map, page.lineage)),
        Route("/asset/{guid}", _page_endpoint(data_map, page.asset)),
        Route(SCRIPT_PATH, _script_endpoint(SCRIPT)),
        Route(OVERVIEW_SCRIPT_PATH, _script_endpoint(OVERVIEW_SCRIPT)),
    ]
    return Starlette(routes=[*api, *controls, *pages], exception_handlers={404: _no_route, 405: _no_route})


def _api_endpoint(state: Control, path: str, operation: atlas_routes.Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        content = await request.body()
        call = atlas_routes.Call(request.path_params, tuple(request.query_params.multi_items()), content)
        fault = state.faults.take(request.method, request.url.path)

        def answer() -> Response:
            return _answer(state.data_map, operation, call, request)

        with state.calls.under_way():
            if fault is None:
                response: Response | None = await run_in_threadpool(answer)
            else:
                response = await _suffer(fault, state.faults, request, answer)
        state.calls.count(request.method, path, response.status_code if response else 0)
        return response or Response()

    return endpoint


async def _suffer(fault: Fault, faults: Faults, request: Request, answer: Callable[[], Response]) -> Response | None:
    """Carries out a fault and returns the answer that the client gets, None for a dropped connection."""
    await faults.hang(fault.hang)
    usual = await run_in_threadpool(answer) if fault.applied or not (fault.status or fault.drop) else None
    if fault.drop:
        request.state.abort()
        # The server notices the lost connection in its next turn, and drops what is returned.
        await asyncio.sleep(0.01)
        return None
    if fault.status:
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        return PlainTextResponse(fault.body, fault.status, headers)
    return usual


def _answer(
    data_map: DataMap, operation: atlas_routes.Operation, call: atlas_routes.Call, request: Request
) -> Response:
    media = request.headers.get("content-type", "application/json")
    try:
        if call.content and "json" not in media:
            raise ServerFault(f"a body of {media}")
        made = operation(data_map, call)
    except AtlasError as problem:
        return JSONResponse(problem.body(str(uuid.uuid4())), problem.status)
    except _UNFORESEEN as problem:
        log.warning("%s %s: %s: %s", request.method, request.url.path, type(problem).__name__, problem)
        return _server_fault()
    return Response(status_code=204) if made is None else JSONResponse(made)


def _server_fault() -> Response:
    text = f"There was an error processing your request. It has been logged (ID {secrets.token_hex(8)})."
    return PlainTextResponse(text, 500)


def _control_endpoint(state: Control, operation: Callable[[Control, Any], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if not control.may_control(request.client.host if request.client else "", request.headers):
            return PlainTextResponse("Only for this machine.", 403)
        try:
            body = await request.json() if await request.body() else {}
            return JSONResponse(await run_in_threadpool(operation, state, body))
        except ValueError as problem:
            return PlainTextResponse(f"Can't be read: {problem}", 400)

    return endpoint


def _page_endpoint(data_map: DataMap, shown: page.Page) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        params = {**request.query_params, **request.path_params}
        html = await run_in_threadpool(shown, data_map, params)
        if html is None:
            raise HTTPException(404)
        return HTMLResponse(html, headers=_PAGE_HEADERS)

    return endpoint


def _script_endpoint(text: str) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        # Its address does not change with its content, so a browser has to check for changes.
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return endpoint


async def _no_route(request: Request, problem: Exception) -> Response:
    if request.url.path.startswith(atlas_routes.BASES):
        return _server_fault()
    status = problem.status_code if isinstance(problem, HTTPException) else 404
    return HTMLResponse(page.not_found(), status, _PAGE_HEADERS)
