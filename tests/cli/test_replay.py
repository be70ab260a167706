"""Which runs ``sparklin replay`` takes, how long it waits for them, and what it reports."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, cast

import pytest

from cli import replay
from cli.tasks import replay_runs
from cli.tasks.replay_runs import Candidate, Outcome, _decided
from pipeline.services import Services
from storage.event_rows import EventRow, Status

SERVICES = cast(Services, None)
ASKED = "a replay was asked for"
DONE, FAILED = Outcome(Status.PROCESSED, ""), Outcome(Status.DEAD_LETTERED, "fix it")


def row(status: Status, message: str = "") -> EventRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(EventRow))
    return EventRow(**{**known, "status": status, "message": message})


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([], None),
        ([row(Status.RETRYING, ASKED)], None),
        ([row(Status.PROCESSED), row(Status.RETRYING, ASKED)], None),
        ([row(Status.PROCESSED)], 0),
        ([row(Status.WAITING), row(Status.PROCESSED)], 1),
        # Another failure is a result; so is a status with the words of a request.
        ([row(Status.RETRYING, "busy")], 0),
        ([row(Status.PROCESSED, ASKED)], 0),
        # The row of the same event in another hour counts.
        ([row(Status.PROCESSED), row(Status.DUPLICATE)], 0),
        ([row(Status.DUPLICATE)], None),
    ],
)
def test_the_row_that_shows_what_became_of_a_run(rows: list[EventRow], at: int | None) -> None:
    assert _decided(rows) is (None if at is None else rows[at])


class Clock:
    """Time that passes only while the command waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(replay, "time", found)
    return found


@pytest.mark.parametrize(
    ("finished", "wait", "done", "waited"),
    [
        ({"a": 0, "b": 0}, 300, "ab", 0),
        ({"a": 2, "b": 5}, 300, "ab", 5),
        ({"a": 2, "b": 500}, 10, "a", 11),
        ({"a": 2, "b": 11}, 10, "ab", 11),
        ({"a": 0}, 0, "", 0),
    ],
)
def test_runs_are_waited_for_until_all_are_done_or_the_time_is_up(
    finished: dict[str, float], wait: int, done: str, waited: float, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def outcomes(keys: Iterable[str], _: Services) -> Iterator[tuple[str, Outcome]]:
        asked.append(list(keys))
        yield from ((key, DONE) for key in asked[-1] if clock.now - 1000 >= finished[key])

    monkeypatch.setattr(replay_runs, "outcomes", outcomes)
    wanted = [Candidate(key, "", 1) for key in finished]

    assert replay._awaited(wanted, SERVICES, wait) == dict.fromkeys(done, DONE)
    assert clock.now - 1000 == waited
    assert all(len(keys) == len(set(keys)) for keys in asked)


@pytest.mark.usefixtures("clock")
def test_nothing_is_waited_for_where_nothing_is_wanted() -> None:
    assert replay._awaited([], SERVICES, 300) == {}


@pytest.mark.parametrize(
    ("candidate", "outcome", "dry_run", "state", "message"),
    [
        (Candidate("r", "nb", 1, "it has not ended"), None, False, "skipped", "it has not ended"),
        (Candidate("r", "nb", 1), FAILED, False, "DeadLettered", "fix it"),
        (Candidate("r", "nb", 1), None, True, "wanted", ""),
        (Candidate("r", "nb", 1), None, False, "enqueued", "the app has not started on it yet"),
    ],
)
def test_the_result_of_a_run(
    candidate: Candidate, outcome: Outcome | None, dry_run: bool, state: str, message: str
) -> None:
    assert replay.as_object([candidate], {"r": outcome} if outcome else {}, dry_run=dry_run) == {
        "dryRun": dry_run,
        "runs": [{"run": "r", "job": "nb", "events": 1, "state": state, "message": message}],
    }


@pytest.mark.parametrize(
    ("events", "left", "said"),
    [
        ((1, 2), 2, ""),
        ((1, 0, 0), 1, "2 dead letters have no events to replay; sparklin purge deletes old ones\n"),
    ],
)
def test_dead_letters_without_events_are_left_out(
    events: tuple[int, ...], left: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replay._with_events([Candidate(str(number), "", count) for number, count in enumerate(events)])

    assert (len(found), all(each.events for each in found), capsys.readouterr().err) == (left, True, said)
