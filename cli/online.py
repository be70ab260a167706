"""The services behind commands that work on a deployment, or on the local stack."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.settings import Settings
from services import Services, build

_STACK = Path(".local") / "stack.json"

Local = Annotated[
    bool, typer.Option("--local", help="Work on the local stack that `make up` started, instead of by the settings.")
]


def settings_for(*, local: bool) -> Settings:
    """The app's settings, as in the environment; or those of the local stack.

    :raises SettingsError: one is missing or wrong.
    """
    return Settings.from_env(_of_stack()) if local else Settings.from_env()


def services_for(*, local: bool) -> Services:
    """Clients of the storage and the catalogue that the settings name.

    :raises SettingsError, StorageUnavailable: they cannot be used.
    """
    return build(settings_for(local=local))


def _of_stack() -> dict[str, str]:
    try:
        stack = json.loads(_STACK.read_text("utf-8"))
    except FileNotFoundError:
        typer.echo(f"there is no local stack here ({_STACK}); start it by `make up`", err=True)
        raise typer.Exit(2) from None
    return {"LINEAGE_STORAGE": stack["storage"], "PURVIEW_ENDPOINT": stack["dataMap"], "PURVIEW_AUTH": "none"}
