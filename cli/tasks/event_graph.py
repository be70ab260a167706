"""The lineage graph of event files: what ``sparklin preview`` derives, without network."""

from collections.abc import Iterable

from cli.tasks.preview_events import Preview, Rules, preview
from explorer.from_processes import DerivedProcess, from_processes
from explorer.graph import LineageGraph


def from_events(bodies: Iterable[bytes], rules: Rules) -> LineageGraph:
    """The graph of the processes that some readable events would draw."""
    return graph_of_preview(preview(bodies, rules))


def graph_of_preview(found: Preview) -> LineageGraph:
    """The graph of the processes of a preview."""
    derived = (DerivedProcess(each.process, each.newest_runs, notes=each.notes) for each in found.processes)
    return from_processes(derived, "events")
