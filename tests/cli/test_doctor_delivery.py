"""What ``sparklin doctor`` reports about the event that it sent, and what it leaves behind."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from cli.checks import end_to_end
from cli.checks.check import State
from cli.checks.end_to_end import COLUMN, check_end_to_end, clean_up, lineage_event, outcome
from cli.checks.endpoint import NAMESPACE
from core.catalog_model import AssetName
from core.errors import StorageUnavailable
from pipeline.retries import LOST_NOTIFICATION
from pipeline.services import Services
from purview.dataset_entities import GENERIC_TYPE
from storage.event_rows import EventRow, Status
from tests.support.catalogue import entities
from tests.support.idle_app import IdleApp

RUN = "01a204f9-ced0-75cb-96b6-56e74817518a"
SOURCE = AssetName(GENERIC_TYPE, f"{NAMESPACE}/in")


def row(status: Status, retries: int) -> EventRow:
    received = datetime(2026, 1, 1, tzinfo=UTC)
    job = "sparklin-doctor", "job", "run"
    return EventRow("p", "r", "run", "d", status, retries, "f", "why", "COMPLETE", "", *job, received, received, "e")


@pytest.mark.parametrize(
    ("status", "retries", "is_private", "state", "name", "found_text", "repair"),
    [
        (Status.PROCESSED, 0, False, State.OK, "end to end", "a notification reported it", ""),
        # The subscription is missing, names another function, or its key was changed: the timer finds the event.
        (Status.PROCESSED, 1, False, State.WRONG, "event delivery", "the timer found it", "infra/subscribe.sh"),
        (Status.PROCESSED, 1, True, State.NOTE, "end to end", "the timer found it", "QUEUE_NOTIFICATIONS=true"),
        (Status.RECEIVED, 0, False, State.WRONG, "event delivery", "nothing reported it", "blobs_extension"),
        (Status.RECEIVED, 0, True, State.NOTE, "end to end", "waits for the timer", "--wait 1000"),
        (Status.RETRYING, 1, False, State.WRONG, "end to end", "why", "sparklin replay"),
        (Status.DEAD_LETTERED, 0, False, State.WRONG, "end to end", "why", "sparklin replay"),
    ],
)
def test_the_outcome_names_the_way_of_the_event_and_what_is_wrong_with_it(
    status: Status, retries: int, is_private: bool, state: State, name: str, found_text: str, repair: str
) -> None:
    found = outcome(row(status, retries), 700, is_private=is_private)

    assert (found.state, found.name, found_text in found.found, repair in found.repair) == (state, name, True, True)
    assert "LogsAndContainerScan" not in found.repair


@pytest.fixture
def app(idle_app: IdleApp, monkeypatch: pytest.MonkeyPatch) -> IdleApp:
    idle_app.keeps_time_of(end_to_end, monkeypatch=monkeypatch)
    return idle_app


def checked(app: IdleApp, services: Services | None = None, *, is_private: bool = False) -> list[tuple[str, str, str]]:
    """Name, state and finding of each check, which waits for two seconds."""
    checks = check_end_to_end(app.receiver, services or app.installation.services, 2, is_private=is_private)
    return [(check.name, check.state.value, check.found) for check in checks]


def is_empty(app: IdleApp) -> bool:
    """Whether neither storage nor the catalogue has anything of the event."""
    services = app.installation.services
    return not (app.installation.runs() or entities(app.installation.data_map) or any(services.details.all()))


def test_an_event_passes_and_nothing_of_it_stays(app: IdleApp) -> None:
    assert checked(app) == [
        ("end to end", "ok", "an event was in the catalogue after 0.5 s; a notification reported it")
    ]
    assert is_empty(app)


def test_the_event_writes_a_column_from_one_dataset_into_another(app: IdleApp) -> None:
    app.answer(lineage_event(RUN, "COMPLETE"))
    app.work()

    (process,) = app.installation.processes().values()
    (mapping,) = json.loads(process["attributes"]["columnMapping"])
    assert mapping["ColumnMapping"] == [{"Source": COLUMN, "Sink": COLUMN}]


def marked(app: IdleApp, status: Status, message: str = "") -> Callable[[], None]:
    """What an app does that gives the event's row a status, once."""

    def work() -> None:
        for run in app.installation.runs():
            app.installation.services.events.mark(app.installation.services.events.names(run), status, message, 1)

    return work


@pytest.mark.parametrize(
    ("status", "message", "is_private", "seen", "seconds"),
    [
        (Status.RETRYING, LOST_NOTIFICATION, False, ("end to end", "wrong"), 2.0),
        (Status.RETRYING, "Purview is busy", False, ("end to end", "wrong"), 0.5),
        (Status.RECEIVED, "", True, ("end to end", "note"), 2.0),
        (Status.RECEIVED, "", False, ("event delivery", "wrong"), 2.0),
        (Status.PROCESSED, "", True, ("end to end", "note"), 0.5),
        (Status.DEAD_LETTERED, "fix it", False, ("end to end", "wrong"), 0.5),
    ],
)
def test_an_event_is_waited_for_while_it_may_still_be_processed(
    status: Status, message: str, is_private: bool, seen: tuple[str, str], seconds: float, app: IdleApp
) -> None:
    app.work = marked(app, status, message)

    found = checked(app, is_private=is_private)

    assert [each[:2] for each in found] == [seen]
    assert app.now == seconds
    assert is_empty(app)


def test_an_event_that_is_refused_is_not_waited_for(app: IdleApp) -> None:
    app.answer = lambda _: 500

    assert checked(app) == [("end to end", "wrong", "an event with lineage was answered 500: its text")]
    assert app.now == 0


def test_an_app_that_does_not_answer_may_leave_traces(app: IdleApp) -> None:
    def fail(_: bytes) -> int:
        raise requests.ConnectionError("http://app/secret")

    app.answer = fail

    assert checked(app) == [
        ("end to end", "wrong", "an event with lineage was not answered (ConnectionError)"),
        ("clean-up", "note", "the event's traces could not be removed: the app did not answer (ConnectionError)"),
    ]


def test_the_traces_of_an_event_that_was_stored_but_not_answered_are_removed(app: IdleApp) -> None:
    def late(body: bytes) -> int:
        if b'"COMPLETE"' in body:
            app.store(body)
            app.work()
            raise requests.ReadTimeout
        return app.store(body)

    app.answer = late

    assert checked(app) == [("end to end", "wrong", "an event with lineage was not answered (ReadTimeout)")]
    assert is_empty(app)


def test_storage_that_fails_while_the_event_is_waited_for(app: IdleApp) -> None:
    def fail() -> None:
        raise StorageUnavailable("storage is away")

    app.work = fail

    assert checked(app) == [("end to end", "wrong", "storage is away")]
    assert is_empty(app)


def test_the_storage_account_of_these_settings_may_be_another_one(app: IdleApp) -> None:
    app.answer = lambda _: 202

    assert checked(app) == [
        ("end to end", "wrong", "the app stored the event, but not in the storage account of these settings"),
        (
            "clean-up",
            "note",
            "its events are not in the storage account of these settings: the events stay, and so do its assets",
        ),
    ]


@pytest.fixture
def shown(app: IdleApp) -> IdleApp:
    """An app that has drawn the event of the run."""
    app.answer(lineage_event(RUN, "COMPLETE"))
    app.work()
    return app


def cleaned(app: IdleApp) -> str:
    """What is left when there were two seconds for it."""
    return clean_up(RUN, app.receiver, app.installation.services, app.monotonic() + 2)


def test_a_process_that_the_app_does_not_remove_is_left(shown: IdleApp) -> None:
    shown.work = lambda: None

    assert cleaned(shown) == "its process is still in the catalogue"
    assert shown.now == 2
    assert len(list(shown.installation.services.details.all())) == 1
    assert shown.installation.runs() == []


def test_a_process_is_shown_until_its_removal_is_written_down(shown: IdleApp) -> None:
    details, remove = shown.installation.services.details, shown.work

    def begin() -> None:
        (process,) = details.all()
        details.write(replace(process, process_guid="", dirty=True))
        shown.work = end

    def end() -> None:
        (process,) = details.all()
        details.write(replace(process, dirty=False))
        shown.work = remove

    shown.work = begin

    assert (cleaned(shown), shown.now) == ("", 1)
    assert list(details.all()) == []


@pytest.mark.parametrize(("guid", "stays"), [(None, True), ("", True), ("its own", False)])
def test_only_an_asset_that_the_app_created_is_deleted(guid: str | None, stays: bool, shown: IdleApp) -> None:
    services = shown.installation.services
    (created,) = services.created.get_many([SOURCE]).values()
    if guid != "its own":
        services.created.remove(SOURCE, created.guid)
    if guid == "":
        services.created.add_many({SOURCE: replace(created, guid="")})
    services.cache.put_many({SOURCE: created.guid})

    end_to_end._delete_asset(SOURCE, services)

    assert bool(services.catalog.find([SOURCE])) is stays
    assert bool(services.cache.get_many([SOURCE])) is stays
    assert bool(services.created.get_many([SOURCE])) is (guid == "")
