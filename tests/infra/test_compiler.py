"""The Bicep compiler accepts the templates, and its output is the stored one; it never calls Azure."""

import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.compiled import INFRA, ROOT, SNAPSHOTS, TEMPLATE, without_generator

# Each call takes seconds, so one worker makes all of them.
pytestmark = pytest.mark.xdist_group("bicep")

BICEP = ROOT / "scripts" / "bicep"
FOUND = subprocess.run([BICEP, "--version"], capture_output=True, text=True)
needs_compiler = pytest.mark.skipif(
    FOUND.returncode == 127 and "SPARKLIN_BICEP" not in os.environ, reason=FOUND.stderr.strip()
)
PLACE = (
    "--subscription-id", "00000000-0000-0000-0000-000000000001",
    "--tenant-id", "00000000-0000-0000-0000-000000000002",
    "--location", "westeurope",
)  # fmt: skip
REQUIRED = {"AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "westeurope", "PURVIEW_ACCOUNT_NAME": "contoso"}


def bicep(*words: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "SPARKLIN_BICEP")}
    return subprocess.run(
        [str(BICEP), *map(str, words)], env={**inherited, **variables}, capture_output=True, text=True, timeout=300
    )


def findings(ran: "subprocess.CompletedProcess[str]") -> list[str]:
    """The warnings and errors of a run; what only informs is left out."""
    return re.findall(r"^.*\) : (?:Warning|Error) .*$", ran.stderr, re.MULTILINE)


def test_every_rule_is_on_or_has_a_reason_next_to_it() -> None:
    lines = (INFRA / "bicepconfig.json").read_text("utf-8").splitlines()
    rules = [(before, line) for before, line in itertools.pairwise(lines) if '{ "level":' in line]

    assert len(rules) > 40
    assert all('"level": "warning"' in line or before.strip().startswith("//") for before, line in rules)


@pytest.mark.exhaustive
@needs_compiler
def test_the_compiler_and_its_linter_find_nothing() -> None:
    ran = bicep("lint", "--pattern", INFRA / "**" / "*.bicep")

    assert (ran.returncode, findings(ran)) == (0, []), ran.stderr


@pytest.mark.exhaustive
@needs_compiler
def test_the_compiler_finds_what_is_wrong(tmp_path: Path) -> None:
    """Mistakes are planted into a copy, and each is reported."""
    copy = shutil.copytree(INFRA, tmp_path / "infra")
    identity = copy / "modules" / "identity.bicep"
    identity.write_text(identity.read_text().replace("  tags: tags\n", "  tagz: nobody\n"))
    vault = copy / "modules" / "vault.bicep"
    vault.write_text(vault.read_text().replace("enableSoftDelete", "enableSoftDeletion"))

    ran = bicep("lint", "--pattern", copy / "**" / "*.bicep")

    assert {re.sub(r".*(?:Warning|Error) ([\w-]+):.*", r"\1", found) for found in findings(ran)} >= {
        "no-unused-params", "BCP057", "BCP089",
    }, ran.stderr  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("files", ["**/*.bicep", "*.bicepparam"])
def test_the_templates_are_formatted(files: str, tmp_path: Path) -> None:
    copy = shutil.copytree(INFRA, tmp_path / "infra")

    ran = bicep("format", "--pattern", f"{copy}/{files}")

    assert ran.returncode == 0, ran.stderr
    sources = [path.relative_to(INFRA) for path in sorted(INFRA.glob(files))]
    changed = [str(path) for path in sources if (INFRA / path).read_bytes() != (copy / path).read_bytes()]
    assert not changed, "run scripts/bicep format --pattern 'infra/**/*.bicep*'"


@needs_compiler
def test_the_compiled_template_is_that_of_the_sources(tmp_path: Path) -> None:
    ran = bicep("build", INFRA / "main.bicep", "--outfile", tmp_path / "main.json")

    assert ran.returncode == 0, ran.stderr
    made = json.loads((tmp_path / "main.json").read_text("utf-8"))
    assert without_generator(made) == without_generator(json.loads(TEMPLATE.read_text("utf-8"))), "run make template"


@pytest.mark.exhaustive
@needs_compiler
@pytest.mark.parametrize("name", sorted(path.stem for path in SNAPSHOTS.glob("*.bicepparam")))
def test_the_snapshots_are_those_of_the_sources(name: str) -> None:
    group = ["--resource-group", "rg-prod"] if name == "events" else []

    ran = bicep("snapshot", SNAPSHOTS / f"{name}.bicepparam", "--mode", "validate", *PLACE, *group)

    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}\nmake template writes them anew"


@pytest.mark.exhaustive
@needs_compiler
def test_wrong_parameters_are_refused_before_azure_is_asked() -> None:
    wrong = {
        "SPARKLIN_CLOUD": "Azure",
        "SPARKLIN_SETTINGS": '{"LINEAGE_WINDOW_DAY": "14"}',
        "SPARKLIN_NETWORK": "public",
        "SPARKLIN_ALLOWED_ADDRESSES": "[7]",
        "SPARKLIN_ALWAYS_READY": "77",
        "SPARKLIN_INSTANCE_MEMORY": "1024",
        "SPARKLIN_EVENT_RETENTION_DAYS": "3",
        "SPARKLIN_AUDIT_LOG": "yes",
    }

    ran = bicep("build-params", INFRA / "main.bicepparam", "--stdout", **REQUIRED, **wrong)

    lines = (INFRA / "main.bicepparam").read_text("utf-8").splitlines()
    refused = {lines[int(number) - 1] for number in re.findall(r"\.bicepparam\((\d+),\d+\) : Error", ran.stderr)}
    assert ran.returncode == 1
    assert {re.sub(r".*'(SPARKLIN_\w+)'.*", r"\1", line) for line in refused} == wrong.keys()
    assert 'Did you mean "LINEAGE_WINDOW_DAYS"?' in ran.stderr


@pytest.mark.exhaustive
@needs_compiler
def test_parameters_that_do_not_fit_each_other_are_refused_together(tmp_path: Path) -> None:
    given = tmp_path / "x.bicepparam"
    given.write_text(f"""\
using '{os.path.relpath(INFRA / "main.bicep", tmp_path)}'
param environmentName = 'prod'
param location = 'westeurope'
param purviewAccountName = 'contoso'
param purviewAccountId = '/subscriptions/x/resourceGroups/y/providers/Microsoft.Purview/accounts/other'
param network = 'private'
param allowedAddresses = ['203.0.113.7/32']
param alwaysReady = 20
param maximumInstances = 3
param eventRetentionDays = 60
param settings = {{ LINEAGE_WINDOW_DAYS: '60' }}
""")

    ran = bicep("snapshot", given, *PLACE)

    assert ran.returncode == 1
    for problem in (
        "eventRetentionDays must be at least 61",
        "allowedAddresses has no effect with network=private",
        "purviewAccountId is not the id of the account purviewAccountName",
        "alwaysReady must not be more than maximumInstances",
    ):
        assert problem in ran.stdout + ran.stderr


def test_a_compiler_that_is_named_must_exist(tmp_path: Path) -> None:
    ran = bicep("--version", SPARKLIN_BICEP=str(tmp_path / "nowhere"))

    assert ran.returncode == 127
    assert "There is no Bicep compiler" in ran.stderr
