"""The overview at ``/overview``: the status of the app's events, its last errors, and each application."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.tasks.status_report import JobCount, StatusReport
from core.event_model import Written
from local.data_map.app_status import MOST_APPLICATIONS, MOST_RUNS, AppReport, AppStatus, busiest
from local.data_map.data_map import DataMap
from local.data_map.frame import frame, table
from local.data_map.markup import Html, html, tag
from local.data_map.page_asset import ASSET_PAGE
from storage.event_rows import EventRow, Status

#: The script that updates the page every few seconds.
OVERVIEW_SCRIPT = Path(__file__).with_name("overview.js").read_text(encoding="utf-8")
OVERVIEW_SCRIPT_PATH = "/overview.js"

_SPANS: Mapping[str, tuple[str, timedelta]] = {
    "today": ("today", timedelta(0)),
    "24h": ("the last 24 hours", timedelta(hours=24)),
    "7d": ("the last 7 days", timedelta(days=7)),
}
# The meaning of each status, in the order in which an event has them.
_MEANINGS: Mapping[Status, str] = {
    Status.PROCESSED: "in the catalogue",
    Status.IGNORED: "no lineage in the run",
    Status.RECEIVED: "not looked at yet",
    Status.WAITING: "the run has not ended",
    Status.RETRYING: "failed, tried again",
    Status.DEAD_LETTERED: "given up, see below",
}
_BAD = (Status.RETRYING, Status.DEAD_LETTERED)
_FAILED = ("FAIL", "ABORT")
# The name and the guid of a stored process, by its qualified name.
_Named = Callable[[str], tuple[str, str] | None]


def overview(status: AppStatus, data_map: DataMap, params: Mapping[str, str]) -> str:
    """The page; ``since`` is one of today, 24h and 7d."""
    span = params.get("since", "") if params.get("since", "") in _SPANS else "today"
    found = status.read(_start(span, datetime.now(UTC)))
    content = tag("p", found, class_="note") if isinstance(found, str) else content_of(found, _names(data_map))
    choice = [
        tag("a", each.capitalize(), href=f"/overview?since={key}", aria_current="true" if key == span else None)
        for key, (each, _) in _SPANS.items()
    ]
    as_of = f"as of {found.made:%H:%M:%S} UTC" if isinstance(found, AppReport) else ""
    bar = tag(
        "div",
        tag("nav", choice, class_="choice", aria_label="Events of"),
        tag("span", as_of, id="as-of"),
        tag("button", "Stop updating", id="pause", type="button", aria_pressed="false"),
        class_="overview-bar",
    )
    return frame(
        "Overview", tag("h1", "Overview"), bar, tag("div", content, id="overview"), script=OVERVIEW_SCRIPT_PATH
    )


def _start(span: str, now: datetime) -> datetime:
    """The beginning of a span, the same for some time, so that a report can be cached."""
    if span == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    return now.replace(second=0, microsecond=0) - _SPANS[span][1]


def _names(data_map: DataMap) -> _Named:
    def named(qualified_name: str) -> tuple[str, str] | None:
        with data_map.store.reading() as session:
            found = session.named(("azure_synapse_operation",), qualified_name)
        return (found.display_text, found.guid) if found else None

    return named


def content_of(found: AppReport, named: _Named) -> Html:
    """The part of the page that changes."""
    report = found.report
    return html([_events(report), _errors(report), _applications(found, named), _folders(report)])


def _events(report: StatusReport) -> Html:
    total = report.statuses.total()
    tiles = [
        tag(
            "div",
            tag("dt", _words(status)),
            tag("dd", tag("b", f"{report.statuses[status]:,}"), tag("small", meaning)),
            class_="tile bad" if status in _BAD and report.statuses[status] else "tile",
        )
        for status, meaning in _MEANINGS.items()
    ]
    notes = [
        "The events that the receiver kept are counted. Events that it ignores (answer 200) or refuses (400) are not "
        "stored: the sender's answer and the app's log have the reason."
    ]
    if report.truncated:
        notes.insert(0, _not_counted(report, total))
    if report.oldest:
        notes.append(f"The oldest that is waiting: {_described(report.oldest)}.")
    notes += [f"{count} messages in {queue} that no function takes." for queue, count in (report.poison or {}).items()]
    return html(
        [
            tag("h2", "Events ", tag("span", f"{total:,}", class_="count")),
            tag("dl", tiles, class_="tiles"),
            [tag("p", note, class_="note") for note in notes],
        ]
    )


def _not_counted(report: StatusReport, total: int) -> str:
    since = report.cut_hour or report.since
    some = ", and not all of that hour" if report.cut_hour else ""
    return f"There are more events: {total:,} are counted, those since {since:%Y-%m-%d %H:%M} UTC{some}."


def _words(status: Status) -> str:
    return "Dead-lettered" if status is Status.DEAD_LETTERED else status.value


def _described(row: EventRow) -> str:
    return f"{row.job_name}, run {row.run_key[:8]}, {_words(row.status).lower()} since {_time(row.received)}"


def _errors(report: StatusReport) -> Html:
    heading = tag("h2", "Last errors")
    if not report.errors:
        return html([heading, tag("p", "None.", class_="note")])
    rows = [
        tag(
            "tr",
            tag("th", row.job_name or "unknown job", scope="row"),
            tag("td", _words(row.status), tag("p", f"run {row.run_key[:8]}, {_time(row.received)}", class_="type")),
            tag("td", row.message or "no reason is known"),
        )
        for row in report.errors
    ]
    command = tag("p", "All about one: ", tag("code", f"sparklin show {report.errors[0].run_key[:8]} --local"), ".")
    return html([heading, table(["Job", "Status", "Reason"], rows, scroll=True, label="Last errors"), command])


def _applications(found: AppReport, named: _Named) -> Html:
    jobs = busiest(found.report)
    heading = tag("h2", "Applications ", tag("span", f"{len(jobs):,}", class_="count"))
    if not jobs:
        hint = tag("p", "None yet. Send the demo's events: ", tag("code", "sparklin send examples/shop --local"), ".")
        return html([heading, hint])
    rows = [_application(name, job, found.processes.get(name, ()), named) for name, job in jobs[:MOST_APPLICATIONS]]
    more = f"The {MOST_APPLICATIONS} with the most events are shown; sparklin status --local --json lists all."
    runs = f"Lineage is that of the newest {MOST_RUNS} runs of each application."
    headings = ["Application", "Events", "Runs", "Last run", "Rows written", "Lineage"]
    return html(
        [
            heading,
            table(headings, rows, scroll=True, label="Applications"),
            tag("p", more, class_="note") if len(jobs) > MOST_APPLICATIONS else None,
            tag("p", runs, class_="note") if any(len(job.runs) > MOST_RUNS for _, job in jobs) else None,
        ]
    )


def _application(name: tuple[str, str], job: JobCount, processes: Sequence[str], named: _Named) -> Html:
    last, written = job.last_run, job.written or Written()
    failed = sum(run.state in _FAILED for run in job.runs.values())
    state = tag("span", last.state, class_="bad" if last.state in _FAILED else None) if last else None
    return tag(
        "tr",
        tag("th", name[1], tag("p", name[0], class_="qualified"), scope="row"),
        tag("td", f"{job.statuses.total():,}", class_="number"),
        tag("td", f"{len(job.runs):,}", tag("p", f"{failed:,} failed", class_="type") if failed else None),
        tag("td", state, tag("p", f"{last.run_key[:8]}, {_time(last.received)}", class_="type") if last else None),
        tag("td", "not known" if written.rows is None else f"{written.rows:,}", class_="number"),
        tag("td", _lineage(processes, named)),
    )


def _lineage(processes: Sequence[str], named: _Named) -> Html:
    """Links to processes; those of failed runs and of views, which the Data Map never has, are counted."""
    known = [found for each in processes if (found := named(each))]
    others = len(processes) - len(known)
    links = tag("ul", [tag("li", tag("a", name, href=ASSET_PAGE.replace("{guid}", guid))) for name, guid in known])
    return html(
        [
            links if known else None,
            tag("p", f"{others} not in the Data Map", class_="type") if others else None,
            None if processes else "none",
        ]
    )


def _folders(report: StatusReport) -> Html:
    if not report.folders:
        return html(None)
    rows = [
        tag(
            "tr",
            tag(
                "th", each.address, tag("p", each.state.error, class_="bad") if each.state.error else None, scope="row"
            ),
            [tag("td", f"{count:,}", class_="number") for count in (each.kept, each.ignored, each.rejected)],
            tag("td", f"{each.state.pending_files:,}", class_="number"),
            tag("td", _time(each.state.checked) if each.state.checked else "not yet"),
        )
        for each in report.folders
    ]
    headings = ["Folder", "Kept", "Ignored", "Refused", "Files to read", "Checked"]
    return html([tag("h2", "Folders of event files"), table(headings, rows, scroll=True, label="Folders")])


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
