"""The lines that commands print for people, from what they found."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cli import doctor, purge, rebuild, relink, replay, show, status
from cli.checks.check import Check
from cli.checks.check import State as CheckState
from cli.examples import EXAMPLES, epilog
from cli.run_counts import counts_text, run_object
from cli.tables import print_process, short
from cli.tasks.purge_runs import Purged
from cli.tasks.rebuild_store import PublishedProcess, RecordedRun
from cli.tasks.relink_processes import Leftover, Move
from cli.tasks.replay_runs import Candidate, Outcome
from cli.tasks.run_details import _is_of_job, native_job
from cli.tasks.status_report import FolderReport, JobCount, SeenRun, StatusReport, newest_of_runs
from core.catalog_model import Asset, AssetName
from core.event_model import DatasetId, Written
from explorer.graph import GraphRun
from storage.event_rows import EventRow, Status
from storage.file_progress import FolderState

Lines = Callable[[], list[str]]
NOON = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
TIME = NOON.isoformat()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was printed since the last call, on a very wide terminal."""
    monkeypatch.setenv("COLUMNS", "300")
    return lambda: capsys.readouterr().out.splitlines()


def row(run: str, state: Status, message: str = "") -> EventRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(EventRow))
    texts = {"run_key": run, "message": message, "job_name": "nb.node"}
    return EventRow(**{**known, **texts, "status": state, "received": NOON})


def a_process(**more: Any) -> dict[str, Any]:
    """A process of ``show`` that was drawn just now, of two runs."""
    known = {"name": "nb → t", "qualifiedName": "sparklin://ns/nb#t", "runs": 2, "uploaded": TIME, "guid": "g1"}
    return {**known, "link": None, "writtenBy": None, "lastRun": None, **more}


LAST_RUN: dict[str, Any] = {
    "run": "r1",
    "state": "COMPLETE",
    "ended": TIME,
    "rowsWritten": 1,
    "bytesWritten": None,
    "filesWritten": 2,
}
NOT_ENDED = {**dict.fromkeys(LAST_RUN), "run": "r2", "state": "RUNNING"}


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((1234, 5600, 3), "1,234 rows, 5.6 kB, 3 files"),
        ((1, 0, 1), "1 row, 0 bytes, 1 file"),
        ((0, None, None), "0 rows"),
        ((None, None, 2), "2 files"),
        ((None, None, None), ""),
    ],
)
def test_what_a_run_wrote(counts: tuple[int | None, ...], text: str) -> None:
    assert counts_text(dict(zip(("rowsWritten", "bytesWritten", "filesWritten"), counts, strict=True))) == text


@pytest.mark.parametrize(
    ("process", "shown"),
    [
        (
            a_process(),
            ["process nb → t: uploaded 2026-05-01 12:00:30, from 2 runs", "  sparklin://ns/nb#t", "  g1"],
        ),
        (
            a_process(runs=1, uploaded=None, guid=None, writtenBy="https://adb/#notebook/1", lastRun=LAST_RUN),
            [
                "process nb → t: not uploaded yet, from 1 run",
                "  sparklin://ns/nb#t",
                "  https://adb/#notebook/1",
                "  last run r1: COMPLETE 2026-05-01 12:00:30, wrote 1 row, 2 files",
            ],
        ),
        (
            a_process(link="https://purview/g1", lastRun=NOT_ENDED),
            [
                "process nb → t: uploaded 2026-05-01 12:00:30, from 2 runs",
                "  sparklin://ns/nb#t",
                "  https://purview/g1",
                "  last run r2: RUNNING",
            ],
        ),
    ],
)
def test_show_prints_a_process(process: dict[str, Any], shown: list[str], lines: Lines) -> None:
    show._show_job({"job": "nb", "processes": [process], "runs": []})

    assert lines() == shown


def test_show_prints_the_last_runs_of_a_job(lines: Lines) -> None:
    run = {"run": "r1", "received": TIME, "status": "DeadLettered", "message": "fix it"}
    head, two_lines = (
        "last runs of nb, received (UTC), and their status:",
        ["r1  2026-05-01 12:00:30  DeadLettered", "  fix it"],
    )

    show._show_job({"job": "nb", "processes": [], "runs": [run] * 30})
    all_of_them = lines()
    show._show_job({"job": "nb", "processes": [], "runs": [run] * 33})

    assert all_of_them == [head, *two_lines * 30]
    assert lines() == [*all_of_them, "… and 3 more runs"]


EVENT = {"type": "START", "time": TIME, "received": TIME}
RUN: dict[str, Any] = {
    "run": "r1",
    "job": "",
    "events": [],
    "retryAt": None,
    "deadLetters": [],
    "written": [],
    "processes": [],
}


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, ["run r1, unknown job"]),
        ({"job": "nb.node"}, ["run r1, nb.node"]),
        (
            {"events": [{"type": "START", "time": TIME, "received": TIME, "status": "Waiting", "message": ""}]},
            ["run r1, unknown job", "  START of 2026-05-01 12:00:30, received 2026-05-01 12:00:30: Waiting"],
        ),
        (
            {"events": [{"type": "FAIL", "time": TIME, "received": TIME, "status": "Ignored", "message": "no output"}]},
            ["run r1, unknown job", "  FAIL of 2026-05-01 12:00:30, received 2026-05-01 12:00:30: Ignored: no output"],
        ),
        ({"retryAt": TIME}, ["run r1, unknown job", "next retry at 2026-05-01 12:00:30"]),
        (
            {"deadLetters": [{"time": TIME, "reason": "not JSON", "remedy": "Send it again."}]},
            ["run r1, unknown job", "dead-lettered at 2026-05-01 12:00:30: not JSON. Send it again."],
        ),
        (
            {
                "events": [{**EVENT, "status": "DeadLettered", "message": "It failed. Fix it."}],
                "deadLetters": [{"time": TIME, "reason": "It failed.", "remedy": "Fix it."}],
            },
            [
                "run r1, unknown job",
                "  START of 2026-05-01 12:00:30, received 2026-05-01 12:00:30: DeadLettered",
                "dead-lettered at 2026-05-01 12:00:30: It failed. Fix it.",
            ],
        ),
        (
            {"decision": {"reason": "it failed", "processes": []}},
            ["run r1, unknown job", "draws nothing: it failed"],
        ),
        (
            {"written": [{**LAST_RUN, "output": "t"}, {**NOT_ENDED, "output": "u"}]},
            ["run r1, unknown job", "wrote 1 row, 2 files to t"],
        ),
    ],
)
def test_show_prints_a_run(more: dict[str, Any], shown: list[str], lines: Lines) -> None:
    show._show_run({**RUN, "decision": {"reason": None, "processes": []}, **more})

    assert lines() == shown


def test_status_prints_nothing_more_where_nothing_came(lines: Lines) -> None:
    status._show(StatusReport(NOON, NOON))

    assert lines() == ["0 events since 2026-05-01 12:00 UTC: none"]


def test_status_prints_counts_and_what_waits_or_failed(lines: Lines) -> None:
    oldest, failed = row("r1", Status.RETRYING, "Purview is busy"), row("r2", Status.DEAD_LETTERED)

    status._show(
        StatusReport(
            NOON,
            NOON,
            statuses=Counter({Status.RETRYING: 1, Status.PROCESSED: 2}),
            oldest=oldest,
            errors=[oldest, failed],
            truncated=True,
            poison={"q-poison": 3},
        )
    )

    assert lines() == [
        "3 events since 2026-05-01 12:00 UTC: 2 Processed, 1 Retrying",
        "there are more events; a higher --limit reads further back",
        "oldest waiting event: Retrying since 2026-05-01 12:00: run r1, nb.node: Purview is busy",
        "3 in q-poison that no function takes; see docs/retries.md",
        "last errors:",
        "  DeadLettered since 2026-05-01 12:00: run r2, nb.node",
    ]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (FolderState(), "0 files, 1 kept, 2 ignored, 3 rejected, not collected yet"),
        (FolderState(4, checked=NOON), "4 files, 1 kept, 2 ignored, 3 rejected, checked 2026-05-01 12:00"),
        (
            FolderState(4, 2, 700, NOON, "no access"),
            "4 files, 1 kept, 2 ignored, 3 rejected, checked 2026-05-01 12:00; 700 bytes of 2 files to read; no access",
        ),
    ],
)
def test_status_prints_a_folder(state: FolderState, shown: str, lines: Lines) -> None:
    status._show(StatusReport(NOON, NOON, folders=[FolderReport("https://lake/data", state, 1, 2, 3)]))

    assert lines()[1:] == [f"folder https://lake/data: {shown}"]


def test_status_prints_the_busiest_applications_first(lines: Lines) -> None:
    def job(events: int) -> JobCount:
        return JobCount(Counter({Status.PROCESSED: events}), NOON)

    busiest = job(3)
    busiest.runs, busiest.written = {"r1": SeenRun("r1", NOON, "COMPLETE")}, Written(1234)
    open_one = job(2)
    open_one.runs = {"r2": SeenRun("r2", NOON, "RUNNING")}
    others = {("ns", f"one{n:02}"): job(1) for n in range(30)}

    status._show(StatusReport(NOON, NOON, jobs={("ns", "b"): open_one, **others, ("ns", "z"): busiest}))

    assert lines()[1:] == [
        "ns/z",
        "  3 events, the last 2026-05-01 12:00 UTC: 3 Processed",
        "  last run r1: COMPLETE, wrote 1,234 rows",
        "ns/b",
        "  2 events, the last 2026-05-01 12:00 UTC: 2 Processed",
        "  last run r2: RUNNING",
        *(
            line
            for n in range(28)
            for line in (f"ns/one{n:02}", "  1 event, the last 2026-05-01 12:00 UTC: 1 Processed")
        ),
        "… and 2 more applications",
    ]


PROCESSED, FAILED = Outcome(Status.PROCESSED, ""), Outcome(Status.DEAD_LETTERED, "fix it")
RETRIED, IGNORED = Outcome(Status.RETRYING, "busy"), Outcome(Status.IGNORED, "no output")


@pytest.mark.parametrize(
    ("found", "done", "dry_run", "shown"),
    [
        (
            [Candidate("r1", "nb_1.node", 2, application="nb")],
            {},
            True,
            ["r1  would be replayed (2 events, nb)", "1 of 1 run would be replayed"],
        ),
        (
            [Candidate("r1", "", 1), Candidate("r2", "nb", 1, "it has not ended", application="nb")],
            {},
            False,
            [
                "r1  enqueued (1 event)",
                "  the app has not started on it yet",
                "r2  skipped (1 event, nb)",
                "  it has not ended",
                "0 of 2 runs processed; 1 still waits; 1 skipped",
            ],
        ),
        (
            [Candidate("r1", "", 1), Candidate("r2", "", 1)],
            {"r1": PROCESSED, "r2": FAILED},
            False,
            [
                "r1  Processed (1 event)",
                "r2  DeadLettered (1 event)",
                "  fix it",
                "1 of 2 runs processed; 1 dead-lettered",
            ],
        ),
        (
            [Candidate(run, "", 1) for run in ("r1", "r2", "r3")],
            {"r1": IGNORED, "r2": RETRIED},
            False,
            [
                *("r1  Ignored (1 event)", "  no output", "r2  Retrying (1 event)", "  busy"),
                *("r3  enqueued (1 event)", "  the app has not started on it yet"),
                "1 of 3 runs processed; 2 still wait",
            ],
        ),
    ],
)
def test_replay_prints_each_run(
    found: list[Candidate], done: dict[str, Outcome], dry_run: bool, shown: list[str], lines: Lines
) -> None:
    replay._show(found, done, dry_run=dry_run)

    assert lines() == shown


@pytest.mark.parametrize(
    ("done", "waited", "failed"),
    [
        ({"r1": PROCESSED}, True, False),
        ({"r1": FAILED}, True, True),
        ({}, True, True),
        ({"r1": FAILED}, False, False),
        ({}, False, False),
    ],
)
def test_a_replay_fails_if_a_run_was_waited_for_and_not_processed(
    done: dict[str, Outcome], waited: bool, failed: bool
) -> None:
    wanted = [Candidate("r1", "nb", 1)]

    assert replay._failed(wanted, wanted, done, asked_for_one=False, waited=waited) is failed


@pytest.mark.parametrize("asked_for_one", [True, False])
def test_a_replay_fails_if_the_run_that_was_asked_for_is_unknown(asked_for_one: bool) -> None:
    assert replay._failed([Candidate("r1", "", 0, "unknown")], [], {}, asked_for_one=asked_for_one, waited=True) is (
        asked_for_one
    )


OURS, SCANNED = (Asset(AssetName("azure_sql_table", f"mssql://s/d/dbo/{name}"), name) for name in ("ours", "scanned"))


def a_move(*, pending: bool = True) -> Move:
    return Move("sparklin://ns/nb#t", "g1", DatasetId("ns", "n"), OURS.name, OURS, SCANNED, pending)


@pytest.mark.parametrize(
    ("found", "left", "applied", "shown"),
    [
        ([], [], False, ["nothing to move"]),
        (
            [a_move(), a_move(pending=False)],
            [Leftover(OURS)],
            False,
            [
                "sparklin://ns/nb",
                "  from ours to azure_sql_table scanned",
                "placeholder azure_sql_table ours: would be deleted",
                "1 reference to be moved; run again with --apply",
            ],
        ),
        (
            [a_move(), a_move()],
            [Leftover(OURS), Leftover(SCANNED, "processes refer to it")],
            True,
            [
                *["sparklin://ns/nb", "  from ours to azure_sql_table scanned"] * 2,
                "placeholder azure_sql_table ours: deleted",
                "placeholder azure_sql_table scanned: processes refer to it",
                "2 references moved",
            ],
        ),
    ],
)
def test_relink_prints_moves_and_placeholders(
    found: list[Move], left: list[Leftover], applied: bool, shown: list[str], lines: Lines
) -> None:
    relink._show(found, left, applied=applied)

    assert lines() == shown


@pytest.mark.parametrize(
    ("found", "applied", "failed", "moved"),
    [
        (a_move(), False, {}, False),
        (a_move(), True, {}, True),
        (a_move(), True, {"sparklin://ns/nb#t": "busy"}, False),
        (a_move(pending=False), False, {}, True),
    ],
)
def test_relink_says_what_was_moved(found: Move, applied: bool, failed: dict[str, str], moved: bool) -> None:
    assert relink.as_object([found], [], failed, applied=applied)["moves"][0]["moved"] is moved


RUNS = [RecordedRun("r1", 3, 2), RecordedRun("r2", 1, 0, "not JSON")]
PROCESSES = [PublishedProcess("p1", uploaded=True), PublishedProcess("p2", uploaded=False, failure="refused")]


def test_rebuild_counts_and_lists_failures() -> None:
    assert rebuild.as_object(RUNS, PROCESSES, 1.26, ["EventMetadata"], dry_run=False) == {
        "dryRun": False,
        "tables": ["EventMetadata"],
        "runs": 2,
        "events": 4,
        "rows": 2,
        "processes": 2,
        "uploaded": 1,
        "seconds": 1.3,
        "failures": [{"what": "r2", "reason": "not JSON"}, {"what": "p2", "reason": "refused"}],
    }


@pytest.mark.parametrize(
    ("dry_run", "catalogue", "shown"),
    [
        (
            False,
            False,
            [
                "tables that were restored: EventMetadata",
                "2 runs with 4 events; 2 missing rows added",
                "2 processes, 1 of them uploaded or removed",
                "took 1.3 s",
                "failed: r2: not JSON",
                "failed: p2: refused",
            ],
        ),
        (
            True,
            False,
            [
                "tables that would be restored: EventMetadata",
                "1 run with 3 events; 2 missing rows to be added",
                "took 0.0 s",
            ],
        ),
        (
            False,
            True,
            [
                "tables that were restored: EventMetadata",
                "2 processes, 1 of them uploaded or removed",
                "took 1.3 s",
                "failed: r2: not JSON",
                "failed: p2: refused",
            ],
        ),
        (
            True,
            True,
            [
                "tables that would be restored: EventMetadata",
                "0 processes, 0 of them to be uploaded or removed",
                "took 0.0 s",
            ],
        ),
    ],
)
def test_rebuild_prints_what_it_did(dry_run: bool, catalogue: bool, shown: list[str], lines: Lines) -> None:
    found = (RUNS[:1], [], 0.0) if dry_run else (RUNS, PROCESSES, 1.26)

    rebuild._print(rebuild.as_object(*found, ["EventMetadata"], dry_run=dry_run), catalogue=catalogue, is_text=True)

    assert lines() == shown


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ([], ["0 runs with 0 events; 0 missing rows to be added"]),
        (RUNS[:1], ["1 run with 3 events; 2 missing rows to be added"]),
        # The app has created the table again.
        (
            [RecordedRun("r1", 1, 1)],
            [
                "1 run with 1 event; 1 missing row to be added",
                "EventMetadata has no rows of them: it was lost, perhaps with other tables",
            ],
        ),
    ],
)
def test_rebuild_prints_no_tables_where_none_is_missing(
    runs: list[RecordedRun], shown: list[str], lines: Lines
) -> None:
    rebuild._print(rebuild.as_object(runs, [], 0.0, dry_run=True), catalogue=False, is_text=True)

    assert lines() == [*shown, "took 0.0 s"]


@pytest.mark.parametrize(
    ("others", "shown"),
    [
        (None, ["6 events of 2 runs before 2026-05-01 12:00 UTC would be deleted; run again with --apply"]),
        (
            Purged(1, 2, 3, 4, 5),
            [
                "6 events of 2 runs before 2026-05-01 12:00 UTC deleted",
                "1 row of a removed process deleted",
                "2 unused locks deleted",
                "3 expired names of assets deleted",
                "4 unused blobs with details deleted",
                "5 dead letters without events deleted",
            ],
        ),
        (
            Purged(0, 0, 1, 0, 0),
            ["6 events of 2 runs before 2026-05-01 12:00 UTC deleted", "1 expired name of an asset deleted"],
        ),
    ],
)
def test_purge_prints_what_is_deleted(others: Purged | None, shown: list[str], lines: Lines) -> None:
    purge._show(purge.as_object(TIME, 2, 0, 6, others))

    assert lines() == shown


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (3, "3 runs are kept because they were not processed; sparklin status says why"),
        (1, "1 run is kept because it was not processed; sparklin status says why"),
    ],
)
def test_purge_says_that_unprocessed_runs_are_kept(kept: int, shown: str, lines: Lines) -> None:
    purge._show(purge.as_object(TIME, 0, kept, 0, None))

    assert lines() == ["no events before 2026-05-01 12:00 UTC to delete", shown]


COLUMN: dict[str, Any] = {"column": "x", "from": [], "expression": None, "constant": False, "indirect": []}
EDGE = ["https://lake/s", "a"]


def test_a_process_is_printed_with_its_columns_and_notes(lines: Lines) -> None:
    process = {
        "process": {
            "name": "nb → t",
            "inputs": [{"qualifiedName": "https://lake/s"}],
            "outputs": [{"qualifiedName": "https://lake/t"}],
        },
        "columns": [
            {**COLUMN, "from": [EDGE], "indirect": [[*EDGE, "FILTER"], [*EDGE, "GROUP_BY"]]},
            {**COLUMN, "column": "y", "expression": "upper(s.a)", "from": [EDGE], "indirect": [[*EDGE, "FILTER"]]},
            {**COLUMN, "column": "z", "indirect": [[*EDGE, "FILTER"]]},
        ],
        "notes": [{"text": "something is open"}],
    }

    print_process(Console(), process)

    assert [line.rstrip() for line in lines()] == [
        "nb → t",
        "  from https://lake/s",
        "  to   https://lake/t",
        "",
        " column   value from     decided by",
        " " + 36 * "─",
        " x        s.a            group by s.a",
        " y        s.a",
        "          = upper(s.a)",
        " z        –",
        "",
        "every row depends on filter s.a",
        "note: something is open",
        "",
    ]


def test_sources_of_one_short_name_are_shown_with_a_folder(lines: Lines) -> None:
    sources = [["https://lake/bronze/s", "a"], ["https://lake/silver/s", "a"], ["https://lake/t", "b"]]
    uses = [[*source, "INNER_JOIN"] for source in sources]
    columns = [{**COLUMN, "from": sources, "indirect": uses}]
    print_process(
        Console(width=150), {"process": {"name": "p", "inputs": [], "outputs": []}, "columns": columns, "notes": []}
    )
    shown = [line.strip() for line in lines()]
    assert "x        bronze/s.a, silver/s.a, t.b" in shown
    assert "every row depends on inner join bronze/s.a, inner join silver/s.a, inner join t.b" in shown


@pytest.mark.parametrize(("number", "more"), [(40, []), (42, ["… and 2 more"])])
def test_of_many_columns_forty_are_printed(number: int, more: list[str], lines: Lines) -> None:
    process = {"process": {"name": "p", "inputs": [], "outputs": []}, "columns": [COLUMN] * number, "notes": []}

    print_process(Console(), process)

    shown = [line.strip() for line in lines()]
    assert len([line for line in shown if re.fullmatch("x +–", line)]) == 40
    assert [line for line in shown if "more" in line] == more


def test_a_run_as_json_has_null_where_nothing_is_known() -> None:
    assert run_object(GraphRun("r1", "RUNNING")) == {
        **dict.fromkeys(("started", "ended", "rowsWritten", "bytesWritten", "filesWritten")),
        "run": "r1",
        "state": "RUNNING",
    }
    assert run_object(GraphRun("r1", "COMPLETE", NOON, NOON, 1, 2, 3)) == {
        "run": "r1",
        "state": "COMPLETE",
        "started": TIME,
        "ended": TIME,
        "rowsWritten": 1,
        "bytesWritten": 2,
        "filesWritten": 3,
    }


def test_the_newest_row_of_each_run_is_shown() -> None:
    def at(run: str, minute: int) -> EventRow:
        return replace(row(run, Status.RETRYING), received=NOON + timedelta(minutes=minute))

    rows = [at("r1", 1), at("r2", 2), at("r1", 3), at("r2", 0)]

    assert newest_of_runs(rows) == newest_of_runs(rows[::-1]) == [at("r1", 3), at("r2", 2)]


@pytest.mark.parametrize(
    ("qualified_name", "job"),
    [
        ("sparklin://ns/nb#https://lake/t", ("ns", "nb")),
        ("sparklin://a%2Fb/n%20b#t", ("a/b", "n b")),
        ("synapse://ns/nb#t", None),
    ],
)
def test_the_job_of_a_process_is_in_its_native_name(qualified_name: str, job: tuple[str, str] | None) -> None:
    assert native_job(qualified_name) == job


@pytest.mark.parametrize(
    ("wanted", "may_be"), [("nb", True), ("ns/nb", True), ("ns", False), ("other", False), ("ns/other", False)]
)
def test_a_process_is_of_the_job_in_its_name_and_may_be_of_any_if_it_has_none(wanted: str, may_be: bool) -> None:
    assert _is_of_job("sparklin://NS/Nb#https://lake/t", wanted) is may_be
    assert _is_of_job("synapse://ns/nb#t", wanted) is True


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        (Check("storage", CheckState.OK, "it answers"), ["ok      storage: it answers"]),
        (
            Check("function key", CheckState.WRONG, "not accepted", "set it"),
            ["wrong   function key: not accepted", "        repair: set it"],
        ),
        (Check("asset", CheckState.SKIPPED, "not given"), ["skipped asset: not given"]),
    ],
)
def test_doctor_prints_a_check_with_its_repair(check: Check, shown: list[str], lines: Lines) -> None:
    doctor._show(check)

    assert lines() == shown


@pytest.mark.parametrize(("state", "is_ok"), [(state, state is not CheckState.WRONG) for state in CheckState])
def test_only_something_wrong_is_not_ok(state: CheckState, is_ok: bool) -> None:
    shown = doctor.as_object([Check("a", CheckState.OK, "b"), Check("c", state, "d", "e")])

    assert shown == {
        "ok": is_ok,
        "checks": [
            {"name": "a", "state": "ok", "found": "b", "repair": None},
            {"name": "c", "state": state.value, "found": "d", "repair": "e"},
        ],
    }


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("explain", f"Examples:\n\n  {EXAMPLES['explain'][0]}\n\n  {EXAMPLES['explain'][1]}"),
        ("grant", f"Example:\n\n  {EXAMPLES['grant'][0]}"),
    ],
)
def test_the_help_ends_with_examples(command: str, shown: str) -> None:
    assert epilog(command) == shown


@pytest.mark.parametrize(
    ("qualified_name", "name"),
    [
        ("https://lake/raw/t/{SparkPartitions}", "t"),
        ("https://lake/raw//t//", "t"),
        ("mssql://s/d#t", "t"),
        ("a/{SparkPartitions}/c", "c"),
        ("{SparkPartitions}", "{SparkPartitions}"),
        ("", ""),
    ],
)
def test_the_short_name_of_an_asset(qualified_name: str, name: str) -> None:
    assert short(qualified_name) == name
