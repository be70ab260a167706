"""The steps that the demos share: start the stack, wait for the events, check and show the lineage, end."""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.lineage_text import show_lineage
from cli.tasks.lineage_graphs import graph_of_details
from cli.terminal_text import terminal_lines, terminal_text
from core.settings import Settings, unread_settings
from core.storage_connection import StorageConnection
from explorer.asset_names import match
from explorer.graph import Focus
from explorer.graph_index import GraphIndex
from explorer.tracing import trace
from local.demo.check import Inbox, expected_processes, kept, missing
from local.demo.scenarios import QUESTION
from local.environment import variables
from local.stack import signals
from local.stack.choices import PORTS
from local.stack.files import StackFiles
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT
from local.stack.stack_error import StackError
from pipeline.services import build

TIMEOUT_SECONDS = 120.0
_FILES = StackFiles(ROOT / ".local")
_EPILOG = """\
exit code: 0 if every event is accounted for; 1 if anything is missing, with its name
All settings of the app can be set as environment variables; docs/settings.md lists them. Free ports are used.
"""

out = Console(width=None if sys.stdout.isatty() else 120)
talk = Console(stderr=True)


@contextmanager
def running_stack(environment: Mapping[str, str], event_folder: str = "") -> Iterator[Stack]:
    """A stack in a temporary folder, for commands with ``--local``; nothing is left of it."""
    chosen = sorted({f"SPARKLIN_{name}_PORT" for name in PORTS} & variables().keys())
    if chosen:
        talk.print(f"The demo takes free ports; only `make up` uses {', '.join(chosen)}.", soft_wrap=True)
    for note in unread_settings(variables()):
        talk.print(terminal_text(note), soft_wrap=True, markup=False, highlight=False)
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as folder:
        stack = Stack(Path(folder), environment=environment, event_folder=event_folder)
        try:
            with talk.status("Starting Azurite, the Data Map and the function host …"):
                stack.start()
            talk.print(f"Lineage page, available while the demo runs: {stack.page}", soft_wrap=True)
            with _FILES.published_meanwhile(stack):
                yield stack
        finally:
            try:
                with talk.status("Stopping …"):
                    stack.stop()
            finally:
                stack.stop()  # This is also done if the terminal is gone and nothing can be printed.


def wait(inbox: Inbox, collected: Collection[bytes] = ()) -> list[str]:
    """Wait until every kept or collected event is finished; return those that are not finished in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    awaited = kept(collected)
    with progress() as bar:
        task = bar.add_task("Merging runs, naming assets, uploading", total=None)
        while True:
            found = inbox.progress()
            missing_names = awaited - found.names
            total = found.done + len(found.pending) + len(missing_names)
            bar.update(task, total=total or None, completed=found.done)
            if total and not found.pending and not missing_names:
                return []
            if time.monotonic() > deadline:
                late = [f"event {row.file_path} is still {row.status.value}: {row.message}" for row in found.pending]
                return [*late, *(f"event {name} was not collected" for name in sorted(missing_names))]
            time.sleep(0.2)


def check(stack: Stack, bodies: Sequence[bytes], environment: Mapping[str, str]) -> list[str]:
    """Compare what the Data Map shows with what the events say; return what differs."""
    assert stack.data_map is not None  # noqa: S101  the demo has one
    expected = expected_processes(bodies, environment)
    entities = requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()
    runs = {run for process in expected for run in process["runs"]}
    talk.print(f"{len(expected)} processes of {len(runs)} runs, {len(entities)} entities in the Data Map")
    return list(missing(expected, entities))


def answer(stack: Stack, dataset: str, column: str) -> list[str]:
    """Print where a column comes from, and by which formulas, as ``sparklin lineage`` does."""
    assert stack.data_map is not None  # noqa: S101  the demo has one
    storage = StorageConnection(connection_string=stack.azurite.connection_string)
    settings = Settings(lineage_storage=storage, purview_endpoint=stack.data_map.url, purview_auth="none")
    graph = graph_of_details(build(settings))
    found = match(f"{dataset}.{column}", graph).found
    if len(found) != 1:
        return [f"no lineage is known of {dataset}.{column}"]
    index = GraphIndex.of(graph)
    out.print(f"\nWhere does {dataset}.{column} come from, and by which formula?\n", style="bold", highlight=False)
    show_lineage(out, index, trace(index, Focus(found[0].dataset, "up", column)))
    return []


def end(stack: Stack, problems: Sequence[str], events: int, seconds: float) -> int:
    """Name what is missing, or keep the page up until Ctrl-C; return the exit code."""
    for problem in problems:
        talk.print(Text.assemble(("missing: ", "red"), terminal_text(problem)), soft_wrap=True)
    if problems:
        return 1
    talk.print(f"All {events} events are accounted for, after {seconds:.1f} s.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        talk.print(
            "Without a terminal the page ends with the demo; `make up` keeps one running, with what you send to it.",
            soft_wrap=True,
        )
        return 0
    try:
        talk.print(f"The same as a picture: {stack.page}lineage?column={'.'.join(QUESTION)}", soft_wrap=True)
        talk.print(f"The status of the events: {stack.page}overview", soft_wrap=True)
        talk.print(_other_terminal(stack), soft_wrap=True)
        talk.print(
            "Ctrl-C ends the demo, and nothing of it is kept. `make up` keeps what you send to it.", soft_wrap=True
        )
        threading.Event().wait()
    except SystemExit:
        pass
    return 0


def _other_terminal(stack: Stack) -> str:
    """What commands show of the stack meanwhile."""
    if _FILES.is_published(stack):
        return f"In another terminal: .venv/bin/sparklin lineage {'.'.join(QUESTION)} --local"
    return "`sparklin … --local` shows the stack of `make up`, not the demo."


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
        disable=not talk.is_terminal,
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
