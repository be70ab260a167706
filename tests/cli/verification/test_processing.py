"""What ``sparklin verify`` finds out about the processing of its events, depending on what the app does with them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from cli.checks import end_to_end
from cli.checks.end_to_end import lineage_event
from cli.checks.endpoint import NAMESPACE
from cli.verification import processing
from cli.verification.claim import Claim, State
from cli.verification.processing import Trial
from core.errors import StorageUnavailable
from pipeline.publish import republish
from pipeline.services import build
from storage.clients import EVENTS
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.store_versions import StoreVersions
from tests.support.catalogue import entities
from tests.support.idle_app import IdleApp

VERIFIED, REFUTED, UNKNOWN = State.VERIFIED, State.REFUTED, State.UNKNOWN
Seen = tuple[str, State, str]


@pytest.fixture
def app(idle_app: IdleApp, monkeypatch: pytest.MonkeyPatch) -> IdleApp:
    idle_app.keeps_time_of(processing, end_to_end, monkeypatch=monkeypatch)
    return idle_app


def a_trial(app: IdleApp, *, is_private: bool = False) -> Trial:
    return Trial(app.receiver, app.installation.services, 1, is_private)


@pytest.fixture
def trial(app: IdleApp) -> Trial:
    """A trial whose event was processed."""
    return processed(app)


def processed(app: IdleApp) -> Trial:
    trial = a_trial(app)
    app.answer(lineage_event(trial.run, "COMPLETE"))
    app.work()
    return trial


def short(claim: Claim) -> Seen:
    return claim.name, claim.state, claim.seen


def found(*claims: Claim) -> list[Seen]:
    return [short(claim) for claim in claims]


def by_nobody() -> None:
    """What an app does that is not running."""


def test_a_deployment_that_works_is_verified_and_nothing_is_left(app: IdleApp) -> None:
    trial = a_trial(app)

    claims = list(processing.processing_claims(trial))[1:]

    assert found(*claims) == [
        ("202 means stored", VERIFIED, "blob and row are there"),
        ("private mode", UNKNOWN, "the receiver is public from here"),
        ("blob trigger", VERIFIED, "Processed: shown in 1 process"),
        ("process", VERIFIED, "1 input, 1 output, 1 column"),
        ("collection", UNKNOWN, "PURVIEW_COLLECTION is not set: the root collection is used"),
        ("look-up", VERIFIED, "found"),
        ("search", VERIFIED, "found after 0.0 s"),
        ("unchanged lineage", VERIFIED, "not uploaded again"),
        ("no anonymous access", VERIFIED, "reading without an identity is answered 403"),
        ("retry queue", VERIFIED, "processed again after 0.2 s"),
        ("poison queue", VERIFIED, "taken after 0.2 s"),
        ("dead letter", VERIFIED, f"dead-lettered: {claims[11].seen.removeprefix('dead-lettered: ')}"),
        ("clean-up", VERIFIED, "nothing is left"),
    ]
    assert "the body must be one JSON object" in claims[11].seen
    assert {claim.name: dict(claim.figures) for claim in claims if claim.figures} == {
        "202 means stored": {"answerSeconds": 0.0},
        "blob trigger": {"processedSeconds": 0.25},
        "search": {"foundSeconds": 0.0},
        "unchanged lineage": {"processedSeconds": 0.25},
        "retry queue": {"processedSeconds": 0.25},
        "poison queue": {"takenSeconds": 0.25},
        "dead letter": {"deadLetterSeconds": 0.25},
    }
    assert entities(app.installation.data_map) == []
    assert app.installation.runs() == []


def test_what_needs_a_processed_event_is_unknown_without_one(app: IdleApp) -> None:
    app.work = by_nobody

    claims = list(processing.processing_claims(a_trial(app)))

    assert {claim.name for claim in claims if claim.seen == "the event was not processed in time"} == {
        *("process", "collection", "look-up", "search", "unchanged lineage", "retry queue"),
        *("no anonymous access", "poison queue"),
    }
    assert found(*claims[-2:]) == [
        ("dead letter", REFUTED, "no dead letter within 1 s"),
        ("clean-up", VERIFIED, "nothing is left"),
    ]
    assert app.installation.runs() == []


def test_what_was_created_is_removed_even_after_an_error(app: IdleApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Trial) -> Claim:
        raise KeyboardInterrupt

    monkeypatch.setattr(processing, "_creation", interrupted)

    with pytest.raises(KeyboardInterrupt):
        list(processing.processing_claims(a_trial(app)))

    assert (entities(app.installation.data_map), app.installation.runs()) == ([], [])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StorageUnavailable("storage is away"), "storage is away"),
        (requests.ConnectionError("http://app"), "the app did not answer (ConnectionError)"),
    ],
)
def test_claims_that_an_error_prevented_are_unknown(error: Exception, reason: str) -> None:
    def look() -> Iterator[Claim]:
        yield processing.STORED.judged(True, "seen")
        raise error

    assert found(*processing._guarded((processing.STORED, processing.TRIGGER), look)) == [
        ("202 means stored", VERIFIED, "seen"),
        ("blob trigger", UNKNOWN, reason),
    ]


@pytest.mark.parametrize(
    ("happens", "limit", "seconds"),
    [(0, 0, 0), (0.5, 0, 0.5), (1.25, 0, 1.25), (2, 0, None), (2, 3, 2), (1, 0.2, None)],
)
def test_a_condition_is_waited_for_until_the_limit_or_as_long_as_for_each_step(
    happens: float, limit: float, seconds: float | None, app: IdleApp
) -> None:
    app.work, began = by_nobody, app.now

    assert a_trial(app).wait(lambda: app.now >= began + happens, limit) == seconds


STORED = ("202 means stored", VERIFIED, "blob and row are there")
PUBLIC = ("private mode", UNKNOWN, "the receiver is public from here")
PRIVATE = ("blob trigger", UNKNOWN, "the receiver is private from here")


@pytest.mark.parametrize(
    ("row", "is_private", "others", "seen"),
    [
        (
            ("Processed", "shown in 1 process", 0),
            False,
            PUBLIC,
            ("blob trigger", VERIFIED, "Processed: shown in 1 process"),
        ),
        (
            ("Processed", "shown in 1 process", 0),
            True,
            PRIVATE,
            ("private mode", VERIFIED, "Processed: shown in 1 process"),
        ),
        (("Received", "", 0), False, PUBLIC, ("blob trigger", REFUTED, "not processed within 1 s")),
        (("Retrying", "busy", 1), True, PRIVATE, ("private mode", REFUTED, "not processed within 1 s")),
        (
            ("Processed", "shown in 1 process", 1),
            False,
            PUBLIC,
            ("blob trigger", REFUTED, "the timer found the event: nothing reported it"),
        ),
        (("DeadLettered", "fix it", 0), False, PUBLIC, ("blob trigger", REFUTED, "DeadLettered: fix it")),
        (("Ignored", "excluded", 0), False, PUBLIC, ("blob trigger", REFUTED, "Ignored: excluded")),
    ],
)
def test_the_way_of_an_event(
    row: tuple[str, str, int], is_private: bool, others: Seen, seen: Seen, app: IdleApp
) -> None:
    trial = a_trial(app, is_private=is_private)
    status, message, retries = row
    events = trial.services.events
    app.work = lambda: events.mark(events.names(trial.key), Status(status), message, retries)

    claims = list(processing._way(trial))

    assert found(*claims) == [STORED, others, seen]
    expected = {"processedSeconds": 0.25} if "within" not in seen[2] else {}
    assert [dict(claim.figures) for claim in claims] == [{"answerSeconds": 0.0}, {}, expected]


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (401, [("202 means stored", REFUTED, "answered 401")]),
        (200, [("202 means stored", REFUTED, "answered 200")]),
        (
            202,
            [
                ("202 means stored", REFUTED, "there is no blob in the storage of these settings"),
                PUBLIC,
                ("blob trigger", REFUTED, "not processed within 1 s"),
            ],
        ),
    ],
)
def test_an_event_that_is_not_stored(status: int, seen: list[Seen], app: IdleApp) -> None:
    app.answer = lambda _: status

    assert found(*processing._way(a_trial(app))) == seen


def without_columns(event: Any) -> None:
    del event["outputs"][0]["facets"]["columnLineage"]


def with_two_inputs(event: Any) -> None:
    event["inputs"].append({"namespace": NAMESPACE, "name": "other"})


@pytest.mark.parametrize(
    ("change", "seen"),
    [(without_columns, "1 input, 1 output, 0 column"), (with_two_inputs, "2 input, 1 output, 1 column")],
)
def test_a_process_that_is_not_as_it_was_sent_refutes_the_claim(
    change: Callable[[Any], None], seen: str, app: IdleApp
) -> None:
    trial = a_trial(app)
    event = json.loads(lineage_event(trial.run, "COMPLETE"))
    change(event)
    app.answer(json.dumps(event).encode())
    app.work()

    assert short(processing._creation(trial)) == ("process", REFUTED, seen)


def test_a_process_that_was_not_created_refutes_the_claims_about_it(app: IdleApp) -> None:
    trial = a_trial(app)

    assert found(processing._creation(trial), processing._look_up(trial), processing._search(trial)) == [
        ("process", REFUTED, "0 input, 0 output, 0 column"),
        ("look-up", REFUTED, "not found"),
        ("search", REFUTED, "not found within 1 s"),
    ]


def test_a_search_is_given_up_after_two_minutes(app: IdleApp) -> None:
    trial = replace(a_trial(app), seconds=1000)
    app.work = lambda: setattr(app, "now", app.now + 30)

    assert short(processing._search(trial)) == ("search", REFUTED, "not found within 120 s")


@pytest.mark.parametrize(
    ("wanted", "actual", "state", "seen"),
    [
        ("lake", "lake", VERIFIED, "the process is in collection lake"),
        ("lake", "other", REFUTED, "the process is in collection other"),
        ("lake", "nowhere", REFUTED, "the process is in collection of no name"),
        ("", "lake", UNKNOWN, "PURVIEW_COLLECTION is not set: the root collection is used"),
    ],
)
def test_the_collection_of_the_process(wanted: str, actual: str, state: State, seen: str, app: IdleApp) -> None:
    uploading, asking = (
        build(replace(app.installation.services.settings, purview_collection=name)) for name in (actual, wanted)
    )
    with_collection = IdleApp(replace(app.installation, services=uploading))
    trial = a_trial(with_collection) if actual == "nowhere" else processed(with_collection)
    trial.services = asking

    assert short(processing._collection(trial)) == ("collection", state, seen)


def test_a_process_that_is_uploaded_again_without_a_change_refutes_the_claim(app: IdleApp, trial: Trial) -> None:
    take = app.work
    row = trial.details()
    assert row

    def upload_again() -> None:
        take()
        republish(row.qualified_name, trial.services)

    app.work = upload_again

    assert short(processing._unchanged(trial)) == ("unchanged lineage", REFUTED, "uploaded again")


def test_a_further_event_that_is_lost_shows_nothing(app: IdleApp, trial: Trial) -> None:
    app.answer = lambda _: 202

    assert short(processing._unchanged(trial)) == (
        "unchanged lineage",
        UNKNOWN,
        "the further event was not processed in time",
    )


def test_without_a_worker_whatever_has_to_be_processed_again_is_not(app: IdleApp, trial: Trial) -> None:
    app.work = by_nobody

    assert found(processing._unchanged(trial), processing._retry(trial), processing._poison(trial)) == [
        ("unchanged lineage", UNKNOWN, "the further event was not processed in time"),
        ("retry queue", REFUTED, "not taken within 1 s"),
        ("poison queue", REFUTED, "the message was not taken within 1 s"),
    ]


def test_events_that_everybody_can_read_refute_the_claim(app: IdleApp, trial: Trial) -> None:
    container = app.installation.services.clients.container(EVENTS)
    container.set_container_access_policy({}, public_access="blob")
    try:
        claim = processing._anonymous(trial)
    finally:
        container.set_container_access_policy({})

    assert short(claim) == ("no anonymous access", REFUTED, "reading without an identity is answered 200")


@pytest.mark.parametrize(
    ("is_private", "state", "seen"),
    [(False, REFUTED, "no dead letter within 1 s"), (True, VERIFIED, "dead-lettered: $: the body must be one JSON")],
)
def test_where_no_blob_is_reported_the_queue_announces_the_broken_event(
    is_private: bool, state: State, seen: str, app: IdleApp
) -> None:
    app.work = app.take_messages

    claim = processing._dead_letter(a_trial(app, is_private=is_private))

    assert (claim.state, claim.seen[: len(seen)]) == (state, seen)
    assert (app.installation.runs(), list(app.installation.services.dead_letters.names())) == ([], [])


@pytest.mark.parametrize(
    ("days", "state", "seen"),
    [
        ((), UNKNOWN, "no version is noted yet: run this again six minutes after the app has started"),
        ((40, 0.5), VERIFIED, "a version was last noted on {:%Y-%m-%d}"),
        ((40, 1.5), REFUTED, "a version was last noted on {:%Y-%m-%d}"),
    ],
)
def test_the_timer_notes_versions(days: tuple[float, ...], state: State, seen: str, app: IdleApp) -> None:
    times = [datetime.now(UTC) - timedelta(days=past) for past in days]
    for time in times:
        StoreVersions(app.installation.services.clients).note(f"of {time}", time)

    (claim,) = processing._timer(a_trial(app))

    assert (claim.state, claim.seen) == (state, seen.format(*times[-1:]))


def found_by_a_scan(trial: Trial) -> None:
    """The asset is not the app's own: it stays."""
    for name, created in list(trial.services.created.all()):
        trial.services.created.remove(name, created.guid)


def forgotten(trial: Trial) -> None:
    """The store no longer knows what the catalogue shows."""
    row = trial.details()
    assert row
    trial.services.details.write(replace(row, process_guid="", dirty=False))


def kept(trial: Trial) -> None:
    class Keeping(EventStore):
        def delete(self, events: object) -> None:
            pass

    trial.services = replace(trial.services, events=Keeping(trial.services.clients))


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (found_by_a_scan, "an asset is still in the catalogue"),
        (kept, "events are still in storage"),
    ],
)
def test_what_is_left_is_named(spoil: Callable[[Trial], None], seen: str, app: IdleApp, trial: Trial) -> None:
    spoil(trial)

    assert short(processing._deletion(trial)) == ("clean-up", REFUTED, seen)


def test_a_process_that_is_still_in_the_catalogue_is_named(app: IdleApp, trial: Trial) -> None:
    app.work = lambda: forgotten(trial)

    assert short(processing._deletion(trial)) == ("clean-up", REFUTED, "the process is still in the catalogue")
