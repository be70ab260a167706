"""``sparklin rebuild``: rebuilds a store, or the catalogue, from the stored events."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.connections import Local, services_for, stack_settings
from cli.output import AsJson, AsText, followed, print_json, wants_text
from cli.plurals import counted
from cli.tables import print_line
from cli.tasks import rebuild_store as steps
from cli.tasks.rebuild_store import PublishedProcess, RecordedRun
from cli.terminal_text import terminal_text
from core.settings import Settings
from storage.clients import EVENT_METADATA, connect, provision_tables


def rebuild(
    catalogue: Annotated[
        bool,
        typer.Option(
            "--catalogue",
            help="Do not restore tables; just upload every process again, because assets were deleted in Purview.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be done.")] = False,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Restore lost tables from the stored events, then upload each process that is not shown as it should be.

    Needs the app's settings, and your identity needs the app's roles. Safe to repeat, and to use while the app
    runs.

    Exit code 1 if a run or process failed.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    settings = Settings.from_env(instead=stack_settings() if local else {})
    clients = connect(settings.lineage_storage)
    lost = steps.lost_tables(clients)
    if dry_run and lost:
        is_counted = () if catalogue else steps.count_events(clients)
        _print(as_object(list(is_counted), [], 0, lost, dry_run=True), catalogue=catalogue, is_text=is_text)
        return
    if not dry_run:
        provision_tables(clients)
    services = services_for(local=local)
    began = time.monotonic()
    runs: list[RecordedRun] = []
    processes: list[PublishedProcess] = []
    if not catalogue:
        found = steps.record_runs(services, dry_run=dry_run)
        runs.extend(followed(found, "recording runs"))
    if dry_run and catalogue:
        processes.extend(steps.count_processes(services))
    if not dry_run:
        published = steps.publish_processes(services, force=catalogue)
        processes.extend(followed(published, "uploading processes"))
    shown = as_object(runs, processes, time.monotonic() - began, lost, dry_run=dry_run)
    _print(shown, catalogue=catalogue, is_text=is_text)
    if shown["failures"]:
        raise typer.Exit(1)


def as_object(
    runs: Sequence[RecordedRun],
    processes: Sequence[PublishedProcess],
    seconds: float,
    tables: Sequence[str] = (),
    *,
    dry_run: bool,
) -> dict[str, Any]:
    """The result by the contract in docs/contracts/rebuild.schema.json."""
    failed = [(each.run_key, each.failure) for each in runs] + [(each.name, each.failure) for each in processes]
    return {
        "dryRun": dry_run,
        "tables": list(tables),
        "runs": len(runs),
        "events": sum(each.events for each in runs),
        "rows": sum(each.rows for each in runs),
        "processes": len(processes),
        "uploaded": sum(each.uploaded for each in processes),
        "seconds": round(seconds, 1),
        "failures": [{"what": what, "reason": reason} for what, reason in failed if reason],
    }


def _print(shown: dict[str, Any], *, catalogue: bool, is_text: bool) -> None:
    if is_text:
        _show(shown, catalogue=catalogue)
    else:
        print_json(shown)


def _show(shown: dict[str, Any], *, catalogue: bool) -> None:
    """Print the result; with ``catalogue`` no runs are read, so nothing is said about them."""
    console = Console()
    verb, planned = ("would be", "to be ") if shown["dryRun"] else ("were", "")
    if shown["tables"]:
        print_line(console, f"tables that {verb} restored: {', '.join(shown['tables'])}")
    if not catalogue:
        read = f"{counted(shown['runs'], 'run')} with {counted(shown['events'], 'event')}"
        print_line(console, f"{read}; {counted(shown['rows'], 'missing row')} {planned}added")
    if shown["dryRun"] and not shown["tables"] and shown["rows"] and shown["rows"] == shown["events"]:
        print_line(console, f"{EVENT_METADATA} has no rows of them: it was lost, perhaps with other tables", "yellow")
    if catalogue or not shown["dryRun"]:
        processes = counted(shown["processes"], "process", "processes")
        print_line(console, f"{processes}, {shown['uploaded']} of them {planned}uploaded or removed")
    print_line(console, f"took {shown['seconds']} s")
    for failure in shown["failures"]:
        print_line(console, terminal_text(f"failed: {failure['what']}: {failure['reason']}"), "yellow")
