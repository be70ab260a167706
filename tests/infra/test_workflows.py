"""The GitHub Actions workflows are well formed, run what runs elsewhere, and contain no secret. They were never run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.compiled import INFRA, ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def checked(path: Path) -> "subprocess.CompletedProcess[str]":
    """A check by the JSON Schema of workflows that the package check-jsonschema contains; nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_follows_the_schema(path: Path) -> None:
    ran = checked(path)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_schema_finds_mistakes(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8").replace("runs-on:", "run-on:"))

    assert "run-on" in checked(wrong).stdout


def test_both_exist_and_are_named_where_people_look() -> None:
    assert [path.name for path in WORKFLOWS] == ["check.yml", "deploy.yml"]
    for page in ("CONTRIBUTING.md", "docs/deployment.md"):
        text = (ROOT / page).read_text("utf-8")
        assert all(path.name in text for path in WORKFLOWS), page


def test_the_check_runs_what_runs_everywhere_with_a_compiler() -> None:
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8")

    assert "- run: .ci/run\n" in text
    assert 'SPARKLIN_BICEP=$HOME/.azure/bin/bicep" >>"$GITHUB_ENV"' in text


def test_a_deployment_signs_in_without_a_stored_secret_and_starts_by_hand_only() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")

    assert "secrets." not in text
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", text, re.MULTILINE) == ["  contents: read\n  id-token: write\n"]
    assert re.findall(r"^on:\n  (\w+):", text, re.MULTILINE) == ["workflow_dispatch"]
    assert "--federated-credential-provider github" in text


def test_a_deployment_passes_every_parameter_on() -> None:
    """One that is left out would go back to its default."""
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
    asked = re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text("utf-8"))
    (passed,) = re.findall(r'test\("([^"]+)"\)', text)

    assert [name for name in asked if not re.match(passed, name)] == []
