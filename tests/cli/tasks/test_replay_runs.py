"""Runs are processed again because a person requests it, on real storage and a real Data Map."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from cli.tasks import replay_runs as steps
from core.errors import StorageUnavailable
from core.identity import run_key
from pipeline import retries
from pipeline.publish import republish
from storage.clients import connect
from storage.request_budget import budget
from storage.retry_queue import RetryQueue
from storage.run_records import RunRecords
from tests.support.corpus import bodies
from tests.support.events import body, dataset, event
from tests.support.fixtures import Sparklin
from tests.support.unavailable_storage import connection_to
from tests.support.universe import Universe


@pytest.fixture(autouse=True)
def _no_faults_left(data_map: str) -> Iterator[None]:
    yield
    fix(data_map)


def fix(data_map: str) -> None:
    requests.delete(f"{data_map}/_control/faults", timeout=60)


def a_write(event_type: str = "COMPLETE", run: str = "run-1") -> bytes:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    return body(event(event_type, run=run, inputs=[dataset("s", ["x"])], outputs=[written]))


def key(universe: Universe, run: str = "run-1") -> str:
    return run_key(universe.run_id(run))


def dead(universe: Universe, data_map: str) -> None:
    """Let the universe's run be dead-lettered, because the identity has no role; then grant the role."""
    universe.fail(count=100, path="entity/bulk", status=400)
    universe.deliver(a_write())
    fix(data_map)
    assert universe.statuses([a_write()]) == ["DeadLettered"]


def letters(universe: Universe) -> int:
    return len(list(universe.services.dead_letters.names(key(universe))))


@contextmanager
def app_at_work(universe: Universe) -> Iterator[None]:
    """The part of the host that takes messages off the retry queue."""
    stopped = threading.Event()
    queue = universe.services.clients.queue()

    def work() -> None:
        while not stopped.wait(0.05):
            for message in queue.receive_messages(visibility_timeout=30):
                queue.delete_message(message)
                retries.retry(base64.b64decode(message.content), universe.services)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def of(universe: Universe, shown: Mapping[str, Any], run: str = "run-1") -> Mapping[str, Any]:
    """The command's output about a run of this universe."""
    (found,) = [each for each in shown["runs"] if each["run"] == key(universe, run)]
    return found  # type: ignore[no-any-return]


def test_a_dry_run_shows_the_dead_letters_and_does_nothing(
    universe: Universe, data_map: str, sparklin: Sparklin
) -> None:
    dead(universe, data_map)
    code, shown = sparklin("replay", "--dead-letters", "--dry-run")
    assert (code, of(universe, shown)["state"]) == (0, "wanted")
    assert universe.statuses([a_write()]) == ["DeadLettered"]
    assert letters(universe) == 1


def test_dead_letters_are_processed_once_the_cause_is_fixed(
    universe: Universe, data_map: str, sparklin: Sparklin
) -> None:
    dead(universe, data_map)
    with app_at_work(universe):
        _, shown = sparklin("replay", "--dead-letters")
    assert of(universe, shown)["state"] == "Processed"
    assert list(universe.processes()) == ["nb → t"]
    assert letters(universe) == 0


@pytest.mark.usefixtures("sparklin")
def test_dead_letters_without_events_are_counted_in_a_message(universe: Universe) -> None:
    services = universe.services
    for word in ("one", "two"):
        services.dead_letters.put(f"{universe.name}/{word}", "no pointer", "delete it", {}, datetime.now(UTC))
    result = CliRunner().invoke(app, ["replay", "--local", "--dead-letters", "--dry-run"])
    keys = {run_key(f"{universe.name}/{word}") for word in ("one", "two")}
    assert keys.isdisjoint(each["run"] for each in json.loads(result.stdout)["runs"])
    assert result.stderr.count("have no events to replay") == 1
    assert result.exit_code == 0


def test_a_replay_that_fails_again_leaves_one_dead_letter(
    universe: Universe, data_map: str, sparklin: Sparklin
) -> None:
    dead(universe, data_map)
    universe.fail(count=100, path="entity/bulk", status=400)
    with app_at_work(universe):
        code, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert (code, of(universe, shown)["state"]) == (1, "DeadLettered")
    assert letters(universe) == 1


def test_a_run_that_was_processed_is_left_alone(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write())
    code, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert (code, of(universe, shown)["state"]) == (0, "skipped")
    assert "--force" in of(universe, shown)["message"]


def test_force_uploads_again_what_was_deleted_in_the_catalogue(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write())
    (process,) = universe.entities_of_processes()
    universe.services.catalog.delete(process["guid"])
    assert universe.processes() == {}
    with app_at_work(universe):
        code, shown = sparklin("replay", "--run", universe.run_id("run-1"), "--force")
    assert (code, of(universe, shown)["state"]) == (0, "Processed")
    assert list(universe.processes()) == ["nb → t"]


def test_force_draws_no_view(universe: Universe) -> None:
    universe.deliver_all(bodies("openlineage-0.4.0_spark-3.1.3/broadcast_hint"))
    drawn = universe.processes()
    kept = [
        row.qualified_name for row in universe.services.details.all() if f"//{universe.name}/" in row.qualified_name
    ]
    for process in kept:
        republish(process, universe.services)
    assert universe.processes() == drawn
    assert len(kept) > len(drawn)


def test_force_treats_a_run_that_has_not_ended_as_ended(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write("START"))
    _, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert "has not ended" in of(universe, shown)["message"]
    with app_at_work(universe):
        _, shown = sparklin("replay", "--run", universe.run_id("run-1"), "--force")
    assert of(universe, shown)["state"] == "Processed"
    assert list(universe.processes()) == ["nb → t"]


def test_since_takes_every_run_with_an_event_since_then(universe: Universe, sparklin: Sparklin) -> None:
    universe.post(a_write(run="a"))
    universe.post(a_write(run="b"))
    with app_at_work(universe):
        _, shown = sparklin("replay", "--since", "1h")
    assert [of(universe, shown, run)["state"] for run in "ab"] == ["Processed", "Processed"]


def test_force_with_since_leaves_a_run_alone_that_may_still_be_running(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver_all([a_write(run="ended"), a_write("START", "open"), a_write("START", "settled")])
    with app_at_work(universe):
        sparklin("replay", "--run", universe.run_id("settled"), "--force")
    _, shown = sparklin("replay", "--since", "1h", "--force", "--dry-run")
    states = {run: of(universe, shown, run)["state"] for run in ("ended", "open", "settled")}
    assert states == {"ended": "wanted", "open": "skipped", "settled": "wanted"}
    assert "--run with --force" in of(universe, shown, "open")["message"]


def test_without_an_app_the_run_stays_enqueued(universe: Universe, sparklin: Sparklin) -> None:
    universe.post(a_write())
    code, shown = sparklin("replay", "--run", universe.run_id("run-1"), "--wait", "0")
    assert (code, of(universe, shown)["state"]) == (0, "enqueued")
    assert universe.statuses([a_write()]) == ["Retrying"]
    with app_at_work(universe):
        _, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert of(universe, shown)["state"] == "Processed"


def interrupted(universe: Universe, *, force: bool) -> None:
    """A replay that has marked its run when storage becomes unavailable."""
    nowhere = connect(connection_to(9))
    services = replace(universe.services, run_records=RunRecords(nowhere), retries=RetryQueue(nowhere))
    (wanted,) = steps.candidates([key(universe)], universe.services, force=force, settle=force)
    assert not wanted.refusal
    with pytest.raises(StorageUnavailable), budget(2):
        list(steps.enqueue([wanted], services, force=force))


def test_an_interrupted_replay_can_be_repeated(universe: Universe, data_map: str, sparklin: Sparklin) -> None:
    dead(universe, data_map)
    interrupted(universe, force=False)
    with app_at_work(universe):
        _, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert of(universe, shown)["state"] == "Processed"


def test_an_interrupted_forced_replay_can_be_repeated(universe: Universe, sparklin: Sparklin) -> None:
    universe.deliver(a_write("START"))
    interrupted(universe, force=True)
    with app_at_work(universe):
        _, shown = sparklin("replay", "--run", universe.run_id("run-1"))
    assert of(universe, shown)["state"] == "Processed"


def test_a_run_is_shown_with_the_name_of_its_application(universe: Universe) -> None:
    name = "nb_gold_0b7de214_93c5_4f6e_a1b2_0123456789ab.execute_insert"
    universe.deliver(body(event(run="run-1", job_name=name, inputs=[dataset("s")], outputs=[dataset("t")])))

    (found,) = steps.candidates([key(universe)], universe.services, force=False, settle=False)

    assert (found.job, found.application) == (name, "nb_gold")


def test_an_unknown_run_is_an_error(universe: Universe, sparklin: Sparklin) -> None:
    code, shown = sparklin("replay", "--run", universe.run_id("unknown"))
    assert code == 1
    assert of(universe, shown, "unknown")["message"] == "none of its events are stored"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "one of --dead-letters"),
        (["--dead-letters", "--run", "x"], "one of --dead-letters"),
        (["--since", "yesterday"], "90m, 2h, 3d"),
        (["--since", "99999999999h"], "90m, 2h, 3d"),
    ],
)
def test_usage(options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["replay", "--local", *options])
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_a_run_that_is_unknown_is_named_as_such(universe: Universe, sparklin: Sparklin) -> None:
    code, shown = sparklin("replay", "--run", universe.run_id("unknown"))
    text = CliRunner().invoke(app, ["replay", "--local", "--text", "--run", universe.run_id("unknown")])
    assert (code, shown["runs"][0]["events"]) == (1, 0)
    assert (text.exit_code, text.stdout) == (1, "")
    assert universe.run_id("unknown") in text.stderr
