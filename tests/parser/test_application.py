"""Which application a run belongs to: the same for all its runs, and never that of another."""

import re

import pytest

from parser.application import application, without_tail
from parser.merge import merge
from tests.support.events import run_event

CUT = [
    ("nb_daily_83_f56_a9_c_1_b4_d_42_e7_85_a9_7_d6028_f4_b31_e", "nb_daily", "Fabric: UUID as written by agent 1.26"),
    ("nb_2_d_94067_bad_2_c5_e_43_f8_96_ba_8_e7139054_c2_f", "nb_2_d", "the same, behind a name with a digit"),
    ("customer_master_sparkpool01_1731500001", "customer_master", "Synapse: notebook, pool, timestamp"),
    ("synapse_nb_demo_pool_1700000001", "synapse_nb_demo", "Synapse: a pool name has no underscore"),
    ("NB_Sales_SparkPool01_1700000001", "NB_Sales", "upper case as set by hand"),
    ("notebook_sales_ingest_5f2c8e1a_6d0b_4c0e_8a3f_1b2c3d4e5f60", "notebook_sales_ingest", "Fabric: normalised UUID"),
    ("load-orders-5f2c8e1a-6d0b-4c0e-8a3f-1b2c3d4e5f60", "load-orders", "Data Factory: UUID with hyphens"),
    ("load_orders_5f2c8e1a6d0b4c0e8a3f1b2c3d4e5f60", "load_orders", "UUID without separators"),
]

KEPT = [
    ("nightly_load", "nothing to cut"),
    ("sales_2024", "a year is part of the name"),
    ("etl_orders_20240131", "a date has eight digits"),
    ("orders_1731500001", "digits without a pool"),
    ("sparkpool01_1731500001", "nothing but pool and timestamp"),
    ("5f2c8e1a-6d0b-4c0e-8a3f-1b2c3d4e5f60", "nothing but an id"),
    ("customer_v2", "a version"),
    ("job_5f2c8e1a", "eight hex digits are no UUID"),
    ("月次_集計", "any script"),
]


@pytest.mark.parametrize(("name", "expected", "why"), CUT, ids=[row[2] for row in CUT])
def test_a_run_specific_tail_is_cut(name: str, expected: str, why: str) -> None:
    assert without_tail(name) == expected


@pytest.mark.parametrize(("name", "why"), KEPT)
def test_other_names_are_kept_whole(name: str, why: str) -> None:
    assert without_tail(name) == name


def test_a_setting_adds_tails() -> None:
    assert without_tail("orders_attempt7", [re.compile(r"_attempt\d+$")]) == "orders"


JOBS = [
    ("app_pool1_1731500001.execute_insert_into_hadoop_fs_relation_command.a_b", "", {}, "app"),
    ("app.adaptive_spark_plan.x", "", {}, "app"),
    ("my.dotted.app.execute_merge_into_command./folder/x.y", "", {}, "my.dotted.app"),
    ("my.dotted.app.unheard_of_node.x", "my.dotted.app", {}, "my.dotted.app"),
    ("app.execute_insert_into_hadoop_fs_relation_command", "airflow_dag.task", {}, "app"),
    ("databricks_shell.append_data", "", {"spark.databricks.notebook.path": "/Users/a@b.c/Load"}, "Users/a@b.c/Load"),
    ("databricks_shell.append_data", "", {"spark.databricks.job.id": "42"}, "job 42"),
]


@pytest.mark.parametrize(("job", "parent", "environment", "expected"), JOBS)
def test_the_application_is_read_from_the_job(
    job: str, parent: str, environment: dict[str, str], expected: str
) -> None:
    run = merge([run_event("COMPLETE", job_name=job, parent=parent, environment=environment)])
    assert application(run).name == expected
    assert application(run).namespace == run.job_namespace


def test_a_notebook_in_a_users_folder_has_a_pseudonym_and_no_link() -> None:
    url = {"spark.databricks.workspaceUrl": "adb-1.2.azuredatabricks.net"}
    environment = {**url, "spark.databricks.notebook.path": "/Users/anna@contoso.com/Load"}
    run = merge([run_event("COMPLETE", environment=environment)])

    assert application(run).link == "https://adb-1.2.azuredatabricks.net/#workspace/Users/anna%40contoso.com/Load"
    hidden = application(run, hash_users=True)
    assert (hidden.name, hidden.link) == ("Users/user-68c766dd3a6d/Load", "")
