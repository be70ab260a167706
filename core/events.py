"""Decodes OpenLineage JSON into data classes: everything that lineage is derived from.

Only this module, ``core.envelope`` and ``core.event_width`` spell OpenLineage. Readers are strict about the few fields
without which an event has no place (run id, job, time) and tolerant about all others: a facet of an odd shape counts as
absent, since facets differ between versions of the agent and one odd facet must not cost the rest.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.event_fields import UNREADABLE, Facets, check_required, digest, event_time, event_type, raw_facets, unreadable
from core.event_model import (
    ColumnLineageFacet,
    ColumnRef,
    Dataset,
    DatasetId,
    EventDataset,
    Field,
    InputField,
    JobRef,
    RunEvent,
    Symlink,
    Written,
)
from core.identity import column_name, dataset_id, is_folder_name, run_key

_LARGEST_COUNT = 2**63 - 1


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
    outputFacets: msgspec.Raw = msgspec.Raw(b"{}")  # noqa: N815


_body = msgspec.json.Decoder(_Body)
_raw_dataset = msgspec.json.Decoder(_Dataset)


def read_event(body: bytes) -> RunEvent:
    """Decode all that lineage is derived from.

    :raises BadEvent: the body is no JSON, or a field that every event needs is missing or of a wrong type.
    """
    raw = _decode(body)
    run = raw_facets(raw.run.facets)
    job_type = _facet(raw_facets(raw.job.facets), "jobType")
    environment = _facet(run, "environment-properties").get("environment-properties")
    properties = _facet(run, "spark_properties").get("properties")
    return RunEvent(
        event_type=event_type(raw.eventType),
        time=event_time(raw.eventTime),
        run_key=run_key(raw.run.runId),
        job_namespace=raw.job.namespace,
        job_name=raw.job.name,
        digest=digest(body),
        parent=_parent(_facet(run, "parent")),
        job_type=_text(job_type, "jobType"),
        processing_type=_text(job_type, "processingType"),
        inputs=tuple(_datasets(raw.inputs)),
        outputs=tuple(_datasets(raw.outputs)),
        environment=_object(environment),
        properties=_object(properties),
        plan=tuple(_objects(_facet(run, "spark.logicalPlan").get("plan"))),
        agent=_agent(raw.producer),
        spark=_text(_facet(run, "processing_engine"), "version"),
    )


def _decode(body: bytes) -> _Body:
    try:
        raw = _body.decode(body)
    except UNREADABLE as error:
        raise unreadable(error) from None
    check_required(raw.run.runId, raw.job.namespace, raw.job.name)
    return raw


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
    except UNREADABLE:
        return {}
    return value if isinstance(value, dict) else {}


def _datasets(raws: list[msgspec.Raw] | None) -> Iterator[EventDataset]:
    for raw in raws or ():
        try:
            value = _raw_dataset.decode(raw)
        except UNREADABLE:
            continue
        yield _dataset(value)


def _dataset(value: _Dataset) -> EventDataset:
    facets = raw_facets(value.facets)
    return EventDataset(
        dataset=Dataset(
            id=dataset_id(value.namespace, value.name),
            fields=tuple(_fields(value.namespace, _facet(facets, "schema").get("fields"))),
            symlinks=tuple(_symlinks(_facet(facets, "symlinks").get("identifiers"))),
            storage_layer=_text(_facet(facets, "storage"), "storageLayer").lower(),
            is_folder=is_folder_name(value.namespace, value.name),
        ),
        column_lineage=_column_lineage(value.namespace, _facet(facets, "columnLineage")),
        written=_written(_facet(raw_facets(value.outputFacets), "outputStatistics")),
    )


def _written(value: Mapping[str, Any]) -> Written | None:
    """The statistics of the facet. Agents before 1.38 send zeros, without files, if they have none."""
    found = Written(*(_count(value.get(key)) for key in ("rowCount", "size", "fileCount")))
    if found.rows and not found.bytes:
        found = found._replace(bytes=None)
    return found if any(found) or found.files is not None else None


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_COUNT:
        return value
    return None


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
    ids = _DatasetIds()
    fields = {
        column_name(namespace, column): tuple(_input_fields(_object(entry).get("inputFields"), ids))
        for column, entry in _object(value.get("fields")).items()
    }
    return ColumnLineageFacet(fields, tuple(_input_fields(value.get("dataset"), ids)))


class _DatasetIds(dict[tuple[str, str], DatasetId]):
    """The identities of the few datasets that the many columns of one facet come from."""

    def __missing__(self, names: tuple[str, str]) -> DatasetId:
        return self.setdefault(names, dataset_id(*names))


def _input_fields(value: object, ids: _DatasetIds) -> Iterator[InputField]:
    for item in _objects(value):
        namespace, name, column = item.get("namespace"), item.get("name"), item.get("field")
        if isinstance(namespace, str) and isinstance(name, str) and isinstance(column, str):
            kinds = tuple((_text(t, "type"), _text(t, "subtype")) for t in _objects(item.get("transformations")))
            yield InputField(ColumnRef(ids[namespace, name], column_name(namespace, column)), kinds)


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
