"""``python -m local.demo``: run the whole pipeline on recorded events and show what came out.

However it ends, by itself or by a signal, nothing of it is left.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.plain import plain, plain_lines
from cli.tables import print_process
from local import signals
from local.demo.check import Inbox, expected_processes, missing
from local.demo.scenarios import ENVIRONMENT, SCENARIOS
from local.errors import StackError
from local.stack import Stack

TIMEOUT_SECONDS = 120.0
_PURPOSE = """\
Try out the whole way on this machine, without an Azure account: start storage (Azurite), a Data Map in Purview's
place and a host for the functions; post recorded events of real Spark applications; print the lineage that came out.

On a terminal the page that draws it stays up until Ctrl-C; else the demo ends by itself, and nothing of it is left.
"""
_EPILOG = """\
exit code: 0 if every event is accounted for; 1 if anything is missing, which is named
All settings of the app hold, as environment variables; the README lists them. Ports are free ones.
"""

out = Console(width=None if sys.stdout.isatty() else 120)
talk = Console(stderr=True)


def main() -> int:
    """Run the demo; the exit code."""
    signals.end_by_signals()
    started = time.monotonic()
    bodies = [(scenario, body) for scenario in SCENARIOS for body in scenario.bodies()]
    with _running_stack() as stack:
        since = datetime.now(UTC)
        problems = _send(stack, bodies)
        problems += _wait(Inbox(stack.azurite.connection_string, since))
        problems += _show(stack, [body for _, body in bodies])
        return _end(stack, problems, len(bodies), time.monotonic() - started)


@contextmanager
def _running_stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as folder:
        stack = Stack(Path(folder), environment=ENVIRONMENT)
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


def _send(stack: Stack, bodies: Sequence[Any]) -> list[str]:
    """Post every event as its agent did; what was refused."""
    problems: list[str] = []
    statuses: dict[int, int] = {}
    with _progress() as progress, requests.Session() as session:
        task = progress.add_task("Posting recorded events", total=len(bodies))
        for scenario, body in bodies:
            progress.update(task, description=f"Posting: {scenario.title}")
            answer = session.post(stack.receiver + scenario.route, body, headers=stack.key_header, timeout=10)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if answer.status_code not in (200, 202):
                problems.append(f"an event of {scenario.title} was answered {answer.status_code}: {answer.text}")
            progress.advance(task)
    talk.print(f"{len(bodies)} events posted: {statuses.get(202, 0)} kept, {statuses.get(200, 0)} without lineage")
    return problems


def _wait(inbox: Inbox) -> list[str]:
    """Wait until every event that was kept is done; what is not by then."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with _progress() as progress:
        task = progress.add_task("Merging runs, naming assets, uploading", total=None)
        while True:
            found = inbox.progress()
            total = found.done + len(found.pending)
            progress.update(task, total=total or None, completed=found.done)
            if total and not found.pending:
                return []
            if time.monotonic() > deadline:
                return [f"event {row.file_path} is still {row.status.value}: {row.message}" for row in found.pending]
            time.sleep(0.2)


def _show(stack: Stack, bodies: Sequence[bytes]) -> list[str]:
    """Print what the Data Map shows; what differs from what the events tell."""
    assert stack.data_map is not None
    expected = expected_processes(bodies, ENVIRONMENT)
    entities = requests.get(f"{stack.data_map.url}/_control/entities", timeout=30).json()
    for process in expected:
        print_process(out, process)
    runs = {run for process in expected for run in process["runs"]}
    talk.print(f"{len(expected)} processes of {len(runs)} runs, {len(entities)} entities in the Data Map")
    return list(missing(expected, entities))


def _end(stack: Stack, problems: Sequence[str], events: int, seconds: float) -> int:
    for problem in problems:
        talk.print(Text.assemble(("missing: ", "red"), plain(problem)), soft_wrap=True)
    if problems:
        return 1
    talk.print(f"All {events} events are accounted for, after {seconds:.1f} s.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        talk.print("The page ends with the demo here; `make up` keeps one running.")
        return 0
    try:
        talk.print(f"The lineage as a picture: {stack.page}")
        talk.print("Ctrl-C ends the demo.")
        threading.Event().wait()
    except SystemExit:
        pass
    return 0


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=talk,
        transient=True,
    )


if __name__ == "__main__":
    argparse.ArgumentParser(
        "python -m local.demo",
        description=_PURPOSE,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        sys.exit(main())
    except StackError as error:
        talk.print(Text.assemble(("error: ", "red"), plain_lines(str(error))))
        sys.exit(1)
