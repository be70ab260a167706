"""The counts of what a run wrote, as JSON and as text."""

from typing import Any

from rich.filesize import decimal

from cli.plurals import counted
from explorer.graph import GraphRun


def run_object(run: GraphRun) -> dict[str, Any]:
    """A run with its state, times and counts; null where no event contains them."""
    return {
        "run": run.run,
        "state": run.state,
        "started": run.started.isoformat() if run.started else None,
        "ended": run.ended.isoformat() if run.ended else None,
        **counts_object(run),
    }


def counts_object(run: GraphRun) -> dict[str, Any]:
    """What a run wrote; null where no event contains it."""
    return {
        "rowsWritten": run.rows_written,
        "bytesWritten": run.bytes_written,
        "filesWritten": run.files_written,
    }


def counts_text(counts: dict[str, Any]) -> str:
    """The counts as text, such as ``1,234 rows, 5.6 MB, 3 files``; "" if none is known."""
    rows, size, files = (counts[name] for name in ("rowsWritten", "bytesWritten", "filesWritten"))
    known = (
        counted(rows, "row") if rows is not None else "",
        decimal(size) if size is not None else "",
        counted(files, "file") if files is not None else "",
    )
    return ", ".join(filter(None, known))
