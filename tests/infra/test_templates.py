"""The templates of infra/ are sound Bicep, and say what the code says. They were never deployed."""

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.tasks.purge_runs import shortest_retention
from core import naming
from core.settings import Settings
from pipeline.services import Services
from storage import clients
from tests.contract.test_worker_indexing import EXPECTED as FUNCTIONS
from tests.infra.bicep import Declaration, nodes, of_kind, parse, properties, resources, string, text, value
from tests.infra.checker import faults

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
MODULES = INFRA / "modules"
FILES = sorted(INFRA.rglob("*.bicep"))

# Those of the reference pages at the time of writing; a newer one is taken on purpose, and everywhere.
VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/scheduledQueryRules": "2022-06-15",
    "Microsoft.KeyVault/vaults": "2024-11-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/resourceGroups": "2024-11-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Web/serverfarms": "2025-03-01",
    "Microsoft.Web/sites": "2025-03-01",
}
ROLES = {
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
# Settings that Flex Consumption has in functionAppConfig, or does not take.
NOT_ON_FLEX = re.compile(
    "FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|SCM_DO_BUILD_DURING_DEPLOYMENT|"
    "ENABLE_ORYX_BUILD|WEBSITE_CONTENT|WEBSITE_TIME_ZONE|linuxFxVersion"
)


def resource(file: Path, type_name: str) -> Declaration:
    (found,) = (each for name, each in resources(parse(file)) if name == type_name and not each.is_existing)
    return found


def body(file: Path, type_name: str) -> Any:
    return value(resource(file, type_name).body)


def triggers(kind: str) -> dict[str, dict[str, Any]]:
    """The triggers of a kind in function_app.py, by function."""
    return {name: each for name, bindings in FUNCTIONS.items() for each in bindings if each["type"] == kind}


def variable(file: Path, name: str) -> Any:
    return value(of_kind(file, "var")[name].node.named_children[-1])


def default(name: str) -> Any:
    return value(of_kind(INFRA / "main.bicep", "param")[name].node.named_children[-1])


def decorated(name: str, decorator: str) -> Any:
    """The argument of a decorator of a parameter of main.bicep."""
    before = of_kind(INFRA / "main.bicep", "param")[name].node.prev_named_sibling
    assert before is not None
    calls = {text(each.named_children[0]): each for each in nodes(before) if each.type == "call_expression"}
    return value(calls[decorator].named_children[1].named_children[0])


def test_the_templates_are_sound() -> None:
    found = faults(INFRA, VERSIONS)

    assert not found, "\n".join(found)


def test_no_other_version_is_known_than_is_used() -> None:
    used = {name for file in FILES for name, each in resources(parse(file)) if "@" in each.head}
    assert used == VERSIONS.keys()


# --- storage


def test_storage_takes_no_keys_and_nothing_public() -> None:
    account = body(MODULES / "storage.bicep", "Microsoft.Storage/storageAccounts")["properties"]

    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["networkAcls"] == {"defaultAction": "=isPublic ? 'Allow' : 'Deny'", "bypass": "AzureServices"}
    assert account["publicNetworkAccess"] == "=isPublic ? 'Enabled' : 'Disabled'"


def test_storage_has_what_the_code_makes_and_the_triggers_listen_to() -> None:
    file = MODULES / "storage.bicep"
    listened = {each["queueName"] for each in triggers("queueTrigger").values()}

    assert variable(file, "containers") == list(clients.CONTAINERS)
    assert variable(file, "tables") == list(clients.TABLES)
    assert set(variable(file, "queues")) == listened | {clients.RETRY_QUEUE}


def test_old_events_go_and_nothing_else() -> None:
    policy = body(MODULES / "storage.bicep", "Microsoft.Storage/storageAccounts/managementPolicies")
    (rule,) = policy["properties"]["policy"]["rules"]

    assert rule["definition"]["filters"]["prefixMatch"] == [f"{naming.CONTAINER}/{naming.FOLDER}"]
    assert rule["definition"]["actions"] == {
        "baseBlob": {"delete": {"daysAfterModificationGreaterThan": "=eventRetentionDays"}}
    }


def test_no_event_goes_that_the_app_still_looks_at() -> None:
    services = cast(Services, SimpleNamespace(settings=Settings.offline({})))

    assert decorated("eventRetentionDays", "minValue") == shortest_retention(services).days


# --- identity


@pytest.mark.parametrize(
    ("file", "variables", "scopes"),
    [
        ("roles.bicep", {"storageRoles": 3, "insightsRoles": 1}, {"storage", "insights"}),
        ("vault.bicep", {"roles": 1}, {"vault"}),
    ],
)
def test_roles_are_what_they_are_called_and_reach_one_resource(
    file: str, variables: dict[str, int], scopes: set[str]
) -> None:
    assigned = [each for name, each in resources(parse(MODULES / file)) if name.endswith("/roleAssignments")]

    for name, number in variables.items():
        given = variable(MODULES / file, name)
        assert len(given) == number
        assert given.items() <= ROLES.items()
    assert {value(each.body)["scope"] for each in assigned} == {f"={scope}" for scope in scopes}
    assert {value(each.body)["properties"]["principalType"] for each in assigned} == {"ServicePrincipal"}


def test_telemetry_needs_an_identity() -> None:
    component = body(MODULES / "monitoring.bicep", "Microsoft.Insights/components")["properties"]

    assert component["DisableLocalAuth"] is True


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_output_holds_a_secret(file: Path) -> None:
    for name, output in of_kind(file, "output").items():
        assert not re.search(r"\blist\w*\(|ConnectionString|InstrumentationKey|(?i:password|secret)", text(output.node))
        assert not re.search("(?i:key|secret|connectionstring)", name)


def test_only_the_second_step_reads_a_key() -> None:
    assert [file.name for file in FILES if re.search(r"\blist\w*\(", file.read_text("utf-8"))] == ["events.bicep"]


# --- the app


def site() -> Any:
    return body(MODULES / "function.bicep", "Microsoft.Web/sites")["properties"]


def test_the_app_runs_on_flex_consumption() -> None:
    plan = body(MODULES / "function.bicep", "Microsoft.Web/serverfarms")
    config = site()["functionAppConfig"]

    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert (site()["httpsOnly"], site()["siteConfig"]["minTlsVersion"]) == (True, "1.2")


def test_the_app_scales_to_what_both_ends_bear() -> None:
    scale = site()["functionAppConfig"]["scaleAndConcurrency"]

    assert scale["maximumInstanceCount"] == "=maximumInstances"
    assert scale["alwaysReady"] == "=alwaysReady > 0 ? [{ name: 'http', instanceCount: alwaysReady }] : []"
    assert scale["triggers"]["http"] == {"perInstanceConcurrency": "=httpConcurrency"}
    assert variable(MODULES / "function.bicep", "httpConcurrency") == 16
    assert [default(name) for name in ("maximumInstances", "alwaysReady", "instanceMemory")] == [40, 1, 2048]


def app_settings(kind: str) -> set[str]:
    return set(variable(MODULES / "function.bicep", kind))


def optional_settings() -> set[str]:
    return set(properties(of_kind(INFRA / "main.bicep", "type")["optionalSettings"].node.named_children[-1]))


def test_the_settings_that_are_set_are_enough_and_no_others_are_set() -> None:
    environment = dict.fromkeys(app_settings("ownSettings"), "https://x")

    storage = Settings.from_env(environment).lineage_storage

    assert {storage.blob_uri, storage.queue_uri, storage.table_uri, storage.client_id} == {"https://x"}
    # The host alone reads __credential; everything else is required, or part of how storage is reached.
    parts = ("blobServiceUri", "queueServiceUri", "tableServiceUri", "credential", "clientId")
    assert environment.keys() == {"PURVIEW_ENDPOINT", *(f"LINEAGE_STORAGE__{part}" for part in parts)}


def test_every_other_setting_can_be_passed() -> None:
    # Without a token Purview lets nobody in, and the plan knows no other source than Event Grid, the default.
    not_on_azure = {"PURVIEW_AUTH", "BLOB_TRIGGER_SOURCE"}
    every = {field.name.upper() for field in dataclasses.fields(Settings)}

    assert optional_settings() == every - not_on_azure - {"PURVIEW_ENDPOINT", "LINEAGE_STORAGE"}, (
        "bring optionalSettings in infra/main.bicep in line with core/settings.py"
    )
    assert body(MODULES / "function.bicep", "Microsoft.Web/sites/config") == {
        "name": "appsettings",
        "properties": "=union(hostSettings, ownSettings, credentialSettings, settings)",
    }


def test_the_host_is_told_what_it_reads() -> None:
    storage = {f"AzureWebJobsStorage__{part}ServiceUri" for part in ("blob", "queue", "table")}
    identity = {"AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId"}
    insights = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}

    assert app_settings("hostSettings") == storage | identity | insights | {"PYTHON_THREADPOOL_THREAD_COUNT"}
    assert not any(NOT_ON_FLEX.search(file.read_text("utf-8")) for file in FILES)


def test_the_credential_of_purview_is_the_identity_or_comes_from_the_vault() -> None:
    told = variable(MODULES / "function.bicep", "credentialSettings")

    assert set(re.findall(r"\bAZURE_\w+", told)) == {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"}
    assert "AZURE_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/purview-client-secret)'" in told
    assert site()["keyVaultReferenceIdentity"] == "=identity.id"


# --- the network


def test_the_subnet_of_the_app_is_delegated_to_container_apps() -> None:
    app, endpoints = body(MODULES / "network.bicep", "Microsoft.Network/virtualNetworks")["properties"]["subnets"]

    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    assert app["properties"]["addressPrefix"] == "=cidrSubnet(addressRange, 26, 0)"
    assert endpoints["properties"]["addressPrefix"] == "=cidrSubnet(addressRange, 27, 2)"


def test_access_rules_let_event_grid_in_with_spark() -> None:
    (event_grid,) = variable(MODULES / "function.bicep", "eventGridAccess")

    assert (event_grid["ipAddress"], event_grid["tag"], event_grid["action"]) == (
        "AzureEventGrid",
        "ServiceTag",
        "Allow",
    )
    assert site()["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "=isRestricted ? 'Deny' : 'Allow'"
    assert site()["publicNetworkAccess"] == "=isPublic ? 'Enabled' : 'Disabled'"


def test_private_endpoints_are_found_under_their_services_names() -> None:
    modules = of_kind(INFRA / "main.bicep", "module").values()
    given = [value(each.body)["params"] for each in modules if each.head == "modules/endpoint.bicep"]

    assert {each["service"]: each["zone"] for each in given} == {
        "=service": "privatelink.${service}.${environment().suffixes.storage}",
        "account": "privatelink.purview.azure.com",
        "vault": "privatelink.vaultcore.azure.net",
        "sites": "privatelink.azurewebsites.net",
    }


# --- Event Grid


def subscription() -> Any:
    return body(INFRA / "events.bicep", "Microsoft.EventGrid/systemTopics/eventSubscriptions")["properties"]


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
        f"?functionName=Host.Functions.{function}&code=$" in subscription()["destination"]["properties"]["endpointUrl"]
    )


def test_event_grid_tries_for_a_day() -> None:
    assert subscription()["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 24 * 60}


# --- alerts


ALERTS = {rule["name"]: rule["query"] for rule in variable(MODULES / "alerts.bicep", "rules")}


def test_the_alert_of_dead_letters_is_that_of_the_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")

    assert ALERTS["dead-letters"].strip() in page


def test_alerts_ask_for_steps_that_are_logged() -> None:
    logged = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "pipeline").glob("*.py")))
    told = re.findall(r'told\.(?:step|outcome) == "([^"]+)"', "\n".join(ALERTS.values()))

    assert told == ["retry", "retried"]
    assert all(f'"{word}"' in logged for word in told)


def test_alerts_ask_for_functions_that_exist() -> None:
    names = re.findall(r'"(\w+)"', " ".join(re.findall(r"name in \((.*)\)", ALERTS["failed-functions"])))
    names += re.findall(r'"(\w+)"', " ".join(re.findall(r"name in \((.*)\)", ALERTS["refused-events"])))

    assert set(names) == FUNCTIONS.keys() - {"health"}


# --- azd


def test_the_parameters_of_azd_are_those_of_the_template() -> None:
    params = of_kind(INFRA / "main.bicep", "param")
    given = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]

    assert given.keys() <= params.keys()
    assert {name for name, param in params.items() if param.is_required} <= given.keys()


def test_azd_finds_the_service_and_the_hooks() -> None:
    told = (ROOT / "azure.yaml").read_text("utf-8")
    app = resource(MODULES / "function.bicep", "Microsoft.Web/sites")
    (service,) = re.findall(r"^services:\n  (\w+):$", told, re.MULTILINE)

    assert text(properties(app.body)["tags"]) == f"union(tags, {{ 'azd-service-name': '{service}' }})"
    hooks = re.findall(r"^ +run: (\S+)$", told, re.MULTILINE)
    assert hooks == ["infra/grant.sh", "infra/subscribe.sh"]
    assert all((ROOT / hook).is_file() for hook in hooks)
    assert string(properties(app.body)["kind"]) == "functionapp,linux"
