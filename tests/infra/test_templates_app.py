"""How the templates set the app up: plan, settings, credentials. They were never deployed."""

import dataclasses
import json
import re

import pytest

from core.settings import Settings
from tests.infra.compiled import (
    MODES,
    account,
    app_settings,
    last_names,
    only,
    resources,
    site,
    template,
)  # fmt: skip

# Settings that Flex Consumption has in functionAppConfig, or does not accept.
NOT_ON_FLEX = re.compile(
    "FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|SCM_DO_BUILD_DURING_DEPLOYMENT|"
    "ENABLE_ORYX_BUILD|WEBSITE_CONTENT|WEBSITE_TIME_ZONE|linuxFxVersion"
)


@pytest.mark.parametrize("mode", MODES)
def test_the_app_runs_on_flex_consumption(mode: str) -> None:
    config = site(mode)["functionAppConfig"]

    assert only(mode, "Microsoft.Web/serverfarms")["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert (site(mode)["httpsOnly"], site(mode)["siteConfig"]["minTlsVersion"]) == (True, "1.2")


def test_the_code_has_its_own_account() -> None:
    code = account("none", of_code=True)["name"]

    assert site("none")["functionAppConfig"]["deployment"]["storage"]["value"] == (
        f"[format('https://{{0}}.blob.{{1}}/{{2}}', '{code}', environment().suffixes.storage, 'app-package')]"
    )
    assert code not in json.dumps(app_settings("none"))


def test_function_keys_stay_where_an_update_finds_them() -> None:
    """The host keeps its keys in its account, whose name is that of the first version of these templates."""
    name = template()["variables"]["storageName"]

    assert name == "[format('st{0}', variables('token'))]"
    assert f"'{account('none')['name']}'" in app_settings("none")["AzureWebJobsStorage__blobServiceUri"]
    assert template()["variables"]["token"] == (
        "[toLower(uniqueString(subscription().id, parameters('environmentName'), parameters('location')))]"
    )


def test_code_is_deployed_without_passwords() -> None:
    found = resources("none", "Microsoft.Web/sites/basicPublishingCredentialsPolicies")

    assert {each["name"].rpartition("/")[2]: each["properties"] for each in found} == {
        "scm": {"allow": False},
        "ftp": {"allow": False},
    }


def test_the_app_scales_to_what_both_ends_bear() -> None:
    scale = site("none")["functionAppConfig"]["scaleAndConcurrency"]

    assert scale == {
        "maximumInstanceCount": 40,
        "instanceMemoryMB": 2048,
        "alwaysReady": [{"name": "http", "instanceCount": 1}],
        "triggers": {"http": {"perInstanceConcurrency": 16}},
    }
    # As many threads as requests: see test_the_app_gets_as_many_threads_as_it_asks_for.
    assert app_settings("none")["PYTHON_THREADPOOL_THREAD_COUNT"] == "16"
    assert site("private")["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"] == []


HOST = {
    "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
}  # fmt: skip
PARTS = ("blobServiceUri", "queueServiceUri", "tableServiceUri", "credential", "clientId")
OWN = {"PURVIEW_ENDPOINT", *(f"LINEAGE_STORAGE__{part}" for part in PARTS)}


def test_the_settings_that_are_set_are_enough_and_no_others_are_set() -> None:
    found = app_settings("none")

    storage = Settings.from_env({**found, **dict.fromkeys(OWN, "https://x")}).lineage_storage

    assert {storage.blob_uri, storage.queue_uri, storage.table_uri, storage.client_id} == {"https://x"}
    assert found.keys() == HOST | OWN | {"AZURE_CLIENT_ID"}
    assert not any(NOT_ON_FLEX.search(name) for name in found)


def test_every_other_setting_can_be_passed() -> None:
    # Without a token Purview denies access, and the plan has no other source than Event Grid, the default.
    not_on_azure = {"PURVIEW_AUTH", "BLOB_TRIGGER_SOURCE"}
    by_parameters = {"EVENT_FOLDERS", "EVENT_HUB", "EVENT_HUB_CONSUMER_GROUP", "QUEUE_NOTIFICATIONS"}
    every = {field.name.upper() for field in dataclasses.fields(Settings)}
    optional = template()["definitions"]["optionalSettings"]

    assert optional["properties"].keys() == every - not_on_azure - by_parameters - {
        "PURVIEW_ENDPOINT",
        "LINEAGE_STORAGE",
    }, "bring optionalSettings in infra/modules/types.bicep in line with core/settings.py"
    assert optional["additionalProperties"] is False
    passed = {"LINEAGE_WINDOW_DAYS": "60", "PURVIEW_COLLECTION": "abcdef"}
    assert passed.items() <= app_settings("outbound").items()


def test_the_credential_of_purview_is_the_identity_or_comes_from_the_vault() -> None:
    found, vault = app_settings("outbound"), only("outbound", "Microsoft.KeyVault/vaults")["name"]

    assert found["AZURE_CLIENT_SECRET"] == (
        "[format('@Microsoft.KeyVault(SecretUri=https://{0}{1}/secrets/purview-client-secret)', "
        f"'{vault}', environment().suffixes.keyvaultDns)]"
    )
    assert found["AZURE_AUTHORITY_HOST"] == "[environment().authentication.loginEndpoint]"
    assert found["AZURE_CLIENT_ID"] == "11111111-1111-1111-1111-111111111111"
    assert found["AZURE_TENANT_ID"] == "22222222-2222-2222-2222-222222222222"
    assert app_settings("private")["AZURE_TENANT_ID"] == "00000000-0000-0000-0000-000000000002"
    identity = only("outbound", "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    assert site("outbound")["keyVaultReferenceIdentity"] == identity


def test_each_cloud_has_its_own_hosts() -> None:
    assert app_settings("none")["PURVIEW_ENDPOINT"] == "https://contoso.purview.azure.com"
    assert app_settings("private")["PURVIEW_ENDPOINT"] == "https://contoso.purview.azure.us"
    zones = last_names("private", "Microsoft.Network/privateDnsZones")
    assert {"privatelink.vaultcore.usgovcloudapi.net", "privatelink.azurewebsites.us"} <= set(zones)


def test_parameters_open_the_doors_of_files_event_hub_and_queue() -> None:
    found = {mode: app_settings(mode) for mode in ("none", "outbound", "private")}
    doors = ("EVENT_FOLDERS", "EVENT_HUB", "EVENT_HUB_CONNECTION__fullyQualifiedNamespace", "QUEUE_NOTIFICATIONS")

    assert [[door in found[mode] for door in doors] for mode in found] == [
        [False, False, False, False],
        [True, True, True, False],
        [False, False, False, True],
    ]
    assert found["outbound"]["EVENT_FOLDERS"].startswith("https://onelake.blob.fabric.microsoft.com/")
    assert found["outbound"]["EVENT_HUB_CONNECTION__credential"] == "managedidentity"
