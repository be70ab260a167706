"""The demo: what it reports as missing, and that nothing remains however it ends."""

import copy
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import environment
from local.demo.check import expected_processes, missing
from local.stack.parts import ROOT
from tests.support.corpus import SPARK_35, bodies
from tests.support.processes import PATIENCE, started, until

POSTING = "Executing 'Functions.receive_batch'"


def command() -> list[str]:
    return [sys.executable, "-m", "local.demo"]


def variables(folder: Path) -> dict[str, str]:
    """The environment of a demo whose processes, and files, can be identified by their folder."""
    return {**environment.variables(), "TMPDIR": str(folder)}


def running(folder: Path) -> list[str]:
    """The ids of all processes that a demo in this folder has left."""
    mark = f"TMPDIR={folder}".encode()
    return [found.parent.name for found in Path("/proc").glob("[0-9]*/environ") if mark in content(found)]


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def is_starting(folder: Path) -> bool:
    return any(folder.glob("sparklin-demo-*/logs/azurite.log"))


def is_posting(folder: Path) -> bool:
    return any(POSTING.encode() in content(log) for log in folder.glob("sparklin-demo-*/logs/host.log"))


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by their environment")


@pytest.mark.exhaustive
@linux
@pytest.mark.parametrize("moment", [is_starting, is_posting])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(tmp_path: Path, moment: Callable[[Path], bool], number: signal.Signals) -> None:
    with started(command(), env=variables(tmp_path), stderr=subprocess.PIPE, text=True) as demo:
        until(lambda: moment(tmp_path))
        demo.send_signal(number)
        demo.send_signal(number)
        _, said = demo.communicate(timeout=PATIENCE)

    assert demo.returncode == 128 + number
    assert "Traceback" not in said
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
@linux
def test_a_terminal_that_is_closed_leaves_nothing(tmp_path: Path) -> None:
    # Its own session, whose terminal disappears when nobody has its other end open.
    lead = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    ours, theirs = pty.openpty()
    with started(
        [sys.executable, "-c", lead, *command()],
        env=variables(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as demo:
        os.close(theirs)
        until(lambda: is_starting(tmp_path))
        os.close(ours)
        assert demo.wait(PATIENCE) == 129

    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def readme_output() -> list[str]:
    """What the README shows of the demo, without the time that it took."""
    block = (ROOT / "README.md").read_text("utf-8").split("```text\n")[1].partition("```")[0]
    return [line for line in block.splitlines() if line and line != "…" and "after" not in line]


@pytest.mark.exhaustive
def test_without_a_terminal_it_ends_and_names_what_keeps_the_page(tmp_path: Path) -> None:
    demo = subprocess.run(
        command(),
        cwd=ROOT,
        env={**variables(tmp_path), "LINEAGE_WINDOW_DAY": "7"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert demo.returncode == 0, demo.stderr
    assert "make up" in demo.stderr
    assert "LINEAGE_WINDOW_DAY is not a setting; did you mean LINEAGE_WINDOW_DAYS?\n" in demo.stderr
    assert "while the demo runs: http://127.0.0.1" in demo.stderr
    printed = {line.rstrip() for line in (demo.stdout + demo.stderr).splitlines()}
    promised = readme_output()
    assert [line for line in promised if line not in printed] == []
    assert len(promised) > 15
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def expected() -> list[dict[str, Any]]:
    return expected_processes(bodies(f"{SPARK_35}/tutorial_customer_master"), {})


def shown(expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the Data Map shows if all went well."""
    found = [copy.deepcopy(entity) for item in expected for entity in item["entities"]]
    for entity in found:
        entity["relationships"] = {}
        for item in expected:
            process = item["process"]
            if entity["attributes"]["qualifiedName"] == process["qualifiedName"]:
                sides = ("inputs", "outputs")
                entity["relationships"] = {
                    side: [[asset["typeName"], asset["qualifiedName"]] for asset in process[side]] for side in sides
                }
    return found


def test_nothing_is_missing_if_everything_is_shown(expected: list[dict[str, Any]]) -> None:
    assert list(missing(expected, shown(expected))) == []


def test_a_missing_process_is_named(expected: list[dict[str, Any]]) -> None:
    entities = [entity for entity in shown(expected) if entity["typeName"] != "azure_synapse_operation"]

    assert list(missing(expected, entities)) == ["process customer_master → customer_master_delta is missing"]


def test_missing_columns_are_named(expected: list[dict[str, Any]]) -> None:
    lost = "#__tabular_schema//email"
    entities = [e for e in shown(expected) if not e["attributes"]["qualifiedName"].endswith(lost)]

    (problem,) = missing(expected, entities)

    assert "1 column of its assets is missing" in problem
    assert problem.endswith(lost)


def test_different_columns_of_a_process_are_reported(expected: list[dict[str, Any]]) -> None:
    entities = shown(expected)
    entities[-1]["attributes"]["columnMapping"] = json.dumps([])

    assert list(missing(expected, entities)) == [
        "process customer_master → customer_master_delta has other columns than its events report"
    ]
