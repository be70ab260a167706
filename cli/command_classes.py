"""How all commands behave: ``-h``, readable help, and messages in place of tracebacks."""

import inspect
import os
import re
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.exceptions import TyperException

from cli.terminal_text import terminal_text
from cli.usage_errors import usage_lines
from core.errors import (
    CatalogUnavailable,
    Refused,
    SettingsError,
    SparklinError,
    StorageUnavailable,
    TryLater,
)

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
# A line that is not the middle of a sentence: an item of a list, or what is indented.
_OWN_LINE = re.compile(r"\s|[-*•] |\d+\. |\x08")
_RESTART = "Is the local stack still running? `make down`, then `make up`, starts it again."
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def joined(text: str) -> str:
    """A help text whose paragraphs are one line each, as Typer keeps the line breaks of all but the first."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(map(_one_line, paragraphs))


def _one_line(paragraph: str) -> str:
    lines = paragraph.split("\n")
    return paragraph if any(map(_OWN_LINE.match, lines)) else " ".join(lines)


def _readable(params: list[Any]) -> list[Any]:
    """The parameters as the help shows them: flags without a value, arguments by their names alone."""
    for each in params:
        if getattr(each, "is_flag", False):
            each.metavar = ""
        elif isinstance(each, TyperArgument):
            name = each.metavar or each.name
            each.get_usage_pieces = partial(_usage, name if each.required else f"[{name}]")  # type: ignore[method-assign]
            each.display_type_rich = _no_type  # type: ignore[method-assign]
    return params


def _usage(shown: str, ctx: Any) -> list[str]:  # noqa: ARG001 - the signature is Typer's
    return [shown]


def _no_type(ctx: Any) -> None:  # noqa: ARG001 - the signature is Typer's
    return None


class Command(TyperCommand):
    """A command whose help shows flags as flags."""

    def __init__(self, name: str | None, **given: Any) -> None:
        super().__init__(name, **given)
        self.help = joined(self.help or "")

    def get_params(self, ctx: Any) -> list[Any]:
        return _readable(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (StorageUnavailable, CatalogUnavailable) as error:
            if ctx.params.get("local") and not error.remedy:
                error.remedy = _RESTART
            raise


class Commands(TyperGroup):
    """Shows flags as flags, and turns any error into a message that names the next step."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _readable(super().get_params(ctx))

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        open_closed_streams()
        try:
            return super().make_context(info_name, args, parent, **extra)
        except TyperException as error:
            raise _wrong_usage(error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TyperException as error:
            raise _wrong_usage(error) from None
        except SettingsError as error:
            _say(*error.problems)
            raise typer.Exit(WRONG_USAGE) from None
        except SparklinError as error:
            _say(*_explained(error))
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            _say(": ".join(filter(None, [error.strerror or str(error), str(error.filename or "")])))
            raise typer.Exit(FAILED) from None
        except Exception as error:
            if isinstance(error, (typer.Exit, typer.Abort)) or ctx.find_root().params.get("debug"):
                raise
            _say(f"unexpected error, please report it: {type(error).__name__}: {error}", f"  {_place(error)}")
            _say("sparklin --debug … shows the traceback")
            raise typer.Exit(FAILED) from None


def open_closed_streams() -> None:
    """Read nothing from a standard stream that is closed (``<&-``), and write nowhere; Python has None for it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end


def _wrong_usage(error: TyperException) -> typer.Exit:
    _say(*usage_lines(error))
    return typer.Exit(error.exit_code)


def _explained(error: SparklinError) -> tuple[str, ...]:
    """The error, and what to do about it."""
    reason = str(error)
    remedy = error.remedy if isinstance(error, TryLater | Refused) else ""
    if not remedy and isinstance(error, StorageUnavailable):
        remedy = "Check LINEAGE_STORAGE…, run `az login`, or use --local for the stack of `make up`."
    if not remedy and isinstance(error, CatalogUnavailable):
        remedy = "Check PURVIEW_ENDPOINT, run `az login`, or use --local for the stack of `make up`."
    return (reason, remedy) if remedy and remedy not in reason else (reason,)


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"in {frame.name}, {frame.filename}, line {frame.lineno}"


def _say(*lines: str) -> None:
    for line in lines:
        print(terminal_text(line), file=sys.stderr)  # noqa: T201
