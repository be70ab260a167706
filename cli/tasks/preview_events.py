"""What a set of events would draw in the catalogue, derived without network or storage.

It does the same steps as for stored events, in memory: filter, merge, derive, unite the runs of each process.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from core.catalog_model import LearnedId
from core.envelope import read_envelope
from core.event_model import RunEvent
from core.events import read_event
from core.lineage_model import Note
from explorer.graph import GraphRun
from explorer.runs import newest_runs
from parser import process_history as histories
from parser.lineage import Derived, LineageRules, derive_together
from parser.merge import MergedRun, RunState, merge
from parser.onelake_ids import known_among, with_ids
from parser.process_history import History
from pipeline.processes import Naming, Process, by_failed_process, by_process, drawn, process_of
from purview.entities import Draft, preview_entities
from receiver.accept import ReceiverRules, accept


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that determines the result in addition to the events."""

    receiver: ReceiverRules
    lineage: LineageRules
    naming: Naming
    window: timedelta


@dataclass(frozen=True, slots=True)
class PreviewedProcess:
    """A process, the ids of the runs behind it, and what would be sent if the catalogue were empty.

    ``newest_runs`` are those of the runs, and of failed ones, that the lineage graph shows.
    """

    process: Process
    runs: tuple[str, ...]
    draft: Draft
    notes: tuple[Note, ...]
    newest_runs: tuple[GraphRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The processes in the order of their qualified names, and for each run without one the reason."""

    processes: tuple[PreviewedProcess, ...]
    reasons: Mapping[str, str]


def preview(bodies: Iterable[bytes], rules: Rules) -> Preview:
    """Preview the events in ``bodies``, which must be readable events.

    A run without an end counts as if it had been settled; its processes get a note that says so.
    """
    run_ids: dict[str, str] = {}
    events: dict[str, list[RunEvent]] = {}
    reasons: dict[str, str] = {}
    for body in bodies:
        envelope = read_envelope(body)
        run_ids[envelope.run_key] = envelope.run_id
        decision = accept(envelope, rules.receiver)
        if decision.kept:
            events.setdefault(envelope.run_key, []).append(read_event(body))
        else:
            reasons.setdefault(envelope.run_id, decision.reason)
    found: dict[str, History] = {}
    unended: set[str] = set()
    runs = [merge(events[run_key]) for run_key in sorted(events)]
    derived = derive_together(runs, rules.lineage)
    known = known_among(runs)
    for run in runs:
        run_key = run.run_key
        if run.state is RunState.OPEN:
            unended.add(run_key)
        reason = _contribute(run, derived[run_key], known, rules, found)
        reasons.pop(run_ids[run_key], None)
        if reason:
            reasons[run_ids[run_key]] = reason
    previewed = (_previewed(name, found[name], rules, run_ids, unended) for name in sorted(found))
    return Preview(tuple(item for item in previewed if item), reasons)


def _contribute(
    run: MergedRun, derived: Derived, known: Mapping[str, Sequence[LearnedId]], rules: Rules, found: dict[str, History]
) -> str:
    """Add the run to the histories of its processes; returns the reason if it adds nothing."""
    failed = run.state is RunState.FAILED
    named = by_failed_process if failed else by_process
    for name, process in named([with_ids(each, known) for each in derived.lineages], rules.naming).items():
        before = found.get(name, History())
        lineage = process.lineage
        found[name] = (
            histories.with_failure(before, run.ref)
            if failed
            else histories.with_run(before, lineage, run.ref_of(lineage.sink.id))
        )
    return "the run failed" if failed else derived.reason


def _previewed(
    name: str, history: History, rules: Rules, run_ids: Mapping[str, str], unended: Collection[str]
) -> PreviewedProcess | None:
    lineage, refs = drawn(history, rules.window, rules.naming)
    if lineage is None:
        return None
    process = process_of(lineage, rules.naming, name)
    draft = preview_entities(lineage, process.resolutions, name)
    runs = [run.run_key for run in refs]
    resolved = [note for resolution in process.resolutions.values() for note in resolution.notes]
    return PreviewedProcess(
        process=process,
        runs=tuple(sorted(run_ids[run_key] for run_key in runs)),
        draft=draft,
        notes=tuple(dict.fromkeys([*lineage.notes, *resolved, *draft.notes, *_open_notes(runs, unended)])),
        newest_runs=tuple(_named(run, run_ids, unended) for run in newest_runs(history, refs)),
    )


def _named(run: GraphRun, run_ids: Mapping[str, str], unended: Collection[str]) -> GraphRun:
    """The run under its own id, as events contain it, and as running if no event ends it."""
    state = "RUNNING" if run.run in unended else run.state
    return msgspec.structs.replace(run, run=run_ids.get(run.run, run.run), state=state)


def _open_notes(runs: Sequence[str], unended: Collection[str]) -> Iterator[Note]:
    """A note if runs of a process have not ended: the app draws them later."""
    waiting = sum(1 for run_key in runs if run_key in unended)
    if waiting:
        which = "The run has" if len(runs) == 1 else f"{waiting} of {len(runs)} runs have"
        yield Note(
            "not-ended",
            f"{which} no end in these events; the app draws such a run only after SETTLE_AFTER_MINUTES.",
        )
