"""``sparklin grant``: gives the app's identity its role in Purview."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from cli.output import AsJson, AsText, print_json, wants_text
from cli.terminal_text import terminal_text
from core.errors import CatalogRefused, CatalogUnavailable
from core.settings import Settings
from purview.collection_roles import Change, Collection, CollectionRoles

_CHANGES = {
    Change.NONE: "the identity has the role already",
    Change.MEMBER: "the identity {} to those who have the role",
    Change.RULE: "a rule for the role {}, with the identity in it",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for a collection: the change of its policy, or None and the reason."""

    collection: Collection
    change: Change | None
    reason: str = ""


def grant(
    principal: Annotated[
        str,
        typer.Argument(metavar="OBJECT_ID", help="The object (principal) id of the app's identity; not its client id."),
    ],
    collection: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A collection, by either of its names; can be repeated. Default: the root."),
    ] = None,
    all_collections: Annotated[
        bool, typer.Option("--all-collections", help="Every collection that you can see.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be changed.")] = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Make an identity a Data Curator of Purview collections. A role on the root applies below it as well.

    Works with PURVIEW_ENDPOINT and the identity of `az login`, which must be a Collection Admin. Safe to repeat.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    member = _object_id(principal)
    settings = Settings.of_catalog()
    with CollectionRoles(settings.purview_endpoint, settings.purview_auth) as roles:
        wanted = _collections(roles, collection or [], every=all_collections)
        outcomes = [_grant(roles, each, member, dry_run=dry_run) for each in wanted]
    if not is_text:
        print_json(as_object(outcomes, member, applied=not dry_run))
    else:
        _show(outcomes, dry_run=dry_run)
    for outcome in outcomes:
        if outcome.change is None:
            typer.echo(terminal_text(f"{outcome.collection.name}: {outcome.reason}"), err=True)
    if any(outcome.change is None for outcome in outcomes):
        raise typer.Exit(1)


def as_object(outcomes: Sequence[Outcome], principal: str, *, applied: bool) -> dict[str, Any]:
    """The result by the contract in docs/contracts/grant.schema.json."""
    return {
        "applied": applied,
        "principal": principal,
        "role": "Data Curator",
        "collections": [
            {
                "name": outcome.collection.name,
                "friendlyName": outcome.collection.friendly_name or None,
                "change": outcome.change.value if outcome.change else None,
                "reason": outcome.reason or None,
            }
            for outcome in outcomes
        ],
    }


def _object_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter("an object id is a UUID", param_hint="PRINCIPAL") from None


def _collections(roles: CollectionRoles, names: Sequence[str], *, every: bool) -> list[Collection]:
    try:
        if not names and not every:
            return [roles.root]
        known = roles.collections()
    except CatalogRefused as error:
        typer.echo(terminal_text(f"{error.reason}. {error.remedy}"), err=True)
        raise typer.Exit(1) from None
    return known if every else [_named(name, known) for name in names]


def _named(name: str, known: Sequence[Collection]) -> Collection:
    found = [each for each in known if name in (each.name, each.friendly_name)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{each.name} ({each.friendly_name})" for each in found or known)
    text = (
        f"several collections are called {name}: {listed}" if found else f"there is no collection {name}, only {listed}"
    )
    raise typer.BadParameter(terminal_text(text), param_hint="--collection")


def _grant(roles: CollectionRoles, collection: Collection, principal: str, *, dry_run: bool) -> Outcome:
    try:
        return Outcome(collection, roles.grant(collection, principal, dry_run=dry_run))
    except CatalogRefused as error:
        return Outcome(collection, None, f"{error.reason}. {error.remedy}")
    except CatalogUnavailable as error:
        return Outcome(collection, None, error.reason)


def _show(outcomes: Sequence[Outcome], *, dry_run: bool) -> None:
    console = Console()
    for outcome in outcomes:
        if outcome.change:
            text = _CHANGES[outcome.change].format("to be added" if dry_run else "added")
            name = outcome.collection.friendly_name or outcome.collection.name
            console.print(Text(terminal_text(f"{name}: {text}")), soft_wrap=True)
