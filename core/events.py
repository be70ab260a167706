"""OpenLineage JSON to nouns: the only module that spells OpenLineage.

There are two readers. ``read_envelope`` decodes just what decides about an event's storage; Spark waits while it
runs. ``read_event`` decodes everything that lineage is derived from. Both are strict about the few fields without
which an event has no place (run id, job, time) and tolerant about all others: a facet of an odd shape counts as
absent, since facets differ between versions of the agent and one odd facet must not cost the rest.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.errors import BadEvent
from core.identity import column_name, dataset_id, is_folder_name, run_key
from core.model import (
    ColumnLineageFacet,
    ColumnRef,
    Dataset,
    Envelope,
    EventDataset,
    Field,
    InputField,
    JobRef,
    RunEvent,
    Symlink,
)

#: Of run ids, job names and job namespaces, in characters: what patterns of the settings are searched in.
LONGEST_NAME = 65_536
_LONGEST_TIME = 100
EVENT_TYPES = ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER")

Facets = dict[str, msgspec.Raw]


class _Run(msgspec.Struct):
    runId: str  # noqa: N815
    facets: msgspec.Raw = msgspec.Raw(b"{}")


class _Job(msgspec.Struct):
    namespace: str
    name: str
    facets: msgspec.Raw = msgspec.Raw(b"{}")


class _Body(msgspec.Struct):
    run: _Run
    job: _Job
    eventTime: str  # noqa: N815
    eventType: str | None = None  # noqa: N815
    producer: msgspec.Raw = msgspec.Raw(b"null")
    inputs: list[msgspec.Raw] | None = None
    outputs: list[msgspec.Raw] | None = None


class _Dataset(msgspec.Struct):
    namespace: str
    name: str
    facets: msgspec.Raw = msgspec.Raw(b"{}")


class _SchemaUrl(msgspec.Struct):
    schemaURL: str = ""  # noqa: N815


class _PlanNode(msgspec.Struct):
    class_: str = msgspec.field(name="class", default="")


class _PlanRoot(msgspec.Struct):
    plan: list[_PlanNode] | _PlanNode = []


_body = msgspec.json.Decoder(_Body)
_raw_dataset = msgspec.json.Decoder(_Dataset)
_facets = msgspec.json.Decoder(Facets)
_plan_root = msgspec.json.Decoder(_PlanRoot)
_schema_url = msgspec.json.Decoder(_SchemaUrl)


def digest(body: bytes) -> str:
    """16 hex digits that tell one (expanded) body from another."""
    return hashlib.sha256(body).hexdigest()[:16]


def describes_no_run(body: bytes) -> bool:
    """Whether the body is a DatasetEvent or JobEvent of the specification, which belong to no run."""
    try:
        url = _schema_url.decode(body).schemaURL
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return url.endswith(("/DatasetEvent", "/JobEvent"))


def read_envelope(body: bytes) -> Envelope:
    """Decode what decides about keeping an event.

    :raises BadEvent: the body is no JSON, or a field that every event needs is missing or of a wrong type.
    """
    raw = _decode(body)
    job, run = _raw_facets(raw.job.facets), _raw_facets(raw.run.facets)
    return Envelope(
        event_type=_event_type(raw.eventType),
        time=_time(raw.eventTime),
        run_key=run_key(raw.run.runId),
        run_id=raw.run.runId,
        job_namespace=raw.job.namespace,
        job_name=raw.job.name,
        job_type=_text(_facet(job, "jobType"), "jobType"),
        has_inputs=bool(raw.inputs),
        has_outputs=bool(raw.outputs),
        plan_class=_plan_class(run),
    )


def read_event(body: bytes) -> RunEvent:
    """Decode all that lineage is derived from.

    :raises BadEvent: as ``read_envelope``.
    """
    raw = _decode(body)
    run = _raw_facets(raw.run.facets)
    job_type = _facet(_raw_facets(raw.job.facets), "jobType")
    environment = _facet(run, "environment-properties").get("environment-properties")
    return RunEvent(
        event_type=_event_type(raw.eventType),
        time=_time(raw.eventTime),
        run_key=run_key(raw.run.runId),
        job_namespace=raw.job.namespace,
        job_name=raw.job.name,
        digest=digest(body),
        parent=_parent(_facet(run, "parent")),
        job_type=_text(job_type, "jobType"),
        processing_type=_text(job_type, "processingType"),
        inputs=tuple(_datasets(raw.inputs)),
        outputs=tuple(_datasets(raw.outputs)),
        environment=environment if isinstance(environment, dict) else {},
        plan=tuple(_objects(_facet(run, "spark.logicalPlan").get("plan"))),
        agent=_agent(raw.producer),
    )


def _decode(body: bytes) -> _Body:
    try:
        raw = _body.decode(body)
    except msgspec.ValidationError as error:
        raise _bad_event(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadEvent("$", f"the body must be one JSON object in UTF-8 ({error})") from None
    except RecursionError:
        raise BadEvent("$", "the body is nested too deeply") from None
    for path, text in (("$.run.runId", raw.run.runId), ("$.job.name", raw.job.name)):
        if not text.strip():
            raise BadEvent(path, "must not be empty")
    named = {"$.run.runId": raw.run.runId, "$.job.name": raw.job.name, "$.job.namespace": raw.job.namespace}
    for path, text in named.items():
        if len(text) > LONGEST_NAME:
            raise BadEvent(path, f"must have at most {LONGEST_NAME} characters")
    return raw


def _bad_event(message: str) -> BadEvent:
    """Turn msgspec's message (``Expected `str`, got `int` - at `$.run.runId` ``) into a path and an expectation."""
    expectation, _, path = message.partition(" - at ")
    where = path.strip("`") or "$"
    missing = re.search(r"missing required field `([^`]+)`", expectation)
    if missing:
        return BadEvent(f"{where}.{missing[1]}", "is missing; every OpenLineage run event has it")
    return BadEvent(where, expectation.replace("`", ""))


def _event_type(text: str | None) -> str:
    upper = (text or "OTHER")[:20].upper()
    return upper if upper in EVENT_TYPES else "OTHER"


def _time(text: str) -> datetime:
    """A point in time in UTC; a text without a zone is taken as UTC, a zone name in brackets is dropped."""
    try:
        if len(text) > _LONGEST_TIME:
            raise ValueError
        time = datetime.fromisoformat(re.sub(r"\[[^]]*]$", "", text.strip()))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadEvent("$.eventTime", "must be an ISO 8601 time such as 2024-01-31T12:00:00Z") from None


def _agent(producer: msgspec.Raw) -> str:
    """The agent's version, as in ``https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark``."""
    match = re.search(rb"/tree/([0-9][0-9A-Za-z.\-]*)/", bytes(producer))
    return match[1].decode() if match else ""


def _facet(facets: Facets, name: str) -> dict[str, Any]:
    raw = facets.get(name)
    if raw is None:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _plan_class(facets: Facets) -> str:
    raw = facets.get("spark.logicalPlan")
    if raw is None:
        return ""
    try:
        plan = _plan_root.decode(raw).plan
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    root = plan[0] if isinstance(plan, list) and plan else plan
    return root.class_.rpartition(".")[2] if isinstance(root, _PlanNode) else ""


def _datasets(raws: list[msgspec.Raw] | None) -> Iterator[EventDataset]:
    for raw in raws or ():
        try:
            value = _raw_dataset.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        yield _dataset(value)


def _dataset(value: _Dataset) -> EventDataset:
    facets = _raw_facets(value.facets)
    return EventDataset(
        dataset=Dataset(
            id=dataset_id(value.namespace, value.name),
            fields=tuple(_fields(value.namespace, _facet(facets, "schema").get("fields"))),
            symlinks=tuple(_symlinks(_facet(facets, "symlinks").get("identifiers"))),
            storage_layer=_text(_facet(facets, "storage"), "storageLayer").lower(),
            is_folder=is_folder_name(value.namespace, value.name),
        ),
        column_lineage=_column_lineage(value.namespace, _facet(facets, "columnLineage")),
    )


def _raw_facets(raw: msgspec.Raw) -> Facets:
    """Facets, each still to be decoded, so that one of an odd shape does not cost the others."""
    try:
        return _facets.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _fields(namespace: str, value: object) -> Iterator[Field]:
    for item in _objects(value):
        if isinstance(item.get("name"), str):
            yield Field(column_name(namespace, item["name"]), _text(item, "type"))


def _symlinks(value: object) -> Iterator[Symlink]:
    for item in _objects(value):
        namespace, name = item.get("namespace"), item.get("name")
        if isinstance(namespace, str) and isinstance(name, str):
            yield Symlink(namespace.strip(), name, _text(item, "type"))


def _column_lineage(namespace: str, value: Mapping[str, Any]) -> ColumnLineageFacet | None:
    if not value:
        return None
    fields = {
        column_name(namespace, column): tuple(_input_fields(_object(entry).get("inputFields")))
        for column, entry in _object(value.get("fields")).items()
    }
    return ColumnLineageFacet(fields, tuple(_input_fields(value.get("dataset"))))


def _input_fields(value: object) -> Iterator[InputField]:
    for item in _objects(value):
        namespace, name, column = item.get("namespace"), item.get("name"), item.get("field")
        if isinstance(namespace, str) and isinstance(name, str) and isinstance(column, str):
            kinds = tuple((_text(t, "type"), _text(t, "subtype")) for t in _objects(item.get("transformations")))
            yield InputField(ColumnRef(dataset_id(namespace, name), column_name(namespace, column)), kinds)


def _parent(facet: Mapping[str, Any]) -> JobRef | None:
    job, run = _object(facet.get("job")), _object(facet.get("run"))
    name, run_id = _text(job, "name"), _text(run, "runId")
    return JobRef(_text(job, "namespace"), name, run_id) if name and run_id else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""
