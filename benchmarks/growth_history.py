"""How the cost of a run grows with the history of its process, in the worst case: each run brings a new source."""

import logging
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.growth import cpu_milliseconds, line
from core.event_model import ColumnRef, Dataset, DatasetId, Field
from core.lineage_model import Application, Lineage, RunRef, SinkColumn
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.azurite import Azurite
from parser import process_history as histories
from parser.details import details
from parser.process_history import History
from pipeline import publish as publishing
from pipeline.processes import Naming, Process, by_process, drawn, process_of, shown
from pipeline.services import Services, build
from purview.fingerprint import fingerprints
from storage.details_table import DetailsRow

# That a columnMapping is full is no news here.
logging.getLogger("purview.column_mapping").setLevel(logging.ERROR)

_WINDOW = timedelta(days=30)
_START = datetime(2024, 5, 1, tzinfo=UTC)
_LAKE = "abfss://data@contosolake.dfs.core.windows.net"


def lineage(number: int, columns: int) -> Lineage:
    """The lineage of a write from its own source into the one sink, column by column."""
    source, fields = (
        DatasetId(_LAKE, f"/raw/sales/{number:05}"),
        tuple(Field(f"c{n}", "string") for n in range(columns)),
    )
    return Lineage(
        application=Application("prod", "load_sales"),
        operation="insert",
        sink=Dataset(DatasetId(_LAKE, "/gold/sales"), fields, is_folder=True),
        inputs=(Dataset(source, fields),),
        columns=tuple(SinkColumn(each.name, (ColumnRef(source, each.name),)) for each in fields),
    )


def run(number: int) -> RunRef:
    """A run each three minutes."""
    started = _START + timedelta(minutes=3 * number)
    return RunRef(started + timedelta(minutes=1), started, f"run-{number:08}", f"app-{number:08}")


def step(stored: bytes, number: int, columns: int) -> Callable[[], object]:
    """What one more run costs: its history is read, changed and written, then read, united and fingerprinted."""
    naming = Naming.of(Settings(lineage_storage=StorageConnection(), purview_endpoint=""))

    def work() -> object:
        history = histories.decode(stored)
        history = histories.pruned(histories.with_run(history, lineage(number, columns), run(number)), _WINDOW)
        union, _ = shown(history, _WINDOW, naming)
        written = histories.encode(history), details(union) if union else None
        union, _ = drawn(histories.decode(written[0]), _WINDOW, naming)
        return fingerprints(union, process_of(union, naming).resolutions) if union else None

    return work


@line("different lineages (20 columns each) that a process has recorded: one more run", "ms of CPU", least=1)
def contributions(size: int) -> float:
    """A new source each time."""
    return cpu_milliseconds(step(_stored(size, 20), size, 20))


@line("different lineages (500 columns each) that a process has recorded: one more run", "ms of CPU", least=1)
def wide_contributions(size: int) -> float:
    """The same with many columns."""
    return cpu_milliseconds(step(_stored(size, 500), size, 500))


@line("different lineages (500 columns each) that a process has recorded: one more run", "MB at most", least=1)
def memory(size: int) -> float:
    """The most memory that the step takes at once."""
    work = step(_stored(size, 500), size, 500)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


@line(
    "different lineages (20 columns each) that a process has recorded: one more run of the newest one",
    "ms of CPU",
    least=5,
)
def repeated(size: int) -> float:
    """The whole step, with its requests to Azurite: the history is not read."""
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log") as azurite:
        storage = StorageConnection(connection_string=azurite.connection_string)
        services = build(Settings(lineage_storage=storage, purview_endpoint="http://127.0.0.1:1"))
        newest = lineage(size - 1, 20)
        (added,) = by_process([newest], services.naming).values()
        row = services.details.write(DetailsRow(added.qualified_name, _stored(size, 20)))
        _uploaded(row, added, services)
        numbers = iter(range(size, size + 100))
        return cpu_milliseconds(lambda: _repeat(added, run(next(numbers)), services), times=10)


def _uploaded(row: DetailsRow, added: Process, services: Services) -> None:
    """Mark a row as after an upload."""
    picture = publishing._picture(row, services, added)
    beside, fingerprint = publishing._beside(row, picture), picture.fingerprints.current
    services.details.write(replace(row, fingerprint=fingerprint, uploaded=datetime.now(UTC), repeats=beside))


def _repeat(added: Process, run_ref: RunRef, services: Services) -> None:
    if not publishing.record_repeat(added, run_ref, services, is_new=True):
        raise AssertionError("the run was not taken for a repeated one")


def _stored(size: int, columns: int) -> bytes:
    """The history of a process that has received so many; of very many only those are made that can be kept."""
    most = 3 * histories.SHOWN_VERSIONS if columns < 100 else 200
    first = max(0, size - most)
    history = History()
    found = [lineage(each, columns) for each in range(first, size)]
    for each, recorded in enumerate(found, first):
        history = histories.with_run(history, recorded, run(each))
        if each % 50 == 0 or each == size - 1:
            history = histories.pruned(history, _WINDOW)
    return histories.encode(history)
