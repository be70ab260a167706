"""The notebook or job that wrote: its identity, the name that people see, and its address, as far as events say it."""

from typing import Any

import pytest

from core.lineage_model import Application
from parser.application import application
from parser.merge import merge
from tests.support.events import run_event

NOTEBOOK, WORKSPACE = "294c85d6-f31a-47b0-868e-b517d93af408", "5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4"
FABRIC = {
    "trident.artifact.id": NOTEBOOK,
    "trident.artifact.name": "nb daily",
    "trident.artifact.type": "SynapseNotebook",
    "trident.artifact.workspace.id": WORKSPACE,
}
SYNAPSE = {"spark.synapse.workspace.name": "Contoso-Syn", "spark.synapse.context.notebookname": "Load orders"}
NAME = "nb"
PAGE = f"https://app.fabric.microsoft.com/groups/{WORKSPACE}"
DATABRICKS = "https://adb-123.4.azuredatabricks.net"
PATH = {"spark.databricks.notebook.path": "/Shared/etl/Load orders"}

# Captured properties, environment, namespace of the job; then name, id, title, link.
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str, tuple[str, str, str, str]]] = [
    ("Fabric", FABRIC, {}, "fab", (NAME, f"fabric:{NOTEBOOK}", "nb daily", f"{PAGE}/synapsenotebooks/{NOTEBOOK}")),
    (
        "Fabric: a Spark job",
        FABRIC | {"trident.artifact.type": "SparkJobDefinition"},
        {},
        "fab",
        (NAME, f"fabric:{NOTEBOOK}", "nb daily", f"{PAGE}/sparkjobdefinitions/{NOTEBOOK}"),
    ),
    (
        "Fabric: a kind without a page that we know",
        FABRIC | {"trident.artifact.type": "Lakehouse"},
        {},
        "fab",
        (NAME, f"fabric:{NOTEBOOK}", "nb daily", ""),
    ),
    (
        "Fabric: no name, no workspace",
        {"trident.artifact.id": NOTEBOOK.upper()},
        {},
        "fab",
        (NAME, f"fabric:{NOTEBOOK}", "", ""),
    ),
    ("Fabric: an id that is none", {"trident.artifact.id": "x/../y"}, {}, "fab", (NAME, "", "", "")),
    (
        "Fabric: values of odd types",
        {"trident.artifact.id": 7, "trident.artifact.name": []},
        {},
        "fab",
        (NAME, "", "", ""),
    ),
    ("Synapse", SYNAPSE, {}, "syn", (NAME, "synapse:contoso-syn:Load orders", "Load orders", "")),
    (
        "Synapse: a job without a notebook",
        {"spark.synapse.workspace.name": "contoso-syn"},
        {},
        "syn",
        (NAME, "", "", ""),
    ),
    (
        "Fabric, where Synapse's keys are set too",
        FABRIC | {"spark.synapse.workspace.name": WORKSPACE, "spark.synapse.context.notebookname": "nb daily"},
        {},
        "fab",
        (NAME, f"fabric:{NOTEBOOK}", "nb daily", f"{PAGE}/synapsenotebooks/{NOTEBOOK}"),
    ),
    (
        "Databricks: a notebook, also in a job",
        {},
        PATH | {"spark.databricks.job.id": "42", "spark.databricks.workspaceUrl": "adb-123.4.azuredatabricks.net"},
        "dbx",
        ("Shared/etl/Load orders", "", "", f"{DATABRICKS}/#workspace/Shared/etl/Load%20orders"),
    ),
    ("Databricks: no address", {}, PATH, "dbx", ("Shared/etl/Load orders", "", "", "")),
    (
        "Databricks: a job",
        {},
        {"spark.databricks.job.id": 42},
        "adb-123.4#0609-c",
        ("job 42", "", "", f"{DATABRICKS}/#job/42"),
    ),
    (
        "Databricks: an address that is none of Azure's",
        {},
        {"spark.databricks.job.id": "42", "spark.databricks.workspaceUrl": "evil.example/adb-1.2"},
        "dbx",
        ("job 42", "", "", ""),
    ),
    (
        "Databricks: a notebook from Git, whose checkout goes",
        {},
        {"spark.databricks.notebook.path": "/Repos/.internal/1_commits/0123456789abcdef/etl/Load"},
        "adb-123.4",
        ("Repos/.internal/1/etl/Load", "", "", ""),
    ),
    ("elsewhere", {"spark.app.name": "nb_daily"}, {}, "spark", (NAME, "", "", "")),
]


@pytest.mark.parametrize(
    ("properties", "environment", "namespace", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_notebook_or_job_is_read_from_the_properties(
    properties: dict[str, Any], environment: dict[str, Any], namespace: str, expected: tuple[str, str, str, str]
) -> None:
    run = merge([run_event(job_namespace=namespace, properties=properties, environment=environment)])
    assert application(run) == Application(namespace, *expected)


def test_an_event_without_properties_is_merged_with_the_others_of_its_run() -> None:
    start, complete = run_event("START"), run_event("COMPLETE", minute=1, properties=FABRIC)
    unnamed = run_event("RUNNING", properties={"trident.artifact.id": ""})
    assert {application(merge(events)).artifact for events in ([start, complete], [complete, unnamed, start])} == {
        f"fabric:{NOTEBOOK}"
    }
