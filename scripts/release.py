"""Builds what is released from the commit that is checked out, into dist/: ``make release``.

- ``sparklin-VERSION-azure.zip``: the app's package for Azure, the same bytes for the same commit
- ``sparklin-VERSION-infra.zip``: the templates and scripts that deploy it, for use without a clone
- ``sparklin-VERSION-azuredeploy.json``: the compiled template
- ``sparklin-VERSION-py3-none-any.whl``: the command line
- ``sparklin-VERSION-azure.cdx.json``, ``…-cli.cdx.json``: the dependencies of package and command line, with licences
  (CycloneDX)
- ``SHA256SUMS``

The number is that in core/version.py, and the commit must have the tag ``v`` and that number. Without it the files are
named as a preview of that commit; with the tag of another version nothing is built. The changelog must have a section
of the version.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.app_package import ROOT, app_files, committed, git, version, zipped

_DIST = ROOT / "dist"
_BIN = Path(sys.executable).parent
_UV = _BIN / "uv"
_INFRA = ("infra", "azure.yaml", "LICENSE", "NOTICE")
_BICEP = ROOT / "scripts" / "bicep"
_TEMPLATE = "infra/azuredeploy.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make release", description="Builds what is released into dist/.")
    parser.add_argument("--out", type=Path, default=_DIST, help="the folder to write to, which is emptied")
    parser.add_argument("--no-sbom", action="store_true", help="without the parts that need the package index")
    arguments = parser.parse_args()
    number = version()
    _check_tags(number.partition("+")[0])
    _check_changelog(number)
    _say(f"version {number} from commit {git('rev-parse', '--short', 'HEAD').strip()}")
    shutil.rmtree(arguments.out, ignore_errors=True)
    arguments.out.mkdir(parents=True)
    name = arguments.out / f"sparklin-{number}"
    Path(f"{name}-azure.zip").write_bytes(zipped(app_files()))
    Path(f"{name}-infra.zip").write_bytes(zipped(committed("HEAD", *_INFRA)))
    Path(f"{name}-azuredeploy.json").write_bytes(_template())
    _build_wheel(arguments.out)
    if not arguments.no_sbom:
        _list_dependencies(Path(f"{name}-azure.cdx.json"), "requirements.txt")
        _list_dependencies(Path(f"{name}-cli.cdx.json"), "requirements.txt", "typer", "rich")
    files = sorted(arguments.out.iterdir())
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (arguments.out / "SHA256SUMS").write_text(sums)
    sys.stdout.write(sums)


def _check_tags(declared: str) -> None:
    """A tag of another version on this commit is a mistake, in the tag or in the file."""
    tags = [tag for tag in git("tag", "--points-at", "HEAD").split() if re.fullmatch(r"v\d+(\.\d+)*.*", tag)]
    if wrong := [tag for tag in tags if tag != f"v{declared}"]:
        sys.exit(
            f"the commit has the tag {', '.join(wrong)}, and core/version.py says {declared}: nothing is built. "
            f"Set VERSION there and tag that commit, or remove the tag (git tag --delete {' '.join(wrong)})"
        )


def _check_changelog(number: str) -> None:
    released = "+" not in number
    heading = rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$" if released else r"^## \[Unreleased\]$"
    if not re.search(heading, (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE):
        sys.exit(f"CHANGELOG.md has no section {heading}")
    if not released:
        _say(f"this commit is not tagged v{number.partition('+')[0]}: the files are a preview, not a release")


def _template() -> bytes:
    """The compiled template. If there is a Bicep compiler, its output must be the committed file."""
    files = committed("HEAD", "infra")
    if not os.environ.get("SPARKLIN_BICEP"):
        _say("SPARKLIN_BICEP names no compiler: the template is the one that is committed")
        return files[_TEMPLATE]
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        out = Path(folder, "compiled.json")
        _run(_BICEP, "build", Path(folder, "infra/main.bicep"), "--outfile", out)
        if out.read_bytes() != files[_TEMPLATE]:
            sys.exit(f"{_TEMPLATE} is not what the compiler makes of the templates: make template")
    return files[_TEMPLATE]


def _build_wheel(out: Path) -> None:
    """The wheel, from the committed files with their version. Its times are fixed, so that it is reproducible."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in committed().items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        options = ("--wheel", "--offline", "--no-build-isolation", "--quiet", "--python", sys.executable)
        _run(_UV, "build", *options, "--out-dir", out.resolve(), folder, SOURCE_DATE_EPOCH="315532800")
    (out / ".gitignore").unlink(missing_ok=True)


def _list_dependencies(target: Path, *requirements: str) -> None:
    """A CycloneDX bill of materials of an environment that has just these packages, with their licences."""
    files = [each for each in requirements if each.endswith(".txt")]
    names = [each for each in requirements if not each.endswith(".txt")]
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        _run(_UV, "venv", "--quiet", "--python", sys.executable, folder)
        listed = [word for file in files for word in ("--requirements", str(ROOT / file))]
        pinned = ("--constraints", ROOT / "requirements-dev.txt")
        _run(_UV, "pip", "install", "--quiet", "--python", python, *listed, *names, *pinned)
        tool = ("tool", "run", "--quiet", "--with-requirements", ROOT / "requirements-release.txt")
        about = ("--pyproject", ROOT / "pyproject.toml", "--mc-type", "application", "--output-reproducible")
        _run(_UV, *tool, "--from", "cyclonedx-bom", "cyclonedx-py", "environment", *about, "-o", target, python)
    components = json.loads(target.read_bytes())["components"]
    if unknown := [each["name"] for each in components if not each.get("licenses")]:
        sys.exit(f"{target.name}: the licence of {', '.join(unknown)} is not known")


def _run(*command: str | Path, **variables: str) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **variables})
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} {command[1]} failed")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
