"""One process per notebook and sink, also for processes that an earlier version named after the application."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parser.application import TAILS
from parser.artifacts import Artifact
from pipeline import artifact_migration, retries
from pipeline.artifact_migration import move_to_artifacts
from pipeline.services import Services
from storage.details_table import DetailsRow, DetailsTable
from storage.migrations import Progress
from storage.retry_queue import decode
from tests.support.corpus import bodies
from tests.support.events import body, dataset, event
from tests.support.fixtures import new_universe
from tests.support.tiers import sweep
from tests.support.universe import Universe

RECORDINGS = ["fabric-1.26.0_spark-3.5.1/two_sessions", "fabric-1.40.1_spark-4.0.1/two_sessions"]
DAILY = "fabric:294c85d6-f31a-47b0-868e-b517d93af408"


@pytest.fixture
def universe(services: Services) -> Universe:
    return new_universe(services)


@contextmanager
def named_after_the_application(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs are processed as by the version before this one, which did not know notebooks."""
    with patch.context() as inner:
        inner.setattr("parser.application.artifact", lambda *_: Artifact())
        inner.setattr("parser.application.TAILS", tuple(tail for tail in TAILS if "\\d(?:_" not in tail.pattern))
        yield


def applications(here: Universe) -> list[str]:
    """The applications in the qualified names of the processes, sorted."""
    prefix = f"sparklin://{here.name}/"
    names = [each["attributes"]["qualifiedName"] for each in here.entities_named(prefix) if each["typeName"] == OWN]
    return sorted(name.removeprefix(prefix).partition("#")[0] for name in names)


OWN = "azure_synapse_operation"


def migrate(here: Universe, now: datetime | None = None) -> None:
    """The timer's calls until a round is over, and the retries that they enqueued."""
    here.services.migrations.write(artifact_migration.NAME, Progress())
    finish_round(here, 1, now)
    queue = here.services.clients.queue()
    for message in queue.receive_messages(visibility_timeout=600):
        pointer = base64.b64decode(message.content)
        if decode(pointer).reason == artifact_migration.REASON:
            retries.retry(pointer, here.services)
        queue.delete_message(message)


def finish_round(here: Universe, rounds: int, now: datetime | None = None) -> None:
    """The timer's calls until all rows of the universe were read that many times."""
    own = replace(here.services, details=OwnRows(here))
    while own.migrations.read(artifact_migration.NAME).rounds < rounds:
        move_to_artifacts(own, now)


class OwnRows(DetailsTable):
    """LineageDetails without the rows of other tests."""

    def __init__(self, here: Universe) -> None:
        super().__init__(here.services.clients)
        self._prefix = f"sparklin://{here.name}/"

    def part(self, number: int) -> Iterator[DetailsRow]:
        yield from (row for row in super().part(number) if row.qualified_name.startswith(self._prefix))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact_migration, "_SPREAD_SECONDS", 0)


@pytest.mark.parametrize("recording", sweep(RECORDINGS, RECORDINGS[-1:]))
def test_one_notebook_in_two_sessions_is_one_process_per_sink(recording: str, universe: Universe) -> None:
    universe.deliver_all(bodies(recording))
    assert applications(universe) == [DAILY, DAILY]
    assert {name.partition(" → ")[0] for name in universe.processes()} == {"nb_daily"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("recording", RECORDINGS)
def test_what_was_drawn_under_the_name_of_each_session_moves_to_the_notebook(
    recording: str, universe: Universe, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with named_after_the_application(monkeypatch):
        universe.deliver_all(bodies(recording))
    assert DAILY not in applications(universe)
    migrate(universe)
    fresh = new_universe(services)
    fresh.deliver_all(bodies(recording))
    assert universe.processes() == fresh.processes()
    assert applications(universe) == [DAILY, DAILY]


def written(notebook: str, run: str, source: str, session: str = "nb") -> bytes:
    """A write of a notebook called ``nb``."""
    return body(
        event(
            job_name=f"{session}.execute_insert_into_hadoop_fs_relation_command.out",
            run=run,
            properties={"trident.artifact.id": notebook, "trident.artifact.name": "nb"},
            inputs=[dataset(source, ["id"])],
            outputs=[dataset("out", ["id"], {"id": [(source, "id")]})],
        )
    )


ONE, OTHER = "294c85d6-f31a-47b0-868e-b517d93af408", "6d80c91a-375e-4bf4-8ac2-f95b1d7e384c"
RUNS = ["01a204f9-ced0-75cb-96b6-56e74817518b", "01a204f9-ced0-75cb-96b6-56e74817518c"]


def test_two_notebooks_with_the_same_name_that_shared_a_process_are_separated(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [written(ONE, RUNS[0], "a"), written(OTHER, RUNS[1], "b")]
    with named_after_the_application(monkeypatch):
        universe.deliver_all(events)
    assert applications(universe) == ["nb"]
    migrate(universe)
    assert applications(universe) == [f"fabric:{ONE}", f"fabric:{OTHER}"]


def test_a_process_under_the_name_of_a_session_moves_to_the_notebook(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with named_after_the_application(monkeypatch):
        universe.deliver_all([written(ONE, RUNS[0], "a", "nb_1"), written(ONE, RUNS[1], "b", "nb_2")])
    assert applications(universe) == ["nb_1", "nb_2"]
    migrate(universe)
    assert applications(universe) == [f"fabric:{ONE}"]


def test_a_run_whose_events_were_deleted_moves_as_it_is_in_the_history(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = written(ONE, RUNS[0], "a"), written(ONE, RUNS[1], "b")
    with named_after_the_application(monkeypatch):
        universe.deliver_all([old, new])
    (before,) = universe.processes().values()
    universe.services.events.delete(universe.services.events.names(universe.run_id(RUNS[0])))
    migrate(universe)
    (after,) = universe.processes().values()
    assert applications(universe) == [f"fabric:{ONE}"]
    assert after == before
    assert len(after["inputs"]) == 2


def test_a_renamed_notebook_keeps_its_process_and_gets_its_new_name(universe: Universe) -> None:
    first, later = written(ONE, RUNS[0], "a"), written(ONE, RUNS[1], "a").replace(b'"nb"', b'"better name"')
    universe.deliver_all([first, later.replace(b"2024-05-01T12:00", b"2024-05-02T12:00")])
    assert list(universe.processes()) == ["better name → out"]


def test_all_rows_are_checked_again_after_a_day_and_then_never_again(universe: Universe) -> None:
    migrations, start = universe.services.migrations, datetime.now(UTC)
    migrate(universe, start)
    first = migrations.read(artifact_migration.NAME)
    move_to_artifacts(universe.services, start + timedelta(hours=23))
    assert migrations.read(artifact_migration.NAME) == first
    finish_round(universe, 2, start + timedelta(hours=25))
    done = migrations.read(artifact_migration.NAME)
    move_to_artifacts(universe.services, start + timedelta(days=9))
    assert migrations.read(artifact_migration.NAME) == done


NOON, DAY = datetime(2024, 5, 1, 12, tzinfo=UTC), timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "most", "parts", "after"),
    [
        (Progress(), 200, range(16), Progress(1, 0, NOON)),
        (Progress(0, 14), 200, (14, 15), Progress(1, 0, NOON)),
        (Progress(0, 3), 3, (3, 4), Progress(0, 5)),
        (Progress(0, 3), 2, (3,), Progress(0, 4)),
        (Progress(1, 15, NOON - DAY / 2), 200, (15,), Progress(2, 0, NOON)),
        (Progress(1, 0, NOON - DAY), 200, range(16), Progress(2, 0, NOON)),
        (Progress(1, 0, NOON - DAY / 2), 200, (), Progress(1, 0, NOON - DAY / 2)),
        (Progress(2, 0, NOON - 9 * DAY), 200, (), Progress(2, 0, NOON - 9 * DAY)),
    ],
)
def test_a_call_continues_where_the_one_before_stopped(
    before: Progress,
    most: int,
    parts: Sequence[int],
    after: Progress,
    universe: Universe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each part has two rows here."""
    read: list[int] = []

    def part(_: DetailsTable, number: int) -> list[DetailsRow]:
        read.append(number)
        return [DetailsRow("a"), DetailsRow("b")]

    monkeypatch.setattr(DetailsTable, "part", part)
    monkeypatch.setattr(artifact_migration, "_move", lambda *_: None)
    monkeypatch.setattr(artifact_migration, "ROWS_PER_CALL", most)
    universe.services.migrations.write(artifact_migration.NAME, before)
    move_to_artifacts(universe.services, NOON)
    assert (read, universe.services.migrations.read(artifact_migration.NAME)) == (list(parts), after)


def test_processes_of_applications_without_a_notebook_stay(universe: Universe) -> None:
    universe.deliver_all([body(event(inputs=[dataset("a", ["id"])], outputs=[dataset("out", ["id"])]))])
    migrate(universe)
    assert applications(universe) == ["nb"]
