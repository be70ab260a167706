"""Runs a script by spark-submit, with a user's configuration lines, on a lake that is a folder of this machine."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import environment
from local.spark.fetch import SparkFiles
from local.stack.stack_error import StackError

_AZURE = "contosolake.dfs.core.windows.net"
_ONELAKE = "5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4@onelake.dfs.fabric.microsoft.com"


@dataclass(frozen=True, slots=True)
class Job:
    """A script, the containers of its lake (``container@host``), and the rows of the files that it reads."""

    script: Path
    containers: tuple[str, ...]
    files: Mapping[str, Sequence[Mapping[str, object]]]


#: One notebook that joins customers with their addresses.
CUSTOMERS = Job(
    Path(__file__).with_name("customers.py"),
    (f"data@{_AZURE}", f"curated@{_AZURE}"),
    {
        f"data@{_AZURE}/raw/crm/customer": [
            {"id": 1, "first_name": "Ada", "last_name": "Lovelace"},
            {"id": 2, "first_name": "Alan", "last_name": "Turing"},
        ],
        f"data@{_AZURE}/raw/crm/address": [
            {"customer_id": 1, "city": "London", "country": "uk"},
            {"customer_id": 2, "city": "Wilmslow", "country": "uk"},
        ],
    },
)
#: Three notebooks, from a landing zone to a table of revenue.
MEDALLION = Job(
    Path(__file__).with_name("medallion.py"),
    (f"landing@{_AZURE}", f"bronze@{_AZURE}", f"silver@{_AZURE}", _ONELAKE),
    {
        f"landing@{_AZURE}/shop/orders": [
            {"order_id": 1, "customer_id": 1, "product_id": 1, "quantity": 2, "unit_price": 30.0, "discount": 0.1,
             "ordered_at": "2026-03-01T10:00:00Z"},
            {"order_id": 2, "customer_id": 2, "product_id": 1, "quantity": 1, "unit_price": 30.0, "discount": 0.0,
             "ordered_at": "2026-03-02T11:00:00Z"},
        ],
        f"landing@{_AZURE}/crm/customers": [
            {"id": 1, "name": "Ada Lovelace", "country": "uk"},
            {"id": 2, "name": "Alan Turing", "country": "uk"},
        ],
        f"landing@{_AZURE}/erp/products": [{"product_id": 1, "title": "Lamp", "category": "Home", "unit_cost": 12.5}],
    },
)  # fmt: skip
_TIMEOUT_SECONDS = 600
# The better compiler and collector do not pay off for a short process: this halves the time.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

#: The settings of a session with Delta, which Synapse, Fabric and Databricks preset.
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


@dataclass(frozen=True, slots=True)
class Done:
    """How an application ended: its exit code, and what its driver logged."""

    code: int
    log: str


def submit(
    job: Job,
    files: SparkFiles,
    folder: Path,
    lines: str,
    arguments: Iterable[str],
    surroundings: Mapping[str, str] | None = None,
) -> Done:
    """Run the job with some arguments in a process of its own.

    `lines` become the file of `spark-submit --properties-file` as they are. `surroundings` are the further settings of
    the platform; if Delta's extension is among them, the jars of Delta are added. The lake is in `folder`.

    :raises StackError: Spark did not end in time.
    """
    (folder / "spark.conf").write_text(lines, "utf-8")
    surrounded = {**_lake(job, folder / "lake"), **_modest(folder), **(surroundings or {})}
    if "io.delta.sql.DeltaSparkSessionExtension" in surrounded.get("spark.sql.extensions", ""):
        surrounded["spark.jars"] = ",".join(map(str, (files.agent, *files.delta)))
    else:
        surrounded["spark.jars"] = str(files.agent)
    settings = [word for name, value in surrounded.items() for word in ("--conf", f"{name}={value}")]
    submit = str(files.packages / "pyspark" / "bin" / "spark-submit")
    java = ("--driver-java-options", _QUICK_JAVA)
    command = [submit, "--properties-file", str(folder / "spark.conf"), *java, *settings, str(job.script), *arguments]
    try:
        done = subprocess.run(
            command, env=_environment(files), cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"Spark did not end within {_TIMEOUT_SECONDS} s") from error
    return Done(done.returncode, done.stdout + done.stderr)


def _lake(job: Job, folder: Path) -> dict[str, str]:
    """Azure's names for folders of this machine, by Hadoop's view file system; and the files that the job reads."""
    settings = {
        "spark.hadoop.fs.abfss.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.viewfs.overload.scheme.target.abfss.impl": "org.apache.hadoop.fs.LocalFileSystem",
        "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
    }
    for container in job.containers:
        (folder / container).mkdir(parents=True, exist_ok=True)
        settings[f"spark.hadoop.fs.viewfs.mounttable.{container}.linkFallback"] = (folder / container).as_uri()
    for name, rows in job.files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "part-0.json").write_text("\n".join(map(json.dumps, rows)))
    return settings


def _modest(folder: Path) -> dict[str, str]:
    """Settings that use little of this machine, and nothing outside `folder`."""
    return {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
    }


def _environment(files: SparkFiles) -> dict[str, str]:
    return {
        **environment.variables(),
        "JAVA_HOME": str(files.java_home),
        "SPARK_LAUNCHER_OPTS": _QUICK_JAVA,
        "SPARK_HOME": str(files.packages / "pyspark"),
        "PYTHONPATH": str(files.packages),
        "PYSPARK_PYTHON": str(files.python),
        "PYSPARK_DRIVER_PYTHON": str(files.python),
    }
