"""Settings that were renamed, removed or misspelled are named when the app starts."""

import dataclasses
import json
from pathlib import Path

import pytest

from core.setting_names import FORMER, name_warnings
from core.settings import Settings, start_warnings, unread_settings

KNOWN = {setting.name.upper() for setting in dataclasses.fields(Settings)}
EARLIER = json.loads((Path(__file__).parents[1] / "upgrade" / "settings.json").read_text("utf-8"))
AZURE = ["WEBSITE_SITE_NAME", "FUNCTIONS_EXTENSION_VERSION", "AzureWebJobsStorage", "PATH", "PYTHON_VERSION"]
OURS = ["LINEAGE_STORAGE__blobServiceUri", "EVENT_HUB_CONNECTION", "SPARKLIN_RECEIVER", "SPARKLIN_FUNCTION_KEY"]


def test_a_former_setting_is_named_with_what_to_do() -> None:
    former = {"WINDOW_DAYS": "use LINEAGE_WINDOW_DAYS"}
    assert list(name_warnings(["WINDOW_DAYS", "PATH"], KNOWN, former=former)) == [
        "WINDOW_DAYS is no longer a setting: use LINEAGE_WINDOW_DAYS"
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("LINEAGE_WINDOW_DAY", "LINEAGE_WINDOW_DAYS"), ("EXCLUDE_JOB", "EXCLUDE_JOBS"), ("MAX_COLUMN", "MAX_COLUMNS")],
)
def test_a_misspelled_setting_is_named(name: str, meant: str) -> None:
    settings = Settings.offline({})
    assert start_warnings(settings, {name: "1"}) == (f"{name} is not a setting; did you mean {meant}?",)


def test_the_local_stack_names_a_misspelled_setting_without_settings() -> None:
    assert list(unread_settings(["PATH", "LINEAGE_WINDOW_DAY", "LINEAGE_WINDOW_DAYS"])) == [
        "LINEAGE_WINDOW_DAY is not a setting; did you mean LINEAGE_WINDOW_DAYS?"
    ]


def test_only_the_most_similar_setting_is_named() -> None:
    assert list(name_warnings(["MAX_COLUMNX"], ["MAX_COLUMNS", "MAX_COLUMN"])) == [
        "MAX_COLUMNX is not a setting; did you mean MAX_COLUMN?"
    ]


def test_other_variables_are_left_alone() -> None:
    assert start_warnings(Settings.offline({}), dict.fromkeys([*AZURE, *OURS, *KNOWN], "x")) == ()


@pytest.mark.parametrize("version", EARLIER)
def test_no_setting_of_an_earlier_version_disappears_without_a_word(version: str) -> None:
    assert [name for name in EARLIER[version] if name not in KNOWN | FORMER.keys()] == []
