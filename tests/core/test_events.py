"""OpenLineage JSON to nouns: strict about what identifies an event, tolerant about everything else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.envelope import describes_no_run, read_envelope
from core.errors import BadEvent
from core.event_fields import digest
from core.event_model import ColumnRef, Envelope, RunEvent
from core.events import read_event
from tests.support.events import LAKE, RUN, body, dataset, event


def changed(*path: str, value: object) -> bytes:
    """An event with one thing in it replaced."""
    whole: dict[str, Any] = event()
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(whole).encode()


def without(*path: str) -> bytes:
    """An event with one thing in it missing."""
    whole: dict[str, Any] = event()
    place = whole
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return json.dumps(whole).encode()


FAULTS = [
    (b"", "$"),
    (b"{", "$"),
    (b"\xff\xfe{}", "$"),
    (b'"text"', "$"),
    (b"[]", "$"),
    (b"null", "$"),
    (b"[" * 100_000, "$"),
    (b"{}", "$.run"),
    (without("run"), "$.run"),
    (without("run", "runId"), "$.run.runId"),
    (without("job", "name"), "$.job.name"),
    (without("job", "namespace"), "$.job.namespace"),
    (without("eventTime"), "$.eventTime"),
    (changed("run", "runId", value=5), "$.run.runId"),
    (changed("run", "runId", value="  "), "$.run.runId"),
    (changed("run", value=[]), "$.run"),
    (changed("job", "name", value=""), "$.job.name"),
    (changed("eventTime", value="yesterday"), "$.eventTime"),
    (changed("eventTime", value="0001-01-01T00:00:00+14:00"), "$.eventTime"),
    (changed("inputs", value="none"), "$.inputs"),
]


@pytest.mark.parametrize("read", [read_envelope, read_event])
@pytest.mark.parametrize(("text", "path"), FAULTS)
def test_a_fault_is_named_by_its_path(text: bytes, path: str, read: Callable[[bytes], Envelope | RunEvent]) -> None:
    with pytest.raises(BadEvent) as caught:
        read(text)
    assert caught.value.path == path
    assert caught.value.status == 400
    assert "`" not in caught.value.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (without("job", "name"), "$.job.name is missing; every OpenLineage run event has it"),
        (changed("job", "name", value=""), "$.job.name must not be empty"),
        (changed("run", "runId", value=5), "$.run.runId: Expected str, got int"),
    ],
)
def test_a_fault_is_a_sentence(text: bytes, reason: str) -> None:
    with pytest.raises(BadEvent) as caught:
        read_envelope(text)
    assert caught.value.reason == reason


TIMES = [
    ("2024-01-31T12:00:00Z", datetime(2024, 1, 31, 12, tzinfo=UTC)),
    ("2024-01-31T12:00:00.123456789Z", datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
    ("2024-01-31T12:00:00", datetime(2024, 1, 31, 12, tzinfo=UTC)),
    ("2024-01-31T12:00:00+05:30", datetime(2024, 1, 31, 6, 30, tzinfo=UTC)),
    ("2024-01-31T12:00:00+01:00[Europe/Berlin]", datetime(2024, 1, 31, 11, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_times_are_utc(text: str, expected: datetime) -> None:
    assert read_envelope(changed("eventTime", value=text)).time == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("complete", "COMPLETE"), ("ABORT", "ABORT"), ("PAUSED", "OTHER"), (None, "OTHER")]
)
def test_event_types(text: str | None, expected: str) -> None:
    assert read_envelope(changed("eventType", value=text)).event_type == expected


@pytest.mark.parametrize(
    ("inputs", "outputs", "counts"),
    [
        ([{}, {}], None, (2, 0)),
        (None, [{}], (0, 1)),
        ([], [], (0, 0)),
        # Where an item is no object, the commas are counted.
        (["a,b", 1, {}], [{}, {}], (4, 2)),
        (None, ["a"], (0, 1)),
        ([{}, {}, {}], [1, 2], (3, 2)),
    ],
)
def test_datasets_are_counted(inputs: object, outputs: object, counts: tuple[int, int]) -> None:
    event = json.loads(changed("inputs", value=inputs)) | {"outputs": outputs}

    found = read_envelope(json.dumps(event).encode())

    assert (found.inputs, found.outputs) == counts


PLANS = [
    ({"plan": [{"class": "org.apache.spark.sql.catalyst.plans.logical.AppendData"}]}, "AppendData"),
    ({"plan": {"class": "a.b.Project"}}, "Project"),
    ({"plan": [{"num-children": 1, "class": "a.b.AppendData"}, {"class": "a.b.Project"}]}, "AppendData"),
    ({"plan": {"num-children": 0, "class": "a.b.Project"}}, "Project"),
    ({"plan": [{"num-children": 0}]}, ""),
    ({"plan": []}, ""),
    ({"plan": "text"}, ""),
    ({}, ""),
    (7, ""),
    (None, ""),
]


@pytest.mark.parametrize(("facet", "expected"), PLANS)
def test_the_class_of_the_plans_root(facet: object, expected: str) -> None:
    found = changed("run", "facets", value={"spark.logicalPlan": facet})
    assert read_envelope(found).plan_class == expected
    read_event(found)


@pytest.mark.parametrize(
    "facets",
    [None, {}, {"parent": 1, "environment-properties": [], "spark.logicalPlan": "x", "unheard of": {"a": [1]}}],
)
def test_odd_facets_have_no_other_effect(facets: object) -> None:
    found = read_event(changed("run", "facets", value=facets))
    assert (found.run_key, found.parent, found.plan, found.environment) == (RUN, None, (), {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("in/x.parquet", False),
        ("in/x.parquet/", True),
        ("in/x.parquet/day=1", True),
        ("/in//x.parquet", False),
        ("day=1", False),
        ("/", False),
    ],
)
def test_a_name_may_show_that_it_belongs_to_a_folder(name: str, expected: bool) -> None:
    found = read_event(changed("inputs", value=[{"namespace": LAKE, "name": name}]))
    assert found.inputs[0].dataset.is_folder == expected


ODD_DATASETS: list[Any] = [None, 5, "x", [], {}, {"namespace": "n"}, {"name": "n"}, {"namespace": 1, "name": "n"}]


def test_odd_datasets_cost_no_other() -> None:
    found = read_event(changed("outputs", value=[*ODD_DATASETS, dataset("out", ["a"]), *ODD_DATASETS]))
    assert [output.dataset.id.name for output in found.outputs] == ["out"]


@pytest.mark.parametrize("facets", [None, 5, {"schema": 5}, {"schema": {"fields": [None, {}]}, "columnLineage": []}])
def test_odd_facets_of_a_dataset_cost_not_the_dataset(facets: object) -> None:
    found = read_event(changed("inputs", value=[{"namespace": LAKE, "name": "in", "facets": facets}]))
    assert [source.dataset.id.name for source in found.inputs] == ["in"]
    assert found.inputs[0].dataset.fields == ()


def test_column_lineage_is_read_in_one_spelling() -> None:
    source = {"namespace": LAKE.replace("abfss", "abfs"), "name": "/in", "field": "b"}
    facet = {"fields": {"a": {"inputFields": [source, {"field": "c"}, None]}, "z": 5}}
    output = {"namespace": LAKE, "name": "out", "facets": {"columnLineage": facet}}
    lineage = read_event(changed("outputs", value=[output])).outputs[0].column_lineage
    assert lineage is not None
    assert [item.column for item in lineage.fields["a"]] == [ColumnRef(read_dataset("in"), "b")]
    assert lineage.fields["z"] == ()


def read_dataset(name: str) -> Any:
    """The identity of a dataset in the lake."""
    return read_event(changed("inputs", value=[dataset(name)])).inputs[0].dataset.id


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent", True),
        ("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent", True),
        ("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent", False),
        (5, False),
    ],
)
def test_events_without_a_run(url: object, expected: bool) -> None:
    assert describes_no_run(json.dumps({"schemaURL": url}).encode()) is expected


@pytest.mark.parametrize("text", [b"", b"5", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_event_has_a_run_until_it_is_read(text: bytes) -> None:
    assert not describes_no_run(text)


def test_different_bodies_have_different_digests() -> None:
    one, other = body(event("START")), body(event("COMPLETE"))
    assert len(digest(one)) == 16
    assert digest(one) == digest(bytes(one))
    assert digest(one) != digest(other)
