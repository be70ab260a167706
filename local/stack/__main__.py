"""The command `python -m local.stack`: up, down and status. Addresses go to stdout, messages to stderr."""

import argparse
import contextlib
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal_text import terminal_lines, terminal_text
from core.settings import unread_settings
from local import environment
from local.host.pace import PACES
from local.stack import processes, signals
from local.stack.choices import Choices, ports
from local.stack.files import StackFiles
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT
from local.stack.stack_error import StackError

_LOOK_SECONDS = 1.0
_PURPOSE = """\
Run Sparklin on this machine: storage (Azurite), a Data Map in place of Purview with a page that shows
lineage, and a host for the functions, which receives events.
"""
_ENVIRONMENT = """\
environment of up:
  SPARKLIN_RECEIVER_PORT  port of the receiver, which agents post to
  SPARKLIN_DATA_MAP_PORT  port of the Data Map and its lineage page
  SPARKLIN_BLOB_PORT      port of the storage's blobs
  SPARKLIN_QUEUE_PORT     port of its queues
  SPARKLIN_TABLE_PORT     port of its tables
Without them the ports of the last stack are used again if they are free, else any free ports. The function
key of the last stack is used again. All settings of the app can be set as well; docs/settings.md lists them.
"""
_NEXT = """\
Next:
  . .venv/bin/activate
  sparklin send examples/shop --local            # the demo's events, or a file or folder of your own
  sparklin lineage revenue.margin --up --local   # where a column comes from; --web opens the picture
What you send stays, also after `make down`; `python -m local.stack down --purge` deletes it."""
_ROWS = (("receiver", "receiver"), ("function key", "functionKey"), ("Data Map", "dataMap"), ("page", "page"))


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0, or 3 if `status` finds that a part is missing.

    :raises StackError: when a part can't be started or ended.
    """
    options = _parser().parse_args(arguments)
    files = StackFiles(options.folder.resolve())
    if options.command == "status":
        return status(files)
    if options.command == "down":
        with _only_one(files.folder):
            return down(files, purge=options.purge)
    signals.end_by_signals()
    if options.foreground:
        return _foreground(files, options.app_dir.resolve(), options.pace)
    with _only_one(files.folder):
        return up(files, options.app_dir.resolve(), options.pace)


def up(files: StackFiles, app_dir: Path = ROOT, pace: str = "quick") -> int:
    """Start the stack unless it is running; what is left of a broken one is stopped first. `pace` is the host's.

    :raises StackError: when a part fails; the others are ended before.
    :raises SystemExit: on a signal; then nothing is left running.
    """
    published = files.published()
    if published and _all_running(files):
        _say("The stack is already running, with the settings that it was started with; `make down` stops it.")
        _show_next_steps(files)
        return 0
    _end_all(files)
    for note in unread_settings(environment.variables()):
        _say(note)
    _say("Starting storage, Data Map and function host …")
    last = files.remembered()
    chosen = ports(environment.variables(), last, _say)
    stack = Stack(
        files.folder,
        app_dir=app_dir,
        ports=chosen,
        keys=last.keys(),
        host_options=("--pace", pace),
        on_launch=files.note,
    )
    try:
        stack.start()
        files.publish(stack)
        files.remember(Choices.of(stack))
    except BaseException as error:
        _end_all(files)
        if isinstance(error, SystemExit):
            _say("Interrupted; nothing is running.")
        raise
    _show_next_steps(files)
    return 0


def down(files: StackFiles, *, purge: bool) -> int:
    """Stop what `up` started, and nothing else; with `purge`, delete its data too."""
    ended = _end_all(files)
    _say("The stack is stopped." if ended else "No stack is running.")
    if purge:
        shutil.rmtree(files.folder / "data", ignore_errors=True)
        _say("Its data is deleted.")
    return 0


def status(files: StackFiles) -> int:
    """Show what is running."""
    published = files.published()
    started = files.started()
    for each in started:
        _say(f"{each.name}: {'running' if processes.is_running(each) else 'ended'} (process {each.pid})")
    if published and _all_running(files):
        _show(published)
        return 0
    _say("The stack is broken; `up` restarts it." if started else "No stack is running.")
    return 3


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


def _foreground(files: StackFiles, app_dir: Path, pace: str) -> int:
    """Start the stack, and end it on Ctrl-C, another signal, or the end of a part."""
    is_ours = False
    try:
        with _only_one(files.folder):
            is_ours = True
            up(files, app_dir, pace)
        _stay(files)
    finally:
        if is_ours:
            with _only_one(files.folder):
                ended = _end_all(files)
            if ended:
                _say("The stack is stopped.")
    return 0


def _stay(files: StackFiles) -> None:
    """Wait for a signal or the end of a part."""
    try:
        _say("Ctrl-C stops the stack.")
        while _all_running(files):
            time.sleep(_LOOK_SECONDS)
    except SystemExit:
        return
    _say("A part of the stack has ended; see its log.")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Let a second `up` or `down` wait for the first. The system releases the lock when the process ends.

    :raises StackError: when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "stack.lock").open("w")
    except OSError as error:
        raise StackError(f"The stack cannot write to its folder {folder}: {error.strerror}") from error
    with file as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _show(published: Mapping[str, Any]) -> None:
    """The addresses: a table on a terminal, else `name: value` lines."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{name}: {published.get(key, '')}\n" for name, key in _ROWS)
        return
    table = Table(show_header=False, box=None)
    for name, key in _ROWS:
        table.add_row(Text(name, style="bold"), Text(terminal_text(str(published.get(key, "")))))
    Console().print(table)


def _show_next_steps(files: StackFiles) -> None:
    """Print the addresses, and the next commands if those with --local find this stack from the checkout.

    A reader that closes the pipe, as `head` does, does not end the stack.
    """
    with contextlib.suppress(BrokenPipeError):
        _show(files.published() or {})
        sys.stdout.flush()
        if files.folder == ROOT / ".local":
            sys.stderr.write(f"{_NEXT}\n")
        return
    # The interpreter writes the rest when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    sys.stderr.write(f"{terminal_text(text)}\n")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--folder", type=Path, default=ROOT / ".local", help="for data, logs and stack.json (default: %(default)s)"
    )
    parser = argparse.ArgumentParser(
        prog="python -m local.stack",
        description=_PURPOSE,
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str, epilog: str = "") -> argparse.ArgumentParser:
        shape = argparse.RawDescriptionHelpFormatter
        return commands.add_parser(
            name, parents=[shared], help=text, description=text, epilog=epilog, formatter_class=shape
        )

    up_parser = command("up", "start it, print its addresses, and return when it is ready", _ENVIRONMENT)
    up_parser.add_argument("--foreground", action="store_true", help="stay, and stop it on Ctrl-C or another signal")
    up_parser.add_argument("--app-dir", type=Path, default=ROOT, help="folder of the function app (default: this one)")
    up_parser.add_argument("--pace", choices=PACES, default="quick", help="azure: wait as long as Azure does")
    down_parser = command("down", "stop it; its data, ports and key are kept for the next time")
    down_parser.add_argument("--purge", action="store_true", help="delete its data")
    command("status", "show what is running; exit code 3 if a part is missing")
    parser.set_defaults(foreground=False)
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        sys.exit(f"error: {terminal_lines(str(error))}")
