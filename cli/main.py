"""The command ``sparklin``: its commands, each a function in its own module.

Data goes to stdout, messages to stderr. docs/command-line.md lists the exit codes.
"""

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from cli.command_classes import HELP_NAMES, Command, Commands
from cli.config_spark import spark
from cli.doctor import doctor
from cli.examples import epilog
from cli.explain import explain
from cli.grant import grant
from cli.key_tag import key_tag
from cli.lineage_command import lineage
from cli.preview import preview
from cli.purge import purge
from cli.rebuild import rebuild
from cli.relink import relink
from cli.replay import replay
from cli.rules_check import check
from cli.send import send
from cli.show import show
from cli.status import status
from cli.verify import verify
from core.version import VERSION

# Only the command's own message says what to do.
logging.getLogger("azure").setLevel(logging.CRITICAL)

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, context_settings=HELP_NAMES)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sparklin {VERSION}")
        raise typer.Exit


@app.callback()
def sparklin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an unexpected error comes from.")] = False,
) -> None:
    """Column-level lineage from Spark to Microsoft Purview."""


def _group(about: str) -> Callable[[], None]:
    """A group of commands does nothing by itself. With a callback, Typer keeps the name of a single command."""

    def group() -> None:
        pass

    group.__doc__ = about
    return group


COMMANDS = (
    doctor,
    explain,
    grant,
    key_tag,
    lineage,
    preview,
    purge,
    rebuild,
    relink,
    replay,
    send,
    show,
    status,
    verify,
)
for command in COMMANDS:
    app.command(cls=Command, epilog=epilog(command.__name__.replace("_", "-")), context_settings=HELP_NAMES)(command)

for group, about, name, function in (
    ("config", "Print configuration for Spark.", "spark", spark),
    ("rules", "Work with files of naming rules.", "check", check),
):
    commands = typer.Typer(cls=Commands, no_args_is_help=True, context_settings=HELP_NAMES, help=about)
    commands.callback(epilog=epilog(group))(_group(about))
    commands.command(name, cls=Command, epilog=epilog(f"{group} {name}"), context_settings=HELP_NAMES)(function)
    app.add_typer(commands, name=group)

if __name__ == "__main__":
    app()
