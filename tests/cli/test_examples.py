"""The examples of the help run unchanged, in a checkout next to a stack that has received the demo's events."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.examples import EXAMPLES
from cli.main import app
from local.demo.scenarios import SCENARIOS
from local.stack.files import StackFiles
from local.stack.lifecycle import Stack
from tests.support.processes import ROOT, until

EVERY = sorted({example for listed in EXAMPLES.values() for example in listed})
SOMEBODYS_APP = [example for example in EVERY if "x.azurewebsites.net" in example and "config" not in example]
LOCAL = [example for example in EVERY if "--local" in example]
OFFLINE = [example for example in EVERY if example not in (*SOMEBODYS_APP, *LOCAL) and "grant" not in example]


def run(example: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell does in a checkout's activated environment."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", example], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples of the checkout, in which commands may write files."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture(scope="module")
def with_stack(checkout: Path) -> Iterator[Path]:
    """The same, with a stack that has drawn the notebooks of the demo."""
    with Stack(checkout / ".local") as stack, StackFiles(checkout / ".local").published_meanwhile(stack):
        assert run("sparklin send examples/shop --local", checkout).returncode == 0
        until(lambda: run("sparklin lineage revenue.margin --local", checkout).returncode == 0)
        yield checkout


@pytest.mark.parametrize("example", OFFLINE)
def test_an_example_without_network_runs(example: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, because starting another takes longer than the work."""
    monkeypatch.chdir(checkout)
    line, _, file = example.partition(" < ")
    words = shlex.split(line)
    before = words.index("sparklin")
    environment = dict(word.split("=", 1) for word in words[:before])
    done = CliRunner().invoke(
        app, words[before + 1 :], input=Path(file).read_bytes() if file else None, env=environment
    )
    assert (done.exit_code, bool(done.stdout or "--html" in example)) == (0, True), done.output


@pytest.mark.exhaustive
@pytest.mark.parametrize("example", OFFLINE)
def test_a_shell_runs_an_example_without_network(example: str, checkout: Path) -> None:
    done = run(example, checkout)
    assert (done.returncode, bool(done.stdout or "--html" in example)) == (0, True), done.stderr


@pytest.mark.exhaustive
@pytest.mark.xdist_group("examples")
@pytest.mark.parametrize("example", LOCAL)
def test_an_example_runs_on_the_stack(example: str, with_stack: Path) -> None:
    done = run(example, with_stack)
    assert done.returncode == 0, done.stderr


def test_the_readme_shows_what_lineage_prints(checkout: Path) -> None:
    block = (ROOT / "README.md").read_text("utf-8").partition("\n$ sparklin lineage ")[2].partition("\n…\n")[0]
    command, _, shown = block.partition("\n")
    printed = run(f"COLUMNS=80 sparklin lineage --text {command}", checkout).stdout
    assert [line.rstrip() for line in printed.splitlines()[: len(shown.splitlines())]] == shown.splitlines()


def test_the_example_events_are_those_of_the_demo() -> None:
    shop = (ROOT / "examples" / "shop").resolve()
    assert {scenario.folder for scenario in SCENARIOS if shop in scenario.folder.parents} == set(shop.iterdir())


def test_the_example_rules_are_those_of_the_page() -> None:
    rules = (ROOT / "examples" / "names.toml").read_text("utf-8")
    assert f"```toml\n{rules}```" in (ROOT / "docs" / "name-rules.md").read_text("utf-8")
