"""Small hand-written events, for cases without a recorded event."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from core.event_model import RunEvent
from core.events import read_event

RUN = "01a204f9-ced0-75cb-96b6-56e74817518a"
LAKE = "abfss://data@contosolake.dfs.core.windows.net"


def event(
    event_type: str = "COMPLETE",
    *,
    run: str = RUN,
    minute: float = 0,
    job_name: str = "nb_pool1_1731500001.execute_insert_into_hadoop_fs_relation_command.out",
    job_namespace: str = "contoso-syn",
    parent: str = "",
    parent_run: str = "01a204f9-b85c-78fa-a2fc-9c4cb3303900",
    environment: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    plan: Iterable[Mapping[str, Any]] | None = None,
    inputs: Iterable[Mapping[str, Any]] = (),
    outputs: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """An event as JSON; ``minute`` is its distance from a fixed point in time."""
    facets: dict[str, Any] = {"environment-properties": {"environment-properties": dict(environment or {})}}
    if properties:
        facets["spark_properties"] = {"properties": dict(properties)}
    if plan:
        facets["spark.logicalPlan"] = {"plan": list(plan)}
    if parent:
        facets["parent"] = {"run": {"runId": parent_run}, "job": {"namespace": job_namespace, "name": parent}}
    time = datetime(2024, 5, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
    return {
        "eventType": event_type,
        "eventTime": time.isoformat(),
        "run": {"runId": run, "facets": facets},
        "job": {"namespace": job_namespace, "name": job_name},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def run_event(event_type: str = "COMPLETE", **more: Any) -> RunEvent:
    """The same, read."""
    return read_event(body(event(event_type, **more)))


def body(value: object) -> bytes:
    """The POST body of an event."""
    return msgspec.json.encode(value)


def dataset(
    name: str,
    columns: Iterable[str] = (),
    lineage: Mapping[str, Iterable[tuple[str, str]]] | None = None,
    namespace: str = LAKE,
) -> dict[str, Any]:
    """A dataset with a schema; ``lineage`` maps an output column to (dataset name, column) pairs, all IDENTITY."""
    facets: dict[str, Any] = {"schema": {"fields": [{"name": column, "type": "string"} for column in columns]}}
    if lineage is not None:
        fields = {column: {"inputFields": [_source(*source) for source in found]} for column, found in lineage.items()}
        facets["columnLineage"] = {"fields": fields}
    return {"namespace": namespace, "name": name, "facets": facets}


def _source(name: str, column: str) -> dict[str, Any]:
    kinds = [{"type": "DIRECT", "subtype": "IDENTITY"}]
    return {"namespace": LAKE, "name": name, "field": column, "transformations": kinds}
