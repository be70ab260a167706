"""``sparklin relink``: moves processes from assets that Sparklin created to those that scans created later."""

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cli.connections import Local, services_for
from cli.output import AsJson, AsText, followed, print_json, wants_text
from cli.tables import print_line, short
from cli.tasks import relink_processes as steps
from cli.tasks.relink_processes import Leftover, Move
from cli.terminal_text import terminal_text
from core.catalog_model import Asset
from core.errors import SparklinError
from core.threads import stream_in_threads
from pipeline.services import Services


def relink(
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply the changes; without this option, only show them.")
    ] = False,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Move processes to assets that scans created later, and delete placeholders that nothing refers to any more.

    Only assets that Sparklin created are deleted, and only if people added nothing to them (a description, a
    classification, …). Safe to repeat.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    services = services_for(local=local)
    found = list(followed(steps.moves(services), "looking for scanned assets"))
    failed = _move(found, services) if apply else {}
    # Without --apply, the result is shown as if the processes had been moved.
    moving = frozenset() if apply else frozenset(move.process_guid for move in found)
    ours = dict.fromkeys(move.ours for move in found if move.process not in failed)
    looked_at = stream_in_threads(
        lambda asset: _leftover(asset, services, moving, failed, apply=apply), ours, steps.AT_ONCE
    )
    left = list(filter(None, followed(looked_at, "reading placeholders", len(ours))))
    if not is_text:
        print_json(as_object(found, left, failed, applied=apply))
    else:
        _show(found, left, applied=apply)
    for name, reason in failed.items():
        typer.echo(terminal_text(f"{name}: {reason}"), err=True)
    if failed:
        raise typer.Exit(1)


def as_object(
    found: Sequence[Move], left: Sequence[Leftover], failed: dict[str, str], *, applied: bool
) -> dict[str, Any]:
    """The result by the contract in docs/contracts/relink.schema.json."""
    return {
        "applied": applied,
        "moves": [
            {
                "process": move.process,
                "dataset": str(move.dataset),
                "from": _asset(move.ours),
                "to": _asset(move.scanned),
                "moved": not move.pending or (applied and move.process not in failed),
            }
            for move in found
        ],
        "placeholders": [
            {**_asset(item.asset), "removed": applied and not item.kept, "kept": item.kept or None} for item in left
        ],
    }


def _move(found: Iterable[Move], services: Services) -> dict[str, str]:
    """Move what is pending; return the reason for each process that could not be moved."""
    by_process: defaultdict[str, list[Move]] = defaultdict(list)
    for move in found:
        if move.pending:
            by_process[move.process].append(move)
    failed: dict[str, str] = {}

    def moved(process: str) -> None:
        try:
            steps.apply(process, by_process[process], services)
        except SparklinError as error:
            failed[process] = str(error)

    each = stream_in_threads(moved, by_process, steps.AT_ONCE)
    deque(followed(each, "moving processes", len(by_process)), maxlen=0)
    return failed


def _leftover(
    asset: Asset, services: Services, moving: Container[str], failed: dict[str, str], *, apply: bool
) -> Leftover | None:
    """Delete or keep a leftover asset; one that cannot be read or deleted is kept and counts as failed."""
    try:
        left = steps.leftover(asset, services, moving)
        return steps.remove(asset, services) if left and apply and not left.kept else left
    except SparklinError as error:
        failed[asset.name.qualified_name] = str(error)
        return Leftover(asset, str(error))


def _asset(asset: Asset) -> dict[str, str]:
    return {"type": asset.name.type_name, "qualifiedName": asset.name.qualified_name, "guid": asset.guid}


def _show(found: Sequence[Move], left: Sequence[Leftover], *, applied: bool) -> None:
    console = Console()
    for move in found:
        if move.pending:
            print_line(console, move.process.rpartition("#")[0], "bold")
            print_line(console, f"  from {short(move.ours.name.qualified_name)} to {_described(move.scanned)}")
    for item in left:
        what = item.kept or ("deleted" if applied else "would be deleted")
        print_line(console, f"placeholder {_described(item.asset)}: {what}")
    pending = sum(move.pending for move in found)
    done = "moved" if applied else "to be moved; run again with --apply"
    console.print(Text(f"{pending} reference{'' if pending == 1 else 's'} {done}" if pending else "nothing to move"))


def _described(asset: Asset) -> str:
    return f"{asset.name.type_name} {short(asset.name.qualified_name)}"
