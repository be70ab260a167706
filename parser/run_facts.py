"""The facts of a run for others of its application, and the outputs that its plan names without their folders."""

import re
from collections.abc import Iterable, Iterator

from core.event_model import Dataset, EventDataset, Symlink
from core.identity import is_file_namespace
from parser.application_facts import MOST_LEAVES, MOST_TABLES, ApplicationFacts, MicroBatch, Needs, RunFacts
from parser.logical_plan.budget import PlanTooLargeError
from parser.logical_plan.plan_columns import planned_rows
from parser.logical_plan.plan_model import PlanFacts
from parser.logical_plan.sources import table_name
from parser.logical_plan.tree import tree
from parser.logical_plan.writes import commands
from parser.merge import MergedRun, RunState

_STREAMING = "STREAMING"
#: Since this version, the plan has ``originStats`` at rows that come from a Dataset.
_MARKS_DATASETS = (3, 4)


def is_micro_batch(run: MergedRun) -> bool:
    """Whether the run is a micro-batch of a stream whose sink no event names."""
    return run.processing_type == _STREAMING and not run.outputs and bool(run.inputs)


def facts_of(run: MergedRun, plan_facts: Iterable[PlanFacts]) -> RunFacts:
    """The facts of a run for others; ``plan_facts`` are those of its plan, once for each output."""
    leaves = {key: dataset for each in plan_facts for key, dataset in each.leaves.items()}
    kept = {} if run.processing_type == _STREAMING else dict(sorted(leaves.items())[:MOST_LEAVES])
    return RunFacts(dict(list(_tables(run))[:MOST_TABLES]), kept, _batch(run) if is_micro_batch(run) else None)


def needs_of(run: MergedRun, plan_facts: Iterable[PlanFacts], tables: Iterable[str]) -> Needs:
    """What a run lacks; ``tables`` are those that its plan writes and its events do not name."""
    listed = list(plan_facts)
    return Needs(
        frozenset(tables),
        frozenset(key for each in listed for key in each.open),
        run.processing_type != _STREAMING and any(each.reads_rows for each in listed),
    )


def planned_outputs(run: MergedRun, facts: ApplicationFacts) -> tuple[tuple[EventDataset, ...], frozenset[str]]:
    """The outputs of a run whose events name none, by the tables that its plan writes, and the names of these tables.

    A table's folder comes from an input of the run, or from another run of the application.
    """
    if run.outputs:
        return (), frozenset()
    names = frozenset(_written(run))
    own = dict(_named(item.dataset for item in run.inputs))
    found = {name: dataset for name in sorted(names) if (dataset := own.get(name) or facts.tables.get(name))}
    return tuple(EventDataset(dataset) for dataset in found.values()), names - own.keys()


def _written(run: MergedRun) -> Iterator[str]:
    plan = next((found for event in run.events if event.plan and (found := tree(event.plan))), None)
    for command in commands(plan) if plan else ():
        name = table_name(command).lower()
        if "." in name:
            yield name


def _tables(run: MergedRun) -> Iterator[tuple[str, Dataset]]:
    yield from _named(item.dataset for item in run.outputs)


def _named(datasets: Iterable[Dataset]) -> Iterator[tuple[str, Dataset]]:
    """Datasets in folders by their tables' names, as the catalogue has them."""
    for dataset in datasets:
        if is_file_namespace(dataset.id.namespace):
            yield from ((".".join(link.name.lower().split(".")[-2:]), dataset) for link in _table_links(dataset))


def _table_links(dataset: Dataset) -> Iterator[Symlink]:
    return (link for link in dataset.symlinks if link.type.upper() == "TABLE" and "." in link.name)


def _batch(run: MergedRun) -> MicroBatch | None:
    """The rows of a micro-batch that has ended; None if its plan does not contain them."""
    if run.state is not RunState.COMPLETED:
        return None
    inputs = {item.dataset.id: item.dataset for item in run.inputs}
    try:
        rows = planned_rows(run.events, inputs.values(), run.schemas)
    except PlanTooLargeError:
        rows = None
    if rows is None or not rows.names:
        return None
    sources = tuple(tuple(sorted(column.sources)) if column.certain else None for column in rows.columns)
    marks = any(_version(event.spark) >= _MARKS_DATASETS for event in run.events)
    read = tuple(inputs.values())
    return MicroBatch(run.run_key, run.started, run.ended, rows.names, sources, read, marks, rows.last_id)


def _version(spark: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", spark)
    return tuple(map(int, found.groups())) if found else ()
