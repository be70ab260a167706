"""The lineage graph of a deployment's table LineageDetails: with expressions, conditions, uses of rows, and runs."""

from collections.abc import Iterable
from datetime import timedelta

from explorer.from_processes import DerivedProcess, from_processes
from explorer.graph import LineageGraph
from explorer.runs import newest_runs
from parser.repeated_runs import whole_history
from pipeline.processes import Naming, drawn, process_of
from storage.details_table import DetailsRow


def from_details(rows: Iterable[DetailsRow], window: timedelta, naming: Naming) -> LineageGraph:
    """The graph of what the processes of some rows show.

    :raises UnreadableHistory: a row was written by something else.
    """
    found = (_derived(row, window, naming) for row in rows)
    return from_processes((each for each in found if each), "details")


def _derived(row: DetailsRow, window: timedelta, naming: Naming) -> DerivedProcess | None:
    history = whole_history(row.history, row.repeats)
    lineage, runs = drawn(history, window, naming)
    if lineage is None:
        return None
    process = process_of(lineage, naming, row.qualified_name)
    notes = [*lineage.notes, *(note for each in process.resolutions.values() for note in each.notes)]
    return DerivedProcess(process, newest_runs(history, runs), row.process_guid, notes)
