"""Lineage to processes: which process a lineage belongs to, and what each process shows after its runs.

Pure: what is uploaded and what ``sparklin preview`` prints are made here from the same nouns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core.model import DatasetId, Lineage, NameContext, Resolution
from parser.history import united
from purview.entities import preview_entities
from purview.process_name import process_name
from qualified_names.resolve import resolve
from qualified_names.rules import Rules


@dataclass(frozen=True, slots=True)
class Naming:
    """How datasets get their names: the rules, and what the settings know beyond them."""

    rules: Rules
    context: NameContext


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


def process_of(lineage: Lineage, naming: Naming) -> Process:
    """The process that shows this lineage; its identity depends on application and sink alone."""
    context = replace(naming.context, mount_points={**naming.context.mount_points, **dict(lineage.mount_points)})
    datasets = (lineage.sink, *lineage.inputs)
    resolutions = {dataset.id: resolve(dataset, context, naming.rules) for dataset in datasets}
    qualified_name, name = process_name(lineage.application, resolutions[lineage.sink.id])
    return Process(qualified_name, name, lineage, resolutions)


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
        found.setdefault(process_of(lineage, naming).qualified_name, []).append(lineage)
    return {process: united(same) for process, same in found.items()}
