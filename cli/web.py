"""The option ``--web``: opens the page of what a command shows."""

from typing import Annotated

import typer

from cli.terminal_text import terminal_text

Web = Annotated[bool, typer.Option("--web", help="Open its page, in Purview or in the local Data Map.")]


def open_page(address: str) -> None:
    """Open an address in the browser, and print it on stderr in case there is none.

    :raises typer.Exit: no address is known.
    """
    if not address:
        typer.echo(
            "no page is known: nothing was uploaded yet, or the account has Purview's unified portal, whose pages have "
            "no documented addresses; search there for the qualified name",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(terminal_text(address), err=True)
    typer.launch(address)
