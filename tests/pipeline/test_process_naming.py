"""Processes of the former tools are updated in place, and follow their runs like our own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from cli.preview import as_object, preview_rules
from cli.tasks.preview_events import preview
from cli.tasks.run_details import job_details
from core.event_model import Dataset
from core.identity import dataset_id, run_key
from core.lineage_model import Application, Lineage
from core.settings import Settings
from pipeline.processes import Naming, process_of
from pipeline.publish import republish
from pipeline.run import process_run
from pipeline.services import Services
from tests.support.corpus import SPARK_31, SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.fixtures import new_universe
from tests.support.universe import Universe

Entity = Mapping[str, Any]

CONTRACT = Path(__file__).parents[2] / "docs" / "contracts" / "preview.schema.json"
ATLAS = "catalog/api/atlas/v2"
LAKE = "https://contosolake.dfs.core.windows.net/data"
SAMPLE, ACCELERATOR, OWN = "HRServicesInsights_OneHRSI", "databricks_process", "azure_synapse_operation"
WORKSPACE = "adb-5445974573286168.8"
LOAD = f"databricks://{WORKSPACE}.azuredatabricks.net/notebooks/Shared/etl/Load/processes"
TUTORIAL, CLINIC = f"{SPARK_35}/tutorial_customer_master", f"{SPARK_31}/left_join_paths"
# The type that the sample expects in the tenant; its definition is not part of the sample.
SAMPLE_TYPE = {
    "category": "ENTITY",
    "name": SAMPLE,
    "superTypes": ["Process"],
    "attributeDefs": [{"name": name, "typeName": "string"} for name in ("columnMapping", "JoinConditions")],
}


def on_databricks(recorded: bytes) -> bytes:
    """The event as a cluster set up for the accelerator sends it."""
    event = json.loads(recorded)
    event["job"]["namespace"] = f"{WORKSPACE}#0609-cluster"
    environment = {"spark.databricks.notebook.path": "/Shared/etl/Load"}
    event["run"].setdefault("facets", {})["environment-properties"] = {"environment-properties": environment}
    return json.dumps(event).encode()


NAMES = [
    (
        TUTORIAL,
        "",
        OWN,
        "sparklin://contoso-syn/customer_master"
        "#https://contosolake.dfs.core.windows.net/curated/customer_master_delta/{SparkPartitions}",
        "customer_master → customer_master_delta",
    ),
    (
        TUTORIAL,
        "sparklin",
        SAMPLE,
        "hrdi://synapse_notebook/customer_master/external_customer_master_delta",
        "external_customer_master_delta_process",
    ),
    (
        TUTORIAL,
        "accelerator",
        ACCELERATOR,
        f"{LOAD}/E55F37B6DA7E89DEE05176F23CC6B1B7->FFDDC2960CF86598B1C515019940AA3B",
        "/Shared/etl/Load/customer_master_delta",
    ),
    (
        CLINIC,
        "native",
        OWN,
        "sparklin://stmarys-synapse/nb_clinical_reports"
        "#https://stmaryslake.dfs.core.windows.net/reports/staff_ward/{SparkPartitions}",
        "nb_clinical_reports → staff_ward",
    ),
    (
        CLINIC,
        "sparklin",
        SAMPLE,
        "hrdi://synapse_notebook/nb_clinical_reports/external_staff_ward",
        "external_staff_ward_process",
    ),
    (
        CLINIC,
        "accelerator",
        ACCELERATOR,
        f"{LOAD}/45B5301C4E3CCEF49205FF0960F2821C->8567CF997F210D74A48C12E8CC398548",
        "/Shared/etl/Load/staff_ward",
    ),
]


@pytest.mark.parametrize(("scenario", "naming", "kind", "qualified_name", "name"), NAMES)
def test_recorded_events_get_the_names_of_the_naming(
    scenario: str, naming: str, kind: str, qualified_name: str, name: str
) -> None:
    rules = preview_rules(Settings.offline({"PROCESS_NAMING": naming}))
    sent = [on_databricks(each) if naming == "accelerator" else each for each in bodies(scenario)]
    printed = [as_object(item) for item in preview(sent, rules).processes]
    jsonschema.validate(printed, json.loads(CONTRACT.read_text()))
    (process,) = (item["process"] for item in printed)
    assert (process["typeName"], process["qualifiedName"], process["name"]) == (kind, qualified_name, name)


# Namespace and name as agents wrote them, and the name that the accelerator's default mappings give.
MAPPED = [
    ("wasbs://raw@acct.blob.core.windows.net", "/retail/x", "https://acct.blob.core.windows.net/raw/retail/x"),
    ("abfss://raw@acct.dfs.core.windows.net", "/retail/x/", "https://acct.dfs.core.windows.net/raw/retail/x"),
    ("abfss://raw@acct.blob.core.windows.net", "/x", "https://acct.dfs.core.windows.net/raw/x"),
    ("abfss://raw@acct.dfs.core.windows.net", "/", "https://acct.dfs.core.windows.net/raw"),
    ("dbfs", "/mnt/raw/x", "https://acct.dfs.core.windows.net/raw/sub/x"),
    (
        "sqlserver://ws.sql.azuresynapse.net:1433;database=pool;",
        "sales.region",
        "mssql://ws.sql.azuresynapse.net/pool/sales/region",
    ),
    ("sqlserver://srv.database.windows.net:1433;database=db;", "t", "mssql://srv.database.windows.net/db/dbo/t"),
    ("sqlserver://srv.database.windows.net;database=db", "[s].[t.x]", "mssql://srv.database.windows.net/db/s/t.x"),
    (
        "postgresql://h.postgres.database.azure.com:5432/db",
        "t",
        "postgresql://h.postgres.database.azure.com/db/public/t",
    ),
    ("postgresql://10.2.0.4:5432/db", "s.t", "postgresql://servers/10.2.0.4:5432/dbs/db/schemas/s/tables/t"),
    ("mysql://h.mysql.database.azure.com:3306/db", "t", "mysql://h.mysql.database.azure.com/db/t"),
    ("azurekusto://c.kusto.windows.net/db", "t", "https://c.kusto.windows.net/db/t"),
    ("dbfs", "/user/hive/warehouse/t", f"default.t@{WORKSPACE}.azuredatabricks.net"),
    ("dbfs", "/user/hive/warehouse/d.db/t", f"d.t@{WORKSPACE}.azuredatabricks.net"),
    ("adl://acct.azuredatalakestore.net", "/p", "adl://acct.azuredatalakestore.net/p"),
    (
        "snowflake://x.snowflakecomputing.com",
        "d.s.t",
        "snowflake://x.snowflakecomputing.com/databases/d/schemas/s/tables/t",
    ),
    (
        "azurecosmos://acct.documents.azure.com/dbs/db",
        "/colls/c",
        "https://acct.documents.azure.com/dbs/db/colls/c",
    ),
]


@pytest.mark.parametrize(("namespace", "name", "mapped"), MAPPED)
def test_the_accelerators_hashes_are_of_the_names_that_its_default_mappings_make(
    namespace: str, name: str, mapped: str
) -> None:
    cluster = f"{WORKSPACE}.azuredatabricks.net"
    naming = Naming.of(Settings.offline({"PROCESS_NAMING": "accelerator", "HIVE_CLUSTER": cluster}))
    sink = Dataset(dataset_id(namespace, name), is_folder=True)
    mounts = (("/mnt/raw", "abfss://raw@acct.dfs.core.windows.net/sub"),)
    application = Application(f"{WORKSPACE}#0609-cluster", "Shared/etl/Load")
    process = process_of(Lineage(application, "", sink, (sink,), mount_points=mounts), naming)
    of_input, of_output = (hashlib.md5(text.encode()).hexdigest().upper() for text in (mapped.lower(), mapped))
    assert process.qualified_name == f"{LOAD}/{of_input}->{of_output}"


@pytest.fixture(scope="module", autouse=True)
def _sample_type(data_map: str) -> None:
    requests.post(f"{data_map}/{ATLAS}/types/typedefs", json={"entityDefs": [SAMPLE_TYPE]}, timeout=30)


def named(services: Services, naming: str) -> Universe:
    """A universe on services with this naming; its name is a workspace's, as that of every Databricks job is."""
    settings = replace(services.settings, process_naming=naming)
    here = new_universe(replace(services, settings=settings, naming=Naming.of(settings)))
    return replace(here, name=f"adb-{int(here.name.removeprefix('test-'), 16)}.1")


def of_naming(universe: Universe, naming: str) -> Universe:
    """The same universe after a change of the setting."""
    settings = replace(universe.services.settings, process_naming=naming)
    return replace(universe, services=replace(universe.services, settings=settings, naming=Naming.of(settings)))


def run(
    universe: Universe,
    kind: str = "COMPLETE",
    *,
    sink: str = "t",
    sources: str = "s",
    key: str = "1",
    minute: float = 0,
    node: str = "execute_insert_into_hadoop_fs_relation_command",
    parent: bool = False,
) -> bytes:
    """A run event of a notebook that only this universe has, with properties of both Databricks and Synapse."""
    notebook = f"nb{universe.name.partition('.')[0].removeprefix('adb-')}"
    written = dataset(sink, ["a"], {"a": [(source, "x") for source in sources.split()]})
    return body(
        event(
            kind,
            run=key,
            minute=minute,
            job_name=f"{notebook}_pool1_1731500001.{node}.out",
            parent=f"{notebook}_pool1_1731500001" if parent else "",
            environment=environment(universe),
            inputs=[dataset(source, ["x"]) for source in sources.split()],
            outputs=[written],
        )
    )


def environment(universe: Universe) -> dict[str, str]:
    on = universe.services.settings.process_naming == "accelerator"
    return {"spark.databricks.notebook.path": "/Shared/Load"} if on else {}


def shown(universe: Universe) -> dict[str, Entity]:
    """All processes of this universe in the Data Map, under type and qualified name."""
    own = universe.name.partition(".")[0].removeprefix("adb-")
    found = [each for each in universe.entities_named(own) if "columnMapping" in each["attributes"]]
    return {f"{each['typeName']} {each['attributes']['qualifiedName']}": each for each in found}


def outputs(entity: Entity) -> list[str]:
    return [name for _, name in entity["relationships"].get("outputs", ())]


def old_process(universe: Universe, kind: str, qualified_name: str, attributes: Mapping[str, str]) -> str:
    """A process as the former tool created it, between its own datasets; its guid."""
    ends = [
        {
            "typeName": "DataSet",
            "guid": guid,
            "attributes": {"qualifiedName": f"external://{name}{universe.name}", "name": name},
        }
        for guid, name in (("-1", "s"), ("-2", "t"))
    ]
    attributes_before = {"qualifiedName": qualified_name, "name": "as before", **attributes}
    attributes_before |= {"inputs": [{"guid": "-1"}], "outputs": [{"guid": "-2"}], "columnMapping": "[]"}  # type: ignore[dict-item]
    process = {"typeName": kind, "guid": "-3", "attributes": attributes_before}
    return universe.services.catalog.upload([*ends, process]).assigned["-3"]


def expected_name(universe: Universe) -> tuple[str, str]:
    """Type and qualified name that the tool before gave the process of ``run``."""
    if universe.services.settings.process_naming == "sparklin":
        number = universe.name.partition(".")[0].removeprefix("adb-")
        return SAMPLE, f"hrdi://synapse_notebook/nb{number}/external_t"
    # By md5sum: of the lake's /s, and of its /t.
    hashes = "575A53D33B1337B83A5233915A71BF60->2B5EE26F030349580669FA9994B83E7D"
    return ACCELERATOR, f"databricks://{universe.name}.azuredatabricks.net/notebooks/Shared/Load/processes/{hashes}"


@pytest.mark.parametrize(("naming", "kept"), [("sparklin", "JoinConditions"), ("accelerator", "owner")])
def test_a_process_of_the_tool_before_is_updated_in_place(services: Services, naming: str, kept: str) -> None:
    universe = named(services, naming)
    kind, qualified_name = expected_name(universe)
    guid = old_process(universe, kind, qualified_name, {kept: "of the tool before"})
    universe.deliver_all([run(universe, "START"), run(universe, "COMPLETE", minute=1)])
    universe.deliver(run(universe, key="2", minute=60))
    ((shown_as, process),) = shown(universe).items()
    assert shown_as == f"{kind} {qualified_name}"
    assert process["guid"] == guid
    assert outputs(process) == [f"{LAKE}/t/{{SparkPartitions}}"]
    assert json.loads(process["attributes"]["columnMapping"])[0]["ColumnMapping"] == [{"Source": "x", "Sink": "a"}]
    assert process["attributes"][kept] == "of the tool before"


@pytest.mark.parametrize("naming", ["sparklin", "accelerator"])
def test_the_last_run_retracted_removes_the_process(services: Services, naming: str) -> None:
    universe = named(services, naming)
    universe.deliver(run(universe))
    assert [process["typeName"] for process in shown(universe).values()] == [expected_name(universe)[0]]
    universe.deliver(run(universe, "FAIL", minute=1))
    assert shown(universe) == {}


def test_another_set_of_inputs_is_another_process_of_the_accelerator_and_the_first_stays(services: Services) -> None:
    universe = named(services, "accelerator")
    universe.deliver_all([run(universe, key="1"), run(universe, sources="s more", key="2", minute=60)])
    assert [len(each["relationships"]["inputs"]) for each in shown(universe).values()] in ([1, 2], [2, 1])
    universe.deliver(run(universe, "FAIL", key="1", minute=61))
    assert [len(each["relationships"]["inputs"]) for each in shown(universe).values()] == [2]


def test_an_input_reported_late_leaves_no_process_behind(services: Services) -> None:
    universe = named(services, "accelerator")
    universe.deliver(run(universe, minute=1))
    universe.deliver(run(universe, "RUNNING", sources="s more"))
    assert [len(each["relationships"]["inputs"]) for each in shown(universe).values()] == [2]


def test_sinks_of_one_short_name_take_turns_in_the_samples_process_whatever_the_order(services: Services) -> None:
    pictures = []
    for order in (1, -1):
        universe = named(services, "sparklin")
        writes = [run(universe, sink="bronze/t", key="1"), run(universe, sink="silver/t", key="2", minute=60)]
        universe.deliver_all(writes[::order])
        (process,) = shown(universe).values()
        assert f"also writes {LAKE}/bronze/t" in process["attributes"]["description"]
        pictures.append((outputs(process), process["attributes"]["columnMapping"]))
        universe.deliver(run(universe, "FAIL", sink="silver/t", key="2", minute=61))
        (process,) = shown(universe).values()
        assert outputs(process) == [f"{LAKE}/bronze/t/{{SparkPartitions}}"]
    assert pictures[0] == pictures[1]
    assert pictures[0][0] == [f"{LAKE}/silver/t/{{SparkPartitions}}"]


@pytest.mark.parametrize("naming", ["sparklin", "accelerator"])
def test_a_replay_after_the_setting_changed_moves_the_runs_and_removes_the_process_before(
    services: Services, naming: str
) -> None:
    later = named(services, naming)
    before = of_naming(later, "native")
    runs = [run(later, key="1"), run(later, key="2", minute=60)]
    before.deliver_all(runs)
    assert {process["typeName"] for process in shown(before).values()} == {OWN}
    for key in ("1", "2"):
        process_run(run_key(later.run_id(key)), later.services, replay=True, force=True)
    assert [process["typeName"] for process in shown(later).values()] == [expected_name(later)[0]]
    later.deliver_all(runs)
    assert len(shown(later)) == 1


def test_a_process_keeps_its_name_and_type_until_its_runs_are_replayed(services: Services) -> None:
    before = named(services, "sparklin")
    before.deliver(run(before))
    after = of_naming(before, "native")
    kind, qualified_name = expected_name(before)
    republish(qualified_name, after.services)
    assert list(shown(after)) == [f"{kind} {qualified_name}"]


def test_a_failed_table_retracts_the_run_around_it_which_knows_no_inputs(services: Services) -> None:
    universe = named(services, "accelerator")
    around = partial(run, universe, key="outer", sources="", node="create_table_as_select", parent=True)
    universe.deliver_all([around("START"), around("COMPLETE", minute=4)])
    assert [process["typeName"] for process in shown(universe).values()] == [OWN]
    universe.deliver(run(universe, "FAIL", key="inner", minute=2, parent=True))
    assert shown(universe) == {}


def test_two_sinks_of_one_run_that_share_a_name_are_not_mixed(services: Services) -> None:
    universe = named(services, "sparklin")
    event_of_both = json.loads(run(universe, sink="bronze/t"))
    event_of_both["outputs"] += json.loads(run(universe, sink="silver/t", sources="other"))["outputs"]
    universe.deliver(body(event_of_both))
    (process,) = shown(universe).values()
    assert outputs(process) == [f"{LAKE}/bronze/t/{{SparkPartitions}}"]
    assert f"also writes {LAKE}/silver/t" in process["attributes"]["description"]
    assert {pair["DatasetMapping"]["Source"] for pair in json.loads(process["attributes"]["columnMapping"])} == {
        f"{LAKE}/s/{{SparkPartitions}}"
    }


def test_a_process_under_an_old_name_is_found_by_its_application(services: Services) -> None:
    universe = named(services, "sparklin")
    universe.deliver(run(universe))
    application = expected_name(universe)[1].split("/")[3]
    now = datetime.now(UTC)
    (process,) = job_details(application, now, now, universe.services).processes
    assert (process.qualified_name, process.name) == (expected_name(universe)[1], "external_t_process")
