"""The command ``sparklin``: its commands, each a function in a module of its own.

Data goes to stdout, talk to stderr. Exit 2: the command or a setting was wrong; 1: the work failed.
"""

import logging
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.doctor import doctor
from cli.explain import explain
from cli.grant import grant
from cli.plain import plain
from cli.preview import preview
from cli.purge import purge
from cli.relink import relink
from cli.replay import replay
from cli.show import show
from cli.status import status
from core.errors import SettingsError, SparklinError
from core.version import VERSION

# The one line that says what to do is ours.
logging.getLogger("azure").setLevel(logging.CRITICAL)


class _Commands(TyperGroup):
    """Turns the project's exceptions into messages."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for problem in error.problems:
                typer.echo(plain(problem), err=True)
            raise typer.Exit(2) from None
        except SparklinError as error:
            typer.echo(plain(str(error)), err=True)
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


app.command()(doctor)
app.command()(explain)
app.command()(grant)
app.command()(preview)
app.command()(purge)
app.command()(relink)
app.command()(replay)
app.command()(show)
app.command()(status)

if __name__ == "__main__":
    app()
