"""The command ``sparklin``: its commands, each a function in its own module.

Data goes to stdout, messages to stderr. Exit code 2: the command or a setting is wrong; 1: the work failed.
"""

import logging
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.doctor import doctor
from cli.explain import explain
from cli.grant import grant
from cli.key_tag import key_tag
from cli.lineage_command import lineage
from cli.preview import preview
from cli.purge import purge
from cli.rebuild import rebuild
from cli.relink import relink
from cli.replay import replay
from cli.send import send
from cli.show import show
from cli.status import status
from cli.terminal_text import terminal_text
from core.errors import SettingsError, SparklinError
from core.version import VERSION

# Only our own message says what to do.
logging.getLogger("azure").setLevel(logging.CRITICAL)


def _bare_flags(params: list[Any]) -> list[Any]:
    """The parameters; flags take no value, so the help shows none."""
    for each in params:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return params


class _Command(TyperCommand):
    """A command whose help shows flags as flags."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _bare_flags(super().get_params(ctx))


class _Commands(TyperGroup):
    """Shows flags as flags, and turns the project's exceptions into messages."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _bare_flags(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for problem in error.problems:
                typer.echo(terminal_text(problem), err=True)
            raise typer.Exit(2) from None
        except SparklinError as error:
            typer.echo(terminal_text(str(error)), err=True)
            raise typer.Exit(1) from None


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sparklin {VERSION}")
        raise typer.Exit


@app.callback()
def sparklin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Column-level lineage from Spark to Microsoft Purview."""


for command in (doctor, explain, grant, key_tag, lineage, preview, purge, rebuild, relink, replay, send, show, status):
    app.command(cls=_Command)(command)

if __name__ == "__main__":
    app()
