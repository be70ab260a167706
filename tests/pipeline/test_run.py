"""A run whose events cannot be read, or whose processes cannot be shown, and a clock that is ahead."""

from datetime import UTC, datetime, timedelta

import pytest

from core.envelope import read_envelope
from core.errors import CatalogConflict, Refused, SparklinError
from core.event_fields import digest
from core.naming import EventName
from core.replacing import replace
from pipeline.processes import Process
from pipeline.run import _in_our_time, _show_all, process_run
from pipeline.services import Services
from storage.event_rows import Status
from storage.stored_event import StoredEvent
from tests.support.events import body, event, run_event
from tests.support.universe import Universe

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("sent", "received", "counts"),
    [
        (NOON - 300 * DAY, NOON, NOON - 300 * DAY),
        (NOON, NOON, NOON),
        (NOON + DAY - SECOND, NOON, NOON + DAY - SECOND),
        (NOON + DAY + SECOND, NOON, NOON + DAY),
        (NOON + 300 * DAY, None, NOON + 300 * DAY),
    ],
)
def test_a_clock_may_be_ahead_by_a_day(sent: datetime, received: datetime | None, counts: datetime) -> None:
    found = replace(run_event(), time=sent)
    partition = f"{received:%Y%m%d%H}-0" if received else ""
    stored = StoredEvent(EventName(found.run_key, sent, "COMPLETE", "0" * 16), partition)
    assert _in_our_time(found, stored).time == counts


CONFLICT, REFUSED = CatalogConflict("changed"), Refused("wrong", "look")


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ({}, None),
        ({"b": REFUSED}, REFUSED),
        ({"a": REFUSED, "b": CONFLICT}, CONFLICT),
        ({"b": CONFLICT, "c": REFUSED}, CONFLICT),
    ],
    ids=["none", "refused", "conflict later", "conflict first"],
)
def test_every_process_is_shown_and_a_conflict_is_repeated_before_a_refusal(
    failures: dict[str, SparklinError], expected: SparklinError | None, services: Services
) -> None:
    shown = []

    def show(name: str, _services: Services, _known: Process | None) -> None:
        shown.append(name)
        if name in failures:
            raise failures[name]

    raised = None
    try:
        _show_all(dict.fromkeys("abc"), show, services)
    except SparklinError as error:
        raised = error
    assert (shown, raised) == (["a", "b", "c"], expected)


def test_a_run_of_which_no_event_can_be_read_is_dead_lettered(universe: Universe) -> None:
    sent = universe.own(body(event()))
    services = universe.services
    services.events.put(read_envelope(sent), digest(sent), b"no JSON", NOON)
    run = read_envelope(sent).run_key
    report = process_run(run, services)
    assert report is not None
    assert (report.status, report.message) == (Status.DEAD_LETTERED, "no event of this run can be read")
    assert [row.status for row in services.events.rows_of(services.events.names(run))] == [Status.DEAD_LETTERED]
    assert len(list(services.dead_letters.names(run))) == 1
