"""One event passes from the receiver to the catalogue, and is removed afterwards."""

import time
import uuid
from collections.abc import Iterator

import requests

from cli.checks.check import Check, note, ok, wrong
from cli.checks.endpoint import NAMESPACE, Receiver, event_of_ours
from cli.tasks.purge_runs import forget_run
from core.catalog_model import Asset, AssetName
from core.errors import SparklinError
from core.identity import run_key
from pipeline.retries import LOST_NOTIFICATION
from pipeline.services import Services
from purview.dataset_entities import GENERIC_TYPE
from purview.removal import remove_asset
from storage.event_rows import EventRow, Status

_JOB = "sparklin_doctor.execute_insert_into_hadoop_fs_relation_command.check"
COLUMN = "checked"
_POLL_SECONDS = 0.5
_DELIVERY = (
    "run infra/subscribe.sh again: it creates the subscription, with the function's name as it has to be written "
    "(a wrong one is accepted, and drops every event) and the key blobs_extension as it is now; "
    "az eventgrid system-topic event-subscription list -g <group> --system-topic-name <topic> shows it. With a private "
    "receiver set QUEUE_NOTIFICATIONS=true instead"
)

_QUEUE = "set QUEUE_NOTIFICATIONS=true in the app, so that the receiver reports events"

_LEFT = (
    f"fix what is wrong and run it again, or delete the assets {NAMESPACE}/in and {NAMESPACE}/out in the portal; "
    "sparklin purge deletes the events"
)


def check_end_to_end(
    receiver: Receiver, services: Services, seconds: float, *, is_private: bool = False
) -> Iterator[Check]:
    """Post an event, wait until it is in the catalogue or the time is up, then remove it.

    If the receiver ``is_private``, Event Grid cannot report events, and the receiver does so only if the app has
    ``QUEUE_NOTIFICATIONS``, which is unknown here: the timer's finding it is then no fault.
    """
    run = str(uuid.uuid4())
    failure = None
    began = time.monotonic()
    try:
        answer = receiver.post(lineage_event(run, "COMPLETE"))
    except requests.RequestException as error:
        # It may be stored all the same, so its traces are removed as well.
        found = f"an event with lineage was not answered ({type(error).__name__})"
        failure = wrong("end to end", found, "look at the app's log")
    else:
        if answer.status_code != 202:
            found = f"an event with lineage was answered {answer.status_code}: {answer.text[:200]}"
            yield wrong("end to end", found, "look at the app's log; is sparklin-doctor excluded by EXCLUDE_JOBS?")
            return
    try:
        yield failure or _arrived(run, services, began + seconds, is_private=is_private)
    finally:
        left = clean_up(run, receiver, services, began + 2 * seconds)
    if left:
        yield note("clean-up", left, _LEFT)


def _arrived(run: str, services: Services, deadline: float, *, is_private: bool) -> Check:
    try:
        return _awaited(run, services, deadline, is_private=is_private)
    except SparklinError as error:
        return wrong("end to end", str(error), "run it again")


def _awaited(run: str, services: Services, deadline: float, *, is_private: bool) -> Check:
    name = "end to end"
    began = time.monotonic()
    row = _row(run, services)
    if row is None:
        repair = "LINEAGE_STORAGE… must be that of the app: az functionapp config appsettings list -g <group> -n <app>"
        return wrong(name, "the app stored the event, but not in the storage account of these settings", repair)
    while row.status in (Status.RECEIVED, Status.RETRYING) and time.monotonic() < deadline:
        if row.status is Status.RETRYING and row.message != LOST_NOTIFICATION:
            break
        time.sleep(_POLL_SECONDS)
        row = _row(run, services) or row
    return outcome(row, time.monotonic() - began, is_private=is_private)


def outcome(row: EventRow, seconds: float, *, is_private: bool) -> Check:
    """The outcome for the test event after ``seconds``: whether a notification or the timer had it processed."""
    name = "end to end"
    # The timer counts a retry for each event that it finds; a failed attempt would have another status.
    by_timer = row.retry_count > 0
    if row.status is Status.PROCESSED and by_timer and is_private:
        return note(name, f"an event was in the catalogue after {seconds:.0f} s, because the timer found it", _QUEUE)
    if row.status is Status.PROCESSED and by_timer:
        found = f"an event was in the catalogue after {seconds:.0f} s, because the timer found it: nothing reported it"
        return wrong("event delivery", found, _DELIVERY)
    if row.status is Status.PROCESSED:
        return ok(name, f"an event was in the catalogue after {seconds:.1f} s; a notification reported it")
    if row.status is Status.RECEIVED and is_private:
        return note(name, "the event is stored, and waits for the timer", f"run it again with --wait 1000; {_QUEUE}")
    if row.status is Status.RECEIVED:
        return wrong("event delivery", "the event was stored, but nothing reported it to the app", _DELIVERY)
    repair = "see the message; then: sparklin replay --dead-letters"
    return wrong(name, f"the event was stored, and then {row.status.value}: {row.message}", repair)


def _row(run: str, services: Services) -> EventRow | None:
    rows = services.events.rows_of(services.events.names(run_key(run)))
    return rows[0] if rows else None


def clean_up(run: str, receiver: Receiver, services: Services, deadline: float) -> str:
    """Remove the run from the catalogue and from storage; returns what is left of it, "" if nothing."""
    key = run_key(run)
    try:
        names = services.run_records.get(key)
        receiver.post(lineage_event(run, "FAIL"))
        while _is_shown(names, services) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        left = "its process is still in the catalogue" if _is_shown(names, services) else ""
        if not services.events.names(key):
            left = "its events are not in the storage account of these settings: the events stay, and so do its assets"
        for asset in (AssetName(GENERIC_TYPE, f"{NAMESPACE}/{end}") for end in ("in", "out")):
            _delete_asset(asset, services)
        forget_run(key, services)
        for name in names:
            row = services.details.read(name)
            if row and not row.process_guid:
                services.details.delete(row)
    except (SparklinError, requests.RequestException) as error:
        return f"the event's traces could not be removed: {_reason(error)}"
    return left


def _reason(error: Exception) -> str:
    """An error in words; the messages of ``requests`` would contain addresses."""
    return str(error) if isinstance(error, SparklinError) else f"the app did not answer ({type(error).__name__})"


def _is_shown(names: frozenset[str], services: Services) -> bool:
    rows = (services.details.read(name) for name in names)
    return any(row and (row.process_guid or row.dirty) for row in rows)


def _delete_asset(name: AssetName, services: Services) -> None:
    created = services.created.get_many([name]).get(name)
    if created and created.guid:
        remove_asset(Asset(name, created.guid), services.catalog)
        services.created.remove(name, created.guid)
        services.cache.drop([name])


def lineage_event(run: str, event_type: str) -> bytes:
    """A test event that writes a column from one dataset into another."""
    columns = {"schema": {"fields": [{"name": COLUMN, "type": "string"}]}}
    read = {"inputFields": [{"namespace": NAMESPACE, "name": "in", "field": COLUMN}]}
    source = {"namespace": NAMESPACE, "name": "in", "facets": columns}
    facets = {**columns, "columnLineage": {"fields": {COLUMN: read}}}
    sink = {"namespace": NAMESPACE, "name": "out", "facets": facets}
    return event_of_ours(event_type, run, _JOB, [source], [sink])
