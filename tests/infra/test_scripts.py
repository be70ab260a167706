"""The scripts of infra/ do their steps in order; `az` is a substitute that records its calls.

Neither `az` nor Azure was available: what the real command answers is not checked.
"""

import json
import os
import re
import shlex
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.infra.compiled import azure_guid
from tests.test_deployed_files import ROOT, deployed, is_checkout

INFRA = ROOT / "infra"
OUTPUTS = {
    "AZURE_RESOURCE_GROUP": "rg-x",
    "FUNCTION_APP_NAME": "func-x",
    "STORAGE_ACCOUNT_NAME": "stx",
    "IDENTITY_PRINCIPAL_ID": "id-x",
    "PURVIEW_ENDPOINT": "https://p.purview.azure.com",
}
# Reports a key from the third call on, and keeps the secret that it receives. The environment says what it
# refuses, and whether it ends a deployment of code.
AZ = r"""#!/bin/sh
echo "$*" >>"$AZ_SEEN"
case "$*" in
*"keys list"*) [ "$(grep -c 'keys list' "$AZ_SEEN")" -lt "${AZ_KEY_AT:-3}" ] && echo 0 || echo 56 ;;
*"properties.parameters"*) [ -n "${AZ_PARAMETERS:-}" ] && echo "$AZ_PARAMETERS" ;;
*"sub show"*) cat "$AZ_OUTPUTS" ;;
*"sub create"*) env | grep ^SPARKLIN_ | sort >>"$AZ_SEEN" ;;
*"group create"*) [ "$(grep -c 'group create' "$AZ_SEEN")" -ge "${AZ_SUBSCRIBES_AT:-1}" ] ;;
*"config-zip"*) [ -z "${AZ_NEVER_ENDS:-}" ] || exec sleep 600 ;;
*"group exists"*) echo "${AZ_GROUP_EXISTS:-false}" ;;
*"identity list"*) echo "${AZ_PRINCIPAL:-}" ;;
*"assignment list"*) cat "$AZ_ASSIGNED" ;;
*"secret set"*) cp "$(echo "$*" | sed 's/.*--file \([^ ]*\).*/\1/')" "$AZ_SEEN.secret" ;;
*"functionapp show"*) echo /subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x ;;
esac
"""


class Shell:
    """Runs a script with the substitute for `az`."""

    def __init__(self, folder: Path) -> None:
        self.seen = folder / "seen"
        az = folder / "az"
        az.write_text(AZ)
        az.chmod(0o755)
        outputs = {
            f"{name[:5].lower()}{name[5:]}": {"type": "String", "value": value} for name, value in OUTPUTS.items()
        }
        outputs |= {"EVENT_DELIVERY": {"value": "EventGrid"}, "SPARKLIN_RECEIVER": {"value": "https://f"}}
        (folder / "outputs.json").write_text(json.dumps(outputs))
        self.variables = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AZ_SEEN": str(self.seen),
            "AZ_OUTPUTS": str(folder / "outputs.json"),
            "SUBSCRIBE_PAUSE_SECONDS": "0",
        }

    def run(self, script: Path, *words: str, given: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(script), *words],
            env={**self.variables, **more},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
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


def test_a_failed_handshake_is_tried_again(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS, AZ_KEY_AT="1", AZ_SUBSCRIBES_AT="3")

    assert done.returncode == 0, done.stderr
    assert ["group create" in command for command in shell.commands] == [False, True, True, True]


def test_a_subscription_that_is_never_accepted_ends_with_an_error(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS, AZ_KEY_AT="1", AZ_SUBSCRIBES_AT="1000")

    assert done.returncode == 1
    assert "did not accept the subscription" in done.stderr


def test_a_private_receiver_gets_no_subscription(shell: Shell) -> None:
    done = shell.run(INFRA / "subscribe.sh", **OUTPUTS, EVENT_DELIVERY="timer")

    assert (done.returncode, shell.commands) == (0, [])


def test_the_parameters_of_a_deployment_are_words_for_the_next(shell: Shell) -> None:
    given = {
        "environmentName": {"type": "String", "value": "x"},
        "purviewAccountName": {"type": "String", "value": "p"},
        "network": {"type": "String", "value": "outbound"},
        "SETTINGS": {"type": "Object", "value": {"EXCLUDE_JOBS": "it's *"}},
        "alwaysReady": {"type": "Int", "value": 2},
        "auditLog": {"type": "Bool", "value": True},
        "alertEmail": {"type": "String", "value": ""},
        "former": {"type": "String", "value": "not known any more"},
    }
    done = shell.run(INFRA / "parameters.sh", "x", AZ_PARAMETERS=json.dumps(given))

    words = shlex.split(done.stdout)
    assert words == [
        'settings={"EXCLUDE_JOBS": "it\'s *"}',
        "network=outbound",
        "alwaysReady=2",
        "auditLog=true",
        "alertEmail=",
    ]
    again = shell.run(INFRA / "deploy.sh", "x", "westeurope", "p", *words, AZ_NEVER_ENDS="", DEPLOY_SECONDS="1")
    created = shell.commands.index(next(command for command in shell.commands if "sub create" in command))
    assert 'SPARKLIN_SETTINGS={"EXCLUDE_JOBS": "it\'s *"}' in shell.commands[created:], again.stderr
    assert "SPARKLIN_ALWAYS_READY=2" in shell.commands[created:]


def test_the_outputs_of_a_deployment_are_variables(shell: Shell) -> None:
    done = shell.run(INFRA / "outputs.sh", "x")

    variables = dict(word.split("=", 1) for word in shlex.split(done.stdout))
    assert variables.items() >= {**OUTPUTS, "SPARKLIN_RECEIVER": "https://f", "EVENT_DELIVERY": "EventGrid"}.items()


def test_parameters_of_a_deployment_that_cannot_be_read_are_an_error(shell: Shell) -> None:
    done = shell.run(INFRA / "parameters.sh", "x")
    assert (done.returncode != 0, done.stdout, "Traceback" in done.stderr) == (True, "", False)


@pytest.mark.skipif(not is_checkout(), reason="not a git checkout, so nothing can be packed")
def test_the_package_is_the_app_as_it_is_committed(shell: Shell, tmp_path: Path) -> None:
    done = shell.run(INFRA / "package.sh", str(tmp_path / "app.zip"))

    assert done.returncode == 0, done.stderr
    names = {name for name in zipfile.ZipFile(tmp_path / "app.zip").namelist() if not name.endswith("/")}
    committed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert names == {path.as_posix() for path in deployed()} & set(committed)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The scripts that deploy, with stand-ins of those that are tested alone: they only say that they were called."""
    folder = tmp_path / "infra"
    folder.mkdir()
    for name in ("deploy.sh", "install.sh", "main.bicepparam"):
        (folder / name).write_text((INFRA / name).read_text())
    for name in ("package", "subscribe", "grant", "rename_roles"):
        arguments = (
            "$AZURE_ENV_NAME" if name == "rename_roles" else "$FUNCTION_APP_NAME $IDENTITY_PRINCIPAL_ID $EVENT_DELIVERY"
        )
        call = f'echo "$0 {arguments}" >>"$AZ_SEEN"'
        (folder / f"{name}.sh").write_text(f"#!/bin/sh\n{call}\n[ {name} != grant ] || exit ${{GRANT_CODE:-0}}\n")
    for script in folder.iterdir():
        script.chmod(0o755)
    return folder


def steps(shell: Shell, copies: Path) -> list[str]:
    """What the scripts did: commands of az without their name, and calls of other scripts."""
    return [re.sub(r"--src \S+/", "--src ", command.replace(f"{copies}/", "")) for command in shell.commands]


def test_everything_is_deployed_in_order(shell: Shell, copies: Path) -> None:
    done = shell.run(
        copies / "deploy.sh", "prod", "westeurope", "contoso", "network=outbound", 'allowedAddresses=["203.0.113.7/32"]'
    )

    assert done.returncode == 0, done.stderr
    assert steps(shell, copies) == [
        "rename_roles.sh prod",
        "deployment sub create --name sparklin-prod --location westeurope --parameters main.bicepparam --output none",
        'SPARKLIN_ALLOWED_ADDRESSES=["203.0.113.7/32"]',
        "SPARKLIN_NETWORK=outbound",
        "deployment sub show --name sparklin-prod --query properties.outputs --output json",
        "grant.sh func-x id-x EventGrid",
        "package.sh func-x id-x EventGrid",
        "functionapp deployment source config-zip --resource-group rg-x --name func-x --src app.zip "
        "--build-remote true --output none",
        "subscribe.sh func-x id-x EventGrid",
    ]
    assert "https://f" in done.stderr


def assignment(name: str, scope: str, role: str) -> dict[str, str]:
    group = "/subscriptions/s/resourceGroups/rg-prod"
    roles = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions"
    return {"id": f"{scope}/{name}", "name": name, "scope": group + scope, "roleDefinitionId": f"{roles}/{role}"}


def test_an_update_removes_the_role_assignments_of_the_first_templates_and_no_others(
    shell: Shell, tmp_path: Path
) -> None:
    storage, role, principal = "/providers/Microsoft.Storage/storageAccounts/st1", "974c5e8b", "6f1c-principal"
    whole = f"/subscriptions/s/resourceGroups/rg-prod{storage}"
    old, new = azure_guid(whole, principal, role), azure_guid(whole, "/subscriptions/s/…/id-1", role)
    by_hand, twice = azure_guid("by hand"), azure_guid(whole, principal, "another role")
    assigned = [assignment(name, storage, role) for name in (old, new, by_hand, twice)]
    (tmp_path / "assigned.json").write_text(json.dumps(assigned))
    there = {"AZ_GROUP_EXISTS": "true", "AZ_PRINCIPAL": principal, "AZ_ASSIGNED": str(tmp_path / "assigned.json")}

    done = shell.run(INFRA / "rename_roles.sh", **there, AZURE_ENV_NAME="prod")

    assert done.returncode == 0, done.stderr
    assert shell.commands == [
        "group exists --name rg-prod --output tsv",
        "identity list --resource-group rg-prod --query [].principalId --output tsv",
        f"role assignment list --assignee {principal} --all --output json",
        f"role assignment delete --ids {storage}/{old}",
    ]


def test_a_first_deployment_has_no_roles_to_rename(shell: Shell) -> None:
    done = shell.run(INFRA / "rename_roles.sh", SPARKLIN_RESOURCE_GROUP_NAME="rg-lineage")

    assert (done.returncode, shell.commands) == (0, ["group exists --name rg-lineage --output tsv"])


def test_an_update_leaves_keys_alone(shell: Shell, copies: Path) -> None:
    """Function keys and the key of the subscription are in the host's account, which no update replaces."""
    for _ in range(2):
        assert shell.run(copies / "deploy.sh", "prod", "westeurope", "contoso").returncode == 0

    assert not [step for step in steps(shell, copies) if re.search(r"keys? (set|delete|renew)|delete|purge", step)]


def test_without_the_role_no_events_flow(shell: Shell, copies: Path) -> None:
    done = shell.run(copies / "install.sh", "sparklin-prod", GRANT_CODE="1")

    assert done.returncode == 1
    assert [step.split()[0] for step in steps(shell, copies)] == ["deployment", "grant.sh"]
    assert "PURVIEW_GRANT=done infra/install.sh sparklin-prod" in done.stderr


def test_a_role_that_somebody_else_granted_is_not_requested(shell: Shell) -> None:
    done = shell.run(INFRA / "grant.sh", **OUTPUTS, PURVIEW_GRANT="done")

    assert (done.returncode, shell.commands) == (0, [])


def test_an_az_that_waits_for_ever_is_stopped(shell: Shell, copies: Path) -> None:
    done = shell.run(copies / "install.sh", "sparklin-prod", AZ_NEVER_ENDS="1", DEPLOY_LIMIT_SECONDS="1")

    assert done.returncode == 0, done.stderr
    assert "did not end within 1 s" in done.stderr
    assert steps(shell, copies)[-1] == "subscribe.sh func-x id-x EventGrid"


@pytest.mark.parametrize("wrong", ["netwrok=outbound", "network", "location=x"])
def test_a_parameter_that_does_not_exist_is_refused(wrong: str, shell: Shell) -> None:
    done = shell.run(INFRA / "deploy.sh", "prod", "westeurope", "contoso", wrong)

    assert (done.returncode, shell.commands) == (2, [])
    assert wrong in done.stderr


def test_a_deployment_says_what_it_needs(shell: Shell) -> None:
    done = shell.run(INFRA / "deploy.sh", "prod")

    assert (done.returncode, shell.commands) == (2, [])
    assert "infra/deploy.sh ENVIRONMENT LOCATION PURVIEW_ACCOUNT" in done.stderr


def test_a_secret_is_stored_without_its_line_break_and_read_again_at_once(shell: Shell, tmp_path: Path) -> None:
    names = {**OUTPUTS, "VAULT_NAME": "kv-x"}

    done = shell.run(INFRA / "secret.sh", given="s3cr=t\n", **names)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen.secret").read_bytes() == b"s3cr=t"
    assert [re.sub(r"--file \S+", "--file F", command) for command in shell.commands] == [
        "keyvault secret set --vault-name kv-x --name purview-client-secret --file F --encoding utf-8 --output none",
        "functionapp show --resource-group rg-x --name func-x --query id --output tsv",
        "rest --method post --url /subscriptions/s/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x/config/"
        "configreferences/appsettings/refresh?api-version=2022-03-01 --output none",
    ]
    assert not re.search("s3cr", done.stdout + done.stderr + shell.seen.read_text())


def test_an_empty_secret_is_refused(shell: Shell) -> None:
    done = shell.run(INFRA / "secret.sh", given="\n", **OUTPUTS, VAULT_NAME="kv-x")

    assert (done.returncode, shell.commands) == (2, [])
