"""scripts/bootstrap.py: what counts as done, what a failure says, and that it repairs what was cut off."""

import ast
import json
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts import bootstrap

SCRIPT = Path(bootstrap.__file__)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, with a blank in its path, that the script takes for its own."""
    root = tmp_path / "a checkout"
    venv = root / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "lib" / "python3.13" / "site-packages").mkdir(parents=True)
    (root / "local" / "azurite" / "node_modules").mkdir(parents=True)
    for name, path in {
        "ROOT": root,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "REQUIREMENTS": root / "requirements-dev.txt",
        "AZURITE": root / "local" / "azurite",
        "SCRATCH": root / ".local",
    }.items():
        monkeypatch.setattr(bootstrap, name, path)
    return root


def progress() -> bootstrap.Progress:
    return bootstrap.Progress("a step")


def test_an_old_python_can_read_the_file_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; .*\n.*make PYTHON="):
        runpy.run_path(str(SCRIPT))


def test_an_environment_of_another_place_is_not_ours(checkout: Path) -> None:
    stamp = checkout / ".venv" / ".made-in"
    bootstrap.PYTHON.symlink_to(sys.executable)
    (checkout / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n")

    assert not bootstrap.has_environment(same_version=False)
    stamp.write_text(str(checkout))
    assert bootstrap.has_environment(same_version=False)
    stamp.write_text("/somewhere/else")
    assert not bootstrap.has_environment(same_version=False)


def test_another_version_counts_only_when_asked_for(checkout: Path) -> None:
    bootstrap.PYTHON.symlink_to(sys.executable)
    (checkout / ".venv" / ".made-in").write_text(str(checkout))
    (checkout / ".venv" / "pyvenv.cfg").write_text("version = 3.99.0\n")

    assert bootstrap.has_environment(same_version=False)
    assert not bootstrap.has_environment(same_version=True)


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / ".made-in").write_text(str(checkout))
    bootstrap.PYTHON.symlink_to(checkout / "gone")

    assert not bootstrap.has_environment(same_version=False)


def test_packages_are_installed_again_when_their_lock_changes(checkout: Path) -> None:
    bootstrap.REQUIREMENTS.write_text("a==1\n")
    assert not bootstrap.has_packages()
    (checkout / ".venv" / ".packages").write_text(bootstrap._digest())

    assert bootstrap.has_packages()
    bootstrap.REQUIREMENTS.write_text("a==2\n")
    assert not bootstrap.has_packages()


def test_the_command_runs_the_code_of_the_checkout(checkout: Path) -> None:
    bootstrap.PYTHON.symlink_to(sys.executable)
    (checkout / "pyproject.toml").write_text('[project.scripts]\nhello = "greeting:main"\n')
    (checkout / ".venv" / "lib" / "python3.13" / "site-packages" / "greeting.py").write_text(
        "import sys\n\n\ndef main():\n    print(*sys.argv[1:])\n    return 3\n"
    )
    assert not bootstrap.has_command()
    bootstrap.write_command(progress())
    assert bootstrap.has_command()

    path = {"PYTHONPATH": str(checkout / ".venv" / "lib" / "python3.13" / "site-packages")}
    run = subprocess.run([checkout / ".venv/bin/hello", "a b"], env=path, capture_output=True, text=True)

    assert (run.stdout, run.returncode) == ("a b\n", 3), run.stderr
    pth = checkout / ".venv" / "lib" / "python3.13" / "site-packages" / "sparklin.pth"
    assert pth.read_text() == f"{checkout}\n"


def test_a_path_of_other_letters_is_found_in_every_locale(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = checkout / "Übung 売上"
    root.mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", root)
    (root / "pyproject.toml").write_text('[project.scripts]\nhello = "greeting:main"\n')
    (root / "greeting.py").write_text("print('hello')\n")
    bootstrap.PYTHON.symlink_to(sys.executable)
    bootstrap.write_command(progress())
    assert bootstrap.has_command()

    site_packages = checkout / ".venv" / "lib" / "python3.13" / "site-packages"
    assert (site_packages / "sparklin.pth").read_bytes().isascii()
    code = f"import site; site.addsitedir({str(site_packages)!r}); import greeting"
    for locale in ({"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        run = subprocess.run([sys.executable, "-c", code], env=locale, capture_output=True, text=True)
        assert (run.stdout, run.stderr) == ("hello\n", "")


def test_azurite_counts_when_all_of_its_lock_is_there(checkout: Path) -> None:
    wanted = {
        "": {},
        "node_modules/a": {"integrity": "sha512-a"},
        "node_modules/b": {"integrity": "sha512-b", "optional": True},
    }
    (checkout / "local/azurite/package-lock.json").write_text(json.dumps({"packages": wanted}))
    note = checkout / "local/azurite/node_modules/.package-lock.json"

    assert not bootstrap.has_azurite()
    note.write_text(json.dumps({"packages": {"node_modules/a": {"integrity": "sha512-old"}}}))
    assert not bootstrap.has_azurite()
    note.write_text(json.dumps({"packages": {"node_modules/a": {"integrity": "sha512-a"}}}))
    assert bootstrap.has_azurite()
    note.write_text('{"packages": {"node_mod')
    assert not bootstrap.has_azurite()


def test_a_failed_command_shows_the_end_of_its_log_and_names_it(checkout: Path) -> None:
    script = "for i in range(99): print('line', i)\nraise SystemExit(7)"

    with pytest.raises(bootstrap.InstallError) as failed:
        bootstrap.run_logged("thing", [sys.executable, "-c", script], progress(), lambda _log: "", checkout)

    told = str(failed.value)
    assert "line 98" in told
    assert "line 70" not in told
    assert ".local/logs/install-thing.log" in told
    assert "line 0\n" in (checkout / ".local/logs/install-thing.log").read_text()


def test_the_environment_says_nothing_about_another_place(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    script = "import os; print('PIP_TARGET' in os.environ, os.environ['PIP_INDEX_URL'])"

    bootstrap.run_logged("thing", [sys.executable, "-c", script], progress(), lambda _log: "", checkout)

    assert (checkout / ".local/logs/install-thing.log").read_text() == "False https://packages.example/simple\n"


def test_a_second_installation_waits_for_the_first(checkout: Path) -> None:
    second = (
        "import sys; from pathlib import Path; from scripts import bootstrap\n"
        "bootstrap.SCRATCH = Path(sys.argv[1])\n"
        "with bootstrap.only_one(): print('in')"
    )
    with bootstrap.only_one():
        process = subprocess.Popen(
            [sys.executable, "-c", second, str(checkout / ".local")],
            cwd=SCRIPT.parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        assert process.stderr.readline().startswith("Another installation is under way")
        time.sleep(0.1)
        assert process.poll() is None
    out, _err = process.communicate(timeout=10)

    assert (out, process.returncode) == ("in\n", 0)


def test_what_is_done_is_passed_over() -> None:
    ran: list[str] = []
    done = bootstrap.Step("done", lambda: True, lambda _progress: ran.append("done"))
    due = bootstrap.Step("due", lambda: False, lambda _progress: ran.append("due"))

    for step in (done, due):
        bootstrap.carry_out(step)

    assert ran == ["due"]
