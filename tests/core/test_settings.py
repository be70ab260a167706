"""The settings: all faults at once, no secret in a text, sensible defaults."""

from collections.abc import Mapping

import pytest

from core.errors import SettingsError
from core.settings import Settings, function_key, plan_conflict

GOOD = {"LINEAGE_STORAGE": "UseDevelopmentStorage=true", "PURVIEW_ENDPOINT": "https://contoso.purview.azure.com/"}


def problems(more: Mapping[str, str]) -> str:
    """The errors of the good settings with some more; "" if nothing is."""
    try:
        Settings.from_env({**GOOD, **more})
    except SettingsError as error:
        return str(error)
    return ""


def test_two_settings_are_enough() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.purview_endpoint == "https://contoso.purview.azure.com"
    assert "127.0.0.1:10000" in settings.lineage_storage.connection_string
    assert settings.max_body_bytes == 32 * 1024 * 1024


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"MAX_BODY_BYTES": "0", "EXCLUDE_JOBS": "(", "ONELAKE_IDS": "[]", "PURVIEW_AUTH": "maybe"})
    text = " ".join(caught.value.problems)
    for name in (
        "LINEAGE_STORAGE",
        "PURVIEW_ENDPOINT",
        "MAX_BODY_BYTES",
        "EXCLUDE_JOBS",
        "ONELAKE_IDS",
        "PURVIEW_AUTH",
    ):
        assert name in text


FAULTS = [
    ({"PURVIEW_ENDPOINT": "contoso"}, "PURVIEW_ENDPOINT"),
    ({"PURVIEW_ENDPOINT": "http://contoso.purview.azure.com"}, "https://"),
    ({"PURVIEW_ENDPOINT": "https://[bad"}, "PURVIEW_ENDPOINT"),
    ({"PURVIEW_AUTH": "none"}, "PURVIEW_AUTH"),
    ({"MAX_EXPANDED_BYTES": "many"}, "MAX_EXPANDED_BYTES"),
    ({"LINEAGE_WINDOW_DAYS": "-1"}, "LINEAGE_WINDOW_DAYS"),
    ({"STORAGE_BUDGET_SECONDS": "nan"}, "STORAGE_BUDGET_SECONDS"),
    ({"SWEEP_AFTER_MINUTES": "0"}, "SWEEP_AFTER_MINUTES must be from 1 to"),
    (
        {"SWEEP_AFTER_MINUTES": "2", "STORAGE_BUDGET_SECONDS": "120"},
        "SWEEP_AFTER_MINUTES must be longer than STORAGE_BUDGET_SECONDS, which is 120 seconds",
    ),
    ({"MAX_CONCURRENT_UPLOADS": "0"}, "MAX_CONCURRENT_UPLOADS must be greater than 0"),
    ({"BLOB_TRIGGER_SOURCE": "Kafka"}, "BLOB_TRIGGER_SOURCE"),
    ({"PROCESS_NAMING": "spline"}, "PROCESS_NAMING must be one of native, sparklin, accelerator"),
    ({"LINEAGE_STORAGE": "", "LINEAGE_STORAGE__blobServiceUri": "https://x"}, "LINEAGE_STORAGE__queueServiceUri"),
]


@pytest.mark.parametrize(("more", "named"), FAULTS)
def test_a_wrong_setting_is_named(more: Mapping[str, str], named: str) -> None:
    assert named in problems(more)


RIGHT = [
    {"PURVIEW_ENDPOINT": "http://127.0.0.1:5000", "PURVIEW_AUTH": "None"},
    {"LINEAGE_WINDOW_DAYS": "0", "STORAGE_BUDGET_SECONDS": "2.5"},
    {"BLOB_TRIGGER_SOURCE": "logsandcontainerscan"},
    {"SWEEP_AFTER_MINUTES": "2", "STORAGE_BUDGET_SECONDS": "119"},
    {"MAX_BODY_BYTES": "  "},
]


@pytest.mark.parametrize("more", RIGHT)
def test_right_settings_are_taken(more: Mapping[str, str]) -> None:
    assert problems(more) == ""


def test_patterns_are_separated_by_lines_or_bars_with_blanks() -> None:
    settings = Settings.from_env({**GOOD, "EXCLUDE_JOBS": "^test_ | a|b\n x$ \n"})
    assert [pattern.pattern for pattern in settings.exclude_jobs] == ["^test_", "a|b", "x$"]


def test_an_identity_needs_three_addresses() -> None:
    addresses = {f"LINEAGE_STORAGE__{kind}ServiceUri": f"https://{kind}" for kind in ("blob", "queue", "table")}
    settings = Settings.from_env({**GOOD, "LINEAGE_STORAGE": "", **addresses, "LINEAGE_STORAGE__clientId": "id"})
    assert (settings.lineage_storage.table_uri, settings.lineage_storage.client_id) == ("https://table", "id")


@pytest.mark.parametrize("text", ["foo", "AccountName", "AccountName=;AccountKey=x", "Key=x"])
def test_what_is_not_a_connection_string_is_reported(text: str) -> None:
    with pytest.raises(SettingsError, match="LINEAGE_STORAGE is not a connection string"):
        Settings.from_env({**GOOD, "LINEAGE_STORAGE": text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LINEAGE_WINDOW_DAYS", "9999999999"),
        ("SETTLE_AFTER_MINUTES", "99999999999"),
        ("RETRY_MAX_DELAY_SECONDS", "604801"),
    ],
)
def test_spans_beyond_calendar_and_queue_are_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({**GOOD, name: text})


def test_a_connection_string_shows_in_no_text() -> None:
    assert "AccountKey" not in repr(Settings.from_env(GOOD))


@pytest.mark.parametrize(
    ("source", "plan", "conflict"),
    [
        ("EventGrid", "FlexConsumption", ""),
        ("LogsAndContainerScan", "", ""),
        ("LogsAndContainerScan", "ElasticPremium", ""),
        ("LogsAndContainerScan", "FlexConsumption", "does not exist on Flex Consumption"),
    ],
)
def test_a_source_that_the_plan_does_not_have_is_reported(source: str, plan: str, conflict: str) -> None:
    settings = Settings.offline({"BLOB_TRIGGER_SOURCE": source})
    reported = plan_conflict(settings, {"WEBSITE_SKU": plan})

    assert conflict in reported
    assert bool(reported) == bool(conflict)


@pytest.mark.parametrize(
    ("environment", "key"),
    [({"SPARKLIN_FUNCTION_KEY": " secret "}, "secret"), ({"FUNCTION_KEY": "other"}, ""), ({}, "")],
)
def test_the_key_of_commands_has_a_variable_of_its_own(environment: Mapping[str, str], key: str) -> None:
    assert function_key(environment) == key
