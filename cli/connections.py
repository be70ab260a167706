"""The services behind commands that work on a deployment, or on the local stack."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from core.errors import SettingsError
from core.settings import Settings
from pipeline.services import Services, build_for_command
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy

#: A person waits for the answer, and no queue repeats the work.
INTERACTIVE = RetryPolicy(budget=5)

_STACK = Path(".local") / "stack.json"

Local = Annotated[bool, typer.Option("--local", help="Use the local stack of `make up` instead of the settings.")]


def services_for(*, local: bool) -> Services:
    """Clients of the storage and the catalogue that the settings name, or of those of the local stack.

    :raises SettingsError, StorageUnavailable: they cannot be used.
    """
    with _hinting(local=local):
        return build_for_command(Settings.from_env(instead=stack_settings() if local else {}))


def catalog_for(*, local: bool) -> Catalog:
    """A client of the catalogue alone; storage may be unavailable.

    :raises SettingsError: PURVIEW_ENDPOINT or another setting is missing or wrong.
    """
    with _hinting(local=local):
        settings = Settings.of_catalog(instead=stack_settings() if local else {})
    return Catalog(settings.purview_endpoint, settings.purview_auth, retry_policy=INTERACTIVE)


@contextmanager
def _hinting(*, local: bool) -> Iterator[None]:
    """Mention the local stack if settings are missing and a stack exists."""
    try:
        yield
    except SettingsError as error:
        if local or not _STACK.exists():
            raise
        raise SettingsError((*error.problems, "or use --local for the stack of `make up`")) from None


def stack_settings() -> dict[str, str]:
    """The settings of the local stack."""
    stack = stack_values()
    return {"LINEAGE_STORAGE": stack["storage"], "PURVIEW_ENDPOINT": stack["dataMap"], "PURVIEW_AUTH": "none"}


def stack_values() -> dict[str, str]:
    """What `make up` has written: receiver, functionKey, dataMap, page, storage.

    :raises typer.Exit: there is no stack in this folder, or its file is damaged; a message says how to start one.
    """
    try:
        values: dict[str, str] = json.loads(_STACK.read_text("utf-8"))
    except FileNotFoundError:
        message = (
            f"there is no local stack here ({_STACK}); go to the checkout where it runs, or start it with `make up`"
        )
    except ValueError:
        message = f"{_STACK} cannot be read; `make down`, then `make up` writes it again"
    else:
        if values.keys() >= {"dataMap", "storage"}:
            return values
        message = f"{_STACK} is not complete; `make down`, then `make up` writes it again"
    typer.echo(message, err=True)
    raise typer.Exit(2)
