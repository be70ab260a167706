"""Tokens, waiting and errors, against a server that says whatever a test wants."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from core.catalog_model import AssetName
from core.errors import CatalogDenied, CatalogUnavailable, SettingsError
from purview import session
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy
from purview.session import retry_after
from tests.purview.helpers import SQL
from tests.support.http_server import QuietHandler, serving

NAME = AssetName(SQL, "mssql://s/d/dbo/t")
POLICY = RetryPolicy(budget=1, first_wait=0.01)


class Token(NamedTuple):
    token: str
    expires_on: int


@dataclass
class Credential:
    """Gives tokens ``t1``, ``t2``… that are good for ``lifetime`` seconds."""

    lifetime: float = 3600
    scopes: list[str] = field(default_factory=list)
    error: Exception | None = None

    def get_token(self, *scopes: str) -> Token:
        if self.error:
            raise self.error
        self.scopes += scopes
        return Token(f"t{len(self.scopes)}", int(datetime.now(UTC).timestamp() + self.lifetime))


@dataclass
class Script:
    """What a server answers, in turn; the last answer stays. ``seen`` are path, token and connection."""

    url: str = ""
    answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=lambda: [(200, "{}", {})])
    seen: list[tuple[str, str, int]] = field(default_factory=list)


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.seen.append((self.path, self.headers.get("Authorization", ""), self.client_address[1]))
            self.body()
            status, content, headers = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            self.answer(status, content.encode(), headers)

        do_POST = do_DELETE = do_GET  # noqa: N815

    with serving(Handler) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def test_a_token_for_purview_is_fetched_once_and_sent_over_one_connection(script: Script) -> None:
    credential = Credential()
    with Catalog(script.url, credential=credential, retry_policy=POLICY) as catalog:
        catalog.find([NAME])
        catalog.find([NAME])
    assert credential.scopes == ["https://purview.azure.net/.default"]
    assert {token for _, token, _ in script.seen} == {"Bearer t1"}
    assert len({connection for *_, connection in script.seen}) == 1


def test_a_token_is_renewed_before_it_expires(script: Script) -> None:
    credential = Credential(lifetime=299)
    with Catalog(script.url, credential=credential, retry_policy=POLICY) as catalog:
        catalog.find([NAME])
        catalog.find([NAME])
    assert [token for _, token, _ in script.seen] == ["Bearer t1", "Bearer t2"]


def test_a_good_token_is_used_on_while_no_new_one_can_be_had(script: Script) -> None:
    credential = Credential(lifetime=299)
    with Catalog(script.url, credential=credential, retry_policy=POLICY) as catalog:
        catalog.find([NAME])
        credential.error = ClientAuthenticationError("no answer")
        catalog.find([NAME])
    assert [token for _, token, _ in script.seen] == ["Bearer t1", "Bearer t1"]


@pytest.mark.parametrize(
    ("left", "is_available", "expected"),
    [
        (301, True, "t1"),
        (300, True, "t1"),
        (299, True, "t2"),
        (299, False, "t1"),
        (1, False, "t1"),
        (0.5, False, ""),
        (-1, False, ""),
    ],
)
def test_a_token_is_renewed_five_minutes_before_it_expires_and_used_as_long_as_it_is_good(
    left: float, is_available: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = Credential()
    auth = session._BearerAuth(credential)
    auth._token = Token("t1", 1_000)
    monkeypatch.setattr("purview.session.time.time", lambda: 1_000 - left)
    credential.scopes.append("of the first")
    credential.error = None if is_available else ClientAuthenticationError("down")
    if expected:
        assert auth._current("scope") == expected
    else:
        with pytest.raises(ClientAuthenticationError):
            auth._current("scope")


def test_a_token_that_is_not_accepted_is_replaced_once(script: Script) -> None:
    script.answers = [(401, "", {}), (200, "{}", {})]
    with Catalog(script.url, credential=Credential(), retry_policy=POLICY) as catalog:
        assert catalog.find([NAME]) == {}
    assert [token for _, token, _ in script.seen] == ["Bearer t1", "Bearer t2"]


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_are_refused_with_what_to_do_and_without_the_token(script: Script, status: int) -> None:
    script.answers = [(status, '{"error":{"code":"Unauthorized","message":"Not authorized"}}', {})]
    catalog = Catalog(script.url, credential=Credential(), retry_policy=POLICY)
    with catalog, pytest.raises(CatalogDenied) as caught:
        catalog.find([NAME])
    assert caught.value.status == status
    assert caught.value.code == "Unauthorized"
    assert "Data Curator" in caught.value.remedy
    assert "t1" not in str(caught.value)


def test_no_token_means_later(script: Script) -> None:
    credential = Credential(error=ClientAuthenticationError("no managed identity here\nlong story"))
    catalog = Catalog(script.url, credential=credential, retry_policy=POLICY)
    with catalog, pytest.raises(CatalogUnavailable, match=r"no managed identity here\)$"):
        catalog.find([NAME])
    assert script.seen == []


def test_without_auth_no_token_is_sent(script: Script) -> None:
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        catalog.find([NAME])
    assert script.seen[0][1] == ""


@pytest.mark.parametrize(
    ("endpoint", "auth"),
    [("https://acct.purview.azure.com", "none"), ("http://acct.purview.azure.com", "default")],
)
def test_on_other_hosts_nothing_is_sent_without_token_and_encryption(endpoint: str, auth: str) -> None:
    with pytest.raises(SettingsError):
        Catalog(endpoint, auth)


def test_api_version_is_sent_where_the_official_client_sends_it(script: Script) -> None:
    script.answers = [(200, '{"value": []}', {})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        catalog.find([NAME])
        catalog.search([["a"]], [SQL])
        catalog.upload([{}], "abc")
        catalog.upload([{}])
        catalog.get("g")
        catalog.delete("g")
    paths = [path for path, *_ in script.seen]
    assert [("api-version=2023-09-01" in path) for path in paths] == [False, True, True, True, False, False]
    assert paths[0].startswith(f"/datamap/api/atlas/v2/entity/bulk/uniqueAttribute/type/{SQL}?attr_0")
    assert paths[1].startswith("/datamap/api/search/query")
    assert paths[2].startswith("/datamap/api/atlas/v2/entity/bulk?")
    assert "collectionId=abc" in paths[2]
    assert "collectionId" not in paths[3]


def test_many_long_names_are_asked_for_in_several_addresses(script: Script) -> None:
    names = [AssetName(SQL, f"mssql://server/ä/{number:04}/" + "x" * 200) for number in range(40)]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        catalog.find([*names, AssetName(SQL, "y" * 3_000)])
    paths = [path for path, *_ in script.seen]
    assert sum(path.count("attr_") for path in paths) == 41
    assert [len(path) < 2_000 - len(script.url) for path in paths].count(False) == 1
    assert len(paths) <= 10


def test_a_wait_longer_than_the_budget_is_left_to_the_queue(script: Script) -> None:
    script.answers = [(429, "", {"Retry-After": "17"})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog, pytest.raises(CatalogUnavailable) as caught:
        catalog.find([NAME])
    assert caught.value.retry_after == 17
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("share", "asked", "waits"),
    [
        (max, "", [0.5, 1, 2, 4, 5, 5]),
        (min, "", [0.25, 0.5, 1, 2, 2.5, 2.5]),
        (max, "3", [3, 3, 3, 4, 5, 5]),
    ],
    ids=["longest", "shortest", "asked for"],
)
def test_waits_double_up_to_five_seconds_and_are_never_shorter_than_asked_for(
    share: Callable[[float, float], float],
    asked: str,
    waits: list[float],
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("purview.session.random.uniform", share)
    slept: list[float] = []
    script.answers = [*[(503, "", {"Retry-After": asked})] * len(waits), (200, "{}", {})]
    policy = RetryPolicy(budget=60, first_wait=0.5)
    with Catalog(script.url, "none", retry_policy=policy, clock=lambda: 0.0, sleep=slept.append) as catalog:
        catalog.find([NAME])
    assert slept == waits


def test_without_other_credentials_the_identity_of_the_machine_is_used() -> None:
    assert isinstance(session.default_credential(), DefaultAzureCredential)


def test_an_absurd_wait_is_not_waited_for(script: Script) -> None:
    script.answers = [(429, "", {"Retry-After": "86400"})]
    policy = RetryPolicy(budget=1e9)
    with Catalog(script.url, "none", retry_policy=policy) as catalog, pytest.raises(CatalogUnavailable) as caught:
        catalog.find([NAME])
    assert caught.value.retry_after == 3600


def test_a_redirect_is_refused_and_not_followed(script: Script) -> None:
    script.answers = [(302, "", {"Location": f"{script.url}/login"})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog, pytest.raises(CatalogDenied) as caught:
        catalog.upload([{}])
    assert "PURVIEW_ENDPOINT" in caught.value.remedy
    assert len(script.seen) == 1


def test_a_page_instead_of_an_answer_means_later(script: Script) -> None:
    script.answers = [(200, "<html>Welcome</html>", {})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog, pytest.raises(CatalogUnavailable):
        catalog.find([NAME])


def test_an_address_that_is_too_long_for_the_other_side_means_not_found(script: Script) -> None:
    script.answers = [(414, "", {})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        assert catalog.find([NAME]) == {}


def test_one_absent_name_does_not_hide_the_others(script: Script) -> None:
    """A catalogue that refuses a whole group because of one name is asked for parts of it."""
    other = AssetName(SQL, "mssql://s/d/dbo/u")
    absent = json.dumps({"errorCode": "ATLAS-404-00-009", "errorMessage": "Instance does not exist"})
    entity = {"typeName": SQL, "guid": "g", "attributes": {"qualifiedName": other.qualified_name}}
    script.answers = [(404, absent, {}), (404, absent, {}), (200, json.dumps({"entities": [entity]}), {})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        assert {name: asset.guid for name, asset in catalog.find([NAME, other]).items()} == {other: "g"}


def test_a_deleted_asset_is_not_found(script: Script) -> None:
    entity = {"typeName": SQL, "guid": "g", "status": "DELETED", "attributes": {"qualifiedName": NAME.qualified_name}}
    script.answers = [(200, json.dumps({"entities": [entity]}), {})]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        assert catalog.find([NAME]) == {}


def test_search_reads_further_pages(script: Script) -> None:
    entry = {"id": "g", "qualifiedName": "q", "name": "n", "entityType": SQL}
    script.answers = [
        (200, json.dumps({"value": [entry], "continuationToken": "more"}), {}),
        (200, json.dumps({"value": [{**entry, "id": "h"}, {**entry, "entityType": "azure_synapse_notebook"}]}), {}),
    ]
    with Catalog(script.url, "none", retry_policy=POLICY) as catalog:
        result = catalog.search([["q"]], [SQL])
    assert [hit.asset.guid for hit in result.hits] == ["g", "h"]
    assert result.is_complete


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("518400", 3600.0),
        ("1e300", 3600.0),
        ("inf", 3600.0),
        ("Fri, 02 Feb 2124 12:00:10 GMT", 3600.0),
        ("nan", None),
        ("soon", None),
        ("Wed, 31 Jan 2024 12:00:10 GMT", 10.0),
        ("Wed, 31 Jan 2024 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(2024, 1, 31, 12, tzinfo=UTC)) == seconds
