"""The steps that the demos share: start the stack, wait for what was sent, show what came out, end."""

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
exit code: 0 if every event is accounted for; 1 if anything is missing, which is named
All settings of the app hold, as environment variables; docs/settings.md lists them. Ports are free ones.
"""

out = Console(width=None if sys.stdout.isatty() else 120)
talk = Console(stderr=True)


@contextmanager
def running_stack(environment: Mapping[str, str]) -> Iterator[Stack]:
    """A stack in a folder of its own, of which nothing is left."""
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as folder:
        stack = Stack(Path(folder), environment=environment)
        try:
            with talk.status("Starting Azurite, the Data Map and the function host …"):
                stack.start()
            talk.print(f"The page that shows what comes out, for as long as this runs: {stack.page}", soft_wrap=True)
            yield stack
        finally:
            try:
                with talk.status("Stopping …"):
                    stack.stop()
            finally:
                stack.stop()  # Even where nothing can be said any more.


def wait(inbox: Inbox) -> list[str]:
    """Wait until every event that was kept is done; what is not by then."""
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
    """Print what the Data Map shows; what differs from what the events tell."""
    assert stack.data_map is not None  # noqa: S101  the demo has one
    expected = expected_processes(bodies, environment)
    entities = requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()
    for process in expected:
        print_process(out, process)
    runs = {run for process in expected for run in process["runs"]}
    talk.print(f"{len(expected)} processes of {len(runs)} runs, {len(entities)} entities in the Data Map")
    return list(missing(expected, entities))


def end(stack: Stack, problems: Sequence[str], events: int, seconds: float) -> int:
    """Name what is missing, or keep the page up while somebody looks; the exit code."""
    for problem in problems:
        talk.print(Text.assemble(("missing: ", "red"), terminal_text(problem)), soft_wrap=True)
    if problems:
        return 1
    talk.print(f"All {events} events are accounted for, after {seconds:.1f} s.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        talk.print("The page ends with the demo here; `make up` keeps one running.")
        return 0
    try:
        talk.print(f"The processes, each with its lineage as a picture behind its name: {stack.page}", soft_wrap=True)
        talk.print("Ctrl-C ends the demo.")
        threading.Event().wait()
    except SystemExit:
        pass
    return 0


def progress() -> Progress:
    """A bar that goes when it is done."""
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
    """Run a demo as the command that it is; ends this process."""
    argparse.ArgumentParser(
        name, description=purpose, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    signals.end_by_signals()
    try:
        sys.exit(main())
    except StackError as error:
        talk.print(Text.assemble(("error: ", "red"), terminal_lines(str(error))))
        sys.exit(1)
