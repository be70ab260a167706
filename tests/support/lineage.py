"""Lineage of recorded events, as plain texts that compare well."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from core.event_model import RunEvent
from parser.lineage import LineageRules, derive_together
from parser.merge import RunState, merge
from parser.process_history import History, shown, with_failure, with_run
from tests.support.corpus import column_text


@dataclass(frozen=True)
class Drawn:
    """What is drawn into one sink: datasets, and (sink column, source column) edges."""

    inputs: frozenset[str]
    edges: frozenset[tuple[str, str]]


def drawn(events: Iterable[RunEvent], rules: LineageRules | None = None) -> dict[str, Drawn]:
    """The union of all runs by sink, failed runs taken out."""
    histories: dict[str, History] = defaultdict(History)
    runs = [merge(run_events) for run_events in runs_of(events)]
    derived = derive_together(runs, rules or LineageRules())
    for run in runs:
        for lineage in derived[run.run_key].lineages:
            sink = str(lineage.sink.id)
            before = histories[sink]
            failed = run.state is RunState.FAILED
            histories[sink] = with_failure(before, run.ref) if failed else with_run(before, lineage, run.ref)
    unions = {sink: shown(history, timedelta(days=30)) for sink, history in histories.items()}
    return {
        sink: Drawn(
            frozenset(str(dataset.id) for dataset in union.inputs),
            frozenset((column.name, column_text(source)) for column in union.columns for source in column.sources),
        )
        for sink, union in unions.items()
        if union and not union.view
    }


def runs_of(events: Iterable[RunEvent]) -> list[list[RunEvent]]:
    """The events, run by run."""
    runs: dict[str, list[RunEvent]] = defaultdict(list)
    for event in events:
        runs[event.run_key].append(event)
    return list(runs.values())
