"""Whether an event is kept: the allow-list.

Spark waits, so only the envelope is read, one event at a time. What is ignored here is lost, so every event that may be
part of a write is kept: another event of the run may bring the rest. The parser, which sees whole runs, decides
finally.
"""

import re
from dataclasses import dataclass

from core.event_model import Envelope
from core.operations import Verdict, classify, split_job_name

_RETRACTIONS = ("FAIL", "ABORT")
_BEGINNINGS = ("START", "RUNNING")
_APPLICATION = "APPLICATION"
_STREAMING = "STREAMING"
_ENDS = ("START", "COMPLETE")


@dataclass(frozen=True, slots=True)
class ReceiverRules:
    """Rules from the settings: additional operations that carry lineage, and jobs to leave out."""

    allow_operations: tuple[str, ...] = ()
    exclude_jobs: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an event is kept, and why or why not."""

    kept: bool
    reason: str


def accept(envelope: Envelope, rules: ReceiverRules) -> Decision:
    """Decide about one event.

    In this order: excluded jobs are ignored; FAIL and ABORT are kept, because they retract their run; events of
    applications are ignored; an event that names an output is kept; so are the start and end of a micro-batch, and a
    Union, if they have a plan; operations that only read are ignored; so is a START or RUNNING event with neither
    datasets nor a plan. All others are kept.
    """
    excluded = _excluding_pattern(envelope, rules)
    if excluded:
        return Decision(False, f"the job is excluded by EXCLUDE_JOBS ({excluded})")
    if envelope.event_type in _RETRACTIONS:
        return Decision(True, f"{envelope.event_type} retracts its run")
    if envelope.job_type.upper() == _APPLICATION:
        return Decision(False, "an application event describes no operation")
    if envelope.has_outputs:
        return Decision(True, "it names an output")
    node = split_job_name(envelope.job_name).node
    if not (node or envelope.has_datasets):
        return Decision(False, "it names neither a dataset nor, in its job name, an operation")
    if reason := _part_of_a_write(envelope):
        return Decision(True, reason)
    operation = classify(node, envelope.plan_class, rules.allow_operations)
    if operation.verdict is Verdict.NONE:
        return Decision(False, f"{node or envelope.plan_class} without an output carries no lineage")
    if envelope.event_type in _BEGINNINGS and not (envelope.has_datasets or envelope.plan_class):
        return Decision(False, f"{envelope.event_type} brings neither datasets nor a plan")
    return Decision(True, f"{operation.name or 'an unknown operation'} may carry lineage")


def _part_of_a_write(envelope: Envelope) -> str:
    """Why a query's plan may belong to a write that other events, or the plan itself, name; "" if it does not."""
    if not envelope.plan_class or not envelope.inputs:
        return ""
    if envelope.processing_type.upper() == _STREAMING and envelope.event_type in _ENDS:
        return "foreachBatch may write the rows of this micro-batch"
    return "a Union may insert into several tables" if envelope.plan_class == "Union" else ""


def _excluding_pattern(envelope: Envelope, rules: ReceiverRules) -> str:
    """The pattern that matches the job's name or ``namespace/name``; "" if none does."""
    if not rules.exclude_jobs:
        return ""
    names = (envelope.job_name, f"{envelope.job_namespace}/{envelope.job_name}")
    return next(
        (pattern.pattern for pattern in rules.exclude_jobs if any(pattern.search(name) for name in names)),
        "",
    )
