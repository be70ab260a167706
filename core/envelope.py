"""The envelope of an OpenLineage event: the few fields that decide whether and where the event is stored.

Spark waits while this module runs, so an event of the usual shape is decoded in one pass that skips everything else.
An event with a facet of an odd shape is decoded a second time, facet by facet, because one odd facet must not cost
the event. Both are strict about the fields without which an event has no place (run id, job, time).
"""

import re
from typing import TypeVar

import msgspec

from core.errors import BadEvent
from core.event_fields import (
    ABSENT,
    UNREADABLE,
    Item,
    PlanFacet,
    RunFacets,
    check_required,
    event_time,
    event_type,
    raw_facets,
    unreadable,
)
from core.event_model import Envelope
from core.identity import run_key

_Facet = TypeVar("_Facet")
_NO_FACETS = msgspec.Raw(b"{}")


class _Run(msgspec.Struct, gc=False):
    runId: str  # noqa: N815
    facets: RunFacets | None = None


class _JobTypeFacet(msgspec.Struct, gc=False):
    jobType: str = ""  # noqa: N815
    processingType: str = ""  # noqa: N815


class _JobFacets(msgspec.Struct, gc=False):
    jobType: _JobTypeFacet | None = None  # noqa: N815


class _Job(msgspec.Struct, gc=False):
    namespace: str
    name: str
    facets: _JobFacets | None = None


class _Usual(msgspec.Struct, gc=False):
    """An event whose facets have the shapes of the specification."""

    run: _Run
    job: _Job
    eventTime: str  # noqa: N815
    eventType: str | None = None  # noqa: N815
    inputs: list[Item] | None = None
    outputs: list[Item] | None = None


class _OddRun(msgspec.Struct):
    runId: str  # noqa: N815
    facets: msgspec.Raw = _NO_FACETS


class _OddJob(msgspec.Struct):
    namespace: str
    name: str
    facets: msgspec.Raw = _NO_FACETS


class _Odd(msgspec.Struct):
    """Any event that has the required fields."""

    run: _OddRun
    job: _OddJob
    eventTime: str  # noqa: N815
    eventType: str | None = None  # noqa: N815
    inputs: msgspec.Raw = ABSENT
    outputs: msgspec.Raw = ABSENT


class _SchemaUrl(msgspec.Struct):
    schemaURL: str = ""  # noqa: N815


class _PlanNode(msgspec.Struct):
    class_: str = msgspec.field(name="class", default="")


class _PlanNodes(msgspec.Struct, array_like=True):
    """A list of nodes, of which only the first is decoded."""

    first: _PlanNode | None = None


_usual = msgspec.json.Decoder(_Usual)
_odd = msgspec.json.Decoder(_Odd)
_items = msgspec.json.Decoder(list[Item])
_plan_facet = msgspec.json.Decoder(PlanFacet)
_job_type = msgspec.json.Decoder(_JobTypeFacet)
_node = msgspec.json.Decoder(_PlanNode)
_nodes = msgspec.json.Decoder(_PlanNodes)
_schema_url = msgspec.json.Decoder(_SchemaUrl)

# Spark writes the class of a node first.
_ROOT_CLASS = re.compile(rb'\[?\s*\{\s*"class"\s*:\s*"([^"\\]*)"')


def describes_no_run(body: bytes) -> bool:
    """Whether a body that is no run event is a DatasetEvent or JobEvent of the specification."""
    try:
        url = _schema_url.decode(body).schemaURL
    except UNREADABLE:
        return False
    return url.endswith(("/DatasetEvent", "/JobEvent"))


def read_envelope(body: bytes) -> Envelope:
    """Decode what decides about keeping an event.

    :raises BadEvent: the body is no JSON, or a field that every event needs is missing or of a wrong type.
    """
    try:
        event = _usual.decode(body)
    except msgspec.ValidationError:
        return _odd_envelope(body)
    except UNREADABLE as error:
        raise unreadable(error) from None
    run_facets, job_facets = event.run.facets, event.job.facets
    plan = run_facets.plan if run_facets else None
    job_type = job_facets.jobType if job_facets else None
    return _envelope(
        event,
        job_type=job_type,
        inputs=len(event.inputs) if event.inputs else 0,
        outputs=len(event.outputs) if event.outputs else 0,
        plan_class=_class_of_root(plan.plan) if plan else "",
    )


def _envelope(
    event: _Usual | _Odd, *, job_type: _JobTypeFacet | None, inputs: int, outputs: int, plan_class: str
) -> Envelope:
    run_id, job = event.run.runId, event.job
    check_required(run_id, job.namespace, job.name)
    return Envelope(
        event_type=event_type(event.eventType),
        time=event_time(event.eventTime),
        run_key=run_key(run_id),
        run_id=run_id,
        job_namespace=job.namespace,
        job_name=job.name,
        job_type=job_type.jobType if job_type else "",
        inputs=inputs,
        outputs=outputs,
        plan_class=plan_class,
        processing_type=job_type.processingType if job_type else "",
    )


def _odd_envelope(body: bytes) -> Envelope:
    """The envelope of an event of which some part has an odd shape; a facet of an odd shape counts as absent."""
    try:
        event = _odd.decode(body)
    except UNREADABLE as error:
        raise unreadable(error) from None
    plan = _facet(raw_facets(event.run.facets).get("spark.logicalPlan"), _plan_facet)
    job_type = _facet(raw_facets(event.job.facets).get("jobType"), _job_type)
    return _envelope(
        event,
        job_type=job_type,
        inputs=_count(event.inputs, "$.inputs"),
        outputs=_count(event.outputs, "$.outputs"),
        plan_class=_class_of_root(plan.plan) if plan else "",
    )


def _facet(raw: msgspec.Raw | None, decoder: "msgspec.json.Decoder[_Facet]") -> _Facet | None:
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def _count(raw: msgspec.Raw, path: str) -> int:
    """How many items an array or null has; if some are no objects, an estimate that is never too low.

    :raises BadEvent: it is neither.
    """
    text = bytes(raw)
    if text in (b"", b"null"):
        return 0
    if not text.startswith(b"["):
        raise BadEvent(path, "Expected array or null")
    try:
        return len(_items.decode(text))
    except UNREADABLE:
        return text.count(b",") + 1


def _class_of_root(plan: msgspec.Raw) -> str:
    """The simple class name of a logical plan's root, "" where there is none."""
    if not plan:
        return ""
    written_first = _ROOT_CLASS.match(plan)
    if written_first:
        return written_first[1].decode().rpartition(".")[2]
    try:
        root = _nodes.decode(plan).first if bytes(memoryview(plan)[:1]) == b"[" else _node.decode(plan)
    except UNREADABLE:
        return ""
    return root.class_.rpartition(".")[2] if root else ""
