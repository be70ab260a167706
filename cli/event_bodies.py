"""The readable events of files and folders on this machine; what cannot be read is named on stderr."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.event_files import KINDS, empty_folders, events_of, local_files, where
from cli.output import messages
from cli.tasks.problems import Problems
from cli.terminal_text import terminal_text
from core.envelope import describes_no_run, read_envelope
from core.errors import BadEvent

# Files up to this size are read before a bar could be seen.
_MOMENT_BYTES = 2_000_000


def progress_bar(label: str, console: Console, *, shown: bool = True) -> Progress:
    """A bar of bytes that disappears when it is over; nothing without a terminal."""
    return Progress(
        TextColumn(label),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )


@dataclass(frozen=True, slots=True)
class ReadableBodies:
    """The readable events of files and folders, and the number of faulty files and events that were left out."""

    bodies: Sequence[bytes]
    faulty: int


def readable_bodies(paths: Sequence[Path]) -> ReadableBodies:
    """All readable events of files and folders; at least one.

    :raises typer.Exit: with 2 if a path does not exist, with 1 if nothing can be read; the reason is on stderr.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        _say([f"no such file or folder: {', '.join(map(str, missing))}"])
        raise typer.Exit(2)
    empty = list(empty_folders(paths))
    _say(f"no event files ({KINDS}) in {folder}" for folder in empty)
    problems = Problems()
    bodies = list(_bodies(paths, problems))
    _say(problems.lines())
    if not bodies:
        if len(empty) < len(paths):
            _say(["no OpenLineage event could be read"])
        raise typer.Exit(1)
    return ReadableBodies(bodies, problems.count)


def _bodies(paths: Iterable[Path], problems: Problems) -> Iterator[bytes]:
    files = list(local_files(paths))
    console = messages()
    total = sum(file.size for file in files)
    with progress_bar("reading events", console, shown=total > _MOMENT_BYTES) as bar:
        task = bar.add_task("", total=total)
        for file in files:
            for event in events_of(file, lambda count: bar.advance(task, count)):
                if problem := event.problem or _problem(event.body):
                    problems.add(where(file.name, event.place), problem)
                else:
                    yield event.body


def _problem(body: bytes) -> str | None:
    if describes_no_run(body):
        return "it is about a dataset or a job without a run, and carries no lineage"
    try:
        read_envelope(body)
    except BadEvent as error:
        return error.reason
    return None


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(terminal_text(line), err=True)
