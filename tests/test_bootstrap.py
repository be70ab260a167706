"""scripts/bootstrap.py: what is installed again and when, and what a person reads if that fails."""

import ast
import fcntl
import importlib.util
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.version import VERSION

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "bootstrap.py"
INPUTS = (
    "requirements-uv.txt",
    "requirements-dev.txt",
    "requirements-browser.txt",
    "pyproject.toml",
    "local/azurite/package-lock.json",
    "viewer/package-lock.json",
    "tests/browser/package-lock.json",
)
TOUCH = """
import sys
from pathlib import Path
file = Path(sys.argv[1])
file.parent.mkdir(parents=True, exist_ok=True)
file.touch()
"""
FAIL = "for line in range(99): print('line', line)\nraise SystemExit(7)"
WAIT = """
import time
from pathlib import Path
Path("runs").touch()
while not Path("go").exists(): time.sleep(0.01)
"""
# Another process that installs: each of its commands is the program that it is given.
INSTALL = """
import sys
sys.path.insert(0, "scripts")
import bootstrap
bootstrap.COMMANDS = {name: ((sys.executable, "-c", sys.argv[1]),) for name in bootstrap.COMMANDS}
bootstrap.main([])
"""


@pytest.fixture
def script(tmp_path: Path) -> Any:
    """The script in its own checkout; its commands only create the file that they should create."""
    root = tmp_path / "Übung, a checkout"
    for name in INPUTS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("as it was")
    (root / "scripts").mkdir()
    shutil.copy(SCRIPT, root / "scripts")
    script = load(root)
    npm = {name: (touch(script.STAMPS[name]),) for name in ("azurite", "browser")}
    script.COMMANDS = {"venv": (touch(script.PYTHON),), "packages": (), **npm}
    return script


def load(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location("bootstrap", root / "scripts" / "bootstrap.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def touch(file: Path) -> tuple[str, ...]:
    return (sys.executable, "-c", TOUCH, str(file))


def write(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text("changed")


def test_an_older_python_names_the_version_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))

    with pytest.raises(SystemExit, match=r"^Sparklin needs Python 3\.11 or newer; .* Choose another: make PYTHON="):
        runpy.run_path(str(SCRIPT))


def test_a_second_run_has_nothing_to_do(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], [], ["--same-version"]):
        script.main(arguments)

    assert capsys.readouterr() == ("", "Installing venv …\nInstalling packages …\nInstalling azurite …\n")


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (write("requirements-uv.txt"), "packages"),
        (write("requirements-dev.txt"), "packages"),
        (write("pyproject.toml"), "packages"),
        (write("local/azurite/package-lock.json"), "azurite"),
        (lambda root: (root / ".venv/bin/python").unlink(), "venv, packages"),
        (lambda root: shutil.rmtree(root / "local/azurite/node_modules"), "azurite"),
    ],
    ids=("uv", "packages", "project", "npm", "no Python", "no node_modules"),
)
def test_what_changed_is_made_again(script: Any, change: Callable[[Path], object], made: str) -> None:
    script.main([])

    change(script.ROOT)

    assert list(script.missing(same_version=False)) == made.split(", ")


def test_what_only_checks_need_is_made_for_them(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    script.main([])
    capsys.readouterr()

    for arguments in (["--tests"], ["--tests"], []):
        script.main(arguments)

    assert capsys.readouterr() == ("", "Installing browser …\n")


@pytest.mark.parametrize("name", ["requirements-browser.txt", "viewer/package-lock.json"])
def test_what_only_checks_need_is_made_again_after_a_change(script: Any, name: str) -> None:
    script.main(["--tests"])

    write(name)(script.ROOT)

    assert list(script.missing(same_version=False, tests=True)) == ["browser"]
    assert list(script.missing(same_version=False)) == []


def test_a_moved_checkout_gets_its_own_environment(script: Any) -> None:
    script.main([])

    moved = load(script.ROOT.rename(script.ROOT.with_name("moved")))

    assert list(moved.missing(same_version=False)) == ["venv", "packages"]


def test_another_version_of_python_counts_only_when_asked_for(script: Any) -> None:
    script.main([])
    stamp = script.STAMPS["venv"]
    stamp.write_bytes(b"3.99 " + stamp.read_bytes().partition(b" ")[2])

    assert list(script.missing(same_version=False)) == []
    assert list(script.missing(same_version=True)) == ["venv", "packages"]


def test_a_failure_shows_the_end_of_its_log_and_names_it(script: Any) -> None:
    works = script.COMMANDS
    script.COMMANDS = works | {"azurite": ((sys.executable, "-c", FAIL),)}

    with pytest.raises(SystemExit) as failed:
        script.main([])

    log = script.ROOT / ".local" / "logs" / "install-azurite.log"
    assert str(failed.value).startswith("  line 79\n")
    assert str(failed.value).endswith(
        f"  line 98\nInstalling azurite failed; the whole log is {log}. Run the same command to try again."
    )
    assert log.read_text().startswith("line 0\nline 1\n")


def test_after_a_failure_only_missing_parts_are_created(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    works = script.COMMANDS
    script.COMMANDS = works | {"azurite": ((sys.executable, "-c", FAIL),)}
    with pytest.raises(SystemExit):
        script.main([])
    capsys.readouterr()

    script.COMMANDS = works
    script.main([])

    assert capsys.readouterr().err == "Installing azurite …\n"


def test_an_interruption_leaves_no_stamp(script: Any) -> None:
    def interrupted() -> Iterator[tuple[str, ...]]:
        yield touch(script.PYTHON)
        raise KeyboardInterrupt

    script.main([])
    write("requirements-dev.txt")(script.ROOT)
    script.COMMANDS["packages"] = interrupted()
    with pytest.raises(SystemExit, match=r"^Interrupted\."):
        script.main([])
    (script.ROOT / "requirements-dev.txt").write_text("as it was")

    assert list(script.missing(same_version=False)) == ["packages"]


def test_a_checkout_that_cannot_be_written_is_named(script: Any) -> None:
    (script.ROOT / ".local").write_text("a file where a folder should be")

    with pytest.raises(SystemExit, match=r"^Cannot install into this checkout: .*: .*/\.local"):
        script.main([])


def test_a_second_installation_waits_for_the_first(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    script.main([])
    (script.ROOT / "pyproject.toml").write_text("changed")
    with (script.LOGS / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = install(script, "")
        assert second.stderr
        waiting = second.stderr.readline()
        (script.ROOT / "pyproject.toml").write_text("as it was")
    rest = second.communicate(timeout=60)[1]

    assert waiting == "Another installation is running in this checkout; waiting for it.\n"
    assert (second.returncode, rest) == (0, "")


def test_a_command_that_outlives_its_installation_keeps_the_next_one_waiting(script: Any) -> None:
    script.main([])
    (script.ROOT / "pyproject.toml").write_text("changed")
    first = install(script, WAIT)
    try:
        until((script.ROOT / "runs").exists)
        first.kill()
        first.communicate(timeout=60)
        with (script.LOGS / "install.lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        (script.ROOT / "go").touch()


def test_uv_gets_the_index_and_the_certificate_of_pip(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    monkeypatch.setenv("PIP_CERT", "/certificates.pem")
    for name in ("SSL_CERT_FILE", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)

    variables = script.environment()

    assert variables["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert variables["SSL_CERT_FILE"] == "/certificates.pem"


def test_settings_of_uv_take_precedence_over_those_of_pip(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")

    assert script.environment()["UV_DEFAULT_INDEX"] == "https://uv.example/simple"


def test_nothing_in_the_environment_leads_to_another_place(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in script.MISLEADING:
        monkeypatch.setenv(name, "elsewhere")

    assert script.MISLEADING.isdisjoint(script.environment())


@pytest.mark.exhaustive
def test_a_checkout_with_blanks_and_umlauts_is_installed(tmp_path: Path) -> None:
    root = tmp_path / "Übung, a checkout"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".*", "node_modules", "tests"))
    (root / "tests" / "browser").mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/browser" / name, root / "tests/browser")
    for folder in ("local/azurite", "viewer", "tests/browser"):
        shutil.copy(ROOT / folder / ".npmrc", root / folder)

    def run(*command: str | Path) -> str:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=600).stdout

    make = ("make", "--silent", "-C", root, f"PYTHON={sys.executable}")
    run(*make, "install")

    assert run(root / ".venv/bin/sparklin", "--version") == f"sparklin {VERSION}\n"
    assert run("env", "LC_ALL=C", root / ".venv/bin/sparklin", "--version") == f"sparklin {VERSION}\n"
    assert run(root / ".venv/bin/python", "-c", "import local.azurite as a; print(a.__file__)").startswith(str(root))
    assert run(*make, "ready") == ""


def install(script: Any, command: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", INSTALL, command]
    return subprocess.Popen(arguments, cwd=script.ROOT, stderr=subprocess.PIPE, text=True)


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)
