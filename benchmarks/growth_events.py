"""How the requests that find the stored events of a run grow with their number."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.counting import BLOB, TABLE, counted
from benchmarks.growth import line
from core.naming import event_name
from core.storage_connection import StorageConnection
from core.threads import in_threads
from local.azurite import Azurite
from storage.clients import connect, provision
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.run_events import RunEvents
from storage.run_records import RunRecords
from tests.storage.runs import new_event, new_run


@line("events of a run: one more is notified, and all are found", "requests", (10, 100, 1_000), least=5)
def found(size: int) -> float:
    """The events before it were processed as they came."""
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log") as azurite:
        clients = connect(StorageConnection(connection_string=azurite.connection_string))
        provision(clients)
        store, run, now = EventStore(clients), new_run(), datetime.now(UTC)
        events = RunEvents(store, RunRecords(clients))
        start, *others = (new_event("RUNNING" if number else "START", run=run, minute=number) for number in range(size))
        store.put(*start, now)
        events.of_event(event_name(*start[:2]))
        in_threads(lambda each: store.put(*each, now), others, 8)
        store.mark(store.names(run), Status.WAITING)
        last = new_event("RUNNING", run=run, minute=size)
        store.put(*last, now)
        services = {urlsplit(clients.blobs.url).netloc: BLOB, urlsplit(clients.tables.url).netloc: TABLE}
        with counted(services) as requests:
            seen = events.of_event(event_name(*last[:2]))
        if len(seen) != size + 1:
            raise AssertionError(f"{len(seen)} of {size + 1} events were found")
        return sum(number for kind, number in requests.items() if not kind.startswith("rows of"))
