"""``sparklin key-tag``: the tag by which the log names a function key."""

import typer

from core.key_tags import key_tag as tag_of
from core.settings import function_key


def key_tag() -> None:
    """Print the tag of the function key in SPARKLIN_FUNCTION_KEY: the log names the key of each request by its tag."""
    key = function_key()
    if not key:
        typer.echo("SPARKLIN_FUNCTION_KEY is not set", err=True)
        raise typer.Exit(2)
    typer.echo(tag_of(key))
