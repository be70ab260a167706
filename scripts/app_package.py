"""Packs the app as it is committed: what .funcignore leaves, with its version in it. Equal commits give equal bytes.

    python3 scripts/app_package.py app.zip

The version stands in core/version.py. A commit without the tag of that version (``v`` and the version) gets a
local version: ``0.1.0+g1234567``. It is written into the package, which does not know Git.
"""

import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION_FILE = "core/version.py"
_VERSION = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)
# The oldest time that a ZIP file can contain: times of a checkout differ.
_TIME = (1980, 1, 1, 0, 0, 0)


def git(*arguments: str) -> str:
    """The output of a Git command in this checkout."""
    return subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True).stdout


def version(commit: str = "HEAD") -> str:
    """The version of a commit: that of its files if it has the tag of that version, else with the commit's name."""
    declared = _VERSION.findall(git("show", f"{commit}:{VERSION_FILE}"))[0]
    if f"v{declared}" in git("tag", "--points-at", commit).split():
        return str(declared)
    return f"{declared}+g{git('rev-parse', '--short=7', commit).strip()}"


def committed(commit: str = "HEAD", *paths: str) -> dict[str, bytes]:
    """The committed files by path, all or those under some paths, with the version of the commit in them."""
    archive = subprocess.run(("git", "archive", commit, "--", *paths), cwd=ROOT, capture_output=True, check=True)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        for member in files:
            if content := files.extractfile(member):
                found[member.name] = content.read()
    if VERSION_FILE in found:
        stamped = _VERSION.sub(f'VERSION = "{version(commit)}"', found[VERSION_FILE].decode())
        found[VERSION_FILE] = stamped.encode()
    return found


def app_files(commit: str = "HEAD") -> dict[str, bytes]:
    """The files of the app."""
    ignored = set(git("ls-files", "--cached", "--ignored", "--exclude-from=.funcignore").splitlines())
    return {name: content for name, content in committed(commit).items() if name not in ignored}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP file. It is not compressed, because versions of zlib compress differently."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in _entries(files):
            archive.writestr(entry, content)
    return written.getvalue()


def _entries(files: Mapping[str, bytes]) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    for name in sorted(files):
        entry = zipfile.ZipInfo(name, _TIME)
        entry.create_system = 3  # Unix, wherever it was made.
        entry.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
        yield entry, files[name]


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(zipped(app_files()))
