"""Assigns lineages to processes, and determines what each process shows after its runs.

It does no I/O: the upload and ``sparklin preview`` use the same data classes made here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core.catalog_model import AssetName, NameContext, Resolution
from core.event_model import Dataset, DatasetId
from core.lineage_model import Lineage, Note, RunRef
from core.settings import Settings
from parser import process_history as histories
from parser.lineage_union import united
from parser.process_history import History
from purview.entities import preview_entities, write_of
from purview.process_name import Namer, namer, native, process_name
from qualified_names import rules as name_rules
from qualified_names.context_maps import with_learned
from qualified_names.resolve import resolve
from qualified_names.resource_sets import same_resource_set
from qualified_names.rules import Rules


@dataclass(frozen=True, slots=True)
class Naming:
    """How datasets and processes get their names: the rules, further values of the settings, and the namer."""

    rules: Rules
    context: NameContext
    process: Namer = native

    @classmethod
    def of(cls, settings: Settings) -> "Naming":
        """The naming that the settings ask for.

        :raises SettingsError: the file of naming rules cannot be used.
        """
        rules = name_rules.of_settings(settings)
        return cls(rules, settings.name_context(), namer(settings.process_naming, settings.databricks_tasks))


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the catalogue: its identity, the lineage that it shows, and the names of all datasets in it."""

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


def process_of(lineage: Lineage, naming: Naming, qualified_name: str = "", known: Process | None = None) -> Process:
    """The process that shows this lineage: the one of ``qualified_name``, or else that of the naming in force.

    ``known`` is a process whose datasets are resolved already; those that are equal are not resolved again.
    """
    resolutions = _resolved(lineage, naming, known)
    write = write_of(lineage, resolutions)
    named = process_name(write, qualified_name or naming.process(write))
    return Process(named.asset.qualified_name, named.name, lineage, resolutions)


def _resolved(lineage: Lineage, naming: Naming, known: Process | None) -> dict[DatasetId, Resolution]:
    resolved: dict[Dataset, Resolution] = {}
    if known and _facts_for_names(known.lineage) == _facts_for_names(lineage):
        resolved = {each: known.resolutions[each.id] for each in (known.lineage.sink, *known.lineage.inputs)}
    context = _context(lineage, naming)
    datasets = {dataset.id: dataset for dataset in (lineage.sink, *lineage.inputs)}
    return {key: resolved.get(dataset) or resolve(dataset, context, naming.rules) for key, dataset in datasets.items()}


def same_data(wanted: AssetName, found: AssetName) -> bool:
    """Whether an asset that was found is the wanted one, under the names that scans may give."""
    return same_resource_set(wanted.qualified_name, found.qualified_name)


def check_drawable(processes: Iterable[Process]) -> None:
    """Make sure that lineages can be drawn, before they become part of what their processes show.

    An error that a lineage raises here, it would raise for every later run of its process too.
    """
    for process in processes:
        preview_entities(process.lineage, process.resolutions, process.qualified_name)


def by_process(lineages: Iterable[Lineage], naming: Naming) -> dict[str, Process]:
    """What a run adds to each process, by its qualified name. Each dataset is resolved here, once for the run.

    Two outputs of a run that turn out to be one asset (a folder, and a file in it) are one process, with the lineage
    of both.
    """
    found: dict[str, list[Process]] = {}
    for lineage in lineages:
        process = process_of(lineage, naming)
        found.setdefault(process.qualified_name, []).append(process)
    return {name: _of_first_sink(same, naming) for name, same in found.items()}


def by_failed_process(lineages: Iterable[Lineage], naming: Naming) -> dict[str, Process]:
    """What a failed run adds to each process, also under the names that its writes have if no inputs are known.

    A failure goes to all of them: it retracts the run around it, which may not know the inputs
    (see parser.process_history).
    """
    known = tuple(lineages)
    if naming.process is native:
        return by_process(known, naming)  # The inputs are no part of this name.
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
    """The lineage that the catalogue shows, and its runs; None for a view, which is only in LineageDetails."""
    lineage, runs = shown(history, window, naming)
    return (None if lineage and lineage.view else lineage), runs


def _of_first_sink(processes: Sequence[Process], naming: Naming) -> Process:
    """The lineages of one process together; of several sinks, the first is shown."""
    first = processes[0]
    if len(processes) == 1:
        return first
    same = [process.lineage for process in processes if process.sink.asset == first.sink.asset]
    others = {process.sink.asset for process in processes} - {first.sink.asset}
    union = united(same)
    lineage = replace(union, notes=(*union.notes, *_not_shown(others)))
    if lineage == first.lineage:
        return first
    return process_of(lineage, naming, first.qualified_name, known=first)


def _not_shown(sinks: Iterable[AssetName]) -> tuple[Note, ...]:
    return tuple(
        Note("shared-process", f"This process also writes {sink.qualified_name}: PROCESS_NAMING gives both one name.")
        for sink in sorted(sinks)
    )


def _sink(lineage: Lineage, naming: Naming) -> AssetName:
    return resolve(lineage.sink, _context(lineage, naming), naming.rules).asset


def _facts_for_names(lineage: Lineage) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The facts, in addition to the settings, that the names of a lineage need."""
    return lineage.mount_points, lineage.onelake_ids


def _context(lineage: Lineage, naming: Naming) -> NameContext:
    context = naming.context
    if not lineage.mount_points and not lineage.onelake_ids:
        return context
    return replace(
        context,
        mount_points={**context.mount_points, **dict(lineage.mount_points)},
        onelake_ids=with_learned(context.onelake_ids, lineage.onelake_ids),
    )
