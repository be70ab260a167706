"""The command ``sparklin``: its commands, each a function in a module of its own.

Data goes to stdout, talk to stderr. Exit 2: the command or a setting was wrong; 1: the work failed.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from cli.explain import explain
from cli.preview import preview
from core.errors import SettingsError, SparklinError


class _Commands(TyperGroup):
    """Turns the project's exceptions into messages."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for problem in error.problems:
                typer.echo(problem, err=True)
            raise typer.Exit(2) from None
        except SparklinError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def sparklin() -> None:
    """Column-level lineage from Spark to Microsoft Purview."""


app.command()(explain)
app.command()(preview)

if __name__ == "__main__":
    app()
