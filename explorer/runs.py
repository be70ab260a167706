"""The newest runs of a process, as a lineage graph shows them."""

from collections.abc import Iterable

from core.event_model import Written
from core.lineage_model import RunRef
from explorer.graph import GraphRun
from parser.process_history import History

MOST_RUNS = 20


def newest_runs(history: History, runs: Iterable[RunRef]) -> list[GraphRun]:
    """The runs behind a process, and those that failed, the newest first."""
    ended = [*((run, "COMPLETE") for run in runs), *((run, "FAIL") for run in history.failures)]
    newest = sorted(ended, key=lambda each: each[0], reverse=True)[:MOST_RUNS]
    return [_run(run, state) for run, state in newest]


def _run(run: RunRef, state: str) -> GraphRun:
    written = run.written or Written()
    return GraphRun(
        run=run.run_key,
        state=state,
        started=run.started,
        ended=run.ended,
        rows_written=written.rows,
        bytes_written=written.bytes,
        files_written=written.files,
    )
