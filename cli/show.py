"""``sparklin show``: a run or a job, from its events to its processes in the catalogue."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.connections import Local, services_for
from cli.output import AsJson, AsText, print_json, wants_text
from cli.plurals import counted
from cli.preview import as_object as previewed
from cli.preview import preview_rules
from cli.run_counts import counts_object, counts_text, run_object
from cli.show_target import Target, application_like, complete, say_unknown, target_of
from cli.tables import print_line, print_process, print_run
from cli.tasks.run_details import JobDetails, RunDetails, ShownProcess, job_details, run_details
from cli.time_span import since as parse_since
from cli.web import Web, open_page
from core.errors import sentences
from pipeline.services import Services
from purview.links import asset_link
from storage.event_rows import EventRow

_SHOWN_RUNS = 30


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|JOB",
            help="A run's id or its first eight characters, or an application's name or a part of it.",
            autocompletion=complete,
        ),
    ],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="For a job, the runs since then: 90m, 2h, 3d or a time.")
    ] = "24h",
    is_run: Annotated[bool, typer.Option("--run", help="Treat RUN as a run even if it is not a UUID.")] = False,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
    web: Web = False,
) -> None:
    """Show a run (its events, its status and the reason, its processes) or a job (its processes and last runs).

    Exit code 1 if nothing is known of it, 2 if several fit.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    start = parse_since(since)
    services = services_for(local=local)
    target = target_of(what, start, services, is_run=is_run)
    known, shown = _shown(target, start, services)
    if not known and not target.is_run and (other := application_like(what, start, services)):
        known, shown = _shown(other, start, services)
    if web:
        open_page(next((each["link"] for each in shown["processes"] if each["link"]), ""))
    elif not is_text:
        print_json(shown)
    elif target.is_run:
        _show_run(shown)
    else:
        _show_job(shown)
    if not known:
        say_unknown(target, start, services)
        raise typer.Exit(1)


def _shown(target: Target, since: datetime, services: Services) -> tuple[bool, dict[str, Any]]:
    """Whether a run or job is known, and its object."""
    if target.is_run:
        run = run_details(target.name, preview_rules(services.settings), services)
        return bool(run.rows or run.letters), _run_object(run, services)
    job = job_details(target.name, since, datetime.now(UTC), services)
    return bool(job.processes or job.runs), _job_object(target.name, job, services)


def _run_object(run: RunDetails, services: Services) -> dict[str, Any]:
    """A run by the contract in docs/contracts/show.schema.json."""
    return {
        "run": run.run_key,
        "job": next((row.job_name for row in run.rows), ""),
        "events": [{"type": row.event_type, "time": row.event_time, **_row(row)} for row in run.rows],
        "decision": {
            "reason": next(iter(run.decided.reasons.values()), None),
            "processes": [previewed(each) for each in run.decided.processes],
        },
        "written": [
            {"output": each.process.sink.asset.qualified_name, **counts_object(newest)}
            for each in run.decided.processes
            for newest in each.newest_runs[:1]
        ],
        "processes": _processes(run.processes, services),
        "deadLetters": [
            {"time": letter.time.isoformat(), "reason": letter.reason, "remedy": letter.remedy}
            for letter in run.letters
        ],
        "retryAt": _time(run.retry_at),
    }


def _job_object(what: str, job: JobDetails, services: Services) -> dict[str, Any]:
    """A job by the same contract."""
    return {
        "job": what,
        "processes": _processes(job.processes, services),
        "runs": [{"run": row.run_key, "job": row.job_name, **_row(row)} for row in job.runs],
    }


def _row(row: EventRow) -> dict[str, Any]:
    return {"received": row.received.isoformat(), "status": row.status.value, "message": row.message}


def _processes(processes: Iterable[ShownProcess], services: Services) -> list[dict[str, Any]]:
    endpoint = services.settings.purview_endpoint
    return [
        {
            "qualifiedName": each.qualified_name,
            "name": each.name,
            "inputs": list(each.inputs),
            "output": each.sink,
            "runs": each.runs,
            "lastEvent": _time(each.last_event),
            "uploaded": _time(each.uploaded),
            "guid": each.guid or None,
            "link": asset_link(endpoint, each.guid) or None,
            "writtenBy": each.written_by or None,
            "lastRun": run_object(each.last_run) if each.last_run else None,
        }
        for each in processes
    ]


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _brief(time: str) -> str:
    """A time to the second."""
    return time[:19].replace("T", " ")


def _show_run(shown: dict[str, Any]) -> None:
    console = Console()
    print_line(console, f"run {shown['run']}, {shown['job'] or 'unknown job'}", "bold")
    explained = {sentences(letter["reason"], letter["remedy"]) for letter in shown["deadLetters"]}
    for event in shown["events"]:
        line = f"{event['type']} of {_brief(event['time'])}, received {_brief(event['received'])}: {event['status']}"
        message = "" if event["message"] in explained else event["message"]
        print_line(console, f"  {line}: {message}" if message else f"  {line}")
    if shown["retryAt"]:
        print_line(console, f"next retry at {_brief(shown['retryAt'])}", "yellow")
    for letter in shown["deadLetters"]:
        why = sentences(letter["reason"], letter["remedy"])
        print_line(console, f"dead-lettered at {_brief(letter['time'])}: {why}", "red")
    if shown["decision"]["reason"]:
        print_line(console, f"draws nothing: {shown['decision']['reason']}")
    for process in shown["decision"]["processes"]:
        print_process(console, process)
    for written in shown["written"]:
        if counts := counts_text(written):
            print_line(console, f"wrote {counts} to {written['output']}")
    _show_processes(console, shown["processes"])


def _show_job(shown: dict[str, Any]) -> None:
    console = Console()
    _show_processes(console, shown["processes"])
    if shown["runs"]:
        print_line(console, f"last runs of {shown['job']}, received (UTC), and their status:", "bold")
    for run in shown["runs"][:_SHOWN_RUNS]:
        print_run(console, run["run"], f"{_brief(run['received'])}  {run['status']}", run["message"])
    if len(shown["runs"]) > _SHOWN_RUNS:
        print_line(console, f"… and {len(shown['runs']) - _SHOWN_RUNS} more runs")


def _ended(run: dict[str, Any]) -> str:
    """The state of a run, its end, and what it wrote."""
    counts = counts_text(run)
    when = f" {_brief(run['ended'])}" if run["ended"] else ""
    return f"{run['state']}{when}{f', wrote {counts}' if counts else ''}"


def _show_processes(console: Console, processes: Iterable[dict[str, Any]]) -> None:
    for process in processes:
        state = f"uploaded {_brief(process['uploaded'])}" if process["uploaded"] else "not uploaded yet"
        runs = counted(process["runs"], "run")
        print_line(console, f"process {process['name']}: {state}, from {runs}", "bold")
        last = process["lastRun"]
        for line in (
            process["qualifiedName"],
            process["link"] or process["guid"],
            process["writtenBy"],
            f"last run {last['run']}: {_ended(last)}" if last else "",
        ):
            if line:
                print_line(console, f"  {line}")
