"""Each recorded application and all that is made of it, whatever the order in which its events come.

``_expected.json`` next to the events contains what ``sparklin preview --json`` prints for them. After a change that is
wanted, ``pytest tests/pipeline/test_expected.py --write-expected`` rewrites it and fails: read the differences, then
run the tests again.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from cli.preview import as_object, preview_rules
from cli.tasks.preview_events import preview
from core.envelope import read_envelope
from core.event_model import RunEvent
from core.events import read_event
from core.lineage_model import Lineage
from core.settings import Settings
from parser import process_history as histories
from parser.application_facts import united
from parser.lineage import Derived, derive
from parser.merge import MergedRun, RunState, merge
from parser.process_history import History
from pipeline.processes import by_process
from receiver.accept import accept
from tests.support.corpus import CORPUS, bodies, scenarios

RULES = preview_rules(Settings.offline({}))

Order = Callable[[list[bytes]], list[bytes]]


def printed(found: list[bytes]) -> str:
    shown = [as_object(process) for process in preview(found, RULES).processes]
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


def shuffled_and_doubled(found: list[bytes]) -> list[bytes]:
    return random.Random(len(found)).sample([*found, *found], 2 * len(found))


ORDERS: list[Any] = [
    shuffled_and_doubled,
    pytest.param(list, marks=pytest.mark.exhaustive, id="as sent"),
    pytest.param(lambda found: found[::-1], marks=pytest.mark.exhaustive, id="backwards"),
]


@pytest.mark.parametrize("scenario", scenarios())
def test_the_result_of_an_application_is_as_expected(scenario: str, request: pytest.FixtureRequest) -> None:
    file = CORPUS / scenario / "_expected.json"
    if request.config.getoption("--write-expected"):
        file.write_text(printed(bodies(scenario)), "utf-8")
        pytest.fail(f"{file.parent.name}: written; read the difference")
    assert printed(bodies(scenario)) == file.read_text("utf-8")


@pytest.mark.parametrize("scenario", scenarios())
@pytest.mark.parametrize("order", ORDERS)
def test_event_by_event_in_any_order_gives_the_same_result(scenario: str, order: Order) -> None:
    assert event_by_event(order(bodies(scenario))) == all_at_once(bodies(scenario))


def all_at_once(found: list[bytes]) -> dict[str, Lineage]:
    processes = (item.process for item in preview(found, RULES).processes)
    return {process.qualified_name: process.lineage for process in processes}


def event_by_event(found: list[bytes]) -> dict[str, Lineage]:
    """What processes show after their runs were computed again at each event, as workers do with stored events."""
    worker = Worker()
    for body in found:
        envelope = read_envelope(body)
        if accept(envelope, RULES.receiver).kept:
            worker.take(read_event(body))
    shown = {name: histories.shown(history, RULES.window) for name, history in worker.histories.items()}
    return {name: lineage for name, lineage in shown.items() if lineage and not lineage.view}


class Worker:
    """Processes a run at each of its events, and again the runs that lacked a fact of this run."""

    def __init__(self) -> None:
        self.histories: dict[str, History] = defaultdict(History)
        self._events: dict[str, list[RunEvent]] = defaultdict(list)
        self._runs: dict[str, tuple[MergedRun, Derived]] = {}

    def take(self, event: RunEvent) -> None:
        key = event.run_key
        self._events[key].append(event)
        run = merge(self._events[key])
        derived = derive(run, RULES.lineage)
        before = self._runs.get(key)
        self._runs[key] = run, derived
        self._work_out(run)
        if before is None or before[1].facts != derived.facts:
            for other, lacking in list(self._runs.values()):
                if lacking.needs and other.run_key != key:
                    self._work_out(other)

    def _work_out(self, run: MergedRun) -> None:
        derived = self._runs[run.run_key][1]
        application = run.ref.application_run
        if derived.needs and application:
            said = (own.facts for other, own in self._runs.values() if other.ref.application_run == application)
            derived = derive(run, RULES.lineage, united(said))
        processes = by_process(derived.lineages, RULES.naming)
        found, run_key = self.histories, run.run_key
        for name in {*found, *processes}:
            if name not in processes:
                found[name] = histories.without_run(found[name], run_key)
            elif run.state is RunState.FAILED:
                found[name] = histories.with_failure(found[name], run.ref)
            else:
                found[name] = histories.with_run(found[name], processes[name].lineage, run.ref)
