"""What ``sparklin doctor`` reports about the collections for new assets and their domains."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli.checks.check import Check
from cli.checks.collections import check_collections
from core.settings import Settings
from core.storage_connection import StorageConnection
from tests.cli.policy_store import PolicyStore, running

PAGES = [
    [{"name": "contoso", "friendlyName": "Contoso"}],
    [
        {"name": "abc123", "friendlyName": "Finance", "domain": "sales"},
        {"name": "def456", "friendlyName": "Finance", "domain": "hr"},
        {"name": "ghi789", "friendlyName": "Logistics", "domain": "contoso"},
    ],
]


@pytest.fixture
def store() -> Iterator[PolicyStore]:
    with running(PolicyStore(pages=PAGES, has_domains=True)) as found:
        yield found


def settings(store: PolicyStore, collection: str = "", **by_namespace: str) -> Settings:
    return Settings(
        StorageConnection("UseDevelopmentStorage=true"),
        store.url,
        "none",
        purview_collection=collection,
        purview_collections=by_namespace,
    )


def checked(found: Settings) -> list[tuple[str, str, str]]:
    return [(check.name, check.state.value, f"{check.found} | {check.repair}") for check in check_collections(found)]


def only(found: Settings) -> Check:
    (check,) = check_collections(found)
    return check


def test_without_a_collection_there_is_nothing_to_say(store: PolicyStore) -> None:
    assert (checked(settings(store)), store.requests) == ([], [])


def test_a_collection_is_found_with_the_name_that_people_see_and_its_domain(store: PolicyStore) -> None:
    check = only(settings(store, "abc123"))

    assert (check.name, check.state.value) == ("collection abc123", "ok")
    assert check.found.startswith("it exists (Finance) in the domain sales; ")


def test_an_account_without_domains_is_asked_as_before(store: PolicyStore) -> None:
    store.has_domains = False

    assert only(settings(store, "abc123")).found.startswith("it exists (Finance); ")


@pytest.mark.parametrize(
    ("given", "repair"),
    [
        ("logistics", "set the internal name: ghi789 (domain contoso)"),
        ("Finance", "set the internal name: abc123 (domain sales) or def456 (domain hr)"),
        ("Contoso", "set the internal name: contoso"),
    ],
)
def test_the_name_that_people_see_is_named_with_the_internal_one(given: str, repair: str, store: PolicyStore) -> None:
    check = only(settings(store, given))

    assert (check.state.value, check.found) == ("wrong", "PURVIEW_COLLECTION has the name that people see")
    assert check.repair == repair


def test_every_collection_of_a_namespace_is_looked_up_once(store: PolicyStore) -> None:
    found = checked(settings(store, "contoso", nightly="zzz999", adhoc="contoso", other="ghi789"))

    assert [(name, state) for name, state, _ in found] == [
        ("collection contoso", "ok"),
        ("collection ghi789", "ok"),
        ("collection zzz999", "wrong"),
    ]
    assert "PURVIEW_COLLECTIONS: you see no collection of this internal name" in found[2][2]
    assert "sparklin grant <object id of the app's identity> --collection zzz999" in found[2][2]


def test_collections_that_may_not_be_listed_are_no_fault_of_the_setting(store: PolicyStore) -> None:
    store.faults = [(403, {"error": {"code": "Unauthorized", "message": "Not authorized"}}, {})]

    assert only(settings(store, "abc123")).state.value == "skipped"


def test_a_tenant_without_a_named_collection_gets_a_note(store: PolicyStore) -> None:
    unified = replace(settings(store), purview_endpoint="https://api.purview-service.microsoft.com")
    check = only(unified)

    assert (check.state.value, "default domain" in check.found) == ("note", True)
    assert "PURVIEW_COLLECTION" in check.repair
