"""Print how much of the truth is drawn from recorded applications, next to the agent's own facet.

.venv/bin/python -m tests.support.evaluation [--edges] FOLDER…

A FOLDER holds scenarios (folders with ``_scenario.json`` and the events); without one, the corpus is measured.
``--edges`` also lists what is missing or wrong, sink by sink.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.event_model import RunEvent
from parser.facet_columns import columns
from parser.merge import RunState, merge
from tests.support.corpus import CORPUS, column_text, events
from tests.support.figures import Figures, TrueLineage, of_sinks, true_lineage
from tests.support.lineage import Drawn, drawn, runs_of


def facet_alone(found: Iterable[RunEvent]) -> dict[str, Drawn]:
    """What the columnLineage facets of all events that did not fail say, united by sink."""
    found_by_sink: dict[str, Drawn] = {}
    for run_events in runs_of(found):
        if merge(run_events).state is RunState.FAILED:
            continue
        for event in run_events:
            for output in event.outputs:
                sink = str(output.dataset.id)
                listed, _ = columns(output.column_lineage, output.dataset.id, output.dataset.fields)
                edges = {(column.name, column_text(source)) for column in listed for source in column.sources}
                before = found_by_sink.get(sink, Drawn(frozenset(), frozenset()))
                inputs = {str(item.dataset.id) for item in event.inputs}
                found_by_sink[sink] = Drawn(before.inputs | inputs, before.edges | edges)
    return found_by_sink


def measured(scenario: Path) -> tuple[Figures, Figures]:
    """Of one application: the figures of what is drawn, and of the facet alone."""
    found, true = events(str(scenario)), true_lineage(str(scenario))
    return of_sinks(drawn(found), true), of_sinks(facet_alone(found), true)


def differences(scenario: Path) -> Iterator[str]:
    """What is missing (-) or wrong (+), a line each."""
    found, true = drawn(events(str(scenario))), true_lineage(str(scenario))
    nothing = Drawn(frozenset(), frozenset())
    for sink in sorted({*found, *true}):
        if sink not in true:
            yield f"  + {sink} (a sink)"
            continue
        if sink not in found:
            yield f"  - {sink} (a sink)"
        yield from _of_sink(sink, found.get(sink, nothing), true[sink])


def _of_sink(sink: str, found: Drawn, true: TrueLineage) -> Iterator[str]:
    edges = {edge for edge in found.edges if edge[0] in true.columns}
    for sign, names in (("-", true.inputs - found.inputs), ("+", found.inputs - true.inputs)):
        yield from (f"  {sign} {sink}: reads {name}" for name in sorted(names))
    for sign, pairs in (("-", true.edges - edges), ("+", edges - true.edges)):
        yield from (f"  {sign} {sink}: {column} from {source}" for column, source in sorted(pairs))


def main(arguments: list[str]) -> None:
    folders = [Path(argument) for argument in arguments if argument != "--edges"] or sorted(CORPUS.iterdir())
    print("| folder | sinks | inputs (wrong) | edges (wrong) | precision, recall | the facet's |")  # noqa: T201
    print("|---" * 6 + "|")  # noqa: T201
    for folder in folders:
        scenarios = sorted(file.parent.resolve() for file in folder.rglob("_scenario.json"))
        drawn_figures, facet = Figures(), Figures()
        for scenario in scenarios:
            own, agents = measured(scenario)
            drawn_figures, facet = drawn_figures + own, facet + agents
        if scenarios:
            print(_row(folder.name, drawn_figures, facet))  # noqa: T201
        for scenario in scenarios if "--edges" in arguments else ():
            if lines := list(differences(scenario)):
                print(f" {scenario.name}", *lines, sep="\n")  # noqa: T201


def _row(name: str, own: Figures, facet: Figures) -> str:
    return (
        f"| {name} | {own.sinks - own.sinks_missing} of {own.sinks} "
        f"| {own.inputs - own.inputs_missing} of {own.inputs} ({own.inputs_wrong}) "
        f"| {own.edges - own.edges_missing} of {own.edges} ({own.edges_wrong}) "
        f"| {own.precision:.3f}, {own.recall:.3f} | {facet.precision:.3f}, {facet.recall:.3f} |"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
