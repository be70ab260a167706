"""The worker that the trigger engine calls: ``python -m tests.engine.worker --app-dir DIR --functions FILE --port N``.

It turns the engine's values into what the functions get, with Azure's own library. As the Functions host does, it
restarts its worker process when that dies, and holds back calls meanwhile: the socket stays open, so that they wait
in its queue. ``worker process N`` on its output names each process.
"""

import argparse
import asyncio
import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storage.locks import Locks
from tests.support.azure_worker import AppRefused, AzureWorker, TypedData, failure

WAITING_CALLS = 128
#: The exit code of a process that cannot load the app: another one could not either.
REFUSED = 3


def typed(value: dict[str, Any]) -> TypedData:
    """A value of the engine as the Functions host sends it to the worker.

    The host has no case of its own for whole numbers: they travel as JSON (its ``ToRpc``), and the worker's library
    refuses any other kind.
    """
    ((kind, held),) = value.items()
    if kind == "bytes":
        return TypedData(bytes=base64.b64decode(held))
    if kind == "int":
        return TypedData(json=json.dumps(held))
    return TypedData(**{kind: held})


async def serve(folder: Path, functions: Path, wanted: Sequence[str], listening: socket.socket) -> None:
    """Answer calls until the process ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    worker = await AzureWorker.start(folder)
    described = [{"name": name, "bindings": worker.bindings[name]} for name in wanted or worker.bindings]
    functions.write_text(json.dumps(described))

    async def call(request: Request) -> Response:
        name = request.path_params["name"]
        sent = await request.json()
        metadata = {key: typed(value) for key, value in sent["metadata"].items()}
        error = failure(await worker.call(name, typed(sent["data"]), metadata))
        return PlainTextResponse(error or "", status_code=500 if error else 200)

    app = Starlette(routes=[Route("/{name}", call, methods=["POST"])])
    address, port = listening.getsockname()
    print(f"worker process {os.getpid()}", flush=True)  # noqa: T201
    print(f"listening on http://{address}:{port}", flush=True)  # noqa: T201
    await uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)).serve([listening])


def supervise(arguments: list[str], port: int) -> int:
    """Keep a worker process until SIGTERM. It ends on its own when its end of the pipe closes with this process."""
    with socket.create_server(("127.0.0.1", port), backlog=WAITING_CALLS) as listening:
        handle = listening.fileno()
        command = [sys.executable, "-m", "tests.engine.worker", "--socket", str(handle), *arguments]
        child: subprocess.Popen[bytes] | None = None

        def end(_number: int, _frame: FrameType | None) -> None:
            if child:
                child.kill()
            os._exit(0)

        signal.signal(signal.SIGTERM, end)
        while True:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[handle])
            if child.wait() == REFUSED:
                return REFUSED


def shorten_leases() -> None:
    Locks.__init__.__defaults__ = (15,)


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--app-dir", type=Path, required=True)
    parser.add_argument("--functions", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--wanted", nargs="*", default=[])
    parser.add_argument("--short-leases", action="store_true", help="locks of a dead worker end as soon as they can")
    parser.add_argument("--socket", type=int)
    given = parser.parse_args()
    if given.socket is None:
        return supervise(sys.argv[1:], given.port)
    threading.Thread(target=end_with_parent, daemon=True).start()
    if given.short_leases:
        shorten_leases()
    try:
        asyncio.run(serve(given.app_dir, given.functions, given.wanted, socket.socket(fileno=given.socket)))
    except AppRefused as error:
        print(f"error: {error}", flush=True)  # noqa: T201
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
