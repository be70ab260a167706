"""The overview: what happened to the app's events, its last errors, and each application with its lineage."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
import requests

from cli.tasks.status_report import FolderReport, JobCount, SeenRun, StatusReport
from core.event_model import Written
from local.data_map import app_status
from local.data_map.app_status import AppReport, AppStatus
from local.data_map.page_overview import content_of
from local.data_map.server import running
from pipeline.services import Services
from storage.event_rows import EventRow, Status
from storage.file_progress import FolderState
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CLEAN, LOST = ("contoso", "nb_clean"), ("contoso", "nb_lost")


def words(html: str) -> str:
    """The text of a page, with single blanks."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def error(message: str) -> EventRow:
    """A dead-lettered event of run-2."""
    about = ("COMPLETE", "2026-05-01T12:00:00Z", "contoso", "nb_lost.save", "run-2", NOON, NOON, "etag")
    return EventRow("2026050112-3", "run-2|d", "run-2", "d", Status.DEAD_LETTERED, 9, "f.json", message, *about)


def report(**more: object) -> AppReport:
    found = StatusReport(NOON.replace(hour=0), NOON)
    found.statuses.update({Status.PROCESSED: 1500, Status.RETRYING: 2})
    clean, lost = JobCount(last=NOON), JobCount(last=NOON)
    clean.statuses[Status.PROCESSED], lost.statuses[Status.RETRYING] = 1500, 2
    clean.runs = {key: SeenRun(key, NOON, "COMPLETE") for key in ("run-1a", "run-1b")}
    lost.runs = {"run-2": SeenRun("run-2", NOON, "FAIL")}
    clean.written = Written(rows=1204)
    found.jobs = {CLEAN: clean, LOST: lost}
    for name, value in more.items():
        setattr(found, name, value)
    return AppReport(found, NOON, {CLEAN: ("sparklin://contoso/nb_clean#x", "sparklin://contoso/nb_clean#y")})


def shown(found: AppReport) -> str:
    return content_of(found, {"sparklin://contoso/nb_clean#x": ("nb_clean → x", "guid-1")}.get)


def test_events_are_counted_by_what_happened_to_them() -> None:
    text = words(shown(report()))

    assert "Events 1,502 Processed 1,500 in the catalogue Ignored 0 no lineage in the run" in text
    assert "Retrying 2 failed, tried again Dead-lettered 0" in text
    assert "Events that it ignores (answer 200) or refuses (400) are not stored" in text


def test_each_application_with_its_runs_and_lineage() -> None:
    page = shown(report())

    assert "nb_clean contoso 1,500 2 COMPLETE run-1a, 2026-05-01 12:00:00 UTC 1,204 nb_clean → x 1 not in" in words(
        page
    )
    assert 'href="/asset/guid-1"' in page
    assert "nb_lost contoso 2 1 1 failed FAIL run-2, 2026-05-01 12:00:00 UTC not known none" in words(page)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "Last errors None."),
        ({"jobs": {}}, "Applications 0 None yet. Send the demo's events: sparklin send examples/shop --local"),
        ({"errors": [error("No <rule> fits.")]}, "nb_lost.save Dead-lettered run run-2"),
        ({"errors": [error("No <rule> fits.")]}, "No <rule> fits. All about one: sparklin show run-2 --local"),
        ({"truncated": True}, "There are more events: 1,502 are counted, those since 2026-05-01 00:00 UTC."),
        ({"truncated": True, "cut_hour": NOON}, "those since 2026-05-01 12:00 UTC, and not all of that hour."),
        ({"oldest": error("")}, "The oldest that is waiting: nb_lost.save, run run-2, dead-lettered since"),
        ({"poison": {"sparklin-runs-poison": 3}}, "3 messages in sparklin-runs-poison that no function takes."),
        (
            {"folders": [FolderReport("abfss://a/b", FolderState(files=4, error="403"), 5, 6, 7)]},
            "Folders of event files Folder Kept Ignored Refused Files to read Checked abfss://a/b 403 5 6 7 0 not yet",
        ),
    ],
)
def test_what_needs_attention(more: dict[str, object], text: str) -> None:
    assert text in words(shown(report(**more)))


def test_many_applications_are_cut_and_the_page_says_so() -> None:
    jobs = {("n", f"app{at}"): JobCount(last=NOON) for at in range(40)}

    page = shown(report(jobs=jobs))

    assert page.count('scope="row"') == app_status.MOST_APPLICATIONS
    assert "The 30 with the most events are shown" in words(page)


def settings_file(services: Services, folder: Path) -> Path:
    file = folder / "app.json"
    connection = services.settings.lineage_storage.connection_string
    purview = services.settings.purview_endpoint
    file.write_text(json.dumps({"LINEAGE_STORAGE": connection, "PURVIEW_ENDPOINT": purview, "PURVIEW_AUTH": "none"}))
    return file


def test_what_the_app_stored_is_on_the_page(universe: Universe, services: Services, tmp_path: Path) -> None:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    universe.deliver(body(event(inputs=[dataset("s", ["x"])], outputs=[written])))
    status = AppStatus(settings_file(services, tmp_path))

    found = status.read(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))

    assert isinstance(found, AppReport)
    (name,) = [name for name in found.report.jobs if name[0] == universe.name]
    assert found.report.jobs[name].statuses == {Status.PROCESSED: 1}
    assert [each.partition("#")[0] for each in found.processes.get(name, ())] in (
        [f"sparklin://{universe.name}/nb"],
        # Others have filled the page with more applications.
        [],
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "The app is starting, or this Data Map runs without one."),
        ("{}", "The app's storage cannot be read: "),
        ("not JSON", "The app's storage cannot be read: "),
        ('{"LINEAGE_STORAGE": "UseDevelopmentStorage=maybe"}', "The app's storage cannot be read: "),
    ],
)
def test_without_the_app_the_page_says_so(tmp_path: Path, content: str | None, text: str) -> None:
    file = tmp_path / "app.json"
    if content is not None:
        file.write_text(content)
    with running(app_settings=file) as address:
        answer = requests.get(f"{address}/overview", timeout=60)

    assert answer.status_code == 200
    assert text in words(answer.text)
