"""Serves the Data Map: ``running()`` in a thread for tests, ``serve()`` for the command."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.loopback import is_loopback
from local.data_map.app import make_app
from local.data_map.data_map import DataMap

# Requests that hang on purpose don't delay the end for longer than this.
_GRACE = 2  # seconds


class AbortableProtocol(H11Protocol):
    """Lets a request drop its connection: ``request.state.abort()``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


class _Server(uvicorn.Server):
    """Leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: Starlette) -> _Server:
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return _Server(config)


def bind(host: str, port: int) -> socket.socket:
    """Returns a listening socket; port 0 takes a free one.

    :raises ValueError: for a host that isn't this machine.
    :raises OSError: when the port is taken.
    """
    if not is_loopback(host):
        raise ValueError(f"{host} is no loopback address: the Data Map has no access control")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only on sockets with an explicit protocol.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(f"Port {port} of {host} can't be used: {error.strerror}") from error
    listening.listen(128)
    return listening


def address(listening: socket.socket) -> str:
    """The base address of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def running(database: Path | None = None, port: int = 0, app_settings: Path | None = None) -> Iterator[str]:
    """Serves a Data Map in a thread and gives its base address, ``http://127.0.0.1:PORT``.

    Without ``database`` it starts empty and leaves nothing behind. ``app_settings`` is the file with the app's
    settings.
    """
    data_map = DataMap.open(database)
    server = _server(make_app(data_map, app_settings))
    with bind("127.0.0.1", port) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()
            data_map.close()


def serve(host: str, port: int, database: Path | None, app_settings: Path | None = None) -> None:
    """Serves until SIGTERM or SIGINT; prints ``listening on ADDRESS`` as soon as it accepts requests.

    :raises ValueError: for a host that isn't this machine.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with bind(host, port) as listening:
        data_map = DataMap.open(database)
        server = _server(make_app(data_map, app_settings))

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's shape
            server.should_exit = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        # The socket listens already: a request that arrives before the server is up waits in its queue.
        sys.stdout.write(f"listening on {address(listening)}\n")
        sys.stdout.flush()
        server.run(sockets=[listening])
        data_map.close()
