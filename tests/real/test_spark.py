"""Real Spark sessions with the real agent: the lines of the platforms' pages, as printed there, produce lineage.

Every block is run with each version that its page claims; so a page can claim no more than was run here.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.tables import short
from core.storage_connection import StorageConnection
from local.demo.check import Inbox
from local.demo.steps import wait
from local.spark.fetch import CannotRun, SparkFiles, fetch
from local.spark.releases import RELEASES
from local.spark.submit import CUSTOMERS, Done, submit
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT
from purview.process_name import PROCESS_TYPE
from storage.clients import connect, provision
from tests.support.platform_pages import COMMON, KINDS, Session, blocks, sessions

LAKE = "https://contosolake.dfs.core.windows.net"
BLOCKS = blocks()


@dataclass(frozen=True)
class Drawn:
    """One process as the Data Map shows it: qualified names, and (source column, sink column) pairs."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    columns: frozenset[tuple[str, str]]


def joined(sink: str) -> Drawn:
    return Drawn(
        frozenset(f"{LAKE}/data/raw/crm/{name}/{{SparkPartitions}}" for name in ("customer", "address")),
        frozenset([f"{LAKE}/curated/{sink}/{{SparkPartitions}}"]),
        frozenset(
            {
                ("customer.id", "customer_id"),
                ("customer.first_name", "full_name"),
                ("customer.last_name", "full_name"),
                ("address.city", "city"),
                ("address.country", "country"),
            }
        ),
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), in_memory=True) as running:
        # The app makes its tables at the first event, which some of the tests never send.
        provision(connect(StorageConnection(connection_string=running.azurite.connection_string)))
        yield running


@cache
def files(version: str) -> SparkFiles:
    try:
        return fetch(RELEASES[version])
    except CannotRun as error:
        pytest.skip(str(error))


class Run:
    """One application against the stack, under a workspace's name of its own."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.workspace = re.sub(r"\W", "-", folder.name)
        self.inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))

    def fill(self, lines: str) -> str:
        """The lines with the placeholders filled in, and nothing else changed."""
        values = {
            "https://<function app>.azurewebsites.net": self.stack.receiver,
            "<function key>": self.stack.keys.function,
            "<workspace>": self.workspace,
        }
        for placeholder, value in values.items():
            lines = lines.replace(placeholder, value)
        assert "<" not in lines
        return lines

    def submit(self, version: str, lines: str, kind: str = "") -> Done:
        writes = ("parquet", "delta") if kind else ("parquet",)
        done = submit(CUSTOMERS, files(version), self.folder, self.fill(lines), writes, KINDS[kind])
        assert done.code == 0, done.log[-3000:]
        return done

    def events(self) -> list[Any]:
        """The events that were kept, all of them processed."""
        return [json.loads(body) for body in self.inbox.bodies()]

    def drawn(self, application: str = "customers_py") -> dict[str, Drawn]:
        """The processes of this application by the sink's short name."""
        assert wait(self.inbox) == []
        assert self.stack.data_map is not None
        entities = requests.get(f"{self.stack.data_map.url}/_control/entities", timeout=30).json()
        prefix = f"sparklin://{self.workspace}/{application}#"
        mine = [entity for entity in entities if entity["attributes"]["qualifiedName"].startswith(prefix)]
        return {short(entity["attributes"]["qualifiedName"]): as_drawn(entity) for entity in mine}


def as_drawn(process: Mapping[str, Any]) -> Drawn:
    assert process["typeName"] == PROCESS_TYPE
    mapping = json.loads(process["attributes"]["columnMapping"])
    return Drawn(
        frozenset(name for _, name in process["relationships"]["inputs"]),
        frozenset(name for _, name in process["relationships"]["outputs"]),
        frozenset(
            (f"{short(pair['DatasetMapping']['Source'])}.{column['Source']}", column["Sink"])
            for pair in mapping
            for column in pair["ColumnMapping"]
        ),
    )


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    return Run(stack, tmp_path)


def run_facets(events: list[Any]) -> list[Any]:
    return [event["run"]["facets"] for event in events]


#: What a line changes in the events, apart from their arrival: by its key, a question to its value and the events.
EFFECTS: dict[str, Callable[[str, list[Any]], bool]] = {
    "spark.openlineage.facets.spark.logicalPlan.disabled": lambda value, events: (
        all("spark.logicalPlan" in facets for facets in run_facets(events)) is (value == "false")
    ),
    "spark.openlineage.facets.environment-properties.disabled": lambda value, events: (
        not any("environment-properties" in facets for facets in run_facets(events))
    ),
    "spark.openlineage.capturedProperties": lambda value, events: all(
        set(facets["spark_properties"]["properties"]) == set(value.split(",")) for facets in run_facets(events)
    ),
    "spark.openlineage.jobName.appendDatasetName": lambda value, events: all(
        event["job"]["name"].count(".") == 1 for event in events
    ),
}


@pytest.mark.parametrize("session", sessions(), ids=lambda session: session.name)
def test_the_lines_of_the_pages_bring_lineage(run: Run, session: Session) -> None:
    run.submit(session.version, session.lines, session.kind)

    settings = session.settings
    named = settings.get("spark.openlineage.appName") or "customers_py"
    sinks = ("customer_master", "customer_master_delta") if session.kind else ("customer_master",)
    assert run.drawn(named) == {sink: joined(sink) for sink in sinks}
    for key, value in settings.items():
        assert key not in EFFECTS or EFFECTS[key](value, run.events()), key


REFUSED = [
    ("a wrong key", {"<function key>": "wrong"}, "", "code: 401, "),
    ("the key in the address", {"azurewebsites.net": "azurewebsites.net?code=<function key>",
                                "headers.x-functions-key": "headers.x-nothing"}, "", "code: 401, "),
    ("compression", {}, "spark.openlineage.transport.compression gzip\n",
     "code: 411, .*spark.openlineage.transport.compression"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "changed", "added", "answer"), REFUSED, ids=[case[0] for case in REFUSED])
def test_the_agent_logs_a_refusal_and_the_job_continues(
    run: Run, case: str, changed: Mapping[str, str], added: str, answer: str
) -> None:
    lines = BLOCKS[COMMON].text + added
    for old, new in changed.items():
        lines = lines.replace(old, new)
    done = run.submit("3.5.1", lines)

    assert re.search(f"HttpTransportResponseException: {answer}", done.log)
    assert run.events() == []
    assert (run.folder / "lake" / "curated" / "customer_master" / "_SUCCESS").exists()


def test_in_a_session_with_delta_a_join_to_parquet_sends_nothing_without_planned_writes_off(run: Run) -> None:
    run.submit("3.5.1", BLOCKS[COMMON].text, "a session with Delta")

    assert set(run.drawn()) == {"customer_master_delta"}


def test_the_demo_shows_what_a_real_spark_wrote() -> None:
    files("3.5.1")
    demo = subprocess.run([sys.executable, "-m", "local.demo.spark"], cwd=ROOT, capture_output=True, text=True)

    assert demo.returncode == 0, demo.stderr
    written = re.findall(r"^customer_notebook → (\w+)$", demo.stdout, re.MULTILINE)
    assert written == ["customer_master", "customer_master_delta", "customers_by_city"]
    assert "events are accounted for" in demo.stderr
