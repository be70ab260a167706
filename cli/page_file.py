"""The file of ``--html``: a lineage graph as one page that needs nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal_text import terminal_text
from explorer.graph import LineageGraph, to_json

HtmlFile = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained page to share.")
]


def write_page(path: Path, graph: LineageGraph, title: str) -> None:
    """Write the page, and print its path.

    :raises typer.Exit: the file cannot be written.
    """
    # Reading the viewer takes some hundredths of a second, which other commands save.
    from explorer.page import page

    try:
        # A file's name, in the title, may contain bytes that are no text.
        path.write_bytes(page(to_json(graph), title).encode("utf-8", "replace"))
    except OSError as error:
        typer.echo(terminal_text(f"{path} cannot be written: {error.strerror}"), err=True)
        raise typer.Exit(1) from None
    typer.echo(terminal_text(f"written to {path}"), err=True)
