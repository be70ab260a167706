"""``sparklin config spark``: the lines that Spark needs on a platform, to paste."""

from enum import Enum
from typing import Annotated

import typer

from cli.connections import Local, stack_values
from cli.output import AsJson, print_json
from cli.spark_settings import filled, lines, platforms


class Platform(Enum):
    """Where Spark runs."""

    FABRIC = "fabric"
    SYNAPSE = "synapse"
    DATABRICKS = "databricks"
    SUBMIT = "submit"


def spark(
    platform: Annotated[
        Platform, typer.Option("--platform", metavar="NAME", help="fabric, synapse, databricks or submit.")
    ],
    url: Annotated[
        str, typer.Option(metavar="URL", envvar="SPARKLIN_RECEIVER", help="The function app's address.")
    ] = "",
    namespace: Annotated[str, typer.Option(metavar="NAME", help="The job namespace, such as the workspace.")] = "",
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Print the lines that Spark needs to send its events, for a platform.

    For Fabric without --url, these are the lines for Fabric's own agent, whose files the app collects. The function key
    is left for you to fill in, except with --local. Lines are printed in a pipe as well; --json prints an object for
    notebooks.
    """
    if url and not url.startswith(("https://", "http://")):
        raise typer.BadParameter("must be an address such as https://<app>.azurewebsites.net", param_hint="--url")
    stack = stack_values() if local else {}
    address = (stack.get("receiver") or url).rstrip("/")
    is_files = platform is Platform.FABRIC and not address
    found = platforms()["fabric-files" if is_files else platform.value]
    settings = filled(found.settings, address, stack.get("functionKey", ""), namespace)
    if as_json:
        print_json({"platform": platform.value, "page": found.page, "settings": settings})
        return
    for line in lines(settings):
        typer.echo(line)
    for line in found.optional:
        typer.echo(f"# {line}")
    typer.echo(f"enter them in {found.where}; see {found.page}", err=True)
