"""What the collector can handle: thousands of files, and one very large file, laid out as OneLake on Azurite.

.venv/bin/python -m benchmarks.collector [--files 5000] [--megabytes 1024] [--call-seconds 20]

The collector runs in its own process, so that its peak of memory is its own. Its calls are short here, so that
many of them share the work: each must end in time, and continue where the one before stopped. Takes about ten minutes.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from azure.storage.blob import ContainerClient

from benchmarks.calls import recording
from core.envelope import read_envelope
from core.folder_address import folder_address
from core.settings import Settings
from core.storage_connection import StorageConnection
from core.threads import in_threads
from local.azurite import Azurite
from local.stack.parts import ROOT
from pipeline.collect import collect
from pipeline.services import build
from receiver.accept import ReceiverRules, accept
from storage.clients import connect
from storage.event_folders import EventFolder, Part

FOLDER = "Sales.Lakehouse/Files/Lineage"
_MEGABYTE = 1_000_000
#: Every so many bytes of the large file one event is kept; the others have no lineage and are not stored.
_KEPT_EVERY = _MEGABYTE
_BLOCK = 4 * 1024 * 1024


def main() -> None:
    """Print what was measured as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--megabytes", type=int, default=1_024)
    parser.add_argument("--call-seconds", type=float, default=20)
    options = parser.parse_args()
    print("\n".join(table(options.files, options.megabytes, options.call_seconds)))


def table(files: int = 5_000, megabytes: int = 1_024, call_seconds: float = 20) -> Iterator[str]:
    """Both folders with what was measured, in Markdown."""
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log", Path(folder)) as azurite:
        connection = azurite.connection_string
        folders = (many_files(connection, files), large_file(connection, megabytes))
        found = [measured(connection, each, call_seconds) for each in folders]
    yield f"| {' | '.join(found[0])} |"
    yield "|---" * len(found[0]) + "|"
    for figures in found:
        yield f"| {' | '.join(f'{value:,}' for value in figures.values())} |"


def many_files(connection: str, count: int) -> str:
    """The address of a folder with so many files of two events, one of which is kept."""
    workspace, kept, ignored = _workspace(connection), _kept(), _ignored()

    def write(number: int) -> None:
        data = next(ignored) + b"\n" + kept[number % len(kept)](number) + b"\n"
        workspace.upload_blob(f"{FOLDER}/lineage_{number:06}", data)

    in_threads(write, range(count), 8)
    return f"{workspace.url}/{FOLDER}"


def large_file(connection: str, megabytes: int) -> str:
    """The address of a folder with one file of this size; the last event is kept."""
    workspace = _workspace(connection)
    workspace.upload_blob(f"{FOLDER}/lineage_1", _blocks(megabytes * _MEGABYTE))
    return f"{workspace.url}/{FOLDER}"


def measured(connection: str, folder: str, call_seconds: float) -> dict[str, Any]:
    """What a collector in its own process did until nothing was left."""
    command = [sys.executable, "-c", _CHILD, connection, folder, str(call_seconds)]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603  this very module
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


_CHILD = "import sys; from benchmarks.collector import run; run(*sys.argv[1:])"


def run(connection: str, folder: str, call_seconds: str) -> None:
    """Collect a folder call by call, and print figures as JSON."""
    settings = Settings(StorageConnection(connection), "http://127.0.0.1:9", "none")
    services = build(settings)
    address = folder_address(folder)
    counted = _CountingFolder(address, services.clients)
    services = replace(services, folders=(counted,))
    before, seconds = _peak(), list[float]()
    while True:
        began = time.monotonic()
        collect(services, float(call_seconds))
        seconds.append(time.monotonic() - began)
        progress = services.file_progress.read(address)
        if progress.folder.error:
            raise RuntimeError(progress.folder.error)
        if progress.folder.checked and not progress.folder.pending_files:
            break
    states = [state for state, _ in progress.files.values()]
    events = sum(state.kept + state.ignored + state.rejected for state in states)
    figures = {
        "files": len(states),
        "MB": round(sum(state.offset for state in states) / _MEGABYTE, 1),
        "MB read": round(counted.bytes / _MEGABYTE, 1),
        "events": events,
        "kept": sum(state.kept for state in states),
        "calls": len(seconds),
        "seconds": round(sum(seconds), 1),
        "longest call": round(max(seconds), 1),
        "events a second": round(events / sum(seconds)),
        "MB of memory before": round(before),
        "MB of memory at most": round(_peak()),
    }
    sys.stdout.write(json.dumps(figures))


class _CountingFolder(EventFolder):
    """A folder that counts the bytes that are read."""

    bytes = 0

    def read(self, name: str, start: int, length: int) -> Part | None:
        part = super().read(name, start, length)
        self.bytes += len(part.data) if part else 0
        return part


def _peak() -> float:
    """Megabytes of this process at its peak so far (Linux; what `resource` says includes the parent's)."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024 / _MEGABYTE


def _workspace(connection: str) -> ContainerClient:
    return connect(StorageConnection(connection)).blobs.create_container(f"workspace-{uuid.uuid4()}")


def _ignored() -> Iterator[bytes]:
    """Recorded events that the receiver does not store, over and over."""
    return itertools.cycle([each for each in _recorded() if not _is_kept(each)])


def _kept() -> list["_Again"]:
    """Recorded events that the receiver stores."""
    return [_Again(each) for each in _recorded() if _is_kept(each)]


def _recorded() -> list[bytes]:
    return [each.strip() for each in recording(0) if b"\n" not in each.strip()]


def _is_kept(content: bytes) -> bool:
    return accept(read_envelope(content), ReceiverRules()).kept


class _Again:
    """An event as that of another run, for each number."""

    def __init__(self, content: bytes) -> None:
        run_id = str(json.loads(content)["run"]["runId"]).encode()
        self._before, _, self._after = content.partition(run_id)

    def __call__(self, number: int) -> bytes:
        return self._before + str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))).encode() + self._after


def _blocks(size: int) -> Iterator[bytes]:
    """The content of a file of at least this size, in blocks."""
    kept, ignored, block, made, runs = _kept(), _ignored(), bytearray(), 0, 0
    while made < size:
        line = next(ignored)
        if made // _KEPT_EVERY >= runs or made + len(line) >= size:
            line = kept[runs % len(kept)](runs)
            runs += 1
        block += line + b"\n"
        made += len(line) + 1
        if len(block) >= _BLOCK or made >= size:
            yield bytes(block)
            block.clear()


if __name__ == "__main__":
    main()
