"""``sparklin purge``: deletes what is older than the retention."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cli.connections import Local, services_for
from cli.output import AsJson, AsText, followed, print_json, wants_text
from cli.plurals import counted
from cli.tasks import purge_runs as steps
from cli.tasks.purge_runs import OldRun, Purged
from pipeline.services import Services

# What else is deleted, one and many, by its name in the contract.
_OTHERS = {
    "processes": ("row of a removed process", "rows of removed processes"),
    "locks": ("unused lock",),
    "cached": ("expired name of an asset", "expired names of assets"),
    "overflow": ("unused blob with details", "unused blobs with details"),
    "letters": ("dead letter without events", "dead letters without events"),
}


def purge(
    older_than: Annotated[
        int,
        typer.Option(
            "--older-than", metavar="DAYS", min=0, max=36_500, help="Delete events that are older than this many days."
        ),
    ],
    unprocessed: Annotated[
        bool, typer.Option("--unprocessed", help="Also events that wait, are retried or were dead-lettered.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply the changes; without this option, only show them.")
    ] = False,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Delete the stored events of old runs, and everything that is no longer needed.

    What Purview shows stays as it is. Safe to repeat.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    services = services_for(local=local)
    shortest = steps.shortest_retention(services)
    before = steps.cut_off(older_than)
    if older_than < shortest.days:
        raise typer.BadParameter(
            f"must be at least {shortest.days}, because of LINEAGE_WINDOW_DAYS and SETTLE_AFTER_MINUTES",
            param_hint="--older-than",
        )
    runs = followed(steps.old_runs(before, services), "reading old runs")
    deleted, kept, events = _delete(runs, services, unprocessed=unprocessed, apply=apply)
    rest = steps.delete_rest(before, services) if apply else None
    shown = as_object(before.isoformat(), deleted, kept, events, rest)
    if not is_text:
        print_json(shown)
    else:
        _show(shown)


def as_object(before: str, deleted: int, kept: int, events: int, rest: Purged | None) -> dict[str, Any]:
    """The result by the contract in docs/contracts/purge.schema.json."""
    return {
        "applied": rest is not None,
        "before": before,
        "runs": deleted,
        "events": events,
        "keptUnprocessed": kept,
        "others": asdict(rest) if rest else None,
    }


def _delete(runs: Iterable[OldRun], services: Services, *, unprocessed: bool, apply: bool) -> tuple[int, int, int]:
    """How many runs were deleted, how many were kept because they are unprocessed, and how many events were deleted."""
    # A run occurs once for each hour of its rows.
    deleted: dict[str, int] = {}
    kept: set[str] = set()

    def chosen() -> Iterator[OldRun]:
        for run in runs:
            if run.processed or unprocessed:
                deleted.setdefault(run.run_key, run.events)
                yield run
            else:
                kept.add(run.run_key)

    if apply:
        steps.delete_runs(chosen(), services)
    else:
        deque(chosen(), maxlen=0)
    return len(deleted), len(kept), sum(deleted.values())


def _show(shown: dict[str, Any]) -> None:
    console = Console()
    before = f"{shown['before'][:16].replace('T', ' ')} UTC"
    verb = "deleted" if shown["applied"] else "would be deleted; run again with --apply"
    if shown["runs"]:
        events = f"{counted(shown['events'], 'event')} of {counted(shown['runs'], 'run')}"
        console.print(Text(f"{events} before {before} {verb}"))
    else:
        console.print(Text(f"no events before {before} to delete"))
    if kept := shown["keptUnprocessed"]:
        why = "is kept because it was not processed" if kept == 1 else "are kept because they were not processed"
        console.print(Text(f"{counted(kept, 'run')} {why}; sparklin status says why", style="yellow"))
    for name, number in (shown["others"] or {}).items():
        if number:
            console.print(Text(f"{counted(number, *_OTHERS[name])} deleted"))
