"""Who gets access from the templates, and from where: roles, outputs, networks. They were never deployed."""

import json
import re
from typing import Any

import pytest

from tests.infra.compiled import (
    MODES,
    ROOT,
    Resource,
    account,
    azure_guid,
    last_names,
    only,
    resources,
    site,
    snapshot,
    template,
)  # fmt: skip

HUBS = "Microsoft.EventHub/namespaces"
ROLES = {
    "a638d3c7-ab3a-418d-83e6-5f17a39d4fde": "Azure Event Hubs Data Receiver",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
}


def granted(mode: str) -> set[tuple[str, str]]:
    """The role assignments, each as the kind of its scope and the role."""
    found = set()
    for each in resources(mode, "Microsoft.Authorization/roleAssignments"):
        scope = each["id"].partition("/providers/Microsoft.Authorization")[0].partition("/providers/")[2]
        role = each["properties"]["roleDefinitionId"].rpartition("/")[2]
        found.add((scope, ROLES[role]))
    return found


@pytest.mark.parametrize("mode", MODES)
def test_the_apps_identity_has_these_roles_and_no_others(mode: str) -> None:
    events, code = (
        f"Microsoft.Storage/storageAccounts/{account(mode, of_code=each)['name']}" for each in (False, True)
    )
    insights = only(mode, "Microsoft.Insights/components")["name"]
    vaults = resources(mode, "Microsoft.KeyVault/vaults")
    hubs = [each["id"].partition("/providers/")[2] for each in resources(mode, f"{HUBS}/eventhubs")]

    assert bool(hubs) == (mode == "outbound")
    assert granted(mode) == {
        *((hub, "Azure Event Hubs Data Receiver") for hub in hubs),
        (events, "Storage Blob Data Owner"),
        (events, "Storage Queue Data Contributor"),
        (events, "Storage Table Data Contributor"),
        (f"{code}/blobServices/default/containers/app-package", "Storage Blob Data Contributor"),
        (f"Microsoft.Insights/components/{insights}", "Monitoring Metrics Publisher"),
        *((f"Microsoft.KeyVault/vaults/{vault['name']}", "Key Vault Secrets User") for vault in vaults),
    }
    assigned = resources(mode, "Microsoft.Authorization/roleAssignments")
    assert {each["properties"]["principalType"] for each in assigned} == {"ServicePrincipal"}
    identity = only(mode, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    assert {each["properties"]["principalId"] for each in assigned} == {
        f"[reference('{identity}', '2024-11-30').principalId]"
    }


@pytest.mark.parametrize("mode", MODES)
def test_the_names_of_role_assignments_stay(mode: str) -> None:
    """Azure refuses the same role under another name, so a change needs a step like infra/rename_roles.sh."""
    identity = only(mode, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    for each in resources(mode, "Microsoft.Authorization/roleAssignments"):
        scope = each["id"].partition("/providers/Microsoft.Authorization")[0]
        role = each["properties"]["roleDefinitionId"].rpartition("/")[2]
        assert each["name"] == azure_guid(scope, identity, role)


def test_the_page_lists_the_roles_that_the_templates_give() -> None:
    page = (ROOT / "docs" / "access.md").read_text("utf-8")
    rows = page.partition("| the app (managed identity) |")[2].partition("\n| Event Grid |")[0].splitlines()
    roles = {row.split("|")[-3].strip() for row in rows}

    assert roles == {role for _, role in granted("outbound")} | {"Data Curator", "Data Reader"}


def test_telemetry_needs_an_identity() -> None:
    assert only("none", "Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True


def test_outputs_are_what_the_scripts_read_and_hold_no_secret() -> None:
    outputs = snapshot("outbound")["outputs"]

    assert outputs.keys() == {
        "AZURE_RESOURCE_GROUP", "FUNCTION_APP_NAME", "STORAGE_ACCOUNT_NAME", "IDENTITY_PRINCIPAL_ID", "VAULT_NAME",
        "EVENT_DELIVERY", "SPARKLIN_RECEIVER", "PURVIEW_ENDPOINT", "LINEAGE_STORAGE__blobServiceUri",
        "LINEAGE_STORAGE__queueServiceUri", "LINEAGE_STORAGE__tableServiceUri",
    }  # fmt: skip
    assert not re.search(r"list\w*\(|ConnectionString|InstrumentationKey|AccountKey", json.dumps(outputs))
    assert [snapshot(mode)["outputs"]["EVENT_DELIVERY"] for mode in MODES] == ["EventGrid", "EventGrid", "timer"]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_reads_a_key(mode: str) -> None:
    assert not re.search(r"list(?:\w*Keys|\w*Secrets|\w*Sas)\w*\(", json.dumps(snapshot(mode)))


def test_the_subnet_of_the_app_is_delegated_to_container_apps() -> None:
    network = only("outbound", "Microsoft.Network/virtualNetworks")
    app, endpoints = network["properties"]["subnets"]

    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    assert app["properties"]["addressPrefix"] == "10.240.0.0/26"
    assert endpoints["properties"]["addressPrefix"] == "10.240.0.64/27"
    assert site("outbound")["virtualNetworkSubnetId"] == f"{network['id']}/subnets/app"


@pytest.mark.parametrize(
    ("mode", "public"),
    [
        ("none", {"Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"}),
        ("outbound", {"Microsoft.Web/sites"}),
        ("private", set()),
    ],
)
def test_what_may_be_reached_from_everywhere(mode: str, public: set[str]) -> None:
    access = [(each["type"], each.get("properties", {}).get("publicNetworkAccess")) for each in resources(mode)]

    assert {kind for kind, how in access if how == "Enabled"} == public
    assert {how for kind, how in access if kind not in public} <= {None, "Disabled"}


def test_access_rules_let_event_grid_in_with_spark() -> None:
    config = site("outbound")["siteConfig"]

    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert [(each["ipAddress"], each.get("tag"), each["action"]) for each in config["ipSecurityRestrictions"]] == [
        ("AzureEventGrid", "ServiceTag", "Allow"),
        ("203.0.113.7/32", None, "Allow"),
        ("198.51.100.0/24", None, "Allow"),
    ]
    assert site("none")["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Allow"


def zone_of(group: Resource) -> str:
    """The zone of a private endpoint's entry; that of storage is an expression."""
    (found,) = group["properties"]["privateDnsZoneConfigs"]
    zone: str = found["properties"]["privateDnsZoneId"]
    if zone.startswith("["):
        return zone.partition("'Microsoft.Network/privateDnsZones', ")[2].removesuffix(")]")
    return zone.rpartition("/")[2]


def test_private_endpoints_are_found_under_their_services_names() -> None:
    groups = resources("outbound", "Microsoft.Network/privateEndpoints/privateDnsZoneGroups")

    def storage(service: str) -> str:
        return f"format('privatelink.{{0}}.{{1}}', '{service}', environment().suffixes.storage)"

    assert {each["name"].split("-")[1]: zone_of(each) for each in groups} == {
        "blob": storage("blob"),
        "queue": storage("queue"),
        "table": storage("table"),
        "package": storage("blob"),
        "purview": "privatelink.purview.azure.com",
        "vault": "privatelink.vaultcore.azure.net",
    }
    made = last_names("outbound", "Microsoft.Network/privateDnsZones")
    assert {zone_of(each) for each in groups} == {name.strip("[]") for name in made}


def deployments() -> dict[str, Any]:
    found: dict[str, Any] = template()["resources"]
    return {name: each for name, each in found.items() if each["type"] == "Microsoft.Resources/deployments"}


def test_private_endpoints_are_made_one_after_the_other() -> None:
    """A storage account refuses a second one while it creates the first."""
    endpoints = deployments()["privateEndpoints"]

    assert (endpoints["copy"]["mode"], endpoints["copy"]["batchSize"]) == ("serial", 1)
    assert "privateEndpoints" in deployments()["app"]["dependsOn"]
    assert deployments()["receiverEndpoint"]["dependsOn"] == ["app", "group"]
    made = {name: json.dumps(each["properties"]["template"]["resources"]) for name, each in deployments().items()}
    assert [name for name, text in made.items() if '"Microsoft.Network/privateEndpoints"' in text] == [
        "privateEndpoints",
        "receiverEndpoint",
    ]


def test_two_installations_in_a_group_keep_their_deployments_apart() -> None:
    assert all("uniqueString(" in each["name"] for each in deployments().values())
