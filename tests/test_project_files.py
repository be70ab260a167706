"""The files around the code say what is so: what is deployed, what is set, what is pinned, what can be run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)


def load(name: str) -> Any:
    return json.loads((ROOT / name).read_text("utf-8"))


def pins(name: str) -> set[tuple[str, str]]:
    found = PINNED.finditer((ROOT / name).read_text("utf-8"))
    return {(match["name"], match["version"]) for match in found}


def test_the_example_settings_are_accepted() -> None:
    example = load("local.settings.json.example")

    settings = Settings.from_env(example["Values"])

    assert settings.blob_trigger_source == "LogsAndContainerScan"
    assert all(isinstance(value, str) for value in example["Values"].values())
    assert example["Values"]["AzureWebJobsStorage"] == example["Values"]["LINEAGE_STORAGE"]


def test_the_host_leaves_the_app_time_to_retry() -> None:
    host = load("host.json")
    queues = host["extensions"]["queues"]

    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert host["extensions"]["blobs"] == {"maxDegreeOfParallelism": 2, "poisonBlobThreshold": 5}
    # A message that failed comes back after a minute, not at once, and no function waits behind a full batch.
    assert queues["visibilityTimeout"] == "00:01:00"
    assert (queues["batchSize"], queues["newBatchThreshold"], queues["maxDequeueCount"]) == (2, 0, 5)
    assert queues["messageEncoding"] == "base64"
    assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) == len(PINNED.findall(text)) > 10
    assert all("--hash=sha256:" in line for line in lines)


def test_development_uses_what_is_deployed() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_direct_requirement_is_in_its_lock() -> None:
    for name in (path.stem for path in ROOT.glob("requirements*.in")):
        asked = re.findall(r"^([A-Za-z][A-Za-z0-9._-]*)", (ROOT / f"{name}.in").read_text("utf-8"), re.MULTILINE)
        locked = {package.lower() for package, _version in pins(f"{name}.txt")}

        assert {package.lower() for package in asked} <= locked


def test_azurite_is_locked_without_addresses() -> None:
    packages = load("local/azurite/package-lock.json")["packages"]
    asked = load("local/azurite/package.json")["dependencies"]

    assert packages[""]["dependencies"] == asked
    assert all("integrity" in package and "resolved" not in package for path, package in packages.items() if path)


def test_make_lists_its_commands() -> None:
    run = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^make (\S+) +\S.*$", run.stdout, re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert {"install", "demo", "up", "down", "test", "lint", "format", "lock", "clean"} <= set(listed)
    assert set(targets) - set(listed) == {"ready"}  # What the other commands begin with.


@pytest.mark.parametrize("name", [".ci/run", "scripts/check", "scripts/lock"])
def test_scripts_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_continuous_integration_runs_what_the_readme_says() -> None:
    assert re.search(r"^make test\b", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_the_command_exists_that_pyproject_names() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "cli.main", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    bootstrap = (ROOT / "pyproject.toml").read_text("utf-8")

    assert 'sparklin = "cli.main:app"' in bootstrap
    assert shown.returncode == 0, shown.stderr


def test_decisions_are_numbered_without_gaps() -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert (ROOT / "docs" / "decisions" / page).read_text("utf-8").startswith(f"# {page[:4]} ")
