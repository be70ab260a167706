"""How long ``sparklin rebuild`` takes after all tables were lost, and its requests to storage and the Data Map.

Azurite, the Data Map and the command share the processors, so the rate on Azure differs; requests do not.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.counting import BLOB, DATA_MAP, QUEUE, TABLE, counted
from cli.tasks import rebuild_store as steps
from storage.clients import TABLES
from tests.support.events import body, dataset, event
from tests.support.installation import Installation, installed

_EVENTS = 1_000_000
_LATENCY = 0.010  # seconds of a request to a storage account in the same region, for the projection


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebuild", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs of two events each")
    parser.add_argument("--processes", type=int, default=20, help="processes that the runs belong to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)) as installation:
        for number in range(arguments.runs):
            _fill(installation, number, number % arguments.processes)
        before = installation.picture()
        for name in TABLES:
            table = installation.services.clients.table(name)
            for row in table.list_entities(select=["PartitionKey", "RowKey"]):
                table.delete_entity(row)
        with counted(_services(installation)) as requests:
            began, busy = time.perf_counter(), time.process_time()
            runs = list(steps.record_runs(installation.services, dry_run=False))
            recorded, busy = time.perf_counter() - began, time.process_time() - busy
            processes = list(steps.publish_processes(installation.services, force=False))
            published = time.perf_counter() - began - recorded
        assert installation.picture() == before, "the catalogue is another one"  # noqa: S101  a benchmark's check
        events = sum(run.events for run in runs)
        print(f"processor time of the command: {busy / events * 1000:.0f} ms per event")
        _show(events, len(processes), recorded, published, requests)


def _fill(installation: Installation, number: int, process: int) -> None:
    written = dataset(f"out/{process}", ["a"], {"a": [(f"in/{process}", "x")]})
    for kind in ("START", "COMPLETE"):
        content = event(kind, run=f"run-{number}", job_name=f"job{process}.append_data", minute=number,
                     inputs=[dataset(f"in/{process}", ["x"])], outputs=[written])  # fmt: skip
        installation.take(body(content))


def _services(installation: Installation) -> dict[str, str]:
    clients = installation.services.clients
    urls = {
        clients.blobs.url: BLOB,
        clients.tables.url: TABLE,
        clients.queues.url: QUEUE,
        installation.data_map: DATA_MAP,
    }
    return {urlsplit(url).netloc: service for url, service in urls.items()}


def _show(events: int, processes: int, recorded: float, published: float, requests: Counter[str]) -> None:
    kinds = Counter(
        {kind: number for kind, number in requests.items() if not kind.startswith(("rows of", "Data Map o"))}
    )
    storage = sum(number for kind, number in kinds.items() if not kind.startswith("Data Map"))
    print(f"{events} events recorded in {recorded:.1f} s: {events / recorded:.1f} events/s")
    print(f"{processes} processes published in {published:.1f} s: {processes / published:.1f} processes/s")
    print(f"requests to storage per event: {storage / events:.1f}; to the Data Map per process: "
          f"{(kinds.total() - storage) / processes:.1f}")  # fmt: skip
    for kind, number in sorted(kinds.items()):
        print(f"  {kind}: {number / events:.2f} per event")
    by_rate = _EVENTS / (events / recorded) / 3600
    by_requests = _EVENTS * storage / events * _LATENCY / steps.AT_ONCE / 3600
    print(f"{_EVENTS:,} events, by projection: {by_rate:.1f} h at this rate; "
          f"{by_requests:.1f} h by requests of {_LATENCY * 1000:.0f} ms, {steps.AT_ONCE} at a time")  # fmt: skip


if __name__ == "__main__":
    main()
