"""Lineage to processes: which process a lineage belongs to, and what each process shows after its runs.

Pure: what is uploaded and what ``sparklin preview`` prints are made here from the same nouns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from core.model import AssetName, DatasetId, Lineage, NameContext, Note, Resolution, RunRef
from core.settings import Settings
from parser import process_history as histories
from parser.lineage_union import united
from parser.process_history import History
from purview.entities import preview_entities, write_of
from purview.process_name import Namer, Write, namer, native, process_name
from qualified_names import rules as name_rules
from qualified_names.resolve import resolve
from qualified_names.resource_sets import same_resource_set
from qualified_names.rules import Rules


@dataclass(frozen=True, slots=True)
class Naming:
    """How datasets and processes get their names: the rules, what the settings know beyond them, and the namer."""

    rules: Rules
    context: NameContext
    process: Namer = native

    @classmethod
    def of(cls, settings: Settings) -> "Naming":
        """The naming that the settings ask for.

        :raises SettingsError: the file of naming rules cannot be used.
        """
        rules = name_rules.load(settings.name_rules_file or None)
        return cls(rules, settings.name_context(), namer(settings.process_naming, settings.databricks_tasks))


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the catalogue: its identity, what it shows, and the names of all datasets in it."""

    qualified_name: str
    name: str
    lineage: Lineage
    resolutions: Mapping[DatasetId, Resolution]

    @property
    def sink(self) -> Resolution:
        return self.resolutions[self.lineage.sink.id]

    @property
    def inputs(self) -> tuple[Resolution, ...]:
        return tuple(self.resolutions[dataset.id] for dataset in self.lineage.inputs)


def process_of(lineage: Lineage, naming: Naming, qualified_name: str = "") -> Process:
    """The process that shows this lineage: the one of ``qualified_name``, or else that of the naming in force."""
    datasets = (lineage.sink, *lineage.inputs)
    context = _context(lineage, naming)
    resolutions = {dataset.id: resolve(dataset, context, naming.rules) for dataset in datasets}
    write = write_of(lineage, resolutions)
    named = process_name(write, qualified_name or naming.process(write))
    return Process(named.asset.qualified_name, named.name, lineage, resolutions)


def same_data(wanted: AssetName, found: AssetName) -> bool:
    """Whether an asset that was found is the one that is wanted, as scans may name it."""
    return same_resource_set(wanted.qualified_name, found.qualified_name)


def check_drawable(lineages: Iterable[Lineage], naming: Naming) -> None:
    """Make sure that lineages can be drawn, before they become part of what their processes show.

    Whatever a lineage raises here, it would raise for every later run of its process too.
    """
    for lineage in lineages:
        preview_entities(lineage, process_of(lineage, naming).resolutions)


def by_process(lineages: Iterable[Lineage], naming: Naming) -> dict[str, Lineage]:
    """The lineages of a run under the qualified names of their processes.

    Two outputs of a run that come out as one asset (a folder, and a file in it) are one process, with what both tell.
    """
    found: dict[str, list[Lineage]] = {}
    for lineage in lineages:
        found.setdefault(_qualified_name(lineage, naming), []).append(lineage)
    return {process: _of_first_sink(same, naming) for process, same in found.items()}


def by_failed_process(lineages: Iterable[Lineage], naming: Naming) -> dict[str, Lineage]:
    """As ``by_process``, and under the names that the same writes have where no inputs are known.

    A failure goes to all of them: it retracts the run around it, which may not know the inputs
    (see parser.process_history).
    """
    known = tuple(lineages)
    return {**by_process((replace(each, inputs=()) for each in known), naming), **by_process(known, naming)}


def shown(history: History, window: timedelta, naming: Naming) -> tuple[Lineage | None, tuple[RunRef, ...]]:
    """The lineage that a process shows, and the runs behind it, the newest first.

    A process has one sink. The sample's names leave out databases and folders, so several may share one: then the
    sink of the newest run is shown, and a note names the others.
    """
    view = histories.in_view(history, window)
    others: set[AssetName] = set()
    if len({item.lineage.sink.id for item in view}) > 1:
        sink = _sink(view[0].lineage, naming)
        others = {_sink(item.lineage, naming) for item in view} - {sink}
        own = (item for item in history.contributions if _sink(item.lineage, naming) == sink)
        history = replace(history, contributions=tuple(own))
    lineage = histories.shown(history, window)
    if lineage:
        lineage = replace(lineage, notes=(*lineage.notes, *_not_shown(others)))
    return lineage, histories.shown_runs(history, window)


def drawn(history: History, window: timedelta, naming: Naming) -> tuple[Lineage | None, tuple[RunRef, ...]]:
    """What the catalogue shows of a process: as ``shown``, but None for a view, which is kept in its row alone."""
    lineage, runs = shown(history, window, naming)
    return (None if lineage and lineage.view else lineage), runs


def _qualified_name(lineage: Lineage, naming: Naming) -> str:
    """The name of the process by the naming in force; inputs are resolved only where it depends on them."""
    if naming.process is not native:
        return process_of(lineage, naming).qualified_name
    sink = resolve(lineage.sink, _context(lineage, naming), naming.rules)
    return native(Write(lineage.application, sink))


def _of_first_sink(lineages: list[Lineage], naming: Naming) -> Lineage:
    """What lineages of one process tell together; of several sinks, the first is shown."""
    sinks = {_sink(lineage, naming) for lineage in lineages}
    sink = _sink(lineages[0], naming)
    union = united([lineage for lineage in lineages if _sink(lineage, naming) == sink])
    return replace(union, notes=(*union.notes, *_not_shown(sinks - {sink})))


def _not_shown(sinks: Iterable[AssetName]) -> tuple[Note, ...]:
    return tuple(
        Note("shared-process", f"This process also writes {sink.qualified_name}: PROCESS_NAMING gives both one name.")
        for sink in sorted(sinks)
    )


def _sink(lineage: Lineage, naming: Naming) -> AssetName:
    return resolve(lineage.sink, _context(lineage, naming), naming.rules).asset


def _context(lineage: Lineage, naming: Naming) -> NameContext:
    return replace(naming.context, mount_points={**naming.context.mount_points, **dict(lineage.mount_points)})
