"""``sparklin doctor``: finds what is wrong with a deployment, and says how to fix it."""

from collections.abc import Iterator
from typing import Annotated, Any

import requests
import typer
from rich.console import Console

from cli.checks.catalogue import check_catalogue
from cli.checks.check import Check, State, ok, skipped, wrong
from cli.checks.collections import check_collections
from cli.checks.end_to_end import check_end_to_end
from cli.checks.endpoint import Receiver, check_receiver
from cli.checks.folders import check_folders
from cli.checks.network import RECEIVER_ADDRESS, check_network
from cli.checks.storage import check_storage, look_at_storage
from cli.connections import INTERACTIVE, Local, stack_settings, stack_values
from cli.output import AsJson, AsText, print_json, wants_text
from cli.tables import print_line
from core.errors import SettingsError, SparklinError
from core.settings import Settings, function_key
from pipeline.processes import Naming
from pipeline.services import build_for_command
from purview.catalog import Catalog
from purview.process_name import type_of_naming

_STYLES = {State.OK: "green", State.NOTE: "yellow", State.WRONG: "red", State.SKIPPED: "dim"}


def doctor(
    receiver: Annotated[
        str,
        typer.Option(
            metavar="URL", envvar="SPARKLIN_RECEIVER", help="The function app: https://<app>.azurewebsites.net."
        ),
    ] = "",
    asset: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="TYPE QUALIFIED_NAME",
            help="Also check that Sparklin can find this asset, which you see in Purview.",
        ),
    ] = None,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="Seconds to wait until the test event is in the catalogue.")
    ] = 60,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Check a deployment, or the local stack, from the receiver to the catalogue. The test event is removed afterwards.

    The function key is read from SPARKLIN_FUNCTION_KEY.

    Exit code 1 if something is wrong.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    stack = stack_values() if local else {}
    if receiver and not receiver.startswith(("https://", "http://")):
        raise typer.BadParameter("must be an address such as https://<app>.azurewebsites.net", param_hint="--receiver")
    target = Receiver((stack.get("receiver") or receiver).rstrip("/"), stack.get("functionKey") or function_key())
    found: list[Check] = []
    for check in _checks(target, asset, wait, local=local):
        found.append(check)
        if is_text:
            _show(check)
    if not is_text:
        print_json(as_object(found))
    if any(check.state is State.WRONG for check in found):
        raise typer.Exit(1)


def as_object(found: list[Check]) -> dict[str, Any]:
    """The result by the contract in docs/contracts/doctor.schema.json."""
    return {
        "ok": all(check.state is not State.WRONG for check in found),
        "checks": [
            {"name": check.name, "state": check.state.value, "found": check.found, "repair": check.repair or None}
            for check in found
        ],
    }


def _checks(receiver: Receiver, asset: tuple[str, str] | None, wait: float, *, local: bool) -> Iterator[Check]:
    try:
        settings = Settings.from_env(instead=stack_settings() if local else {})
        Naming.of(settings)
    except SettingsError as error:
        for problem in error.problems:
            yield wrong("settings", problem, "set it in the environment, with the same value as in the app's settings")
        return
    yield ok("settings", "all are set and valid")
    is_private = False
    for check in check_network(_hosts(receiver, settings)):
        is_private |= check.name == RECEIVER_ADDRESS and check.state is State.NOTE
        yield check
    broken = False
    for check in _of_parts(receiver, settings, asset):
        broken |= check.state is State.WRONG
        yield check
    if broken or not receiver.url:
        yield skipped("end to end", "fix the problems above first")
        return
    try:
        services = build_for_command(settings)
    except SparklinError as error:
        yield wrong(
            "end to end", str(error), "run it again; if it fails again, fix LINEAGE_STORAGE… or NAME_RULES_FILE"
        )
        return
    yield from check_end_to_end(receiver, services, wait, is_private=is_private)


def _of_parts(receiver: Receiver, settings: Settings, asset: tuple[str, str] | None) -> Iterator[Check]:
    # The app creates missing tables, empty, when it is asked for anything.
    found = look_at_storage(settings.lineage_storage)
    if receiver.url:
        try:
            yield from check_receiver(receiver)
        except requests.RequestException as error:
            yield wrong("receiver", f"the app does not answer ({type(error).__name__})", "look at the app's log")
    else:
        yield skipped("receiver", "give --receiver, or SPARKLIN_RECEIVER, and the key in SPARKLIN_FUNCTION_KEY")
    yield from check_storage(look_at_storage(settings.lineage_storage) if found.is_new else found)
    yield from check_folders(settings)
    with Catalog(settings.purview_endpoint, settings.purview_auth, retry_policy=INTERACTIVE) as catalog:
        try:
            yield from check_catalogue(catalog, asset, type_of_naming(settings.process_naming))
        except SparklinError as error:
            yield wrong("Purview", str(error), "az login")
    yield from check_collections(settings)


def _hosts(receiver: Receiver, settings: Settings) -> dict[str, str]:
    storage = settings.lineage_storage
    hosts = {"the receiver": receiver.url, "storage": storage.blob_uri, "Purview": settings.purview_endpoint}
    return {what: address for what, address in hosts.items() if address}


def _show(check: Check) -> None:
    console = Console()
    print_line(console, f"{check.state.value:8}{check.name}: {check.found}", _STYLES[check.state])
    if check.repair:
        print_line(console, f"        repair: {check.repair}")
