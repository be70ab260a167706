"""The command `python -m local.stack`: up, down and status. Addresses go to stdout, talk to stderr."""

import argparse
import contextlib
import fcntl
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local import environment, processes
from local.azurite import AzuritePorts
from local.errors import StackError
from local.parts import ROOT
from local.stack import Stack, StackPorts
from local.stack_files import StackFiles

_LOOK_SECONDS = 1.0
_ROWS = (("receiver", "receiver"), ("function key", "functionKey"), ("Data Map", "dataMap"), ("page", "page"))


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0, or 3 if `status` finds no whole stack.

    :raises StackError: when a part can't be started or ended.
    """
    options = _parser().parse_args(arguments)
    files = StackFiles(options.folder.resolve())
    if options.command == "status":
        return status(files)
    with _only_one(files.folder):
        if options.command == "down":
            return down(files, purge=options.purge)
        exit_code = up(files, options.app_dir.resolve())
    if options.foreground:
        _stay(files)
        with _only_one(files.folder):
            return down(files, purge=False)
    return exit_code


def up(files: StackFiles, app_dir: Path = ROOT) -> int:
    """Start the stack unless it runs; what is left of a broken one is ended first.

    :raises StackError: when a part fails; the others are ended before.
    """
    published = files.published()
    if published and _all_running(files):
        _say("The stack is running already.")
        _show(published)
        return 0
    _end_all(files)
    _say("Starting storage, Data Map and function host …")
    stack = Stack(files.folder, app_dir=app_dir, ports=ports(environment.variables()), on_launch=files.note)
    try:
        stack.start()
        files.publish(stack)
    except BaseException:
        _end_all(files)
        raise
    _show(files.published() or {})
    return 0


def down(files: StackFiles, *, purge: bool) -> int:
    """End what `up` started, and nothing else; with `purge` its data goes too."""
    ended = _end_all(files)
    _say("The stack has ended." if ended else "No stack is running.")
    if purge:
        shutil.rmtree(files.folder / "data", ignore_errors=True)
        _say("Its data is deleted.")
    return 0


def status(files: StackFiles) -> int:
    """Show what runs."""
    published = files.published()
    started = files.started()
    for each in started:
        _say(f"{each.name}: {'running' if processes.is_running(each) else 'ended'} (process {each.pid})")
    if published and _all_running(files):
        _show(published)
        return 0
    _say("The stack is broken; `up` starts it anew." if started else "No stack is running.")
    return 3


def ports(variables: Mapping[str, str]) -> StackPorts:
    """The ports that the environment asks for; free ones else.

    :raises StackError: when one is no port.
    """

    def port(name: str) -> int:
        text = variables.get(f"SPARKLIN_{name}_PORT") or "0"
        if not text.isdigit() or int(text) > 65535:
            raise StackError(f"SPARKLIN_{name}_PORT must be a port, not {text}")
        return int(text)

    storage = AzuritePorts(port("BLOB"), port("QUEUE"), port("TABLE"))
    return StackPorts(port("RECEIVER"), port("DATA_MAP"), storage)


def _all_running(files: StackFiles) -> bool:
    started = files.started()
    return bool(started) and all(processes.is_running(each) for each in started)


def _end_all(files: StackFiles) -> bool:
    """End what `up` started, the host first. True if anything ran."""
    running = [each for each in files.started() if processes.is_running(each)]
    files.withdraw()
    for each in reversed(running):
        processes.end(each)
    files.clear()
    return bool(running)


def _stay(files: StackFiles) -> None:
    """Wait for Ctrl-C, SIGTERM, or the end of a part."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _say("Ctrl-C ends the stack.")
    while not stop.wait(_LOOK_SECONDS):
        if not _all_running(files):
            _say("A part has ended; see its log.")
            return


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Let a second `up` or `down` wait for the first. The system drops the lock with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _show(published: Mapping[str, Any]) -> None:
    """The addresses: a table on a terminal, else `name: value` lines."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{name}: {published.get(key, '')}\n" for name, key in _ROWS)
        return
    table = Table(show_header=False, box=None)
    for name, key in _ROWS:
        table.add_row(f"[bold]{name}[/bold]", str(published.get(key, "")))
    Console().print(table)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--folder", type=Path, default=ROOT / ".local", help="for data, logs and stack.json")
    parser = argparse.ArgumentParser(prog="python -m local.stack", description="The local stack.")
    commands = parser.add_subparsers(dest="command", required=True)
    up_parser = commands.add_parser("up", parents=[shared], help="start it, and return when it is ready")
    up_parser.add_argument("--foreground", action="store_true", help="stay, and end it on Ctrl-C")
    up_parser.add_argument("--app-dir", type=Path, default=ROOT, help="folder of the function app")
    down_parser = commands.add_parser("down", parents=[shared], help="end it")
    down_parser.add_argument("--purge", action="store_true", help="delete its data, too")
    commands.add_parser("status", parents=[shared], help="say what runs")
    parser.set_defaults(foreground=False)
    return parser
