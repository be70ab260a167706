"""How much of the true lineage of the recorded applications is drawn, and how much that is not true."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from core.event_model import RunEvent
from core.replacing import replace
from tests.support.corpus import events, scenarios, truth
from tests.support.lineage import Drawn, drawn

#: What is left of the events: all, what agents with other settings would have sent.
VARIANTS: Mapping[str, Callable[[RunEvent], RunEvent]] = {
    "as sent": lambda event: event,
    "plan alone": lambda event: replace(
        event, outputs=tuple(replace(output, column_lineage=None) for output in event.outputs)
    ),
    "facet alone": lambda event: replace(event, plan=()),
}


@dataclass(frozen=True)
class TrueLineage:
    """What was really written into one sink by writes that did not fail: as ``Drawn``, and the columns judged."""

    inputs: frozenset[str]
    edges: frozenset[tuple[str, str]]
    columns: frozenset[str]


@dataclass(frozen=True)
class Figures:
    """Counts over some applications: of sinks, of inputs of sinks, and of column edges."""

    sinks: int = 0
    sinks_missing: int = 0
    inputs: int = 0
    inputs_missing: int = 0
    inputs_wrong: int = 0
    edges: int = 0
    edges_missing: int = 0
    edges_wrong: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def __str__(self) -> str:
        return (
            f"{self.sinks - self.sinks_missing} of {self.sinks} sinks, "
            f"{self.inputs - self.inputs_missing} of {self.inputs} inputs and {self.inputs_wrong} wrong, "
            f"{self.edges - self.edges_missing} of {self.edges} edges and {self.edges_wrong} wrong: "
            f"precision {self.precision:.2f}, recall {self.recall:.2f}"
        )

    @property
    def rates(self) -> str:
        """Precision and recall; a dash if nothing is drawn."""
        drawn_edges = self.edges - self.edges_missing + self.edges_wrong
        return f"{self.precision:.2f}, {self.recall:.2f}" if drawn_edges else "–"

    @property
    def precision(self) -> float:
        """The share of drawn edges that are true; 1 if nothing is drawn."""
        found = self.edges - self.edges_missing
        return found / (found + self.edges_wrong) if found + self.edges_wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of what is true that is drawn."""
        return 1 - self.edges_missing / self.edges if self.edges else 1.0


def folders() -> list[str]:
    """The folders of the corpus; that of the agents' versions by version."""
    return sorted({_folder(scenario) for scenario in scenarios()})


def figures(folder: str, variant: str = "as sent") -> Figures:
    """The figures of all applications in a folder. Sinks without a successful write are not judged."""
    return figures_of([scenario for scenario in scenarios() if _folder(scenario) == folder], variant)


def figures_of(applications: Iterable[str], variant: str = "as sent") -> Figures:
    """The figures of applications, as those of a folder."""
    return _sum(
        of_sinks(drawn(map(VARIANTS[variant], events(scenario))), true_lineage(scenario)) for scenario in applications
    )


@cache
def with_both() -> list[str]:
    """The applications of agent 1.53.0 whose events have a plan and a columnLineage facet."""
    return [each for each in scenarios() if each.startswith("openlineage-1.53.0") and _has_both(events(each))]


def _has_both(sent: list[RunEvent]) -> bool:
    outputs = (output for event in sent for output in event.outputs)
    return any(event.plan for event in sent) and any(output.column_lineage for output in outputs)


def true_lineage(scenario: str) -> dict[str, TrueLineage]:
    """By sink: what its writes really did. A value that is kept in its own column is no edge."""
    found: dict[str, TrueLineage] = {}
    for write in truth(scenario):
        if write.failed:
            continue
        columns = {} if write.opaque else write.columns
        edges = {(c, s) for c, sources in columns.items() for s in sources if s != f"{write.sink}#{c}"}
        read_back = any(source.startswith(f"{write.sink}#") for _, source in edges)
        inputs = {name for name in write.inputs if name != write.sink or read_back}
        before = found.get(write.sink, TrueLineage(frozenset(), frozenset(), frozenset()))
        judged = frozenset[str]() if write.opaque else write.columns.keys()
        found[write.sink] = TrueLineage(before.inputs | inputs, before.edges | edges, before.columns | judged)
    return found


def _folder(scenario: str) -> str:
    folder = scenario.partition("/")[0]
    return scenario if folder == "agents" else folder


def of_sinks(found: Mapping[str, Drawn], wanted: Mapping[str, TrueLineage]) -> Figures:
    """The figures of what was drawn into the sinks of the truth."""
    nothing = Drawn(frozenset(), frozenset())
    return _sum(_of_sink(found.get(sink), found.get(sink, nothing), true) for sink, true in wanted.items())


def _of_sink(sink: Drawn | None, found: Drawn, true: TrueLineage) -> Figures:
    edges = {(column, source) for column, source in found.edges if column in true.columns}
    return Figures(
        sinks=1,
        sinks_missing=sink is None,
        inputs=len(true.inputs),
        inputs_missing=len(true.inputs - found.inputs),
        inputs_wrong=len(found.inputs - true.inputs),
        edges=len(true.edges),
        edges_missing=len(true.edges - edges),
        edges_wrong=len(edges - true.edges),
    )


def _sum(items: Iterable[Figures]) -> Figures:
    total = Figures()
    for item in items:
        total += item
    return total
