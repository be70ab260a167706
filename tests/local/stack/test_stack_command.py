"""`up`, `down` and `status` as a user runs them."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local import environment
from local.stack import processes
from local.stack.choices import PORTS, Choices, ports
from local.stack.files import StackFiles
from local.stack.parts import ROOT
from local.stack.processes import Started
from local.stack.stack_error import StackError
from tests.support.processes import PATIENCE, started, until
from tests.support.tiers import sweep

PARTS = {"azurite", "dataMap", "host"}
APP = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

@app.route(route="hello", methods=["GET"])
def hello(req: func.HttpRequest) -> str:
    return "hello"
"""
WRONG_SETTINGS = """
from core.errors import SettingsError
raise SettingsError(("FIRST must be a number", "SECOND is missing"))
"""
BROKEN = "raise RuntimeError('this app is broken')"


class Terminal:
    """Runs `python -m local.stack` for a stack in its own folder."""

    def __init__(self, folder: Path, source: str = APP) -> None:
        self.folder = folder / "stack"
        self.app = folder / "app"
        self.app.mkdir()
        (self.app / "function_app.py").write_text(source)
        (self.app / "host.json").write_text("{}")

    def arguments(self, command: str, *options: str) -> list[str]:
        """The command line."""
        app = ["--app-dir", str(self.app)] if command == "up" else []
        return [sys.executable, "-m", "local.stack", command, "--folder", str(self.folder), *app, *options]

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.arguments(command, *options), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    @property
    def published(self) -> dict[str, Any]:
        """What stack.json says."""
        content: dict[str, Any] = json.loads((self.folder / "stack.json").read_text())
        return content

    def started(self) -> list[Started]:
        """The processes of the stack that run."""
        return [started for started in StackFiles(self.folder).started() if processes.is_running(started)]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose stack is ended afterwards."""
    made = Terminal(tmp_path)
    yield made
    made.run("down")


def test_up_publishes_addresses_that_answer_and_down_ends_all(terminal: Terminal) -> None:
    up = terminal.run("up")
    assert up.returncode == 0, up.stderr
    found = terminal.published
    assert set(found) == {"receiver", "functionKey", "dataMap", "page", "storage", "pids"}
    assert set(found["pids"]) == PARTS
    assert (terminal.folder / "stack.json").read_text().endswith("}\n")
    assert stat.S_IMODE((terminal.folder / "stack.json").stat().st_mode) == 0o600
    assert f"receiver: {found['receiver']}" in up.stdout.splitlines()
    answer = requests.get(
        f"{found['receiver']}/api/hello", headers={"x-functions-key": found["functionKey"]}, timeout=10
    )
    assert answer.text == "hello"
    assert requests.get(found["page"], timeout=60).status_code == 200
    assert terminal.run("status").returncode == 0

    assert terminal.run("down").returncode == 0
    assert not (terminal.folder / "stack.json").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(found["receiver"], timeout=2)
    assert terminal.run("status").returncode == 3


def test_a_reader_that_has_seen_enough_does_not_end_the_stack(terminal: Terminal, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (tmp_path / "stderr").open("wb") as errors:
        up = subprocess.run(terminal.arguments("up"), cwd=ROOT, stdout=writing, stderr=errors, timeout=PATIENCE)
    os.close(writing)
    assert (up.returncode, "Error" in (tmp_path / "stderr").read_text()) == (0, False)
    assert len(terminal.started()) == len(PARTS)


@pytest.mark.exhaustive
def test_up_again_keeps_what_runs_and_replaces_what_is_broken(terminal: Terminal) -> None:
    terminal.run("up")
    first = terminal.published
    again = terminal.run("up")
    assert again.returncode == 0
    assert "already running" in again.stderr
    assert terminal.published == first

    os.kill(first["pids"]["host"], signal.SIGKILL)
    renewed = terminal.run("up")
    assert renewed.returncode == 0, renewed.stderr
    assert terminal.published["pids"].keys() == first["pids"].keys()
    assert not set(terminal.published["pids"].values()) & set(first["pids"].values())


@pytest.mark.exhaustive
def test_down_is_idempotent_and_purge_deletes_the_data(terminal: Terminal) -> None:
    terminal.run("up")
    assert terminal.run("down").returncode == 0
    assert (terminal.folder / "data" / "azurite").is_dir()
    again = terminal.run("down", "--purge")
    assert again.returncode == 0
    assert "No stack is running" in again.stderr
    assert not (terminal.folder / "data").exists()


def test_down_leaves_another_process_with_the_same_id_alone(terminal: Terminal) -> None:
    with started([sys.executable, "-c", "import time; time.sleep(1000)"]) as stranger:
        terminal.folder.mkdir()
        (terminal.folder / "processes.json").write_text(
            json.dumps([{"name": "host", "pid": stranger.pid, "mark": "another time"}])
        )
        assert terminal.run("down").returncode == 0
        assert stranger.poll() is None


@pytest.mark.exhaustive
def test_a_broken_app_is_shown_with_its_log_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_WINDOW_DAY", "7")
    terminal = Terminal(tmp_path, BROKEN)
    up = terminal.run("up")
    # Not only in the log of the host.
    assert up.stderr.startswith("LINEAGE_WINDOW_DAY is not a setting; did you mean LINEAGE_WINDOW_DAYS?\n")
    assert up.returncode == 1
    assert "host ended while starting" in up.stderr
    assert "this app is broken" in up.stderr
    assert not (terminal.folder / "stack.json").exists()
    assert not (terminal.folder / "processes.json").exists()


@pytest.mark.exhaustive
def test_wrong_settings_are_reported_without_a_traceback(tmp_path: Path) -> None:
    up = Terminal(tmp_path, WRONG_SETTINGS).run("up")
    assert up.returncode == 1
    assert up.stderr.splitlines()[1:] == ["error: FIRST must be a number", "SECOND is missing"]


@pytest.mark.parametrize("number", sweep((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), (signal.SIGINT,)))
def test_a_signal_during_up_leaves_nothing(terminal: Terminal, number: signal.Signals) -> None:
    with started(terminal.arguments("up"), stderr=subprocess.PIPE, text=True) as process:
        until(lambda: len(terminal.started()) == 2)
        process.send_signal(number)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert terminal.started() == []


@pytest.mark.exhaustive
def test_ports_and_key_stay(terminal: Terminal) -> None:
    terminal.run("up")
    first = terminal.published
    terminal.run("down")
    taken = urlsplit(first["dataMap"]).port
    assert taken
    with socket.create_server(("127.0.0.1", taken)):
        up = terminal.run("up")
    second = terminal.published
    assert [second[name] == first[name] for name in ("receiver", "functionKey", "storage")] == [True] * 3
    assert second["dataMap"] != first["dataMap"]
    assert f"Port {taken}, SPARKLIN_DATA_MAP_PORT of the last stack, is in use" in up.stderr
    assert stat.S_IMODE((terminal.folder / "choices.json").stat().st_mode) == 0o600


def test_the_environment_takes_precedence_over_the_last_ports() -> None:
    said: list[str] = []
    asked, last = free_ports(2)
    chosen = ports({"SPARKLIN_BLOB_PORT": str(asked)}, Choices({"BLOB": last, "RECEIVER": asked}), said.append)
    assert (chosen.storage.blob, chosen.receiver) == (asked, 0)
    assert [line.partition(",")[0] for line in said] == [f"Port {asked}"]


@pytest.mark.parametrize("content", [None, [], {"ports": 3}, {"ports": {"BLOB": "x", "QUEUE": -1}, "functionKey": 7}])
def test_invalid_choices_are_skipped(content: object) -> None:
    assert Choices.read(content) == Choices({})


@pytest.mark.parametrize("number", sweep((signal.SIGTERM, signal.SIGHUP), (signal.SIGTERM,)))
def test_in_the_foreground_a_signal_ends_the_stack(terminal: Terminal, number: signal.Signals) -> None:
    command = terminal.arguments("up", "--foreground")
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "Ctrl-C stops the stack.\n" in iter(process.stderr.readline, "")
        assert (terminal.folder / "stack.json").exists()
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert not (terminal.folder / "stack.json").exists()
    assert terminal.started() == []


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_folder_that_cannot_be_written_is_named(terminal: Terminal, command: str) -> None:
    terminal.folder.write_text("a file where the folder should be")

    run = terminal.run(command)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"error: The stack cannot write to its folder {terminal.folder}: File exists\n"


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1.5"])
def test_an_invalid_port_is_refused(text: str) -> None:
    with pytest.raises(StackError, match="SPARKLIN_BLOB_PORT must be a port"):
        ports({"SPARKLIN_BLOB_PORT": text}, Choices({}), print)


def test_ports_are_taken_from_the_environment() -> None:
    receiver, table = free_ports(2)
    variables = {"SPARKLIN_RECEIVER_PORT": str(receiver), "SPARKLIN_TABLE_PORT": str(table)}
    chosen = ports(variables, Choices({}), print)
    assert (chosen.receiver, chosen.data_map, chosen.storage.table) == (receiver, 0, table)
    assert environment.variables() is not environment.variables()


@pytest.mark.parametrize("name", PORTS)
def test_a_port_in_use_is_named_before_anything_starts(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackError, match=rf"^SPARKLIN_{name}_PORT: port {port} is in use"):
            ports({f"SPARKLIN_{name}_PORT": str(port)}, Choices({}), print)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]
