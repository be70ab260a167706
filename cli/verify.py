"""``sparklin verify``: checks whether a deployment does what the documentation claims."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
import typer
from rich.console import Console

from cli.checks.check import State as CheckState
from cli.checks.endpoint import Receiver
from cli.checks.network import RECEIVER_ADDRESS, check_network
from cli.connections import Local, services_for, stack_values
from cli.output import AsJson, AsText, print_json, wants_text
from cli.tables import print_line
from cli.verification.catalogue_types import type_claims
from cli.verification.claim import Claim, State
from cli.verification.log_queries import log_claims
from cli.verification.processing import Trial, processing_claims
from cli.verification.receiving import receiving_claims
from cli.verification.report import Cleaner, Environment, as_markdown, as_object
from core.settings import function_key
from core.version import VERSION

_TEMPLATE = Path("infra") / "azuredeploy.json"
_STYLES = {State.VERIFIED: "green", State.REFUTED: "red", State.UNKNOWN: "dim"}


def verify(
    receiver: Annotated[
        str,
        typer.Option(
            envvar="SPARKLIN_RECEIVER", metavar="URL", help="The function app: https://<app>.azurewebsites.net."
        ),
    ] = "",
    report: Annotated[
        Path, typer.Option(metavar="PATH", help="Where to write the report: this path with .md and with .json.")
    ] = Path("sparklin-verify"),
    names: Annotated[bool, typer.Option("--names", help="Show hosts and ids in the report instead of hashes.")] = False,
    app_insights: Annotated[
        str,
        typer.Option(
            metavar="ID", help="The Application ID of Application Insights: also verify the log and the alerts."
        ),
    ] = "",
    template: Annotated[Path, typer.Option(metavar="FILE", help="The compiled template with the alerts.")] = _TEMPLATE,
    wait: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Seconds to wait for each step of the app.")
    ] = 120,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Check what the documentation claims about a deployment, and write a report that can be published.

    Sends events of its own and removes them afterwards. Takes some minutes on Azure. The function key is read from
    SPARKLIN_FUNCTION_KEY.

    Exit code 1 if a claim is refuted.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    stack = stack_values() if local else {}
    target = Receiver((stack.get("receiver") or receiver).rstrip("/"), stack.get("functionKey") or function_key())
    _check_usage(target, report)
    services = services_for(local=local)
    cleaner = Cleaner((target.key, services.settings.lineage_storage.connection_string), hash_names=not names)
    claims: list[Claim] = []
    trial = Trial(target, services, wait, is_private=_is_private(target))
    for claim in _claims(trial, app_insights, template):
        claims.append(claim)
        if is_text:
            shown = cleaner.claim(claim)
            print_line(Console(), f"{shown.state.value:9}{shown.name}: {shown.seen}", _STYLES[shown.state])
    result = as_object(_environment(trial), claims, cleaner)
    written = _write(result, report)
    if not is_text:
        print_json(result)
    typer.echo(f"report: {', '.join(map(str, written))}", err=True)
    if result["refuted"]:
        raise typer.Exit(1)


def _check_usage(target: Receiver, report: Path) -> None:
    if not target.url.startswith(("https://", "http://")) or not target.key:
        raise typer.BadParameter("give --receiver, and the key in SPARKLIN_FUNCTION_KEY", param_hint="--receiver")
    if not os.access(report.parent, os.W_OK):
        raise typer.BadParameter(f"{report.parent} is not a folder that can be written to", param_hint="--report")


def _write(result: dict[str, Any], report: Path) -> tuple[Path, Path]:
    """Write the report, as Markdown and as JSON; the paths of both."""
    text, data = report.with_suffix(".md"), report.with_suffix(".json")
    data.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", "utf-8")
    text.write_text(as_markdown(result), "utf-8")
    return text, data


def _claims(trial: Trial, app_insights: str, template: Path) -> Iterator[Claim]:
    # First, because nothing may have started the app before.
    yield from receiving_claims(trial.receiver)
    yield from type_claims(trial.services.catalog)
    yield from processing_claims(trial)
    yield from log_claims(app_insights, template)


def _is_private(target: Receiver) -> bool:
    checks = check_network({"the receiver": target.url})
    return any(check.name == RECEIVER_ADDRESS and check.state is CheckState.NOTE for check in checks)


def _environment(trial: Trial) -> Environment:
    try:
        app = str(requests.get(f"{trial.receiver.url}/api/health", timeout=60).json()["version"])
    except (requests.RequestException, ValueError, KeyError, TypeError):
        app = ""
    return Environment(
        date=datetime.now(UTC),
        command=VERSION,
        app=app,
        receiver=urlsplit(trial.receiver.url).netloc,
        storage=urlsplit(trial.services.clients.blobs.url).netloc,
        purview=urlsplit(trial.services.settings.purview_endpoint).netloc,
        network="private" if trial.is_private else "public",
    )
