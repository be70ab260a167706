"""``sparklin send``: sends events from files to the receiver."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.connections import Local, stack_values
from cli.event_bodies import progress_bar
from cli.event_files import KINDS, REMOTE, STDIN, EventFile, empty_folders, local_files, remote_files, standard_input
from cli.output import AsJson, AsText, messages, print_json, wants_text
from cli.plurals import counted
from cli.tables import print_line
from cli.tasks.send_events import NotSent, Sent, Target, send_events, target
from cli.terminal_text import terminal_text
from core.settings import function_key


def send(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…",
            help="Files or folders of events (.json, .ndjson, .jsonl, also .gz; one event per line, an array or one "
            "event), addresses of files or folders in OneLake or ADLS (https://, abfss://), or - for standard input.",
        ),
    ],
    receiver: Annotated[
        str,
        typer.Option(
            metavar="URL", envvar="SPARKLIN_RECEIVER", help="The function app: https://<app>.azurewebsites.net."
        ),
    ] = "",
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Send events from files to the receiver. Safe to repeat: an event that is sent twice is stored once.

    The function key is read from the environment variable SPARKLIN_FUNCTION_KEY. Files at addresses are read with your
    own identity (az login).

    Exit code 1 if an event could not be read, was rejected or was not sent.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    files = list(_files(paths))
    to = _target(receiver, local=local)
    try:
        sent = _sent(files, to)
    except NotSent as error:
        typer.echo(terminal_text(f"{error}. What was sent before is stored; send all again."), err=True)
        raise typer.Exit(1) from None
    for problem in sent.problems.lines():
        typer.echo(terminal_text(problem), err=True)
    if not is_text:
        print_json(as_object(sent))
    else:
        _show(sent)
    if sent.problems.count or not sent.answers:
        raise typer.Exit(1)


def as_object(sent: Sent) -> dict[str, Any]:
    """The result by the contract in docs/contracts/send.schema.json."""
    totals = {answer: sent.total(answer) for answer in ("kept", "ignored", "rejected")}
    reasons = [
        {"answer": answer, "reason": reason, "events": count} for (answer, reason), count in sent.answers.most_common()
    ]
    return {"events": sent.answers.total(), **totals, "reasons": reasons, "problems": sent.problems.named}


def _files(paths: Iterable[str]) -> Iterator[EventFile]:
    """The files that the arguments name; exit code 2 if one of them does not exist."""
    for path in paths:
        if path == STDIN:
            yield standard_input()
        elif path.lower().startswith(REMOTE):
            try:
                yield from remote_files(path)
            except ValueError as error:
                raise typer.BadParameter(f"{path} {error}") from None
        elif not Path(path).exists():
            typer.echo(terminal_text(f"no such file or folder: {path}"), err=True)
            raise typer.Exit(2)
    found = [Path(path) for path in paths if path != STDIN and not path.lower().startswith(REMOTE)]
    for folder in empty_folders(found):
        typer.echo(terminal_text(f"no event files ({KINDS}) in {folder}"), err=True)
    yield from local_files(found)


def _target(receiver: str, *, local: bool) -> Target:
    if local:
        stack = stack_values()
        return target(stack["receiver"], stack["functionKey"])
    if not receiver.startswith(("https://", "http://")):
        raise typer.BadParameter("give --receiver https://<app>.azurewebsites.net, or --local for `make up`")
    key = function_key()
    if not key:
        typer.echo("set the environment variable SPARKLIN_FUNCTION_KEY to a function key of the app", err=True)
        raise typer.Exit(2)
    return target(receiver.rstrip("/"), key)


def _sent(files: list[EventFile], to: Target) -> Sent:
    console = messages()
    bar = progress_bar("sending", console)
    with bar:
        sizes = [file.size for file in files]
        task = bar.add_task("", total=sum(sizes) if all(sizes) else None)
        return send_events(files, to, lambda count: bar.advance(task, count))


def _show(sent: Sent) -> None:
    console = Console()
    counts = ", ".join(f"{sent.total(answer)} {answer}" for answer in ("kept", "ignored", "rejected"))
    print_line(console, f"{counted(sent.answers.total(), 'event')}: {counts}")
    for (answer, reason), count in sent.answers.most_common():
        print_line(console, f"{count:7} {answer:8}  {reason}")
