"""The allow-list: noise is ignored, nothing that belongs to a write is."""

import json
import re
from pathlib import Path

import pytest

from core.envelope import read_envelope
from core.operations import split_job_name
from receiver.accept import ReceiverRules, accept
from tests.receiver.envelopes import envelope
from tests.support.corpus import CORPUS

INSERT = "app.execute_insert_into_hadoop_fs_relation_command.out"
RULES = ReceiverRules()


R, W, RW = {"reads": True}, {"writes": True}, {"reads": True, "writes": True}

KEPT = [
    ("START", INSERT, R),
    ("COMPLETE", INSERT, {}),
    ("COMPLETE", INSERT, RW),
    ("OTHER", INSERT, {}),
    ("START", INSERT, {"plan": "InsertIntoHadoopFsRelationCommand"}),
    ("START", "app.adaptive_spark_plan.out", RW),
    ("START", "app.adaptive_spark_plan.out", {"plan": "InsertIntoHadoopFsRelationCommand", "reads": True}),
    ("COMPLETE", "app.collect_limit", W),
    ("RUNNING", "app.map_partitions_parallel_collection", RW),
    ("START", "app.new_operation", R),
    ("START", "app.new_operation", {"plan": "NewCommand"}),
    ("COMPLETE", "app.new_operation", {}),
    ("START", "app.union", {"plan": "Union", "reads": True}),
    ("START", "app.adaptive_spark_plan", {"plan": "Union", "reads": True}),
    ("START", "app.project", {"plan": "Project", "reads": True, "processing_type": "STREAMING"}),
    ("COMPLETE", "app.scan_json", {"plan": "LogicalRelation", "reads": True, "processing_type": "STREAMING"}),
    ("START", "app.execute_create_view_command", {"plan": "CreateViewCommand"}),
    ("COMPLETE", "app.execute_create_view_command", {"plan": "CreateViewStatement"}),
    ("START", "app.atomic_create_table_as_select.db_t", R),
    ("START", "app.drop_table.db_t", W),
    ("FAIL", "app", {}),
    ("ABORT", "app.collect_limit", {}),
    ("FAIL", "app.execute_set_command", {"job_type": "SQL_JOB"}),
    ("COMPLETE", "job_of_another_producer", RW),
]
IGNORED = [
    ("START", "app", {}),
    ("COMPLETE", "app", {"job_type": "APPLICATION"}),
    ("COMPLETE", "app.with.dots", {"job_type": "APPLICATION"}),
    ("START", "app.collect_limit", R),
    ("COMPLETE", "app.collect_limit", {"plan": "GlobalLimit", "reads": True}),
    ("OTHER", "app.scan_csv", R),
    ("START", "app.project", R),
    ("START", "app.project", {"reads": True, "processing_type": "STREAMING"}),
    ("RUNNING", "app.project", {"plan": "Project", "reads": True, "processing_type": "STREAMING"}),
    ("START", "app.adaptive_spark_plan", R),
    ("COMPLETE", "app.adaptive_spark_plan", {"plan": "Aggregate", "reads": True}),
    ("COMPLETE", "app.execute_set_command", {}),
    ("START", "app.map_partitions_parallel_collection", R),
    ("START", "app.5", {}),
    ("START", INSERT, {}),
    ("RUNNING", "app.new_operation", {}),
]


@pytest.mark.parametrize(("event_type", "job_name", "more"), KEPT)
def test_what_may_be_a_part_of_a_write_is_kept(event_type: str, job_name: str, more: dict[str, bool]) -> None:
    assert accept(envelope(event_type, job_name, **more), RULES).kept  # type: ignore[arg-type]


@pytest.mark.parametrize(("event_type", "job_name", "more"), IGNORED)
def test_what_carries_no_lineage_is_ignored(event_type: str, job_name: str, more: dict[str, bool]) -> None:
    decision = accept(envelope(event_type, job_name, **more), RULES)  # type: ignore[arg-type]
    assert not decision.kept
    assert decision.reason


def test_the_settings_add_operations() -> None:
    found = envelope("START", "app.scan_special", reads=True)
    assert not accept(found, RULES).kept
    assert accept(found, ReceiverRules(allow_operations=("scan_special",))).kept


@pytest.mark.parametrize("event_type", ["START", "COMPLETE", "FAIL"])
@pytest.mark.parametrize("pattern", ["^app\\.", "^prod/app", "hadoop_fs"])
def test_excluded_jobs_are_ignored_with_the_pattern(event_type: str, pattern: str) -> None:
    rules = ReceiverRules(exclude_jobs=(re.compile("nothing"), re.compile(pattern)))
    decision = accept(envelope(event_type, INSERT, reads=True, writes=True), rules)
    assert not decision.kept
    assert pattern in decision.reason
    assert accept(envelope(event_type, "other.append_data", reads=True, namespace="test"), rules).kept


def recorded() -> list[Path]:
    """All recorded events."""
    return sorted(CORPUS.glob("*/*/[0-9]*_*.json"))


def test_no_event_of_a_run_that_writes_is_ignored() -> None:
    """The ignored events of the corpus belong to runs without an output, or bring neither datasets nor a plan."""
    ignored: dict[str, str] = {}
    writing: set[str] = set()
    for file in recorded():
        found = read_envelope(file.read_bytes())
        run = f"{file.parent.name}/{found.run_key}"
        if not accept(found, RULES).kept and (found.has_datasets or found.plan_class):
            ignored[run] = found.job_name
        if found.has_outputs:
            writing.add(run)
    assert len(writing) > 100
    assert {job for run, job in ignored.items() if run in writing} == set()


def test_most_of_the_noise_is_ignored() -> None:
    """Of the runs without an output, the remaining ones may have lineage in their plans, or belong to streams."""
    kept: set[str] = set()
    for file in recorded():
        found = read_envelope(file.read_bytes())
        is_batch = found.processing_type != "STREAMING"
        if is_batch and not found.has_outputs and accept(found, RULES).kept:
            kept.add(split_job_name(found.job_name).node)
    assert kept <= {
        "execute_create_view_command",
        "execute_create_temp_view_using",
        "execute_merge_into_command",
        "drop_table",
        "atomic_create_table_as_select",
        "atomic_replace_table_as_select",
        "union",
        "local_table_scan",
        "adaptive_spark_plan",
        "append_data_exec_v1",
        "overwrite_by_expression_exec_v1",
        "create_table",
    }


def test_the_plans_of_views_are_kept() -> None:
    views = [file for file in recorded() if b"execute_create_view_command" in file.read_bytes()]
    with_plan = [file for file in views if "spark.logicalPlan" in json.loads(file.read_bytes())["run"]["facets"]]
    assert with_plan
    assert all(accept(read_envelope(file.read_bytes()), RULES).kept for file in with_plan)
