"""Command line of the local host: `python -m local.host --app-dir DIR --port PORT`; `--help` lists all options.

Prints the keys that it generated, and `listening on http://…` when all triggers listen. SIGTERM and Ctrl-C
stop it: running invocations get five seconds (`--grace-seconds`) to finish.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import uvicorn
from azure.core.exceptions import AzureError

from cli.terminal_text import terminal_text
from core.errors import SettingsError
from core.loopback import is_loopback
from local import environment
from local.host import logs, worker
from local.host.errors import HostError
from local.host.host import Host, HostOptions
from local.host.host_json import HostJson, read_host_json, read_local_settings
from local.host.keys import Keys
from local.host.pace import PACES, Pace

_log = logging.getLogger("local.host")
_LOCAL_SETTINGS = "local.settings.json"
_KEY_SETTING = "LOCAL_HOST_{}_KEY"
_PURPOSE = """\
Run the functions of a function_app.py on this machine as Azure Functions would: HTTP, blob, queue and timer triggers
against real storage, such as Azurite. `python -m local.stack up` starts it together with all that the app needs.

It prints `listening on http://…` when all triggers listen. SIGTERM and Ctrl-C stop it; running invocations may finish.
"""
_EPILOG = """\
environment; values missing there are taken from local.settings.json:
  AzureWebJobsStorage       connection string of the host's own storage
  the app's own settings    for Sparklin at least LINEAGE_STORAGE and PURVIEW_ENDPOINT; docs/settings.md lists them
  LOCAL_HOST_FUNCTION_KEY   key of the functions; those that are not set are generated and printed
  LOCAL_HOST_SYSTEM_KEY     key of the webhooks
  LOCAL_HOST_MASTER_KEY     key of /admin
exit code: 0 after a signal, 1 if the app can't be hosted, or the host can't go on, as in Azure
"""


def main() -> int:
    """Run the host. Returns the exit code: 0 after SIGTERM, 1 if the app can't be hosted or the host can't go on."""
    arguments = _parser().parse_args()
    try:
        app_dir = Path(arguments.app_dir).resolve()
        settings = _settings(app_dir, arguments)
        host_json = read_host_json(app_dir, settings)
        logs.configure(host_json.log_levels)
        functions = worker.load_functions(app_dir, settings)
        listening = listening_socket(arguments.host, arguments.port)
        options = HostOptions(
            _pace(arguments),
            None if arguments.no_events else arguments.event_seconds,
            arguments.claim_seconds,
            arguments.grace_seconds,
        )
        asyncio.run(_serve(app_dir, functions, host_json, settings, listening, options))
    except SettingsError as error:
        sys.stderr.writelines(f"error: {terminal_text(problem)}\n" for problem in error.problems)
        return 1
    except (HostError, AzureError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(
    app_dir: Path,
    functions: tuple[worker.HostedFunction, ...],
    host_json: HostJson,
    settings: Mapping[str, str],
    listening: socket.socket,
    options: HostOptions,
) -> None:
    """Serve until a signal comes.

    :raises HostError: when the app's triggers can't be set up, or a listener can't go on.
    """
    address, port = listening.getsockname()[:2]
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    keys = Keys.from_settings(settings)
    host = Host(app_dir, functions, host_json, settings, url=url, keys=keys, options=options)
    server = _server(host, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop_requested.set)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(server.stop_requested.wait())
    failing = asyncio.create_task(host.failed.wait())
    starting = asyncio.create_task(host.start())
    await asyncio.wait({starting, stopping, failing, serving}, return_when="FIRST_COMPLETED")
    if starting.done():
        starting.result()
        _announce(url, keys, settings)
        await asyncio.wait({stopping, failing, serving}, return_when="FIRST_COMPLETED")
    finished = await _stop(host, server)
    await serving
    if host.failure:
        print(f"error: The host has ended: {_line(host.failure)}", file=sys.stderr)  # noqa: T201
    if host.failure or not (finished and starting.done()):
        _leave_at_once(1 if host.failure else 0)


def _server(host: Host, options: HostOptions) -> "_Server":
    config = uvicorn.Config(
        host.asgi,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=max(1, round(options.grace_seconds)),
    )
    return _Server(config)


async def _stop(host: Host, server: "_Server") -> bool:
    """Take no more work. True if all that was running has ended."""
    await host.stop_listening()
    # Not earlier: events are posted to this very server.
    server.should_exit = True
    finished = await host.drain()
    if not finished:
        _log.warning("Invocations were still running; they will be tried again")
    return finished


def _leave_at_once(code: int) -> None:
    """End while threads are still working; they would keep the process alive."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _line(error: BaseException) -> str:
    """An error in one line, without its further lines, which may contain parts of requests."""
    return terminal_text(f"{type(error).__name__}: {error}".splitlines()[0])


def _pace(arguments: argparse.Namespace) -> Pace:
    """The pace of the options, with further options."""
    given = {"longest_poll_seconds": arguments.poll_seconds, "lock_seconds": arguments.lock_seconds}
    return replace(PACES[arguments.pace], **{name: value for name, value in given.items() if value is not None})


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the listeners must stop before the server does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop_requested = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _announce(url: str, keys: Keys, settings: Mapping[str, str]) -> None:
    for level in ("function", "system", "master"):
        if not settings.get(_KEY_SETTING.format(level.upper())):
            print(f"{level} key: {getattr(keys, level)}")  # noqa: T201
    print(f"listening on {url}", flush=True)  # noqa: T201


def _settings(app_dir: Path, arguments: argparse.Namespace) -> Mapping[str, str]:
    """The environment with the options and local.settings.json, over which the environment takes precedence."""
    path = Path(arguments.settings) if arguments.settings else app_dir / _LOCAL_SETTINGS
    options = {_KEY_SETTING.format("FUNCTION"): arguments.function_key} if arguments.function_key else {}
    if arguments.settings or path.exists():
        environment.add_missing(read_local_settings(path))
    return {**environment.variables(), **options}


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that accepts connections already, so that no other process can take its port.

    :raises HostError: when `host` is not this machine only, or the port is taken.
    """
    if not is_loopback(host):
        raise HostError(f"{host} can be reached from other machines; the local host takes loopback addresses only")
    address = "127.0.0.1" if host.lower() == "localhost" else host
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        raise HostError(f"Port {port} of {host} can't be used: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.host",
        description=_PURPOSE,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def option(name: str, text: str, default: str | float | None, metavar: str) -> None:
        if default is None:
            parser.add_argument(name, metavar=metavar, help=text)
        else:
            described = f"{text} (default: %(default)s)"
            parser.add_argument(name, metavar=metavar, type=type(default), default=default, help=described)

    option("--app-dir", "folder of function_app.py and host.json", ".", "FOLDER")
    option("--host", "loopback address to listen on", "127.0.0.1", "ADDRESS")
    option("--port", "port to listen on; 0 takes a free one", 7071, "PORT")
    option("--settings", "settings (default: local.settings.json in the app's folder, if there is one)", None, "FILE")
    option("--function-key", "default: LOCAL_HOST_FUNCTION_KEY, or a new one that is printed", None, "KEY")
    parser.add_argument(
        "--pace",
        choices=PACES,
        default="quick",
        help="quick: short waits, for trying things out (default); azure: the waits of Azure, up to 10 minutes",
    )
    for name, kind, text in (
        ("--poll-seconds", float, "at most between polls of an empty queue"),
        ("--lock-seconds", int, "after which a dead host's messages return"),
    ):
        parser.add_argument(name, metavar="N", type=kind, help=f"{text} (default: as the pace says)")
    parser.add_argument(
        "--no-events", action="store_true", help="post no notifications of new blobs; another process does"
    )
    option("--event-seconds", "between scans for new blobs, in place of Event Grid", 0.3, "N")
    option("--claim-seconds", "after which a dead host's events return", 10.0, "N")
    option("--grace-seconds", "for running invocations at the end", 5.0, "N")
    return parser


if __name__ == "__main__":
    sys.exit(main())
