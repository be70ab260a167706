"""Derives the lineage of a merged run: one entry per sink that it wrote, or a reason why there is none."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from core.event_model import Dataset, DatasetId, EventDataset
from core.lineage_model import Application, Lineage, Note, SinkColumn
from core.operations import Operation, Verdict, classify, split_job_name
from core.replacing import replace
from core.settings import Settings
from parser.application import application
from parser.application_facts import ApplicationFacts, Needs, RunFacts, united
from parser.column_resolution import account
from parser.facet_columns import named_datasets
from parser.logical_plan.plan_model import Evidence, PlanFacts
from parser.merge import MergedRun
from parser.mounts import mount_points
from parser.notes import some
from parser.run_facts import facts_of, needs_of, planned_outputs
from parser.views import view_lineage

NOTHING = ApplicationFacts()
MOST_PAIRS = 200_000
MOST_OUTPUTS_OF_A_PLAN = 10


@dataclass(frozen=True, slots=True)
class LineageRules:
    """What users may add: operations that carry lineage, datasets to leave out, tails of application names.

    ``show_literals`` says whether expressions and conditions contain the text literals of the user's code,
    ``hash_users`` whether names of applications contain pseudonyms in place of users.
    """

    allow_operations: tuple[str, ...] = ()
    exclude_datasets: tuple[re.Pattern[str], ...] = ()
    application_name_tails: tuple[re.Pattern[str], ...] = ()
    show_literals: bool = True
    hash_users: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "LineageRules":
        """The rules that the settings ask for."""
        return cls(
            settings.allow_operations,
            settings.exclude_datasets,
            settings.application_name_tails,
            settings.expression_literals == "keep",
            settings.user_names == "hash",
        )

    def application(self, run: MergedRun) -> Application:
        """The application that made the run."""
        return application(run, self.application_name_tails, hash_users=self.hash_users)


@dataclass(frozen=True, slots=True)
class Derived:
    """The lineage of a run, one entry for each sink in the order of their identities.

    ``reason`` says why nothing of it is drawn. ``facts`` are those for other runs of its application, and ``needs``
    what it lacks and they may know.
    """

    lineages: tuple[Lineage, ...] = ()
    reason: str = ""
    facts: RunFacts = field(default_factory=RunFacts)
    needs: Needs = field(default_factory=Needs)


def derive(run: MergedRun, rules: LineageRules, facts: ApplicationFacts = NOTHING) -> Derived:
    """What the run wrote, from which sources, column by column. Failed runs are treated like others.

    ``facts`` are those of the other runs of the application; they are used only if the run lacks something.
    """
    if run.job_type == "APPLICATION":
        return Derived(reason="an application event describes no write")
    planned, lacking = planned_outputs(run, facts)
    written = replace(run, outputs=planned) if planned else run
    pairs, reason = _drawn(written, rules, facts)
    plan_facts = [each for _, each in pairs]
    return Derived(
        tuple(lineage for lineage, _ in pairs),
        reason,
        facts_of(run, plan_facts),
        needs_of(run, plan_facts, lacking),
    )


def derive_together(runs: Iterable[MergedRun], rules: LineageRules) -> dict[str, Derived]:
    """What several runs wrote, by run key; runs of one application know each other's facts."""
    found = {run.run_key: run for run in runs}
    derived = {key: derive(run, rules) for key, run in found.items()}
    applications: dict[str, list[RunFacts]] = {}
    for key, run in found.items():
        if run.ref.application_run:
            applications.setdefault(run.ref.application_run, []).append(derived[key].facts)
    for key, run in found.items():
        if derived[key].needs and run.ref.application_run:
            derived[key] = derive(run, rules, united(applications[run.ref.application_run]))
    return derived


def _drawn(
    run: MergedRun, rules: LineageRules, facts: ApplicationFacts
) -> tuple[Sequence[tuple[Lineage, PlanFacts]], str]:
    """The lineage of each sink, with the facts of its plan, or why there is none."""
    operation = _operation(run, rules)
    outputs = [output for output in run.outputs if not _excluded(output.dataset.id, rules)]
    if not run.outputs and operation.name == "create view":
        view = view_lineage(run, rules.application(run), show_literals=rules.show_literals)
        reason = "a view is drawn through to its tables where it is read"
        return [(view, PlanFacts())] if view else [], reason
    if not outputs:
        return [], "its outputs are excluded by EXCLUDE_DATASETS" if run.outputs else "it wrote nothing"
    reason = _too_many(run, outputs) or _no_write(run, operation, outputs)
    if reason:
        return [], reason
    if operation.verdict is not Verdict.CARRIES:
        outputs = [output for output in outputs if not _no_write(run, operation, [output])]
    batches = facts.around(run.started, run.ended)
    evidence = Evidence(schemas=run.schemas, facts=facts, batches=batches, show_literals=rules.show_literals)
    return [_lineage(run, operation, output, rules, evidence) for output in outputs], ""


def _operation(run: MergedRun, rules: LineageRules) -> Operation:
    """The operation that the job name contains, or else the root of the most believed plan."""
    node = split_job_name(run.job_name).node
    plans = [event.plan for event in run.events if event.plan]
    root = plans[-1][0].get("class") if plans else ""
    return classify(node, root.rpartition(".")[2] if isinstance(root, str) else "", rules.allow_operations)


def _too_many(run: MergedRun, outputs: Collection[EventDataset]) -> str:
    """Why a run is too large to be drawn by a worker; "" if it is not."""
    if len(outputs) * (len(run.inputs) + 1) <= MOST_PAIRS:
        return ""
    return f"it names {len(run.inputs)} inputs and {len(outputs)} outputs; more than {MOST_PAIRS} pairs are not drawn"


def _no_write(run: MergedRun, operation: Operation, outputs: Iterable[EventDataset]) -> str:
    """Why outputs do not mean that data was written; "" if they do."""
    if operation.verdict is Verdict.DDL:
        return f"{operation.name} writes no data"
    if operation.verdict is Verdict.CARRIES:
        return ""
    sources = {source.dataset.id for source in run.inputs}
    sources.update(*(named_datasets(output.column_lineage) for output in outputs))
    if not any(sources - {output.dataset.id} for output in outputs):
        # Agents 1.8–1.37 report the folder that an RDD reads as input and output of a run of its own.
        return f"{operation.name or 'an unknown operation'} with no other input is not known to write data"
    return ""


def _lineage(
    run: MergedRun, operation: Operation, output: EventDataset, rules: LineageRules, evidence: Evidence
) -> tuple[Lineage, PlanFacts]:
    # Spark never writes a single file.
    sink = replace(output.dataset, is_folder=True)
    # A plan writes once, and no event has more than a few names for what it wrote.
    is_one_write = len(run.outputs) <= MOST_OUTPUTS_OF_A_PLAN
    events = run.events if is_one_write else ()
    resolution = account(events, output, _read(run, output), evidence)
    inputs = tuple(_inputs([*_read(run, output), *resolution.tables], sink, resolution.columns, rules))
    lineage = Lineage(
        application=rules.application(run),
        operation=operation.name,
        sink=sink,
        inputs=inputs,
        columns=tuple(_without_excluded(column, rules) for column in resolution.columns),
        indirect=tuple(use for use in resolution.indirect if not _excluded(use.column.dataset, rules)),
        conditions=resolution.conditions,
        notes=(
            *resolution.notes,
            *_mingled(output, resolution.columns),
            *(() if is_one_write else _without_plan(run, sink)),
        ),
        mount_points=mount_points(run.environment, [sink, *inputs]),
    )
    return lineage, resolution.facts


def _without_plan(run: MergedRun, sink: Dataset) -> Iterator[Note]:
    if any(event.plan for event in run.events):
        text = f"The run names {len(run.outputs)} outputs, so its logical plan is skipped."
        yield Note("plan-of-many-outputs", text, sink.id)


def _mingled(output: EventDataset, columns: Iterable[SinkColumn]) -> Iterator[Note]:
    """A note on columns whose sources the agent mixes up, if no plan contains them."""
    mingled = output.column_lineage.mingled if output.column_lineage else frozenset()
    names = [column.name for column in columns if column.name in mingled and not column.sources]
    if names:
        text = (
            f"The agent names all columns of EXCEPT ALL or INTERSECT ALL as sources of {some(names)}, so none of them "
            "is shown. Events with the logical plan contain the real ones."
        )
        yield Note("sources-mingled", text, output.dataset.id)


def _inputs(
    read: Iterable[Dataset], sink: Dataset, found: tuple[SinkColumn, ...], rules: LineageRules
) -> Iterator[Dataset]:
    """The datasets read; the sink itself only where values of its columns go into other columns."""
    known = {dataset.id: dataset for dataset in reversed(list(read))}
    before = known.pop(sink.id, sink)
    if any(source.dataset == sink.id for column in found for source in column.sources):
        known[sink.id] = replace(before, is_folder=True) if before.fields else sink
    yield from (known[key] for key in sorted(known) if not _excluded(key, rules))


def _read(run: MergedRun, output: EventDataset) -> Iterator[Dataset]:
    """The inputs of the run, and the datasets that only the columnLineage facet names."""
    known = {source.dataset.id: source.dataset for source in run.inputs}
    for named in named_datasets(output.column_lineage):
        known.setdefault(named, Dataset(named))
    yield from known.values()


def _without_excluded(column: SinkColumn, rules: LineageRules) -> SinkColumn:
    if not rules.exclude_datasets:
        return column
    sources = tuple(source for source in column.sources if not _excluded(source.dataset, rules))
    indirect = tuple(use for use in column.indirect if not _excluded(use.column.dataset, rules))
    return replace(column, sources=sources, indirect=indirect)


def _excluded(dataset: DatasetId, rules: LineageRules) -> bool:
    return any(pattern.search(str(dataset)) for pattern in rules.exclude_datasets)
