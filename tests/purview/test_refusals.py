"""What a refusal of the catalogue means: who has to act, and on what."""

import json

import pytest

from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, SparklinError
from purview.refusals import ReferenceMissing, UnusableType, refusal

REQUEST = "POST /x"
MISSING = "Invalid instance creation/updation parameters passed : kafka_topic."


def atlas(code: str, message: str = "no") -> str:
    return json.dumps({"errorCode": code, "errorMessage": message})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, atlas("ATLAS-400-00-029"), CatalogRefused),
        (400, "no JSON", CatalogRefused),
        (404, atlas("ATLAS-404-00-005"), CatalogRefused),
        (404, atlas("ATLAS-404-00-009"), ReferenceMissing),
        (404, atlas("ATLAS-404-00-00A"), ReferenceMissing),
        (404, json.dumps({"error": {"code": "NotFound"}}), CatalogDenied),
        (404, "", CatalogDenied),
        (401, "", CatalogDenied),
        (403, atlas("ATLAS-403-00-001"), CatalogDenied),
        (423, "", CatalogDenied),
        (409, "", CatalogConflict),
        (412, "", CatalogConflict),
        (413, "", CatalogRefused),
        (302, "", CatalogDenied),
    ],
)
def test_a_status_and_a_code_say_what_a_refusal_means(status: int, body: str, kind: type[SparklinError]) -> None:
    assert type(refusal(status, body, REQUEST)) is kind


@pytest.mark.parametrize(
    ("code", "message", "type_name"),
    [
        ("ATLAS-400-00-014", "Type ENTITY with name azure_sql_column does not exist", "azure_sql_column"),
        (
            "ATLAS-404-00-007",
            f"{MISSING}uri: mandatory attribute value missing in type DataSet",
            "kafka_topic",
        ),
        ("ATLAS-400-00-014", "something else", ""),
        ("ATLAS-400-00-029", "Type ENTITY with name azure_sql_column does not exist", ""),
    ],
)
def test_a_type_that_cannot_be_used_is_named(code: str, message: str, type_name: str) -> None:
    error = refusal(404, atlas(code, message), REQUEST)
    assert getattr(error, "type_name", "") == type_name
    assert isinstance(error, UnusableType) == (type_name != "")


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (atlas("ATLAS-1", "why"), "ATLAS-1", " ATLAS-1 why"),
        (json.dumps({"error": {"code": "Forbidden", "message": "no role"}}), "Forbidden", " Forbidden no role"),
        (json.dumps({"code": "A", "message": "b"}), "A", " A b"),
        (json.dumps({"error": "text", "code": "A"}), "A", " A"),
        (json.dumps({}), "", ""),
        ("[]", "", "  []"),
        ("<html><b>Bad</b>\n gateway</html>", "", "  Bad gateway"),
        ("x" * 400, "", "  " + "x" * 300),
        (atlas("A", "x" * 1001), "A", " A " + "x" * 1000),
        ("", "", ""),
    ],
)
def test_the_reason_is_what_the_catalogue_said(body: str, code: str, text: str) -> None:
    error = refusal(400, body, REQUEST)
    assert isinstance(error, CatalogRefused)
    assert (error.code, error.reason) == (code, f"{REQUEST} was refused: 400{text}")


@pytest.mark.parametrize(
    ("status", "collection", "part"),
    [
        (403, "sales", "Data Curator on the collection sales ("),
        (401, "", "Data Curator on the collection of the assets, or on the root collection"),
        (423, "sales", "is locked"),
        (404, "sales", "PURVIEW_ENDPOINT"),
    ],
)
def test_who_is_denied_is_told_what_to_change(status: int, collection: str, part: str) -> None:
    error = refusal(status, "", REQUEST, collection)
    assert isinstance(error, CatalogDenied)
    assert part in error.remedy
