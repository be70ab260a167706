"""A policy gets a Data Curator, and nothing else of it changes."""

from copy import deepcopy
from typing import Any

import pytest

from core.errors import CatalogRefused
from purview.collection_roles import DATA_CURATOR, Change, with_curator

RULE = f"{DATA_CURATOR}:sales"
MEMBER = "principal.microsoft.id"
OTHER_RULE = {"id": "other:sales", "dnfCondition": [[{"attributeName": MEMBER, "attributeValueIncludedIn": ["me"]}]]}
OF_ROLE = {
    "fromRule": DATA_CURATOR, "attributeName": "derived.purview.role", "attributeValueIncludes": DATA_CURATOR,
}  # fmt: skip
OF_RULE = {"fromRule": RULE, "attributeName": "derived.purview.permission", "attributeValueIncludes": RULE}


def members(*ids: str) -> list[dict[str, Any]]:
    return [{"attributeName": MEMBER, "attributeValueIncludedIn": list(ids)}, OF_ROLE]


def curators(*conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "attributerule", "id": RULE, "name": RULE, "dnfCondition": list(conditions)}


def permission(*conditions: dict[str, str]) -> dict[str, Any]:
    return {"id": "permission:sales", "dnfCondition": [[each] for each in conditions]}


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"id": "p", "version": 3, "properties": {"attributeRules": [OTHER_RULE, *rules]}}


GROUPS: list[dict[str, Any]] = [
    {"attributeName": "principal.microsoft.groups", "attributeValueIncludedIn": ["me"]},
    OF_ROLE,
]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ([permission()], [permission(OF_RULE), curators(members("me"))], "rule"),
        ([curators(members("a")), permission(OF_RULE)], [curators(members("a", "me")), permission(OF_RULE)], "member"),
        ([curators(), permission(OF_RULE)], [curators(members("me")), permission(OF_RULE)], "member"),
        ([curators(GROUPS), permission(OF_RULE)], [curators(GROUPS, members("me")), permission(OF_RULE)], "member"),
        ([curators(members("a"), members("me")), permission(OF_RULE)], None, "none"),
        ([curators(members("me")), permission()], [curators(members("me")), permission(OF_RULE)], "rule"),
        ([curators(members("a")), permission()], [curators(members("a", "me")), permission(OF_RULE)], "rule"),
    ],
    ids=["no rule", "other member", "no member", "groups", "member", "no permission", "neither"],
)
def test_who_is_no_curator_becomes_one(
    before: list[dict[str, Any]], after: list[dict[str, Any]] | None, change: str
) -> None:
    given = policy(*before)
    kept = deepcopy(given)
    assert with_curator(given, "sales", "me") == (policy(*(before if after is None else after)), Change(change))
    assert given == kept


def test_a_policy_without_permissions_is_refused() -> None:
    with pytest.raises(CatalogRefused):
        with_curator(policy(curators(members("me"))), "sales", "me")
