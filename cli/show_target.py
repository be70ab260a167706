"""The argument ``RUN|JOB`` of ``sparklin show``: also the beginning of a run's id, and a part of a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import typer

from cli.connections import services_for
from cli.names import run_named, unknown_run
from cli.tasks.known_names import applications, applications_like, may_be_part_of_run, runs_beginning_with
from cli.terminal_text import terminal_text
from pipeline.services import Services

_RUN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|x-[0-9a-f]{32}")
_MOST_COMPLETED = 200
_COMPLETED_SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Target:
    """A run by its key, or an application by its name."""

    name: str
    is_run: bool


def target_of(text: str, since: datetime, services: Services, *, is_run: bool) -> Target:
    """The target that a text names: a run by its id or the beginning of it, or else an application.

    :raises typer.Exit: with 2 if several runs begin with it; stderr lists them.
    """
    if is_run or _RUN.fullmatch(text.strip()):
        return Target(run_named(text), is_run=True)
    if may_be_part_of_run(text):
        runs = runs_beginning_with(text, since, datetime.now(UTC), services)
        if len(runs) == 1:
            return Target(runs[0], is_run=True)
        if runs:
            _list(f"{len(runs)} runs begin with {text!r}; give more of the id:", runs)
            raise typer.Exit(2)
    return Target(text, is_run=False)


def application_like(text: str, since: datetime, services: Services) -> Target | None:
    """The one application whose name contains a text that is not a whole name; None if there is none.

    :raises typer.Exit: with 2 if there are several; stderr lists them.
    """
    found = applications_like(text, since, datetime.now(UTC), services).applications
    if len(found) > 1:
        _list(f"{len(found)} applications fit {text!r}; give more of the name:", found)
        raise typer.Exit(2)
    return Target(found[0], is_run=False) if found else None


def say_unknown(target: Target, since: datetime, services: Services) -> None:
    """Print on stderr that nothing is known, and similar names."""
    if target.is_run:
        _list(unknown_run(target.name), ())
        return
    elsewhere = "sparklin status lists all, --since reads further, --run takes it for the id of a run"
    near = applications_like(target.name, since, datetime.now(UTC), services).near
    _list(f"no application {target.name!r} is known in this period; {elsewhere}", near, "similar names:")


def complete(ctx: Any, incomplete: str) -> list[str]:
    """Applications and runs that begin with the typed text; nothing if storage is unavailable."""
    try:
        services = services_for(local=bool(ctx.params.get("local")))
        now = datetime.now(UTC)
        rows = [row for row, _ in zip(services.events.rows(now - _COMPLETED_SPAN, now), range(2_000), strict=False)]
        named = {name.partition("/")[2] for name in applications(rows, services)} | {row.run_key for row in rows}
        return sorted(name for name in named if name.startswith(incomplete))[:_MOST_COMPLETED]
    except Exception:  # noqa: BLE001 - a shell that completes has no place for messages
        return []
    except SystemExit:
        return []


def _list(title: str, names: Iterable[str], heading: str = "") -> None:
    typer.echo(terminal_text(title), err=True)
    listed = list(names)
    if listed and heading:
        typer.echo(heading, err=True)
    for name in listed[:20]:
        typer.echo(terminal_text(f"  {name}"), err=True)
    if len(listed) > 20:
        typer.echo(f"  … and {len(listed) - 20} more", err=True)
