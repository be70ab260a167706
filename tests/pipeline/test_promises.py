"""The promises, on real storage and a real Data Map."""

import json
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import requests

from core.identity import run_key
from pipeline import run
from pipeline.publish import record
from pipeline.services import Services
from purview import uploader
from storage.details_table import DetailsTable
from storage.event_store import EventStore
from tests.pipeline.worker import Work
from tests.support.catalogue import twice
from tests.support.corpus import SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.processes import PATIENCE, started
from tests.support.tiers import sweep
from tests.support.universe import Universe

ROOT = Path(__file__).parent.parent.parent
APPLICATION = "agents/1.36.0_spark-3.5.1"


def a_run(*types: str, sink: str = "t", source: str = "s", run: str = "run-1", minute: float = 0) -> list[bytes]:
    """The events of one run that writes ``sink`` from ``source``."""
    written = dataset(sink, ["a"], {"a": [(source, "x")]})
    return [
        body(event(kind, run=run, minute=minute + index, inputs=[dataset(source, ["x"])], outputs=[written]))
        for index, kind in enumerate(types)
    ]


@contextmanager
def lenient(data_map: str) -> Iterator[None]:
    """Let the Data Map take no lock between looking for a name and creating it, as Atlas doesn't."""
    url = f"{data_map}/_control/settings"
    requests.post(url, json={"lenient": True, "pause": 0.01}, timeout=60).raise_for_status()
    try:
        yield
    finally:
        requests.post(url, json={"lenient": False, "pause": 0.0}, timeout=60).raise_for_status()


def other(universe: Universe, tag: str) -> Universe:
    return Universe(f"{universe.name}-{tag}", universe.services)


TYPES = ["START COMPLETE", "START RUNNING COMPLETE", "START COMPLETE FAIL"]


@pytest.mark.parametrize("types", sweep(TYPES, [TYPES[0], TYPES[2]]))
def test_every_order_of_a_runs_events_ends_in_the_same_picture(universe: Universe, types: str) -> None:
    pictures = []
    for number, order in enumerate(permutations(a_run(*types.split()))):
        here = other(universe, str(number))
        here.deliver_all(order)
        pictures.append(json.dumps(here.processes(), sort_keys=True))
    assert len(set(pictures)) == 1
    assert (pictures[0] == "{}") == ("FAIL" in types)


def test_events_sent_twice_count_once(universe: Universe) -> None:
    events = a_run("START", "COMPLETE")
    universe.deliver_all(events)
    before = universe.entities()
    universe.deliver_all([*events, *reversed(events)])
    assert universe.entities() == before


def test_a_rerun_with_the_same_lineage_makes_no_call_to_the_catalogue(universe: Universe) -> None:
    universe.deliver_all(a_run("START", "COMPLETE", run="monday"))
    universe.forget_calls()
    universe.deliver_all(a_run("START", "COMPLETE", run="tuesday", minute=24 * 60))
    universe.deliver_all(a_run("START", "COMPLETE", run="monday"))
    assert universe.calls() == 0


def test_runs_from_other_sources_are_united_in_one_process(universe: Universe) -> None:
    universe.deliver_all(a_run("COMPLETE", source="monday", run="1"))
    universe.deliver_all(a_run("COMPLETE", source="tuesday", run="2", minute=24 * 60))
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["monday", "tuesday"]


def test_a_failure_takes_a_run_out_of_the_picture_and_the_last_one_the_process(universe: Universe) -> None:
    universe.deliver_all(a_run("COMPLETE", source="monday", run="1"))
    universe.deliver_all(a_run("COMPLETE", source="tuesday", run="2", minute=60))
    universe.deliver_all(a_run("FAIL", source="tuesday", run="2", minute=61))
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["monday"]
    universe.deliver_all(a_run("ABORT", source="monday", run="1", minute=2))
    assert universe.processes() == {}


def test_a_run_whose_sink_turns_out_to_be_another_leaves_the_first_one(universe: Universe) -> None:
    universe.deliver(a_run("COMPLETE", sink="guess")[0])
    late = json.loads(a_run("START", sink="guess")[0])
    late["run"]["facets"]["environment-properties"]["environment-properties"] = {
        "spark.databricks.notebook.path": "/Shared/Load"
    }
    universe.deliver(json.dumps(late).encode())
    assert list(universe.processes()) == ["Shared/Load → guess"]


def test_two_outputs_that_are_one_asset_are_one_process_with_the_lineage_of_both(universe: Universe) -> None:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    part = dataset("t/part-00000-aa.snappy.parquet")
    universe.deliver(body(event(inputs=[dataset("s", ["x"])], outputs=[written, part])))
    (process,) = universe.processes().values()
    assert process["columns"][0]["ColumnMapping"] == [{"Source": "x", "Sink": "a"}]


@pytest.mark.parametrize("namespace", ["oracle:thin:@[::1]:1521:x", "hdfs://[nn1]:8020", "http://[::1", "a b://%%"])
def test_an_odd_namespace_costs_neither_its_run_nor_later_ones(universe: Universe, namespace: str) -> None:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    odd = dataset("odd", ["o"], namespace=namespace)
    universe.deliver(body(event(run="1", inputs=[dataset("s", ["x"]), odd], outputs=[written])))
    universe.deliver_all(a_run("COMPLETE", source="later", run="2", minute=5))
    (process,) = universe.processes().values()
    assert len(process["inputs"]) == 3


@pytest.mark.parametrize(
    ("types", "sinks", "message"),
    [
        (["COMPLETE"], ["t"], "shown in 1 process"),
        (["COMPLETE"], ["t", "u"], "shown in 2 processes"),
        (["COMPLETE", "FAIL"], ["t"], "the run failed and draws nothing"),
    ],
)
def test_the_row_of_an_event_says_what_became_of_its_run(
    universe: Universe, types: list[str], sinks: list[str], message: str
) -> None:
    written = [dataset(sink, ["a"], {"a": [("s", "x")]}) for sink in sinks]
    universe.deliver_all(body(event(kind, run="1", inputs=[dataset("s", ["x"])], outputs=written)) for kind in types)
    events = universe.services.events
    rows = events.rows_of(events.names(run_key(universe.run_id("1"))))
    assert {(row.status.value, row.message) for row in rows} == {("Processed", message)}


def test_a_clock_that_is_ahead_hides_no_other_run(universe: Universe) -> None:
    far = json.loads(a_run("COMPLETE", source="ahead", run="1")[0])
    far["eventTime"] = "9999-12-31T23:59:59Z"
    universe.deliver(json.dumps(far).encode())
    now = json.loads(a_run("COMPLETE", source="now", run="2")[0])
    now["eventTime"] = datetime.now(UTC).isoformat()
    universe.deliver(json.dumps(now).encode())
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["ahead", "now"]


def test_a_notification_that_brings_nothing_new_reads_nothing(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = a_run("START", "RUNNING", "COMPLETE")
    universe.deliver_all(events)
    monkeypatch.setattr(EventStore, "bodies", lambda *_: pytest.fail("the events were read again"))
    for stored in events:
        universe.deliver(stored)


@pytest.mark.exhaustive
def test_three_processes_at_once_show_what_one_after_the_other_does(
    universe: Universe, data_map: str, tmp_path: Path
) -> None:
    expected = other(universe, "alone")
    expected.deliver_all(bodies(APPLICATION))
    for stored in bodies(APPLICATION):
        universe.post(stored)
    blobs = [universe.blob(stored) for stored in bodies(APPLICATION)]
    connection = universe.services.settings.lineage_storage.connection_string
    with lenient(data_map), ExitStack() as running:
        workers = []
        for seed in (1, 2, 3):
            order = [*blobs, *blobs]
            random.Random(seed).shuffle(order)
            work = tmp_path / f"work-{seed}.json"
            work.write_bytes(Work(connection, data_map, order).encode())
            command = [sys.executable, "-m", "tests.pipeline.worker", str(work)]
            workers.append(running.enter_context(started(command)))
        assert [worker.wait(PATIENCE) for worker in workers] == [0, 0, 0]
    assert universe.processes() == expected.processes()
    assert len(universe.processes()) >= 8
    assert twice(data_map) == []


def test_no_contribution_is_lost_when_many_come_at_once(universe: Universe) -> None:
    runs = [a_run("COMPLETE", source=f"source-{number:02}", run=str(number), minute=number)[0] for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(universe.deliver, runs))
    (process,) = universe.processes().values()
    assert len(process["inputs"]) == 12


def test_an_asset_that_a_scan_created_is_reused_and_left_unchanged(universe: Universe) -> None:
    folder = f"scanned-{universe.name}"
    scanned = {
        "typeName": "azure_datalake_gen2_path",
        "guid": "-1",
        "attributes": {
            "qualifiedName": f"https://contosolake.dfs.core.windows.net/data/{folder}/",
            "name": "Orders, as the steward calls them",
        },
    }
    universe.services.catalog.upload([scanned])
    before = universe.entities_named(folder)
    universe.deliver_all(a_run("START", "COMPLETE", source=folder))
    (process,) = universe.processes().values()
    assert process["inputs"] == [scanned["attributes"]["qualifiedName"]]  # type: ignore[index]
    assert process["columns"][0]["DatasetMapping"]["Source"] == scanned["attributes"]["qualifiedName"]  # type: ignore[index]
    after = universe.entities_named(folder)
    assert [_without_links(entity) for entity in after] == [_without_links(entity) for entity in before]


def test_an_interrupted_upload_is_repeated(universe: Universe, services: Services) -> None:
    (complete,) = a_run("COMPLETE")
    universe.fail(count=1000, path="entity/bulk$", method="POST", status=503)
    universe.deliver(complete)
    assert universe.processes() == {}
    assert universe.statuses([complete]) == ["Retrying"]
    _forget_faults(universe)
    run.process_run(run_key(universe.run_id("run-1")), services)
    assert list(universe.processes()) == ["nb → t"]
    assert universe.statuses([complete]) == ["Processed"]
    (row,) = [row for row in services.details.all() if universe.name in row.qualified_name]
    assert not row.dirty


class Crash(BaseException):
    """The worker dies: nothing catches this."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["merge", "record", "publish", "upload", "write", "mark"])
def test_a_crash_at_any_step_repeats_work_and_loses_nothing(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    targets = {
        "merge": (run, "merge"),
        "record": (run, "record"),
        "publish": (run, "publish"),
        "upload": (uploader, "upload"),
        "write": (DetailsTable, "write"),
        "mark": (EventStore, "mark"),
    }
    owner, name = targets[step]
    original = getattr(owner, name)

    def dying(*arguments: object, **more: object) -> object:
        if when == "after":
            original(*arguments, **more)
        raise Crash

    (complete,) = a_run("COMPLETE")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying)
        with pytest.raises(Crash):
            universe.deliver(complete)
    universe.deliver(complete)
    assert list(universe.processes()) == ["nb → t"]
    assert universe.statuses([complete]) == ["Processed"]
    universe.forget_calls()
    universe.deliver(complete)
    assert universe.calls() == 0


def test_an_upload_whose_end_was_not_noted_is_repeated(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    universe.deliver_all(a_run("COMPLETE", source="monday", run="1"))
    (complete,) = a_run("COMPLETE", source="tuesday", run="2", minute=60)
    original = uploader.upload

    def dying(*arguments: Any, **more: Any) -> object:
        original(*arguments, **more)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(uploader, "upload", dying)
        with pytest.raises(Crash):
            universe.deliver(complete)
    universe.deliver_all(a_run("FAIL", source="tuesday", run="2", minute=61))
    (process,) = universe.processes().values()
    assert [name.split("/")[-2] for name in process["inputs"]] == ["monday"]


def test_lineage_details_keep_what_was_derived(universe: Universe, services: Services) -> None:
    universe.deliver_all(bodies(f"{SPARK_35}/tutorial_customer_master"))
    (row,) = [row for row in services.details.all() if universe.name in row.qualified_name]
    lake = "abfss://data@contosolake.dfs.core.windows.net/raw/crm"
    assert row.columns["input_tables"] == json.dumps([f"{lake}/address", f"{lake}/customer"], separators=(",", ":"))
    assert row.columns["output_table"] == "abfss://curated@contosolake.dfs.core.windows.net/customer_master_delta"
    assert f"{lake}/customer#first_name" in json.loads(str(row.columns["input_columns"]))
    assert "full_name" in json.loads(str(row.columns["output_columns"]))
    assert {"kind": "JOIN", "column": f"{lake}/customer#id"} in json.loads(str(row.columns["joinconditions"]))


def test_an_unreadable_event_does_not_cost_the_rest_of_its_run(universe: Universe, services: Services) -> None:
    (complete,) = a_run("COMPLETE")
    universe.post(complete)
    container = services.clients.container("openlineage")
    key = run_key(universe.run_id("run-1"))
    container.upload_blob(f"runs/{key}/20240501T120000000000Z-START-0123456789abcdef.json", b"{not json")
    universe.deliver(complete)
    assert list(universe.processes()) == ["nb → t"]
    (letter,) = [services.dead_letters.read(name) for name in services.dead_letters.names(key)]
    assert letter is not None
    assert "JSON" in letter.reason


def test_an_unchanged_history_is_not_written(universe: Universe, services: Services) -> None:
    universe.deliver_all(a_run("COMPLETE"))
    (before,) = [row for row in services.details.all() if universe.name in row.qualified_name]
    record(before.qualified_name, lambda history: history, services)
    assert services.details.read(before.qualified_name) == before


def _without_links(entity: object) -> object:
    assert isinstance(entity, dict)
    return {key: value for key, value in entity.items() if key != "relationships"}


def _forget_faults(universe: Universe) -> None:
    requests.delete(f"{universe.services.settings.purview_endpoint}/_control/faults", timeout=60)
