"""How many events a second can be sent in each way: NDJSON, ``sparklin send``, the collector.

.venv/bin/python -m benchmarks.doors [--events 3000]

The same recorded events are sent to one local host in each way, as their own runs; nothing is parsed meanwhile.
Storage emulator and senders share the CPUs with the host.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from benchmarks.calls import recording
from core.folder_address import folder_address
from core.storage_connection import StorageConnection
from core.threads import in_threads
from local import environment
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT
from storage.clients import connect
from storage.file_progress import FileProgress

EVENTS = 3_000
_WORKSPACE = "workspace"
_FOLDER = "Sales.Lakehouse/Files/Lineage"
_BATCH_EVENTS = 500
_AT_ONCE = 4
_SECONDS = 230
_POLL_SECONDS = 0.1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    print("\n".join(table(parser.parse_args().events)))


def table(count: int = EVENTS) -> Iterator[str]:
    """The doors with their events a second, in Markdown."""
    yield "| sent through | events | kept | seconds | events a second |"
    yield "|---|---|---|---|---|"
    for name, door in DOORS.items():
        with tempfile.TemporaryDirectory() as folder, _stack(Path(folder)) as stack:
            lines = list(itertools.islice(_lines(), count))
            kept, seconds = door(stack, lines)
        yield f"| {name} | {count:,} | {kept:,} | {seconds:.1f} | {count / seconds:,.0f} |"


def _stack(folder: Path) -> Stack:
    """A local host that only receives."""
    triggered = ("parse", "retry", "poison", "poison_retry", "sweep")
    off = {f"AzureWebJobs.{name}.Disabled": "true" for name in triggered}
    return Stack(folder, environment=off, host_options=("--no-events",), event_folder=f"{_WORKSPACE}/{_FOLDER}")


def _lines() -> Iterator[bytes]:
    """Recorded events, with the first ones again as new runs; one per line."""
    return (line for number in itertools.count(1) for body in recording(number) if b"\n" not in (line := body.strip()))


def _by_ndjson(stack: Stack, lines: list[bytes]) -> tuple[int, float]:
    url, headers = (
        f"{stack.receiver}/api/v1/lineage/batch",
        {**stack.key_header, "Content-Type": "application/x-ndjson"},
    )

    def post(batch: list[bytes]) -> int:
        while (answer := requests.post(url, b"\n".join(batch), headers=headers, timeout=_SECONDS)).status_code == 503:
            time.sleep(1)  # As `sparklin send` does.
        return sum(each["status"] == "kept" for each in answer.json()["results"])

    began = time.monotonic()
    batches = [lines[start : start + _BATCH_EVENTS] for start in range(0, len(lines), _BATCH_EVENTS)]
    kept = in_threads(post, batches, _AT_ONCE)
    return sum(kept), time.monotonic() - began


def _by_send(stack: Stack, lines: list[bytes]) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lineage.ndjson"
        file.write_bytes(b"\n".join(lines))
        command = [sys.executable, "-m", "cli.main", "send", str(file), "--receiver", stack.receiver, "--json"]
        variables = {**environment.variables(), "SPARKLIN_FUNCTION_KEY": stack.keys.function}
        began = time.monotonic()
        ended = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)  # noqa: S603
        seconds = time.monotonic() - began
    kept: int = json.loads(ended.stdout)["kept"]
    return kept, seconds


def _by_collector(stack: Stack, lines: list[bytes]) -> tuple[int, float]:
    clients = connect(StorageConnection(stack.azurite.connection_string))
    workspace = clients.blobs.create_container(_WORKSPACE)
    workspace.upload_blob(f"{_FOLDER}/lineage_1", b"\n".join(lines) + b"\n")
    address, progress = folder_address(f"{workspace.url}/{_FOLDER}"), FileProgress(clients)
    began = time.monotonic()
    stack.fire_timer("collect")
    while not progress.read(address).folder.checked:
        time.sleep(_POLL_SECONDS)
    seconds = time.monotonic() - began
    return sum(state.kept for state, _ in progress.read(address).files.values()), seconds


#: What one way of sending gives: how many events were kept, and the seconds until all were accepted.
DOORS: dict[str, Callable[[Stack, list[bytes]], tuple[int, float]]] = {
    f"NDJSON over HTTP, {_AT_ONCE} batches of {_BATCH_EVENTS} at a time": _by_ndjson,
    "`sparklin send`, one file": _by_send,
    "the collector, one file": _by_collector,
}


if __name__ == "__main__":
    main()
