"""The files around the code say what is so: what is deployed, what is set, what is pinned, what can be run."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from local.stack.choices import PORTS

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
NOBODY = 65534


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
    assert host["extensions"]["blobs"] == {"maxDegreeOfParallelism": 3, "poisonBlobThreshold": 5}
    # A message that failed comes back after a minute, not at once; a slow run holds up no other.
    assert queues["visibilityTimeout"] == "00:01:00"
    assert (queues["batchSize"], queues["newBatchThreshold"], queues["maxDequeueCount"]) == (1, 1, 5)
    assert queues["messageEncoding"] == "base64"
    assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) == len(PINNED.findall(text)) > 0
    assert all("--hash=sha256:" in line for line in lines)


def test_development_uses_what_is_deployed() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_direct_requirement_is_in_its_lock() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {
        "requirements.txt": declared["project"]["dependencies"],
        "requirements-dev.txt": declared["project"]["optional-dependencies"]["cli"],
    }
    for group, requirements in declared["dependency-groups"].items():
        asked.setdefault(f"requirements-{group}.txt", []).extend(requirements)

    assert set(asked) == {path.name for path in ROOT.glob("requirements*.txt")}
    for name, requirements in asked.items():
        direct = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in requirements}
        assert direct <= {package.lower() for package, _version in pins(name)}, name


@pytest.mark.parametrize("folder", ["local/azurite", "viewer", "tests/browser"])
def test_packages_of_npm_are_locked_without_addresses(folder: str) -> None:
    packages = load(f"{folder}/package-lock.json")["packages"]
    asked = load(f"{folder}/package.json")

    for kind in ("dependencies", "devDependencies"):
        assert packages[""].get(kind) == asked.get(kind)
    assert all("integrity" in package and "resolved" not in package for path, package in packages.items() if path)


def make(*arguments: str, folder: Path = ROOT, user: int | None = None) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, env=variables, user=user, capture_output=True, text=True)


def test_make_lists_its_commands() -> None:
    run = make()
    listed = re.findall(r"^make (\S+) +\S.*$", run.stdout, re.MULTILINE)
    assert len({line.index(line.split(None, 2)[2]) for line in run.stdout.splitlines()}) == 1, "not in columns"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert {"install", "demo", "up", "down", "test", "test-all", "lint", "format", "lock", "clean"} <= set(listed)
    assert set(targets) - set(listed) == {"ready", "complete", "writable"}  # What the other commands begin with.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tset",), 'There is no command "tset": run make without arguments to list the commands.'),
        (("help", "docs"), 'There is no command "docs": run make without arguments to list the commands.'),
        (("FOO=1", "help"), 'There is no variable "FOO": make takes PYTHON, SPARKLIN_RECEIVER_PORT, '),
        (("help", "FOO=a b=c"), 'There is no variable "FOO": make takes PYTHON, SPARKLIN_RECEIVER_PORT, '),
    ],
)
def test_make_names_what_it_does_not_know(arguments: tuple[str, ...], sentence: str) -> None:
    run = make(*arguments)

    assert (run.returncode, run.stdout) == (2, "")
    assert sentence in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_make_takes_a_python_and_the_ports_of_the_stack() -> None:
    ports = [f"SPARKLIN_{name}_PORT=0" for name in PORTS]

    others = [f"SPARKLIN_{name}=1" for name in ("FAULTS_SEED", "BICEP", "TRIGGER_ENGINE")]

    run = make("help", "PYTHON=/a path/python3", *others, *ports)

    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("command", ["test", "test-all", "test-atlas", "test-real", "lint", "format", "lock"])
def test_a_read_only_checkout_gets_one_sentence(tmp_path: Path, command: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    tmp_path.chmod(0o555)

    run = make(command, "PYTHON=true", folder=tmp_path, user=NOBODY if os.geteuid() == 0 else None)

    assert run.stderr.splitlines()[0] == "This checkout is read-only, and this command writes into it."
    assert (run.returncode, run.stdout) == (2, "")


@pytest.mark.parametrize("name", [".ci/run", "scripts/check", "scripts/lock"])
def test_scripts_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_continuous_integration_runs_what_the_readme_says() -> None:
    """``test-all`` runs all that ``test`` does, see below."""
    assert re.search(r"^make test-all test-atlas ", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_the_two_tiers_are_all_tests() -> None:
    """``test`` leaves out what is marked, ``test-all`` nothing; both also make the same checks."""
    check, makefile = ((ROOT / name).read_text("utf-8") for name in ("scripts/check", "Makefile"))
    every, fast = re.findall(r"^ +check pytest (.*)$", check, re.MULTILINE)

    assert fast == f'{every} -m "not exhaustive"'
    assert re.search(r"^test: .*\n\t@scripts/check\n", makefile, re.MULTILINE)
    assert re.search(r"^test-all: .*\n\t@scripts/check all\n", makefile, re.MULTILINE)


def test_files_with_tests_that_take_long_are_begun_first(request: pytest.FixtureRequest) -> None:
    items = request.session.items
    take_long = {item.path for item in items if item.get_closest_marker("exhaustive")}
    others = [item.path not in take_long for item in items]
    assert others == sorted(others)


def test_decisions_are_numbered_without_gaps() -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert (ROOT / "docs" / "decisions" / page).read_text("utf-8").startswith(f"# {page[:4]} ")


@pytest.mark.xdist_group("one process")
def test_what_is_in_a_group_runs_in_one_process(request: pytest.FixtureRequest) -> None:
    # As pytest-xdist hands its option --dist loadgroup on to its processes.
    has_groups = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@one process") or not has_groups
