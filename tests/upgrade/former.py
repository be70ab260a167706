"""The code of an earlier version, taken from the history of this repository, as a worker in its own process."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.processes import ROOT

# Run with that version's folder first on the import path. Modules had other names then.
_PROGRAMS = {
    "06ad8d8": """
import sys
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from pathlib import Path
from core.settings import Settings, StorageConnection
import pipeline, recovery, services
storage = StorageConnection(connection_string=sys.argv[2])
built = services.build(Settings(lineage_storage=storage, purview_endpoint=sys.argv[3], purview_auth="none"))
for line in sys.stdin:
    what, _, value = line.strip().partition(" ")
    if what == "send":
        status, answer = pipeline.receive(
            Path(value).read_bytes(), {}, built.limits, built.receiver_rules, built.events, datetime.now(UTC)
        )
        assert status == 202, answer
    elif what == "see":
        recovery.stored(value, built)
    elif what == "again":
        pipeline.process_run(value, built, replay=True)
    print(line, end="", flush=True)
"""
}
COMMITS = sorted(_PROGRAMS)


class FormerWorker:
    """A worker of an earlier version, on the storage and catalogue of an installation."""

    def __init__(self, commit: str, installation: Installation, folder: Path) -> None:
        self._folder = folder
        _extract(commit, folder / "code")
        arguments = (str(folder / "code"), installation.connection, installation.data_map)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _PROGRAMS[commit], *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    def send(self, body: bytes) -> None:
        """Send an event to the receiver of that version."""
        file = self._folder / "body.json"
        file.write_bytes(body)
        self.ask(f"send {file}")

    def see(self, blob: str) -> None:
        """Let the worker see a blob, without waiting for it."""
        self._write(f"see {blob}")

    def again(self, run: str) -> None:
        """Let the worker process a run again."""
        self.ask(f"again {run}")

    def ask(self, line: str) -> None:
        """Let the worker do something, and wait until it is done."""
        self._write(line)
        self.wait()

    def wait(self) -> None:
        """Wait until the worker has done the next thing that it was asked for."""
        assert self._process.stdout
        assert self._process.stdout.readline(), "the former worker has ended"

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout
        self._process.stdout.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


def _extract(commit: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, timeout=60)
    if archive.returncode:
        pytest.skip(f"this checkout has no history back to {commit}")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as found:
        members = [member for member in found.getmembers() if not member.name.startswith(("tests/", "docs/"))]
        found.extractall(folder, members=members, filter="data")
