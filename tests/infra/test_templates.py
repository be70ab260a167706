"""The deployed resources have names that Azure accepts, and all that the code needs. They were never deployed."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.tasks.purge_runs import shortest_retention
from core import naming
from core.settings import Settings
from pipeline.services import Services
from storage import clients
from tests.contract.test_worker_indexing import EXPECTED as FUNCTIONS
from tests.infra.compiled import (
    INFRA,
    MODES,
    ROOT,
    account,
    last_names,
    only,
    resources,
    snapshot,
    template,
)  # fmt: skip

# What Azure accepts as names; our other names are fixed words or roles' identifiers.
NAMES = {
    "Microsoft.EventHub/namespaces": r"[a-zA-Z][a-zA-Z0-9-]{4,48}[a-zA-Z0-9]",
    "Microsoft.EventHub/namespaces/eventhubs": r"[a-zA-Z0-9][\w.-]{0,255}",
    "Microsoft.EventHub/namespaces/eventhubs/authorizationRules": r"[a-zA-Z0-9][\w.-]{0,49}",
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups": r"[a-zA-Z0-9][\w.-]{0,49}",
    "Microsoft.Insights/actionGroups": r"[\w.-]{1,260}",
    "Microsoft.Insights/components": r"[\w().-]{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r"[\w.-]{1,260}",
    "Microsoft.KeyVault/vaults": r"[a-zA-Z](?:[a-zA-Z0-9]|-(?!-)){1,22}[a-zA-Z0-9]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[a-zA-Z0-9][\w-]{2,127}",
    "Microsoft.Network/privateEndpoints": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/virtualNetworks": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/tableServices/tables": r"[A-Za-z][A-Za-z0-9]{2,62}",
    "Microsoft.Web/serverfarms": r"[a-zA-Z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[a-zA-Z0-9][a-zA-Z0-9-]{0,58}[a-zA-Z0-9]",
}
FIXED = {
    "Microsoft.Authorization/roleAssignments", "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/managementPolicies", "Microsoft.Storage/storageAccounts/queueServices",
    "Microsoft.Storage/storageAccounts/tableServices", "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
}  # fmt: skip


def triggers(kind: str) -> dict[str, dict[str, Any]]:
    """The triggers of a kind in function_app.py, by function."""
    return {name: each for name, bindings in FUNCTIONS.items() for each in bindings if each["type"] == kind}


@pytest.mark.parametrize("mode", MODES)
def test_names_are_within_azures_limits(mode: str) -> None:
    for each in resources(mode):
        name = each["name"].rpartition("/")[2]
        pattern = NAMES.get(each["type"])
        assert pattern or each["type"] in FIXED, f"what names may a {each['type']} have?"
        assert not pattern or re.fullmatch(pattern, name), f"{each['type']} {name}"


@pytest.mark.parametrize("name", [*MODES, "events"])
def test_everything_is_known_before_anything_is_deployed(name: str) -> None:
    assert snapshot(name)["diagnostics"] == []


@pytest.mark.parametrize("of_code", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_storage_has_no_keys_and_is_public_only_without_a_network(mode: str, of_code: bool) -> None:
    found = account(mode, of_code=of_code)["properties"]

    assert found == {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "publicNetworkAccess": "Enabled" if mode == "none" else "Disabled",
        "networkAcls": {"defaultAction": "Allow" if mode == "none" else "Deny", "bypass": "AzureServices"},
    }


@pytest.mark.parametrize("mode", MODES)
def test_storage_has_what_the_code_makes_and_the_triggers_listen_to(mode: str) -> None:
    of_events = account(mode)["name"]
    containers = resources(mode, "Microsoft.Storage/storageAccounts/blobServices/containers")
    listened = {each["queueName"] for each in triggers("queueTrigger").values()}

    assert [each["name"] for each in containers] == [
        *(f"{of_events}/default/{name}" for name in clients.CONTAINERS),
        f"{account(mode, of_code=True)['name']}/default/app-package",
    ]
    assert {each["properties"]["publicAccess"] for each in containers} == {"None"}
    assert last_names(mode, "Microsoft.Storage/storageAccounts/tableServices/tables") == list(clients.TABLES)
    queues = last_names(mode, "Microsoft.Storage/storageAccounts/queueServices/queues")
    assert set(queues) == listened | {clients.RETRY_QUEUE}


def test_only_old_events_are_deleted() -> None:
    policy = only("none", "Microsoft.Storage/storageAccounts/managementPolicies")
    (rule,) = policy["properties"]["policy"]["rules"]

    assert policy["name"].startswith(account("none")["name"])
    assert rule["definition"]["filters"]["prefixMatch"] == [f"{naming.CONTAINER}/{naming.FOLDER}"]
    assert rule["definition"]["actions"] == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 365}}}


@pytest.mark.parametrize(
    "settings",
    [{}, {"LINEAGE_WINDOW_DAYS": "60"}, {"SETTLE_AFTER_MINUTES": "50000"}, {"LINEAGE_WINDOW_DAYS": "0"}],
    ids=["defaults", "long window", "late settling", "no window"],
)
def test_no_event_is_deleted_that_the_app_still_reads(settings: dict[str, str]) -> None:
    """``leastRetention`` of main.bicep, worked out here as there."""
    services = cast(Services, SimpleNamespace(settings=Settings.offline(settings)))
    window, settle = (int(settings.get(name, value)) for name, value in DEFAULTS.items())

    assert max(14 + (settle + 1439) // 1440, window) + 1 >= shortest_retention(services).days


DEFAULTS = {"LINEAGE_WINDOW_DAYS": "30", "SETTLE_AFTER_MINUTES": "1440"}


def test_the_least_retention_is_worked_out_from_the_defaults_of_the_app() -> None:
    formula = template()["variables"]["leastRetention"]
    settle = template()["variables"]["settleDays"]

    assert formula == (
        "[add(max(add(14, variables('settleDays')), "
        "int(coalesce(tryGet(parameters('settings'), 'LINEAGE_WINDOW_DAYS'), '30'))), 1)]"
    )
    assert (
        settle
        == "[div(add(int(coalesce(tryGet(parameters('settings'), 'SETTLE_AFTER_MINUTES'), '1440')), 1439), 1440)]"
    )
    assert {name: str(getattr(Settings.offline({}), name.lower())) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("mode", "policy"), [("none", {"enabled": True, "days": 7}), ("private", {"enabled": False})], ids=["7", "0"]
)
def test_deleted_blobs_and_containers_can_be_restored_for_some_days(mode: str, policy: dict[str, Any]) -> None:
    for each in resources(mode, "Microsoft.Storage/storageAccounts/blobServices"):
        assert each["properties"] == {"deleteRetentionPolicy": policy, "containerDeleteRetentionPolicy": policy}


def audited(mode: str) -> dict[str, set[str]]:
    """The categories that are logged, by what they are logged of."""
    found = resources(mode, "Microsoft.Insights/diagnosticSettings")
    return {
        each["id"].partition("/providers/Microsoft.Insights")[0].partition("/providers/")[2]: {
            log["category"] for log in each["properties"]["logs"] if log["enabled"]
        }
        for each in found
    }


def test_who_reads_what_is_logged_if_wished() -> None:
    storage = {"StorageRead", "StorageWrite", "StorageDelete"}
    events, code = (account("private", of_code=of_code)["name"] for of_code in (False, True))

    assert audited("none") == {}
    assert audited("private") == {
        f"Microsoft.Storage/storageAccounts/{events}/blobServices/default": storage,
        f"Microsoft.Storage/storageAccounts/{events}/tableServices/default": storage,
        f"Microsoft.Storage/storageAccounts/{events}/queueServices/default": storage,
        f"Microsoft.Storage/storageAccounts/{code}/blobServices/default": storage,
        f"Microsoft.KeyVault/vaults/{only('private', 'Microsoft.KeyVault/vaults')['name']}": {"AuditEvent"},
    }
    # Every read of the secret is logged: that is one read a day.
    assert len(audited("outbound")) == 1


def subscription() -> Any:
    return only("events", "Microsoft.EventGrid/systemTopics/eventSubscriptions")["properties"]


def test_event_grid_sends_the_events_that_the_code_names() -> None:
    name = naming.EventName("r", datetime(2024, 1, 1, tzinfo=UTC), "START", "0" * 16).blob
    filters = subscription()["filter"]

    assert filters == {
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
        "subjectBeginsWith": f"/blobServices/default/containers/{naming.CONTAINER}/blobs/{naming.FOLDER}",
        "subjectEndsWith": ".json",
    }
    assert name.startswith(naming.FOLDER)
    assert name.endswith(filters["subjectEndsWith"])


def test_event_grid_calls_the_blob_trigger() -> None:
    ((function, trigger),) = triggers("blobTrigger").items()

    assert trigger["path"].startswith(f"{naming.CONTAINER}/")
    assert (
        f"?functionName=Host.Functions.{function}&code={{1}}'"
        in subscription()["destination"]["properties"]["endpointUrl"]
    )


def test_event_grid_tries_for_a_day() -> None:
    assert subscription()["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 24 * 60}


def test_every_parameter_can_be_given_in_the_environment() -> None:
    given = (INFRA / "main.bicepparam").read_text("utf-8")

    assert re.findall(r"^param (\w+) =", given, re.MULTILINE) == list(template()["parameters"])


def test_azd_finds_the_service_and_the_hooks() -> None:
    text = (ROOT / "azure.yaml").read_text("utf-8")
    (service,) = re.findall(r"^services:\n  (\w+):$", text, re.MULTILINE)

    assert only("none", "Microsoft.Web/sites")["tags"] == {"azd-env-name": "prod", "azd-service-name": service}
    assert only("none", "Microsoft.Web/sites")["kind"] == "functionapp,linux"
    hooks = re.findall(r"^ +run: (\S+)$", text, re.MULTILINE)
    assert hooks == ["infra/rename_roles.sh", "infra/grant.sh", "infra/subscribe.sh"]
    assert all((ROOT / hook).is_file() for hook in hooks)


def test_the_page_explains_every_parameter() -> None:
    choices = (ROOT / "docs" / "deployment.md").read_text("utf-8").partition("## Choices")[2].partition("\n## ")[0]
    listed = {
        name for row in re.findall(r"^\| (`.*?) \|", choices, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    asked_before = {"environmentName", "location", "resourceGroupName", "purviewAccountName"}

    assert listed == template()["parameters"].keys() - asked_before
