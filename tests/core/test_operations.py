"""How a job name is taken apart, and which operations carry lineage."""

import json
from pathlib import Path

import pytest

from core import operations
from core.operations import JobName, Operation, Verdict, classify, split_job_name

CTAS = "execute_create_data_source_table_as_select_command"
INSERT = "execute_insert_into_hadoop_fs_relation_command"

JOB_NAMES = {
    "nb_tables_sparkpool01_1731500005": JobName("nb_tables_sparkpool01_1731500005"),
    f"nb_tables.{INSERT}": JobName("nb_tables", INSERT),
    f"nb_tables.{INSERT}.curated_customers": JobName("nb_tables", INSERT, "curated_customers"),
    f"com.acme.daily.{INSERT}.a_b": JobName("com.acme.daily", INSERT, "a_b"),
    f"com.acme.project.sort.{INSERT}.a_b": JobName("com.acme.project.sort", INSERT, "a_b"),
    f"etl.daily_join.{CTAS}.sales_t": JobName("etl.daily_join", CTAS, "sales_t"),
    "app.adaptive_spark_plan.execute_insert": JobName("app", "adaptive_spark_plan", "execute_insert"),
    "app.execute_save_into_data_source_command.curated@host_dir.v1/x": JobName(
        "app", "execute_save_into_data_source_command", "curated@host_dir.v1/x"
    ),
    "app.execute_brand_new_command.db_t": JobName("app", "execute_brand_new_command", "db_t"),
    "my.app.atomic_brand_new.db_t": JobName("my.app", "atomic_brand_new", "db_t"),
    "my.app.map_partitions_hadoop": JobName("my.app", "map_partitions_hadoop"),
    "app.project": JobName("app", "project"),
    # The more certain a segment is to be a node, the sooner it is taken.
    f"app.execute_brand_new_command.{INSERT}.t": JobName("app.execute_brand_new_command", INSERT, "t"),
    "app.project.execute_brand_new_command": JobName("app.project", "execute_brand_new_command"),
    "app.nothing.project": JobName("app.nothing", "project"),
    "app.execute_one_command.execute_two_command": JobName("app", "execute_one_command", "execute_two_command"),
    "app.5": JobName("app", "5"),
    "app.something.else": JobName("app", "something", "else"),
    "app.": JobName("app", "", ""),
    ".": JobName("", "", ""),
    "": JobName(""),
}


@pytest.mark.parametrize("job_name", JOB_NAMES)
def test_a_job_name_is_application_node_and_suffix(job_name: str) -> None:
    assert split_job_name(job_name) == JOB_NAMES[job_name]


CARRIES, DDL, NONE, UNKNOWN = Verdict.CARRIES, Verdict.DDL, Verdict.NONE, Verdict.UNKNOWN

OPERATIONS = [
    (INSERT, "", "insert", CARRIES),
    ("append_data_exec_v1", "AppendData", "insert", CARRIES),
    ("", "InsertIntoStatement", "insert", CARRIES),
    (CTAS, "", "create table as select", CARRIES),
    (CTAS, "CreateTable", "create table as select", CARRIES),
    ("atomic_replace_table_as_select", "", "replace table as select", CARRIES),
    ("execute_save_into_data_source_command", "", "save", CARRIES),
    ("execute_merge_into_command_edge", "MergeIntoCommandEdge", "merge", CARRIES),
    ("execute_update_command", "", "update", CARRIES),
    ("delete_from_table", "", "delete", CARRIES),
    ("write_to_data_source_v2", "", "stream", CARRIES),
    ("execute_clone_table_command", "", "clone", CARRIES),
    ("execute_create_data_source_table_command", "", "create table", DDL),
    ("replace_table", "", "create table", DDL),
    ("execute_create_view_command", "CreateViewStatement", "create view", DDL),
    ("drop_table", "", "drop", DDL),
    ("local_table_scan", "NoopDropTable", "drop", DDL),
    ("execute_truncate_table_command", "", "truncate", DDL),
    ("execute_alter_table_add_columns_command", "AlterTableAddColumnsCommand", "alter", DDL),
    ("collect_limit", "GlobalLimit", "query", NONE),
    ("scan_csv", "", "query", NONE),
    ("map_partitions_parallel_collection", "", "query", NONE),
    ("hash_aggregate", "", "query", NONE),
    ("execute_set_command", "", "session command", NONE),
    ("execute_show_tables_command", "ShowTables", "session command", NONE),
    ("execute_describe_table_command", "", "session command", NONE),
    ("execute_create_database_command", "CreateNamespaceStatement", "session command", NONE),
    ("adaptive_spark_plan", "", "insert", NONE),
    ("adaptive_spark_plan", "InsertIntoHadoopFsRelationCommand", "insert", CARRIES),
    (INSERT, "Project", "insert", CARRIES),
    ("union", "Union", "", UNKNOWN),
    ("execute_create_delta_table_command", "", "create delta table", UNKNOWN),
    ("5", "", "", UNKNOWN),
    ("", "", "", UNKNOWN),
]


@pytest.mark.parametrize(("node", "plan_class", "name", "verdict"), OPERATIONS)
def test_the_stronger_of_node_and_class_decides_the_operation(
    node: str, plan_class: str, name: str, verdict: Verdict
) -> None:
    assert classify(node, plan_class) == Operation(name, verdict)


@pytest.mark.parametrize("word", ["synapse_write", "SYNAPSE_*", "SqlAnalyticsWrite"])
def test_the_settings_add_operations(word: str) -> None:
    assert classify("synapse_write", "SqlAnalyticsWrite").verdict is UNKNOWN
    assert classify("synapse_write", "SqlAnalyticsWrite", [word]).verdict is CARRIES


def test_nothing_is_listed_twice() -> None:
    groups = json.loads(Path(operations.__file__).with_name("operations.json").read_text("utf-8"))["groups"]
    for key in ("nodes", "classes"):
        names = [name for group in groups for name in group[key]]
        assert sorted(set(names)) == sorted(names)
