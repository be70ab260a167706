"""Lineage to processes: which process a lineage belongs to, and what each process shows after its runs.

Pure: what is uploaded and what ``sparklin preview`` prints are made here from the same nouns.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.model import Lineage, NameContext, Note, Resolution
from purview.entities import process_name
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
    sink: Resolution
    inputs: tuple[Resolution, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """Everything to be told about this process, each thing once."""
        resolved = [note for resolution in (self.sink, *self.inputs) for note in resolution.notes]
        return tuple(dict.fromkeys([*self.lineage.notes, *resolved]))


def process_of(lineage: Lineage, naming: Naming) -> Process:
    """The process that shows this lineage; its identity depends on application and sink alone."""
    context = replace(naming.context, mount_points={**naming.context.mount_points, **dict(lineage.mount_points)})
    sink = resolve(lineage.sink, context, naming.rules)
    qualified_name, name = process_name(lineage.application, sink)
    inputs = tuple(resolve(dataset, context, naming.rules) for dataset in lineage.inputs)
    return Process(qualified_name, name, lineage, sink, inputs)


def by_process(lineages: Iterable[Lineage], naming: Naming) -> dict[str, Lineage]:
    """The lineages of a run under the qualified names of their processes.

    Two outputs of a run that come out as one asset (a folder named twice) are one process: the last in the order of
    their identities stands for both.
    """
    return {process_of(lineage, naming).qualified_name: lineage for lineage in lineages}
