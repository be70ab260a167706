"""``sparklin grant`` changes a policy in the one place that it is about, as whole documents show."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import typer
from typer.testing import CliRunner, Result

from cli import grant
from cli.main import app
from core.errors import CatalogRefused
from purview.collection_roles import Collection, CollectionRoles
from tests.cli.policy_store import PolicyStore, running

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/contracts/grant.schema.json").read_text("utf-8"))
ME = "11111111-1111-4111-8111-111111111111"
APP = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER = "22222222-2222-4222-8222-222222222222"
ADMIN = "purviewmetadatarole_builtin_collection-administrator"
CURATOR = "purviewmetadatarole_builtin_data-curator"

Sparklin = Callable[..., Result]


def derived(what: str, rule: str) -> dict[str, str]:
    return {"fromRule": rule, "attributeName": f"derived.purview.{what}", "attributeValueIncludes": rule}


def member_rule(role: str, collection: str, *members: str, attribute: str = "id") -> dict[str, Any]:
    members_of = {"attributeName": f"principal.microsoft.{attribute}", "attributeValueIncludedIn": list(members)}
    name = f"{role}:{collection}"
    return {"kind": "attributerule", "id": name, "name": name, "dnfCondition": [[members_of, derived("role", role)]]}


def permission_rule(collection: str, *roles: str) -> dict[str, Any]:
    name = f"permission:{collection}"
    conditions = [[derived("permission", f"{role}:{collection}")] for role in roles]
    return {"kind": "attributerule", "id": name, "name": name, "dnfCondition": conditions}


def policy(collection: str, *rules: dict[str, Any], version: int = 7) -> dict[str, Any]:
    allowed = [
        {"attributeName": "resource.purview.collection", "attributeValueIncludes": collection},
        derived("permission", f"permission:{collection}"),
    ]
    return {
        "id": f"id-of-{collection}",
        "name": f"policy_collection_{collection}",
        "version": version,
        "properties": {
            "description": "",
            "decisionRules": [{"kind": "decisionrule", "effect": "Permit", "dnfCondition": [allowed]}],
            "attributeRules": list(rules),
            "collection": {"type": "CollectionReference", "referenceName": collection},
        },
    }


def with_curators(collection: str, *curators: str, version: int = 7) -> dict[str, Any]:
    rules = (member_rule(ADMIN, collection, ME), member_rule(CURATOR, collection, *curators))
    return policy(collection, *rules, permission_rule(collection, ADMIN, CURATOR), version=version)


def without_curators(collection: str) -> dict[str, Any]:
    return policy(collection, member_rule(ADMIN, collection, ME), permission_rule(collection, ADMIN))


@pytest.fixture
def store() -> Iterator[PolicyStore]:
    """An account called localhost with a root and two collections below it, which are listed on two pages."""
    collections = [
        [{"name": "localhost", "friendlyName": "Contoso"}, {"name": "abc123", "friendlyName": "Finance"}],
        [{"name": "def456", "friendlyName": "Sales"}],
    ]
    policies = {
        "localhost": with_curators("localhost", OTHER),
        "abc123": without_curators("abc123"),
        "def456": with_curators("def456", APP),
    }
    with running(PolicyStore(policies=policies, pages=collections)) as made:
        yield made


@pytest.fixture
def sparklin(store: PolicyStore) -> Sparklin:
    settings = {"PURVIEW_ENDPOINT": store.url, "PURVIEW_AUTH": "none"}
    return lambda *words: CliRunner().invoke(app, ["grant", *words], env=settings)


def granted(result: Result) -> list[tuple[str, str | None]]:
    """The collections and their changes, from an output that keeps the contract."""
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, SCHEMA)
    return [(each["name"], each["change"]) for each in shown["collections"]]


def test_the_identity_joins_the_curators_of_the_root(store: PolicyStore, sparklin: Sparklin) -> None:
    assert granted(sparklin(APP)) == [("localhost", "member")]
    assert store.policies["localhost"] == with_curators("localhost", OTHER, APP, version=8)


def test_an_unused_role_gets_its_rule_and_its_permission(store: PolicyStore, sparklin: Sparklin) -> None:
    rules = (
        member_rule(ADMIN, "abc123", ME),
        permission_rule("abc123", ADMIN, CURATOR),
        member_rule(CURATOR, "abc123", APP),
    )

    assert granted(sparklin(APP, "--collection", "Finance")) == [("abc123", "rule")]
    assert store.policies["abc123"] == policy("abc123", *rules, version=8)


def test_a_role_of_groups_only_gets_a_second_condition(store: PolicyStore, sparklin: Sparklin) -> None:
    groups = member_rule(CURATOR, "abc123", OTHER, attribute="groups")
    others = (member_rule(ADMIN, "abc123", ME), permission_rule("abc123", ADMIN, CURATOR))
    store.policies["abc123"] = policy("abc123", *others, groups)
    both = deepcopy(groups)
    both["dnfCondition"] += member_rule(CURATOR, "abc123", APP)["dnfCondition"]

    assert granted(sparklin(APP, "--collection", "abc123")) == [("abc123", "member")]
    assert store.policies["abc123"] == policy("abc123", *others, both, version=8)


def test_a_member_whose_role_is_not_permitted_gets_the_permission(store: PolicyStore, sparklin: Sparklin) -> None:
    rules = (member_rule(ADMIN, "abc123", ME), member_rule(CURATOR, "abc123", APP))
    store.policies["abc123"] = policy("abc123", *rules, permission_rule("abc123", ADMIN))

    assert granted(sparklin(APP, "--collection", "abc123")) == [("abc123", "rule")]
    assert store.policies["abc123"] == policy("abc123", *rules, permission_rule("abc123", ADMIN, CURATOR), version=8)


@pytest.mark.parametrize("member", [OTHER, APP])
def test_a_policy_without_permissions_is_refused(store: PolicyStore, sparklin: Sparklin, member: str) -> None:
    store.policies["abc123"] = policy("abc123", member_rule(CURATOR, "abc123", member))
    before = deepcopy(store.policies)

    result = sparklin(APP, "--collection", "abc123")

    assert (result.exit_code, json.loads(result.stdout)["collections"][0]["change"]) == (1, None)
    assert "has no rule permission:abc123" in result.stderr
    assert store.policies == before


def test_a_second_grant_writes_nothing(store: PolicyStore, sparklin: Sparklin) -> None:
    sparklin(APP)
    store.requests.clear()

    assert granted(sparklin(APP.upper())) == [("localhost", "none")]
    assert store.requests == ["GET /policystore/collections/localhost/metadataPolicy"]


def test_a_dry_run_shows_the_change_and_writes_nothing(store: PolicyStore, sparklin: Sparklin) -> None:
    before = deepcopy(store.policies)

    result = sparklin(APP, "--all-collections", "--dry-run")

    assert granted(result) == [("localhost", "member"), ("abc123", "rule"), ("def456", "none")]
    assert json.loads(result.stdout)["applied"] is False
    assert store.policies == before


def test_collections_are_named_by_either_name(store: PolicyStore, sparklin: Sparklin) -> None:
    result = sparklin(APP, "--collection", "Sales", "--collection", "abc123")

    assert granted(result) == [("def456", "none"), ("abc123", "rule")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((APP, "--collection", "Nowhere"), "there is no collection Nowhere, only localhost (Contoso)"),
        ((APP, "--collection", "Finance"), "several collections are called Finance"),
        (("the-app",), "an object id is a UUID"),
    ],
)
def test_wrong_arguments_are_refused(
    store: PolicyStore, sparklin: Sparklin, words: tuple[str, ...], message: str
) -> None:
    store.pages.append([{"name": "ghi789", "friendlyName": "Finance"}])

    result = sparklin(*words)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_concurrent_change_is_kept(store: PolicyStore, sparklin: Sparklin) -> None:
    def somebody() -> None:
        store.before_put = lambda: None
        store.policies["localhost"] = with_curators("localhost", OTHER, ME, version=8)

    store.before_put = somebody

    assert granted(sparklin(APP)) == [("localhost", "member")]
    assert store.policies["localhost"] == with_curators("localhost", OTHER, ME, APP, version=9)


def test_a_policy_that_keeps_changing_is_left_alone(store: PolicyStore, sparklin: Sparklin) -> None:
    def somebody() -> None:
        store.policies["localhost"]["version"] += 1

    store.before_put = somebody

    result = sparklin(APP)

    assert result.exit_code == 1
    assert "run the command again" in result.stderr
    assert len([each for each in store.requests if each.startswith("PUT")]) == 5


def test_a_busy_account_is_retried(store: PolicyStore, sparklin: Sparklin) -> None:
    store.faults = [(429, {}, {"Retry-After": "0.1"}), (503, {}, {})]

    assert granted(sparklin(APP)) == [("localhost", "member")]


def test_without_permission_the_message_names_the_role_that_is_needed(store: PolicyStore, sparklin: Sparklin) -> None:
    store.forbidden = {"localhost"}

    result = sparklin(APP, "--all-collections")

    assert result.exit_code == 1
    assert "You need the role Collection Admin on localhost" in result.stderr
    assert (
        "/providers/Microsoft.Purview/accounts/localhost/addRootCollectionAdmin?api-version=2021-12-01" in result.stderr
    )
    assert """--body '{"objectId": "<your object id>"}'""" in result.stderr
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, SCHEMA)
    assert [each["change"] for each in shown["collections"]] == [None, "rule", "none"]


def test_a_list_that_continues_elsewhere_is_not_followed(store: PolicyStore, sparklin: Sparklin) -> None:
    store.faults = [(200, {"value": [], "nextLink": "https://elsewhere.example/account/collections"}, {})]

    result = sparklin(APP, "--all-collections")

    assert result.exit_code == 1
    assert "another address" in result.stderr


def test_a_terminal_shows_sentences(store: PolicyStore, sparklin: Sparklin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)

    result = sparklin(APP, "--all-collections", "--dry-run")

    assert result.stdout.splitlines() == [
        "Contoso: the identity to be added to those who have the role",
        "Finance: a rule for the role to be added, with the identity in it",
        "Sales: the identity has the role already",
    ]


def test_collections_that_cannot_be_listed_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    class Refusing:
        root = Collection("root", "Root")

        def collections(self) -> list[Collection]:
            raise CatalogRefused(403, "", "Purview refused", "Ask an administrator.")

    roles = cast(CollectionRoles, Refusing())

    assert grant._collections(roles, [], every=False) == [Refusing.root]
    for names, every in (([], True), (["abc123"], False)):
        with pytest.raises(typer.Exit) as exited:
            grant._collections(roles, names, every=every)
        assert (exited.value.exit_code, capsys.readouterr().err) == (1, "Purview refused. Ask an administrator.\n")
