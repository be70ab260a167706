"""The lineage graph of a deployment's table LineageDetails: with expressions, conditions, uses of rows, and runs."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import msgspec

from core.errors import UnreadableHistory
from explorer.from_processes import DerivedProcess, from_processes
from explorer.graph import GraphNote, LineageGraph
from explorer.runs import newest_runs
from parser.repeated_runs import whole_history
from pipeline.processes import Naming, drawn, process_of
from storage.details_table import DetailsRow


def from_details(rows: Iterable[DetailsRow], window: timedelta, naming: Naming) -> LineageGraph:
    """The graph of the processes of some rows. A note names each row whose history has another form."""
    unreadable: list[GraphNote] = []

    def derived() -> Iterator[DerivedProcess]:
        for row in rows:
            try:
                if found := _derived(row, window, naming):
                    yield found
            except UnreadableHistory as error:
                unreadable.append(GraphNote("row-unreadable", f"{row.qualified_name}: {error}"))

    graph = from_processes(derived(), "details")
    return msgspec.structs.replace(graph, notes=(*unreadable, *graph.notes))


def _derived(row: DetailsRow, window: timedelta, naming: Naming) -> DerivedProcess | None:
    history = whole_history(row.history, row.repeats)
    lineage, runs = drawn(history, window, naming)
    if lineage is None:
        return None
    process = process_of(lineage, naming, row.qualified_name)
    notes = [*lineage.notes, *(note for each in process.resolutions.values() for note in each.notes)]
    return DerivedProcess(process, newest_runs(history, runs), row.process_guid, notes)
