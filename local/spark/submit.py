"""Runs `job.py` by spark-submit, with a user's configuration lines, on a lake that is a folder of this machine."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import environment
from local.spark.fetch import SparkFiles
from local.stack.stack_error import StackError

JOB = Path(__file__).with_name("job.py")
_LAKE = "contosolake.dfs.core.windows.net"
_CONTAINERS = ("data", "curated")
_RAW = {
    "customer": [
        {"id": 1, "first_name": "Ada", "last_name": "Lovelace"},
        {"id": 2, "first_name": "Alan", "last_name": "Turing"},
    ],
    "address": [
        {"customer_id": 1, "city": "London", "country": "uk"},
        {"customer_id": 2, "city": "Wilmslow", "country": "uk"},
    ],
}
_TIMEOUT_SECONDS = 600
# A short life is not worth the better compiler and collector: this halves the time.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

#: What a session that knows Delta has set; Synapse, Fabric and Databricks come with it.
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
    files: SparkFiles, folder: Path, lines: str, writes: Iterable[str], surroundings: Mapping[str, str] | None = None
) -> Done:
    """Run the named writes of the job in a process of its own.

    `lines` become the file of `spark-submit --properties-file` as they are. `surroundings` are what the platform sets
    besides; with Delta's extension among them, the jars of Delta are there too. The lake is in `folder`.

    :raises StackError: Spark did not end in time.
    """
    (folder / "spark.conf").write_text(lines, "utf-8")
    surrounded = {**_lake(folder / "lake"), **_modest(folder), **(surroundings or {})}
    if "io.delta.sql.DeltaSparkSessionExtension" in surrounded.get("spark.sql.extensions", ""):
        surrounded["spark.jars"] = ",".join(map(str, (files.agent, *files.delta)))
    else:
        surrounded["spark.jars"] = str(files.agent)
    settings = [word for name, value in surrounded.items() for word in ("--conf", f"{name}={value}")]
    submit = str(files.packages / "pyspark" / "bin" / "spark-submit")
    java = ("--driver-java-options", _QUICK_JAVA)
    command = [submit, "--properties-file", str(folder / "spark.conf"), *java, *settings, str(JOB), *writes]
    try:
        done = subprocess.run(
            command, env=_environment(files), cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"Spark did not end within {_TIMEOUT_SECONDS} s") from error
    return Done(done.returncode, done.stdout + done.stderr)


def _lake(folder: Path) -> dict[str, str]:
    """Azure's names for folders of this machine, by Hadoop's view file system; and what the job reads."""
    settings = {
        "spark.hadoop.fs.abfss.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.viewfs.overload.scheme.target.abfss.impl": "org.apache.hadoop.fs.LocalFileSystem",
        "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
    }
    for container in _CONTAINERS:
        (folder / container).mkdir(parents=True, exist_ok=True)
        mount = f"spark.hadoop.fs.viewfs.mounttable.{container}@{_LAKE}.linkFallback"
        settings[mount] = (folder / container).as_uri()
    for name, rows in _RAW.items():
        table = folder / "data" / "raw" / "crm" / name
        table.mkdir(parents=True, exist_ok=True)
        (table / "part-0.json").write_text("\n".join(map(json.dumps, rows)))
    return settings


def _modest(folder: Path) -> dict[str, str]:
    """Little of this machine, and nothing outside `folder`."""
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
