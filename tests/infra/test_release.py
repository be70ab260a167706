"""What is released: the same bytes for the same commit, with the version in it, and deployed without a clone."""

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.version import VERSION
from tests.infra.compiled import INFRA, ROOT
from tests.test_deployed_files import is_checkout

HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "What an operator has to do"}

needs_git = pytest.mark.skipif(not is_checkout(), reason="not a git checkout, so nothing can be released")


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    run = subprocess.run(
        ("git", *arguments), cwd=folder, capture_output=True, text=True, check=True, env=os.environ | identity
    )
    return run.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which only what builds the release is checked out."""
    folder = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
    git(folder, "reset", "--quiet")
    git(folder, "checkout", "--quiet", "HEAD", "--", "scripts", ".funcignore", "CHANGELOG.md", "core")
    return folder


def package(folder: Path, target: Path) -> bytes:
    subprocess.run([sys.executable, folder / "scripts" / "app_package.py", target], check=True, timeout=120)
    return target.read_bytes()


def version_in(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (found,) = re.findall(r'^VERSION = "(.*)"$', archive.read("core/version.py").decode(), re.MULTILINE)
        return str(found)


@needs_git
def test_two_packages_of_a_commit_have_the_same_bytes(clone: Path, tmp_path: Path) -> None:
    for file in clone.rglob("*.py"):
        os.utime(file, (0, 0))

    assert package(clone, tmp_path / "a.zip") == package(ROOT, tmp_path / "b.zip")


@needs_git
def test_a_package_has_the_version_of_its_tag_or_of_the_commit(clone: Path, tmp_path: Path) -> None:
    for tag in git(clone, "tag").split():
        git(clone, "tag", "--delete", tag)
    commit = git(clone, "rev-parse", "--short=7", "HEAD")

    assert version_in(package(clone, tmp_path / "a.zip")) == f"{VERSION}+g{commit}"
    git(clone, "tag", f"v{VERSION}")
    assert version_in(package(clone, tmp_path / "b.zip")) == VERSION


@needs_git
@pytest.mark.parametrize("tags", [("v9.9.9",), (f"v{VERSION}", "v9.9.9"), ("v9.9.9-rc1",)])
def test_a_tag_that_is_not_the_version_of_the_file_is_refused(tags: tuple[str, ...], clone: Path) -> None:
    for tag in tags:
        git(clone, "tag", "--force", tag)
    command = [sys.executable, "-m", "scripts.release", "--no-sbom", "--out", "out"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=300)

    assert done.returncode == 1
    assert f"the commit has the tag {tags[-1]}, and core/version.py says {VERSION}: nothing is built" in done.stderr
    assert not (clone / "out").exists()


@needs_git
@pytest.mark.exhaustive
def test_two_builds_of_a_release_have_the_same_checksums(clone: Path, tmp_path: Path) -> None:
    changelog = clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## [Unreleased]", f"## [{VERSION}] - 2026-05-31"))
    git(clone, "commit", "--quiet", "-m", "Release", "--", "CHANGELOG.md")
    git(clone, "tag", "--force", f"v{VERSION}")

    # Whether the committed template is that of the compiler is tested elsewhere.
    variables = {name: value for name, value in os.environ.items() if name != "SPARKLIN_BICEP"}
    for out in ("a", "b"):
        command = [sys.executable, "-m", "scripts.release", "--no-sbom", "--out", str(tmp_path / out)]
        subprocess.run(command, cwd=clone, check=True, timeout=300, env=variables)

    sums = (tmp_path / "a" / "SHA256SUMS").read_text()
    assert sums == (tmp_path / "b" / "SHA256SUMS").read_text()
    assert [line.split()[1] for line in sums.splitlines()] == [
        f"sparklin-{VERSION}-azure.zip",
        f"sparklin-{VERSION}-azuredeploy.json",
        f"sparklin-{VERSION}-infra.zip",
        f"sparklin-{VERSION}-py3-none-any.whl",
    ]
    names = zipfile.ZipFile(tmp_path / "a" / f"sparklin-{VERSION}-infra.zip").namelist()
    assert {"infra/deploy.sh", "infra/main.bicep", "infra/package.sh", "azure.yaml"} <= set(names)


def test_a_released_package_is_deployed_if_its_checksum_is_right(tmp_path: Path) -> None:
    released = tmp_path / "sparklin-1.2.0-azure.zip"
    released.write_bytes(b"the app")
    sums = tmp_path / "SHA256SUMS"

    def deployed() -> bytes:
        target = tmp_path / "app.zip"
        target.unlink(missing_ok=True)
        subprocess.run(
            [INFRA / "package.sh", target],
            env=os.environ | {"SPARKLIN_PACKAGE": str(released)},
            capture_output=True,
            timeout=60,
        )
        return target.read_bytes() if target.exists() else b""

    assert deployed() == b""
    sums.write_text(f"{'0' * 64}  {released.name}\n")
    assert deployed() == b""
    sums.write_text(f"{hashlib.sha256(b'the app').hexdigest()}  {released.name}\n")
    assert deployed() == b"the app"


def test_the_changelog_is_by_version_and_says_what_to_do() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert set(headings) <= HEADINGS
        assert len(headings) == len(set(headings))
        assert "What an operator has to do" in headings
