"""Messages about a wrong command line, in lines that are not wrapped, so that a path or name in them stays whole."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from typer.exceptions import TyperException

_EXTRA = re.compile(r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)", re.DOTALL)
_CHOICE = re.compile(r"'([^']*)' is not one of (.*)\.", re.DOTALL)
# Typer checks values with pydantic, whose messages mention its own terms.
_PLAINER = (
    ("Value error, ", ""),
    ("Input should be a valid integer, unable to parse string as an integer", "it must be a whole number"),
    ("Input should be ", "it must be "),
)


def usage_lines(error: TyperException) -> Iterator[str]:
    """The lines about a wrong command line; nothing if the help was shown in its place."""
    context: Any = getattr(error, "ctx", None)
    # The help that a group prints without a command is an error without a message.
    text = " ".join(error.format_message().split())
    if not text:
        return
    path = context.command_path if context else "sparklin"
    yield f"{path}: {_plain(text, context)}"
    yield f"`{path} -h` shows options and examples"


def _plain(text: str, context: Any) -> str:
    for theirs, ours in _PLAINER:
        text = text.replace(theirs, ours)
    if extra := _EXTRA.search(text):
        return f"there is no place for {extra[1]}{_instead(context)}"
    if choice := _CHOICE.search(text):
        near = get_close_matches(choice[1].lower(), re.findall(r"'([^']*)'", choice[2]), 1)
        text += f" Did you mean '{near[0]}'?" if near else ""
    return f"{text[:1].lower()}{text[1:]}"


def _instead(context: Any) -> str:
    options = {option for each in context.command.params for option in each.opts} if context else ()
    return "; files and folders of events are given with --events PATH" if "--events" in options else ""
