"""The steps that the demos share: start the stack, wait for the events, show the lineage, end."""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.tables import print_process
from cli.terminal_text import terminal_lines, terminal_text
from local.demo.check import Inbox, expected_processes, missing
from local.stack import signals
from local.stack.lifecycle import Stack
from local.stack.stack_error import StackError

TIMEOUT_SECONDS = 120.0
_EPILOG = """\
exit code: 0 if every event is accounted for; 1 if anything is missing, with its name
All settings of the app can be set as environment variables; docs/settings.md lists them. Free ports are used.
"""

out = Console(width=None if sys.stdout.isatty() else 120)
talk = Console(stderr=True)


@contextmanager
def running_stack(environment: Mapping[str, str]) -> Iterator[Stack]:
    """A stack in a temporary folder; nothing is left of it."""
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as folder:
        stack = Stack(Path(folder), environment=environment)
        try:
            with talk.status("Starting Azurite, the Data Map and the function host …"):
                stack.start()
            talk.print(f"Lineage page, available while the demo runs: {stack.page}", soft_wrap=True)
            yield stack
        finally:
            try:
                with talk.status("Stopping …"):
                    stack.stop()
            finally:
                stack.stop()  # Also if the terminal is gone and nothing can be printed.


def wait(inbox: Inbox) -> list[str]:
    """Wait until every kept event is finished; return those that are not in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with progress() as bar:
        task = bar.add_task("Merging runs, naming assets, uploading", total=None)
        while True:
            found = inbox.progress()
            total = found.done + len(found.pending)
            bar.update(task, total=total or None, completed=found.done)
            if total and not found.pending:
                return []
            if time.monotonic() > deadline:
                return [f"event {row.file_path} is still {row.status.value}: {row.message}" for row in found.pending]
            time.sleep(0.2)


def show(stack: Stack, bodies: Sequence[bytes], environment: Mapping[str, str]) -> list[str]:
    """Print what the Data Map shows; return what differs from the events."""
    assert stack.data_map is not None  # noqa: S101  the demo has one
    expected = expected_processes(bodies, environment)
    entities = requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()
    for process in expected:
        print_process(out, process)
    runs = {run for process in expected for run in process["runs"]}
    talk.print(f"{len(expected)} processes of {len(runs)} runs, {len(entities)} entities in the Data Map")
    return list(missing(expected, entities))


def end(stack: Stack, problems: Sequence[str], events: int, seconds: float) -> int:
    """Name what is missing, or keep the page up until Ctrl-C; return the exit code."""
    for problem in problems:
        talk.print(Text.assemble(("missing: ", "red"), terminal_text(problem)), soft_wrap=True)
    if problems:
        return 1
    talk.print(f"All {events} events are accounted for, after {seconds:.1f} s.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        talk.print("Without a terminal the page ends with the demo; `make up` keeps one running.")
        return 0
    try:
        talk.print(f"Click a process to see its lineage as a picture: {stack.page}", soft_wrap=True)
        talk.print("Ctrl-C ends the demo.")
        threading.Event().wait()
    except SystemExit:
        pass
    return 0


def progress() -> Progress:
    """A progress bar that disappears when it is finished."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=talk,
        transient=True,
    )


def command(name: str, purpose: str, main: Callable[[], int]) -> None:
    """Run a demo as a command; ends this process."""
    argparse.ArgumentParser(
        name, description=purpose, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    signals.end_by_signals()
    try:
        sys.exit(main())
    except StackError as error:
        talk.print(Text.assemble(("error: ", "red"), terminal_lines(str(error))))
        sys.exit(1)
