"""``sparklin status``: what happened to the events of the last hours."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cli.connections import Local, services_for
from cli.output import AsJson, AsText, messages, print_json, wants_text
from cli.plurals import counted
from cli.run_counts import counts_text
from cli.tables import print_line
from cli.tasks.status_report import FolderReport, JobCount, StatusReport, status_report
from cli.time_span import since as parse_since
from core.event_model import Written
from storage.event_rows import EventRow, Status

_SHOWN_JOBS = 30


def status(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Events received since then: 90m, 2h, 3d or a time.")
    ] = "24h",
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, help="Read about this many events at most, the newest first.")
    ] = 100_000,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Show what happened to the events, in total and by job.

    Also the event that has waited longest, and the last errors.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    start = parse_since(since)
    services = services_for(local=local)
    with messages().status("reading events") as talk:
        found = status_report(
            start,
            datetime.now(UTC),
            limit,
            services,
            lambda hour, number: talk.update(f"reading the events of {hour:%Y-%m-%d %H}:00 UTC, {number:,} so far"),
        )
    if not is_text:
        print_json(as_object(found))
    else:
        _show(found)


def as_object(found: StatusReport) -> dict[str, Any]:
    """The result by the contract in docs/contracts/status.schema.json."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "truncated": found.truncated,
        "events": found.statuses.total(),
        "byStatus": _counts(found.statuses),
        "oldestWaiting": _event(found.oldest) if found.oldest else None,
        "poisonMessages": found.poison,
        "lastErrors": [_event(row) for row in found.errors],
        "jobs": [
            {
                "namespace": namespace,
                "application": name,
                "events": job.statuses.total(),
                "byStatus": _counts(job.statuses),
                "last": job.last.isoformat(),
                "lastRun": _last_run(job),
            }
            for (namespace, name), job in sorted(found.jobs.items())
        ],
        "folders": [_folder(folder) for folder in found.folders],
    }


def _last_run(job: JobCount) -> dict[str, Any] | None:
    run, written = job.last_run, job.written or Written()
    if run is None:
        return None
    counts = {"rowsWritten": written.rows, "bytesWritten": written.bytes, "filesWritten": written.files}
    return {"run": run.run_key, "state": run.state, **counts}


def _folder(folder: FolderReport) -> dict[str, Any]:
    state = folder.state
    return {
        "folder": folder.address,
        "files": state.files,
        "pendingFiles": state.pending_files,
        "pendingBytes": state.pending_bytes,
        "kept": folder.kept,
        "ignored": folder.ignored,
        "rejected": folder.rejected,
        "checked": state.checked.isoformat() if state.checked else None,
        "error": state.error,
    }


def _counts(statuses: Counter[Status]) -> dict[str, int]:
    return {status.value: statuses[status] for status in Status if statuses[status]}


def _event(row: EventRow) -> dict[str, Any]:
    return {
        "run": row.run_key,
        "job": row.job_name,
        "status": row.status.value,
        "received": row.received.isoformat(),
        "message": row.message,
    }


def _show(found: StatusReport) -> None:
    console = Console()
    counts = ", ".join(f"{number} {name}" for name, number in _counts(found.statuses).items())
    console.print(
        Text(f"{counted(found.statuses.total(), 'event')} since {found.since:%Y-%m-%d %H:%M} UTC: {counts or 'none'}")
    )
    if found.truncated:
        console.print(Text("there are more events; a higher --limit reads further back", style="yellow"))
    if found.oldest:
        print_line(console, f"oldest waiting event: {_line(found.oldest)}")
    for queue, number in (found.poison or {}).items():
        print_line(console, f"{number} in {queue} that no function takes; see docs/retries.md", "yellow")
    errors = [row for row in found.errors if row != found.oldest]
    if errors:
        print_line(console, "last errors:")
    for row in errors:
        print_line(console, f"  {_line(row)}", "yellow")
    for folder in found.folders:
        print_line(console, _described(folder), "yellow" if folder.state.error or not folder.state.checked else "")
    _show_jobs(console, found)


def _described(folder: FolderReport) -> str:
    state = folder.state
    when = f"checked {state.checked:%Y-%m-%d %H:%M}" if state.checked else "not collected yet"
    counts = f"{folder.kept} kept, {folder.ignored} ignored, {folder.rejected} rejected"
    left = (
        f"; {counted(state.pending_bytes, 'byte')} of {counted(state.pending_files, 'file')} to read"
        if state.pending_files
        else ""
    )
    error = f"; {state.error}" if state.error else ""
    return f"folder {folder.address}: {counted(state.files, 'file')}, {counts}, {when}{left}{error}"


def _line(row: EventRow) -> str:
    what = f"{row.status.value} since {row.received:%Y-%m-%d %H:%M}: run {row.run_key}, {row.job_name}"
    return f"{what}: {row.message}" if row.message else what


def _show_jobs(console: Console, found: StatusReport) -> None:
    """Two lines for each job, so that a name is never broken."""
    ranked = sorted(found.jobs.items(), key=lambda item: (-item[1].statuses.total(), item[0]))
    for (namespace, name), job in ranked[:_SHOWN_JOBS]:
        counts = ", ".join(f"{number} {label}" for label, number in _counts(job.statuses).items())
        print_line(console, f"{namespace}/{name}", "bold")
        print_line(
            console, f"  {counted(job.statuses.total(), 'event')}, the last {job.last:%Y-%m-%d %H:%M} UTC: {counts}"
        )
        if last := _last_run(job):
            wrote = counts_text(last)
            print_line(console, f"  last run {last['run']}: {last['state']}{f', wrote {wrote}' if wrote else ''}")
    if len(ranked) > _SHOWN_JOBS:
        print_line(console, f"… and {len(ranked) - _SHOWN_JOBS} more applications")
