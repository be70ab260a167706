"""A collector is killed (SIGKILL) between any two steps, and another one takes its folder over."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.folder_address import folder_address
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.stack.parts import ROOT
from pipeline.services import Services, build
from tests.faults.collector import STEPS, Case, Work
from tests.support.events import body, dataset, event

pytestmark = pytest.mark.exhaustive
FOLDER = "Sales.Lakehouse/Files/Lineage"
#: Steps that occur several times for two files of several parts.
REPEATED = {"read a part": 3, "store an event": 4, "write how far it is": 3, "dead-letter a line": 2}


def a_write() -> bytes:
    return body(event(run=str(uuid.uuid4()), outputs=[dataset("out")]))


def test_a_collector_that_is_killed_at_any_step_loses_and_doubles_nothing(
    storage_connection: StorageConnection, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    services = build(
        Settings(lineage_storage=storage_connection, purview_endpoint="http://127.0.0.1:9", purview_auth="none")
    )
    places = [(step, after, 1) for step in STEPS for after in (False, True)]
    places += [(step, True, times) for step, most in REPEATED.items() for times in range(2, most + 1)]
    written = {place: [a_write() for _ in range(8)] for place in places}
    cases = [Case(_folder(written[place], services), *place) for place in places]
    file = tmp_path / "work.json"
    file.write_bytes(msgspec.json.encode(Work(storage_connection.connection_string, str(tmp_path / "journal"), cases)))

    command = [sys.executable, "-m", "tests.faults.collector", str(file)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)

    assert ended.returncode == 0, ended.stderr[-4000:]
    for case, place in zip(cases, places, strict=True):
        assert [_stored(each, services) for each in written[place]] == [1] * 8, case
        progress = services.file_progress.read(folder_address(case.folder))
        states = [state for state, _ in progress.files.values()]
        assert [(s.kept, s.ignored, s.rejected) for s in sorted(states, key=lambda s: s.name)] == [(6, 0, 1), (2, 0, 1)]
        letters = [_letters(f"{case.folder}/{name}", services) for name in ("lineage_1", "lineage_2")]
        assert letters == [1, 1], case
    record_property("figure", f"collector: {len(cases)} kills between steps; lost events = 0, events twice = 0")


def _folder(events: list[bytes], services: Services) -> str:
    """A separate folder with two files: whole lines, a bad line each, and an end without a line break."""
    workspace = services.clients.blobs.create_container(f"faults-{uuid.uuid4()}")
    bad = b"{half " + uuid.uuid4().hex.encode()
    workspace.upload_blob(f"{FOLDER}/lineage_1", b"\n".join([*events[:3], bad, *events[3:6]]))
    workspace.upload_blob(f"{FOLDER}/lineage_2", b"\n".join([bad, *events[6:]]) + b"\n")
    return f"{workspace.url}/{FOLDER}"


def _stored(content: bytes, services: Services) -> int:
    """How often an event is stored: blobs, with a row each."""
    names = services.events.names(json.loads(content)["run"]["runId"])
    assert len(services.events.rows_of(names)) == len(names)
    return len(names)


def _letters(file: str, services: Services) -> int:
    prefix = services.dead_letters.name_of(file, "x").partition("/")[0]
    return len(list(services.dead_letters.names(prefix)))
