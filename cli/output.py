"""The output of commands: text on a terminal, JSON in a pipe, or as an option says."""

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, also on a terminal.")]
AsText = Annotated[bool, typer.Option("--text", help="Print text, also in a pipe.")]

Strict = Annotated[
    bool, typer.Option("--strict", help="End with exit code 1 if a part of the input was faulty and left out.")
]


def end_if_faulty(faulty: int, *, good: int, strict: bool) -> None:
    """End a command that has processed the good parts of its input and left out the faulty ones.

    :raises typer.Exit: with 1 if nothing was good, or with ``--strict``.
    """
    if faulty and (strict or not good):
        raise typer.Exit(1)


def messages() -> Console:
    """The console for messages and bars on stderr; FORCE_COLOR, which is for data, does not put bars into a file."""
    return Console(stderr=True, force_terminal=None if sys.stderr.isatty() else False)


def followed(items: Iterable[Item], label: str, total: int | None = None) -> Iterable[Item]:
    """The items, with a bar on a terminal that counts them and disappears at the end."""
    console = messages()
    return track(items, label, total, console=console, transient=True, disable=not console.is_terminal)


def wants_text(*, as_json: bool, as_text: bool) -> bool:
    """Whether to print text: on a terminal, with ``--text``, or where FORCE_COLOR is set; never with ``--json``.

    :raises typer.BadParameter: both were given.
    """
    if as_json and as_text:
        raise typer.BadParameter("give --json or --text, not both")
    return as_text or (not as_json and Console().is_terminal)


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print JSON, with readable characters where the output can show them."""
    indent = None if one_line else 2
    print_text(json.dumps(value, ensure_ascii=False, indent=indent), json.dumps(value, indent=indent))


def print_text(text: str, plain: str) -> None:
    """Print a text, or another one in ASCII if the output cannot show the first.

    It cannot show half a surrogate pair or, on a terminal that is not UTF-8, other characters.
    """
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = plain
    typer.echo(text)
