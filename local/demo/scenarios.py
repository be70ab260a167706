"""The events that the demo sends: recorded ones of real Spark applications."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.stack.parts import ROOT

CORPUS = ROOT / "tests" / "corpus"
_SPARK_35 = "openlineage-1.53.0_spark-3.5.1"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One Spark application: what it does, and the folder of its events.

    ``file`` is what an agent with file transport wrote; then the events are collected from there instead of sent.
    """

    title: str
    folder: Path
    file: str = ""

    def files(self) -> list[Path]:
        """A file for each event, in the order in which the agent sent them."""
        return sorted(self.folder.glob("[0-9]*_*.json"))

    def bodies(self) -> Iterator[bytes]:
        """The events, in the same order."""
        yield from (file.read_bytes() for file in self.files())


def _spark_35(title: str, name: str) -> Scenario:
    return Scenario(title, CORPUS / _SPARK_35 / name)


def _medallion(title: str, name: str, file: str = "") -> Scenario:
    return Scenario(title, CORPUS / f"{_SPARK_35}_medallion" / name, file)


SCENARIOS = (
    _medallion("a shop's files and a table of Azure SQL → bronze", "ingest"),
    _medallion("bronze → silver: a window, a MERGE, a join", "clean"),
    _medallion("silver → gold, in a Fabric notebook", "gold", "_lineage_1.ndjson"),
    Scenario("ten writes of customers and orders", CORPUS / "agents" / "1.45.0_spark-3.5.1_plan"),
    _spark_35("Delta MERGE", "delta_merge"),
    _spark_35("JDBC, PostgreSQL", "jdbc_read_and_write"),
    _spark_35("OneLake", "onelake_names"),
    _spark_35("structured streaming", "streaming_files"),
    _spark_35("a write that fails, then a good one", "failing_udf_plain_spark"),
    Scenario(
        "agent 0.4.0 on Spark 3.1: tables and views",
        CORPUS / "openlineage-0.4.0_spark-3.1.3" / "customer_master_views",
    ),
)

#: What a Fabric user would set: the GUIDs of the workspace and lakehouse in the events.
ENVIRONMENT = {
    # The recordings contain no personal data, so their formulas are shown in full.
    "EXPRESSION_LITERALS": "keep",
    "ONELAKE_IDS": '{"SalesWorkspace": "6f1c2a44-0b1e-4a57-9f0e-2f6f3c1d7a10", '
    '"SalesWorkspace/Sales.Lakehouse": "b0a7d1e2-93c4-4d55-8a66-7b1f0c2e9d31"}',
}

#: The column whose origin the demo shows.
QUESTION = ("revenue", "margin")
