"""Processes under the names of the former tools: what the names depend on."""

import pytest

from core.event_model import DatasetId
from core.lineage_model import Application
from purview.collation import collation_key
from purview.process_name import ProcessName, Write, namer, process_name
from tests.purview.helpers import dataset, folder, resolve, table

NOTEBOOK = Application("adb-5445974573286168.8#0609-cluster", "Shared/etl/Load")
WORKSPACE = "databricks://adb-5445974573286168.8.azuredatabricks.net"
SALES = folder("gold/sales")
# By md5sum: of https://acct.dfs.core.windows.net/lake/raw/orders; of …/raw/a_b and …/raw/a/b, joined by a comma; and of
# …/gold/sales.
ORDERS_HASH, BOTH_HASH, SALES_HASH = (
    "EF5AD3919481B04D98F4F73116258992",
    "46CF6D89A1BB2F382374DAF938165CFA",
    "738D8FD5786A81B3E0E15D12041FFEA0",
)


def write(*inputs: DatasetId, sink: DatasetId = SALES, application: Application = NOTEBOOK) -> Write:
    return Write(application, resolve(dataset(sink)), tuple(resolve(dataset(each)) for each in inputs))


def accelerator(write: Write, tasks: dict[str, str] | None = None) -> ProcessName:
    return process_name(write, namer("accelerator", tasks)(write))


def sparklin(write: Write) -> ProcessName:
    return process_name(write, namer("sparklin")(write))


ORDERS = folder("raw/orders")


def test_the_accelerator_hashes_the_names_of_folders_without_a_pattern() -> None:
    named = accelerator(write(ORDERS))
    assert named.asset.type_name == "databricks_process"
    assert named.asset.qualified_name == f"{WORKSPACE}/notebooks/Shared/etl/Load/processes/{ORDERS_HASH}->{SALES_HASH}"
    assert named.name == "/Shared/etl/Load/gold/sales"


def test_the_accelerator_joins_its_inputs_in_the_order_of_the_language_whatever_order_they_came_in() -> None:
    one, other = folder("raw/a_b"), folder("raw/a/b")
    assert f"/processes/{BOTH_HASH}->" in accelerator(write(one, other)).asset.qualified_name
    assert accelerator(write(one, other)) == accelerator(write(other, one))


# What changes, and whether the process is another one then.
CHANGES = [
    (write(ORDERS, folder("raw/more")), True),
    (write(ORDERS, sink=folder("gold/other")), True),
    (write(ORDERS, application=Application(NOTEBOOK.namespace, "Shared/etl/Other")), True),
    (write(ORDERS, application=Application("adb-5445974573286168.8#another-cluster", NOTEBOOK.name)), False),
    (write(folder("RAW/Orders")), False),
]


@pytest.mark.parametrize(("changed", "other"), CHANGES)
def test_the_accelerators_names_depend_on_workspace_notebook_inputs_and_sink(changed: Write, other: bool) -> None:
    assert (accelerator(changed).asset != accelerator(write(ORDERS)).asset) == other


TASKS = {"Shared/etl/Load": "jobs/17/tasks/load", "job 42": "/jobs/42/tasks/jar/"}
RUNNABLES = [
    (NOTEBOOK, TASKS, "jobs/17/tasks/load"),
    (Application(NOTEBOOK.namespace, "job 42"), TASKS, "jobs/42/tasks/jar"),
    (NOTEBOOK, {}, "notebooks/Shared/etl/Load"),
]


@pytest.mark.parametrize(("application", "tasks", "runnable"), RUNNABLES)
def test_the_path_of_a_task_comes_from_the_setting(
    application: Application, tasks: dict[str, str], runnable: str
) -> None:
    named = accelerator(write(ORDERS, application=application), tasks)
    assert named.asset.qualified_name == f"{WORKSPACE}/{runnable}/processes/{ORDERS_HASH}->{SALES_HASH}"


UNKNOWN_TO_THE_ACCELERATOR = [
    write(),
    write(ORDERS, application=Application("contoso-syn", "nightly")),
    write(ORDERS, application=Application(NOTEBOOK.namespace, "job 42")),
    write(ORDERS, application=Application("adb-1.2.evil/x", "Shared/etl/Load")),
]


@pytest.mark.parametrize("unknown", UNKNOWN_TO_THE_ACCELERATOR)
def test_what_the_accelerator_made_no_process_of_has_our_own_name(unknown: Write) -> None:
    assert accelerator(unknown) == process_name(unknown)


SPARKLIN_NAMES = [
    ("nightly", SALES, "nightly/external_sales"),
    ("Learning_daily", SALES, "Learning_daily/learninginsights_sales"),
    ("hcm_hrsi_load", SALES, "hcm_hrsi_load/hrservicesinsights_sales"),
    ("nightly", table("db.dbo.Orders"), "nightly/external_Orders"),
]


@pytest.mark.parametrize(("application", "sink", "expected"), SPARKLIN_NAMES)
def test_the_samples_names_are_of_notebook_team_and_table(application: str, sink: DatasetId, expected: str) -> None:
    named = sparklin(write(ORDERS, sink=sink, application=Application("contoso-syn", application)))
    assert named.asset.type_name == "HRServicesInsights_OneHRSI"
    assert named.asset.qualified_name == f"hrdi://synapse_notebook/{expected}"
    assert named.name == f"{expected.partition('/')[2]}_process"


def test_neither_of_them_exceeds_the_limit_of_names() -> None:
    long = write(ORDERS, application=Application(NOTEBOOK.namespace, "Shared/" + "日" * 5000))
    for named in (accelerator(long), sparklin(long)):
        assert len(named.asset.qualified_name.encode()) <= 4_000
        assert len(named.name.encode()) <= 4_000


def test_type_and_name_go_with_the_qualified_name_whatever_the_setting_says_now() -> None:
    some = write(ORDERS)
    kept = process_name(some, "hrdi://synapse_notebook/nb/external_sales")
    assert (kept.asset.type_name, kept.name) == ("HRServicesInsights_OneHRSI", "external_sales_process")
    assert process_name(some, "sparklin://ns/nb#x").asset.type_name == "azure_synapse_operation"


def test_the_collation_puts_punctuation_before_digits_before_letters_and_case_last() -> None:
    backwards = ["bé", "b", "Ab", "ab", "aA", "aa", "a1", "a/b", "a-b", "a_b", "a"]
    assert sorted(backwards, key=collation_key) == backwards[::-1]
