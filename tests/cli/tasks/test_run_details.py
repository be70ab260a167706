"""What operators see: ``sparklin status`` and ``sparklin show`` on real storage and a real Data Map."""

import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import jsonschema
import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from cli.show_target import complete
from cli.tasks import status_report as status_report_module
from cli.tasks.status_report import status_report
from core.envelope import read_envelope
from core.event_fields import digest
from core.identity import run_key
from core.naming import event_name
from pipeline.services import Services
from storage.event_rows import Status
from storage.stored_event import StoredEvent
from tests.support.events import body, dataset, event
from tests.support.fixtures import Sparklin
from tests.support.universe import Universe

PREVIEW = json.loads((Path(__file__).parents[3] / "docs" / "contracts" / "preview.schema.json").read_text())


pytestmark = pytest.mark.usefixtures("no_faults_left")


def a_write(event_type: str = "COMPLETE", run: str = "run-1", **more: Any) -> bytes:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    return body(event(event_type, run=run, inputs=[dataset("s", ["x"])], outputs=[written], **more))


def a_read(run: str) -> bytes:
    """A run that the receiver keeps, but that writes nothing."""
    return body(event(run=run, inputs=[dataset("s", ["x"])], outputs=[]))


def key(universe: Universe, run: str = "run-1") -> str:
    return run_key(universe.run_id(run))


def stored(universe: Universe, run: str, received: datetime) -> StoredEvent:
    """A stored event of a run, received at a time."""
    own = universe.own(a_write(run=run))
    universe.services.events.put(read_envelope(own), digest(own), own, received)
    (found,) = universe.services.events.names(key(universe, run))
    return found


def of(universe: Universe, shown: Any) -> Any:
    """What ``status`` reports about this universe's job."""
    (job,) = [job for job in shown["jobs"] if job["namespace"] == universe.name]
    return job


def test_status_counts_events_by_status_and_job(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write("START"), a_write(), a_write("START", run="open")])
    universe.post(a_write(run="late"))
    code, shown = sparklin("status")
    job = of(universe, shown)
    assert code == 0
    assert (job["application"], job["events"]) == ("nb", 4)
    assert job["byStatus"] == {"Received": 1, "Processed": 2, "Waiting": 1}
    assert shown["oldestWaiting"]["status"] in ("Received", "Waiting", "Retrying")
    assert shown["events"] == sum(shown["byStatus"].values())


def test_only_some_events_of_an_hour_with_too_many_are_read(universe: Universe, services: Services) -> None:
    """At its own time, so that no other test's events are there."""
    hour = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(hours=random.randrange(50_000))
    for run in ("one", "two", "three"):
        stored(universe, run, hour)

    found = status_report(hour, hour, 2, services, lambda _hour, _number: None, is_exact=True)

    assert (found.statuses.total(), found.truncated, found.cut_hour) == (2, True, hour)


def test_applications_with_dots_keep_their_full_name(universe: Universe, sparklin: Sparklin) -> None:
    name = "com.acme.Load.execute_insert_into_hadoop_fs_relation_command.t"
    universe.deliver(a_write(job_name=name))
    assert of(universe, sparklin("status")[1])["application"] == "com.acme.Load"
    runs = [run["run"] for run in sparklin("show", f"{universe.name}/com.acme.Load")[1]["runs"]]
    assert runs == [run_key(universe.run_id("run-1"))]


def test_the_runs_of_a_databricks_notebook_are_found_by_its_path(universe: Universe, sparklin: Sparklin) -> None:
    notebook = f"/Shared/{universe.name}"
    universe.deliver(a_write(environment={"spark.databricks.notebook.path": notebook}))
    runs = [run["run"] for run in sparklin("show", notebook.strip("/"))[1]["runs"]]
    assert runs == [run_key(universe.run_id("run-1"))]


def test_status_shows_the_last_errors(universe: Universe, sparklin: Sparklin) -> None:
    universe.fail(count=100, path="entity/bulk", status=400)
    universe.deliver(a_write())
    _, shown = sparklin("status", "--since", "1h")
    newest = shown["lastErrors"][0]
    assert (newest["run"], newest["status"]) == (run_key(universe.run_id("run-1")), "DeadLettered")
    assert "sparklin preview" in newest["message"]


@pytest.mark.parametrize("status", ["Received", "Waiting", "Retrying"])
def test_what_is_not_done_is_the_oldest_that_waits_and_only_failures_are_errors(
    universe: Universe, services: Services, status: str
) -> None:
    """At its own time, so that no other test's events are there."""
    hour = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(hours=random.randrange(50_000))
    first, later = (stored(universe, run, hour + timedelta(minutes=n)) for n, run in enumerate(("first", "later")))
    services.events.mark([first], Status(status), "its message")
    services.events.mark([later], Status.DEAD_LETTERED, "")
    progress: list[tuple[datetime, int]] = []
    found = status_report(
        hour, hour + timedelta(minutes=59), 100, services, lambda at, number: progress.append((at, number))
    )
    assert progress == [(hour, 0)]
    assert found.oldest
    assert (found.oldest.run_key, found.oldest.message) == (key(universe, "first"), "its message")
    failing = ["later", "first"] if status == "Retrying" else ["later"]
    assert [row.run_key for row in found.errors] == [key(universe, run) for run in failing]


def test_a_retry_that_is_due_is_counted_and_shown_with_its_reason(universe: Universe, sparklin: Sparklin) -> None:
    universe.fail(count=100, path="entity/bulk", status=503)
    universe.deliver(a_write())
    _, shown = sparklin("status", "--since", "1h")
    assert of(universe, shown)["byStatus"] == {"Retrying": 1}
    newest = shown["lastErrors"][0]
    assert (newest["run"], newest["status"]) == (key(universe), "Retrying")
    assert "503" in newest["message"]


def test_status_reads_no_more_than_its_limit(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write())
    _, shown = sparklin("status", "--since", "3d", "--limit", "1")
    assert shown["truncated"]
    assert shown["events"] >= 1


def test_show_shows_a_run_from_its_events_to_its_process(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write("START"), a_write()])
    code, shown = sparklin("show", universe.run_id("run-1"))
    assert code == 0
    assert sorted((each["type"], each["status"]) for each in shown["events"]) == [
        ("COMPLETE", "Processed"),
        ("START", "Processed"),
    ]
    jsonschema.validate(shown["decision"]["processes"], PREVIEW)
    (process,), (decided,) = shown["processes"], shown["decision"]["processes"]
    assert decided["process"]["qualifiedName"] == process["qualifiedName"]
    assert process["uploaded"]
    page = requests.get(process["link"], timeout=60)
    assert (page.status_code, "nb → t" in page.text) == (200, True)


def test_show_says_why_a_run_draws_nothing(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_read("reads"))
    _, shown = sparklin("show", universe.run_id("reads"))
    assert shown["processes"] == []
    assert shown["decision"]["reason"]


def test_show_shows_dead_letters(universe: Universe, sparklin: Sparklin) -> None:
    universe.fail(count=100, path="entity/bulk", status=400)
    universe.deliver(a_write())
    _, shown = sparklin("show", universe.run_id("run-1"))
    (letter,) = shown["deadLetters"]
    assert "sparklin preview" in letter["remedy"]
    assert [process["guid"] for process in shown["processes"]] == [None]


def test_show_shows_a_run_from_which_nothing_can_be_derived(
    universe: Universe, sparklin: Sparklin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def derive(*_: object) -> NoReturn:
        raise ValueError("an unknown plan")

    monkeypatch.setattr("pipeline.run.derive_in_application", derive)
    monkeypatch.setattr("cli.tasks.preview_events.derive_together", derive)
    universe.deliver(a_write())
    code, shown = sparklin("show", universe.run_id("run-1"))
    reason = "nothing can be derived from its events: ValueError: an unknown plan"
    assert (code, shown["decision"]) == (0, {"reason": reason, "processes": []})
    assert [event["status"] for event in shown["events"]] == ["Retrying"]
    assert shown["retryAt"]


def test_show_shows_a_run_of_which_one_event_cannot_be_read(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write())
    own = universe.own(a_write("START"))
    name = event_name(read_envelope(own), digest(own)).blob
    universe.services.clients.container("openlineage").upload_blob(name, b"{cut off")
    code, shown = sparklin("show", universe.run_id("run-1"))
    assert code == 0
    assert [each["process"]["name"] for each in shown["decision"]["processes"]] == ["nb → t"]
    assert [each["name"] for each in shown["processes"]] == ["nb → t"]


def test_show_of_a_job_lists_its_processes_and_runs(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write(run="a"), a_write(run="b")])
    code, shown = sparklin("show", f"{universe.name}/NB")
    assert code == 0
    assert [process["name"] for process in shown["processes"]] == ["nb → t"]
    assert {run["run"] for run in shown["runs"]} == {run_key(universe.run_id(run)) for run in "ab"}


@pytest.mark.parametrize("what", ["00000000-0000-0000-0000-000000000000", "no such job"])
def test_an_unknown_job_is_an_error(sparklin: Sparklin, what: str) -> None:
    code, _ = sparklin("show", what)
    assert code == 1


def statistics(rows: int, size: int, files: int) -> dict[str, Any]:
    return {"outputFacets": {"outputStatistics": {"rowCount": rows, "size": size, "fileCount": files}}}


def a_counted_write(run: str, rows: int, **more: Any) -> bytes:
    written = {**dataset("t", ["a"], {"a": [("s", "x")]}), **statistics(rows, 10 * rows, 1)}
    return body(event(run=run, inputs=[dataset("s", ["x"])], outputs=[written], **more))


def test_what_a_run_wrote_is_shown(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_counted_write("run-1", 3), a_counted_write("run-2", 4, minute=60)])
    counts = {"rowsWritten": 4, "bytesWritten": 40, "filesWritten": 1}

    _, job = sparklin("show", f"{universe.name}/nb")
    _, run = sparklin("show", key(universe, "run-2"))
    _, graph = sparklin("lineage", job["processes"][0]["qualifiedName"].partition("#")[2], "--up")

    last = job["processes"][0]["lastRun"]
    assert {name: last[name] for name in counts} == counts
    assert (last["run"], last["state"]) == (key(universe, "run-2"), "COMPLETE")
    assert [{name: each[name] for name in counts} for each in run["written"]] == [counts]
    (process,) = [each for each in graph["processes"] if each["id"] == job["processes"][0]["qualifiedName"]]
    assert [each["rowsWritten"] for each in process["runs"]] == [4, 3]
    assert of(universe, sparklin("status")[1])["lastRun"] == {
        "run": key(universe, "run-2"),
        "state": "COMPLETE",
        **counts,
    }


def test_a_failed_run_is_the_last_one(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write(), a_write("FAIL", run="run-2", minute=60)])
    assert sparklin("show", f"{universe.name}/nb")[1]["processes"][0]["lastRun"]["state"] == "FAIL"
    assert of(universe, sparklin("status")[1])["lastRun"]["state"] == "FAIL"


def shown_or_refused(sparklin: Sparklin, *words: str) -> str:
    """What stderr reports for a name that matches several or nothing; the exit code is part of it."""
    result = CliRunner().invoke(app, ["show", "--local", *words])
    return f"{result.exit_code}: {result.stderr}"


def test_show_takes_the_beginning_of_a_run_and_parts_of_names(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write(job_name="Load_Customers.execute"), a_write(run="2", job_name="Load_Orders.execute")])
    run = key(universe)
    assert sparklin("show", run[:8])[1]["run"] == run
    assert sparklin("show", f"{universe.name}/load_cust")[1]["job"] == f"{universe.name}/Load_Customers"
    several = shown_or_refused(sparklin, f"{universe.name}/load")
    assert several == (
        f"2: 2 applications fit '{universe.name}/load'; give more of the name:\n"
        f"  {universe.name}/Load_Customers\n"
        f"  {universe.name}/Load_Orders\n"
    )
    near = shown_or_refused(sparklin, f"{universe.name}/Laod_Customers")
    assert near.startswith("1: no application")
    assert f"similar names:\n  {universe.name}/Load_Customers\n" in near


def test_show_opens_the_page_of_a_process(
    universe: Universe, sparklin: Sparklin, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    universe.deliver_all([a_write()])
    link = sparklin("show", f"{universe.name}/nb")[1]["processes"][0]["link"]
    assert CliRunner().invoke(app, ["show", "--local", "--web", f"{universe.name}/nb"]).exit_code == 0
    assert opened == [link]


def test_applications_and_runs_are_completed(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write(job_name="Only_Here.execute")])
    context = SimpleNamespace(params={"local": True})
    assert complete(context, "Only_H") == ["Only_Here"]
    assert complete(context, key(universe)[:12]) == [key(universe)]
    assert complete(SimpleNamespace(params={"local": False}), "Only_H") == []


@pytest.mark.usefixtures("sparklin")
@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["show", "{run}"], "run {run}, nb_pool1_1731500001.execute"),
        (["show", "{name}/nb"], "process nb → t: uploaded "),
        (["replay", "--run", "{run}", "--dry-run"], "{run}  skipped (1 event, nb"),
        (["purge", "--older-than", "90"], "no events before "),
        (["relink"], "nothing to move"),
    ],
)
def test_commands_print_text_for_people(universe: Universe, words: list[str], begins: str) -> None:
    universe.deliver(a_write())
    names = {"run": key(universe), "name": universe.name}

    result = CliRunner().invoke(app, [*(word.format(**names) for word in words), "--local", "--text"])

    assert (result.exit_code, result.stdout[: len(begins.format(**names))]) == (0, begins.format(**names)), (
        result.stderr
    )


@pytest.mark.usefixtures("sparklin")
@pytest.mark.parametrize(("options", "said"), [((), "uploaded or removed"), (("--dry-run",), "to be uploaded")])
def test_rebuild_of_the_catalogue_counts_processes(universe: Universe, options: tuple[str, ...], said: str) -> None:
    universe.deliver(a_write())

    result = CliRunner().invoke(app, ["rebuild", "--catalogue", *options, "--local", "--text"])

    assert re.match(rf"\d+ process(es)?, [1-9]\d* of them {said}", result.stdout), result.stdout


@pytest.mark.usefixtures("sparklin")
def test_status_prints_text_for_people(universe: Universe) -> None:
    universe.deliver(a_write())

    result = CliRunner().invoke(app, ["status", "--local", "--text"])

    assert f"\n{universe.name}/nb\n" in result.stdout


def test_progress_is_reported_while_an_hour_is_read(
    universe: Universe, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its own time, so that no other test's events are there."""
    monkeypatch.setattr(status_report_module, "_PROGRESS", 2)
    hour = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(hours=random.randrange(50_000))
    for run in "abcde":
        stored(universe, run, hour)
    counts: list[int] = []

    status_report(hour, hour, 100, services, lambda _, number: counts.append(number))

    assert counts == [0, 1, 3]
