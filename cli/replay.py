"""``sparklin replay``: has the app process runs again."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.connections import Local, services_for
from cli.names import run_named, unknown_run
from cli.output import AsJson, AsText, followed, print_json, wants_text
from cli.plurals import counted
from cli.show_target import complete
from cli.tables import print_line, print_run
from cli.tasks import replay_runs as steps
from cli.tasks.replay_runs import Candidate, Outcome
from cli.terminal_text import terminal_text
from cli.time_span import since as parse_since
from pipeline.services import Services
from storage.event_rows import Status

_POLL_SECONDS = 1.0
_UNFINISHED = (Status.RECEIVED, Status.WAITING, Status.RETRYING)


def replay(
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="All dead-lettered runs.")] = False,
    run: Annotated[str, typer.Option(metavar="ID", help="One run, by its id.", autocompletion=complete)] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="All runs with an event since then: 2h, 3d or a time.")
    ] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also processed runs; upload them again. With --run, also a run that has not ended."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which runs would be replayed.")] = False,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, help="Seconds to wait for the app; 0 does not wait.")
    ] = 300,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Have the app process runs again: dead-lettered ones, one run, or all runs since a time. Safe to repeat.

    Exit code 1 if one of the runs was not processed in the end.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    if sum((dead_letters, bool(run), bool(since))) != 1:
        raise typer.BadParameter("give exactly one of --dead-letters, --run ID and --since TIME")
    start = parse_since(since) if since else None
    services = services_for(local=local)
    found = _candidates(list(_keys(run, start, services)), services, force=force, settle=force and bool(run))
    if dead_letters:
        found = _with_events(found)
    wanted = [each for each in found if not each.refusal]
    done: dict[str, Outcome] = {}
    if not dry_run:
        _enqueue(wanted, services, force=force)
        done = _awaited(wanted, services, wait)
    if not is_text:
        print_json(as_object(found, done, dry_run=dry_run))
    elif run and not found[0].events:
        typer.echo(terminal_text(unknown_run(run)), err=True)
    else:
        _show(found, done, dry_run=dry_run)
    if _failed(found, wanted, done, asked_for_one=bool(run), waited=bool(wait) and not dry_run):
        raise typer.Exit(1)


def _keys(run: str, start: datetime | None, services: Services) -> Iterable[str]:
    """The requested runs: one, those since a time, or those with dead letters."""
    if run:
        return [run_named(run)]
    return steps.runs_since(start, services) if start else steps.runs_of_dead_letters(services)


def _candidates(keys: Sequence[str], services: Services, *, force: bool, settle: bool) -> list[Candidate]:
    looked_at = steps.candidates(keys, services, force=force, settle=settle)
    return list(followed(looked_at, "reading runs", total=len(keys)))


def _with_events(found: Sequence[Candidate]) -> list[Candidate]:
    """The runs that can be replayed; a line on stderr counts the other dead letters."""
    known = [each for each in found if each.events]
    if len(known) < len(found):
        count = len(found) - len(known)
        verb = "has" if count == 1 else "have"
        text = f"{counted(count, 'dead letter')} {verb} no events to replay; sparklin purge deletes old ones"
        typer.echo(text, err=True)
    return known


def _enqueue(wanted: Sequence[Candidate], services: Services, *, force: bool) -> None:
    enqueued = steps.enqueue(wanted, services, force=force)
    deque(followed(enqueued, "enqueueing runs", total=len(wanted)), maxlen=0)


def as_object(found: Sequence[Candidate], done: dict[str, Outcome], *, dry_run: bool) -> dict[str, Any]:
    """The result by the contract in docs/contracts/replay.schema.json."""
    return {"dryRun": dry_run, "runs": [_run(each, done.get(each.run_key), dry_run=dry_run) for each in found]}


def _run(each: Candidate, outcome: Outcome | None, *, dry_run: bool) -> dict[str, Any]:
    if each.refusal:
        state, message = "skipped", each.refusal
    elif outcome:
        state, message = outcome.status.value, outcome.message
    else:
        state, message = ("wanted", "") if dry_run else ("enqueued", "the app has not started on it yet")
    return {"run": each.run_key, "job": each.job, "events": each.events, "state": state, "message": message}


def _awaited(wanted: Sequence[Candidate], services: Services, seconds: int) -> dict[str, Outcome]:
    """What happened to the runs within that time; runs that the app has not processed are missing."""
    done: dict[str, Outcome] = {}
    deadline = time.monotonic() + seconds
    if not seconds or not wanted:
        return done
    settled = _settled([each.run_key for each in wanted], services, deadline)
    for key, outcome in followed(settled, "waiting for the app", total=len(wanted)):
        done[key] = outcome
    return done


def _settled(open_keys: list[str], services: Services, deadline: float) -> Iterable[tuple[str, Outcome]]:
    while open_keys:
        now = list(steps.outcomes(open_keys, services))
        yield from now
        open_keys = [key for key in open_keys if key not in dict(now)]
        if not open_keys or time.monotonic() > deadline:
            return
        time.sleep(_POLL_SECONDS)


def _failed(
    found: Sequence[Candidate],
    wanted: Sequence[Candidate],
    done: dict[str, Outcome],
    *,
    asked_for_one: bool,
    waited: bool,
) -> bool:
    if asked_for_one and not found[0].events:
        return True
    bad = (Status.DEAD_LETTERED, Status.RETRYING)
    return waited and (len(done) < len(wanted) or any(outcome.status in bad for outcome in done.values()))


def _show(found: Sequence[Candidate], done: dict[str, Outcome], *, dry_run: bool) -> None:
    console = Console()
    for each in found:
        shown = _run(each, done.get(each.run_key), dry_run=dry_run)
        state = "would be replayed" if shown["state"] == "wanted" else shown["state"]
        text = ", ".join(filter(None, (counted(each.events, "event"), each.application)))
        print_run(console, each.run_key, f"{state} ({text})", shown["message"])
    print_line(console, _summary(found, done, dry_run=dry_run))


def _summary(found: Sequence[Candidate], done: dict[str, Outcome], *, dry_run: bool) -> str:
    """How many runs were processed, and what became of the others."""
    skipped = sum(bool(each.refusal) for each in found)
    wanted = len(found) - skipped
    if dry_run:
        return f"{wanted} of {counted(len(found), 'run')} would be replayed"
    given_up = sum(outcome.status is Status.DEAD_LETTERED for outcome in done.values())
    processed = sum(outcome.status not in _UNFINISHED for outcome in done.values()) - given_up
    waiting = wanted - processed - given_up
    parts = [
        f"{processed} of {counted(len(found), 'run')} processed",
        f"{waiting} still {'waits' if waiting == 1 else 'wait'}" if waiting else "",
        f"{given_up} dead-lettered" if given_up else "",
        f"{skipped} skipped" if skipped else "",
    ]
    return "; ".join(filter(None, parts))
