"""The scripts of infra/ do their steps in order; `az` is a stand-in that writes down what it is asked.

Neither `az` nor Azure was at hand: what the real command answers is not checked.
"""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.test_deployed_files import ROOT, deployed, is_checkout

INFRA = ROOT / "infra"
OUTPUTS = {
    "AZURE_RESOURCE_GROUP": "rg-x",
    "FUNCTION_APP_NAME": "func-x",
    "STORAGE_ACCOUNT_NAME": "stx",
    "IDENTITY_PRINCIPAL_ID": "id-x",
    "PURVIEW_ENDPOINT": "https://p.purview.azure.com",
}
# Says how long the key is, from the third time on.
AZ = """\
#!/bin/sh
echo "$*" >>"$AZ_SEEN"
case "$*" in
*"keys list"*) [ "$(grep -c 'keys list' "$AZ_SEEN")" -lt "${AZ_KEY_AT:-3}" ] && echo 0 || echo 56 ;;
*"sub show"*) cat "$AZ_OUTPUTS" ;;
esac
"""


class Shell:
    """Runs a script with the stand-in of `az`."""

    def __init__(self, folder: Path) -> None:
        self.seen = folder / "seen"
        az = folder / "az"
        az.write_text(AZ)
        az.chmod(0o755)
        outputs = {f"{name[:5].lower()}{name[5:]}": {"type": "String", "value": told} for name, told in OUTPUTS.items()}
        outputs |= {"EVENT_DELIVERY": {"value": "EventGrid"}, "SPARKLIN_RECEIVER": {"value": "https://f"}}
        (folder / "outputs.json").write_text(json.dumps(outputs))
        self.variables = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AZ_SEEN": str(self.seen),
            "AZ_OUTPUTS": str(folder / "outputs.json"),
            "SUBSCRIBE_PAUSE_SECONDS": "0",
        }

    def run(self, script: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(script), *words], env={**self.variables, **more}, capture_output=True, text=True, timeout=120
        )

    @property
    def commands(self) -> list[str]:
        return self.seen.read_text().splitlines() if self.seen.exists() else []


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("script", sorted(INFRA.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_sound_and_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["sh", "-n", str(script)]).returncode == 0


def test_the_subscription_waits_for_the_key(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS)

    assert done.returncode == 0, done.stderr
    assert ["keys list" in command for command in shell.commands] == [True, True, True, False]
    assert shell.commands[-1] == (
        "deployment group create --name sparklin-events --resource-group rg-x --template-file infra/events.bicep "
        "--parameters functionAppName=func-x storageAccountName=stx --output none"
    )


def test_an_app_that_does_not_start_is_not_waited_for_for_ever(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS, AZ_KEY_AT="1000")

    assert done.returncode == 1
    assert "its code has not started" in done.stderr
    assert not any("create" in command for command in shell.commands)


def test_a_private_receiver_gets_no_subscription(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS, EVENT_DELIVERY="timer")

    assert (done.returncode, shell.commands) == (0, [])


@pytest.mark.skipif(not is_checkout(), reason="not a git checkout, so nothing can be packed")
def test_the_package_is_the_app_as_it_is_committed(shell: Shell, tmp_path: Path) -> None:
    done = shell.run(INFRA / "package.sh", str(tmp_path / "app.zip"))

    assert done.returncode == 0, done.stderr
    names = {name for name in zipfile.ZipFile(tmp_path / "app.zip").namelist() if not name.endswith("/")}
    committed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert names == {path.as_posix() for path in deployed()} & set(committed)


def test_everything_is_deployed_in_order(shell: Shell, tmp_path: Path) -> None:
    """Run on copies, of which those that are tested above or below only say that they were called."""
    copies = tmp_path / "infra"
    copies.mkdir()
    (copies / "deploy.sh").write_text((INFRA / "deploy.sh").read_text())
    for name in ("package", "subscribe", "grant"):
        told = 'echo "$0 $FUNCTION_APP_NAME $IDENTITY_PRINCIPAL_ID $EVENT_DELIVERY" >>"$AZ_SEEN"'
        (copies / f"{name}.sh").write_text(f"#!/bin/sh\n{told}\n")
    for script in copies.iterdir():
        script.chmod(0o755)

    done = shell.run(copies / "deploy.sh", "prod", "westeurope", "contoso", "network=outbound")

    assert done.returncode == 0, done.stderr
    steps = [command.replace(f"{copies}/", "") for command in shell.commands]
    assert steps[0] == (
        "deployment sub create --name sparklin-prod --location westeurope --template-file main.bicep --parameters "
        "environmentName=prod location=westeurope purviewAccountName=contoso network=outbound --output none"
    )
    assert [step.split()[0] for step in steps] == [
        "deployment", "deployment", "package.sh", "functionapp", "subscribe.sh", "grant.sh",
    ]  # fmt: skip
    assert steps[-1] == "grant.sh func-x id-x EventGrid"
    assert "https://f" in done.stderr


def test_a_deployment_says_what_it_needs(shell: Shell) -> None:
    done = shell.run(INFRA / "deploy.sh", "prod")

    assert (done.returncode, shell.commands) == (2, [])
    assert "infra/deploy.sh ENVIRONMENT LOCATION PURVIEW_ACCOUNT" in done.stderr
