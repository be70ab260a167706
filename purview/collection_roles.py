"""Roles on collections, which are not Azure roles: each collection has a policy, a document that is written as a whole.

The API is that of https://learn.microsoft.com/purview/legacy/tutorial-metadata-policy-collections-apis. In a policy the
rule of a role lists its members, and the rule of permissions lists the roles in force.
"""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self
from urllib.parse import quote, urlsplit

from core.errors import CatalogConflict, CatalogDenied, CatalogRefused, CatalogUnavailable
from core.loopback import is_loopback
from purview.clouds import is_unified
from purview.retry_policy import RetryPolicy
from purview.session import Transport, default_credential

DATA_CURATOR = "purviewmetadatarole_builtin_data-curator"

_POLICIES = {"api-version": "2021-07-01"}
_COLLECTIONS = {"api-version": "2019-11-01-preview"}
# This version has domains, which accounts of the unified catalogue have above their collections.
_COLLECTIONS_AND_DOMAINS = {"api-version": "2023-10-01-preview"}
_MEMBER = "principal.microsoft.id"
_ATTEMPTS = 5
_RETRY_POLICY = RetryPolicy(budget=60)
_ADMIN_NEEDED = (
    "You need the role Collection Admin on {collection}: a person who has it can give it to you (Purview portal, "
    "Data Map, Collections, Role assignments). On the root, an Owner of the account can take it: az rest --method post "
    "--url 'https://management.azure.com/subscriptions/<subscription>/resourceGroups/<group>/providers/Microsoft.Purview"
    '/accounts/{account}/addRootCollectionAdmin?api-version=2021-12-01\' --body \'{{"objectId": "<your object id>"}}\''
)
_BY_HAND = "Give the role in the Purview portal instead: Data Map, Collections, Role assignments."


class Change(Enum):
    """What a policy lacks: nothing, the member, or the whole rule of the role."""

    NONE = "none"
    MEMBER = "member"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: its internal name, the one that people see, and the internal name of its domain, "" if unknown."""

    name: str
    friendly_name: str = ""
    domain: str = ""


class CollectionRoles:
    """The collections of a Purview account and who has roles on them.

    :param endpoint: the address of the account, ``https://<account>.purview.azure.com``.
    :param auth: "default" for a token by azure-identity, "none" for a server on this machine.
    """

    def __init__(self, endpoint: str, auth: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        host = urlsplit(self._endpoint).hostname or ""
        self.account = host.partition(".")[0].lower()
        self._transport = Transport(
            None if auth == "none" else default_credential(),
            _RETRY_POLICY,
            trust_environment=not is_loopback(host),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def root(self) -> Collection:
        """The root collection, whose internal name is the account's.

        :raises CatalogRefused: the endpoint is that of a tenant.
        """
        if is_unified(urlsplit(self._endpoint).hostname or ""):
            raise CatalogRefused(
                404,
                "",
                "PURVIEW_ENDPOINT names no account, so that its root collection is not known",
                "Name collections by --collection (PURVIEW_GRANT_COLLECTION), or pass --all-collections.",
            )
        return Collection(self.account)

    def collections(self) -> list[Collection]:
        """All collections that the caller may see.

        :raises CatalogUnavailable, CatalogRefused: they cannot be listed.
        """
        return self._listed(_COLLECTIONS)

    def collections_with_domains(self) -> list[Collection]:
        """All collections that the caller may see, with their domains if the account has any.

        :raises CatalogUnavailable, CatalogRefused: they cannot be listed.
        """
        try:
            return self._listed(_COLLECTIONS_AND_DOMAINS)
        except CatalogRefused as error:
            if error.status not in (400, 404):
                raise
            return self._listed(_COLLECTIONS)

    def _listed(self, version: Mapping[str, str]) -> list[Collection]:
        url, params, found = f"{self._endpoint}/account/collections", version, list[Collection]()
        while url:
            page = self._send("GET", url, params, Collection(self.account))
            found += (
                Collection(each["name"], each.get("friendlyName") or "", each.get("domain") or "")
                for each in page["value"]
            )
            url, params = page.get("nextLink") or "", {}
            if url and urlsplit(url).netloc != urlsplit(self._endpoint).netloc:
                raise CatalogUnavailable("the list of collections continues at another address, which gets no token")
        return found

    def grant(self, collection: Collection, principal: str, *, dry_run: bool) -> Change:
        """Make a principal Data Curator of a collection; returns what its policy lacked.

        :param principal: the object id of a user, a service principal or a managed identity.
        :raises CatalogUnavailable, CatalogRefused: the policy cannot be read or written.
        """
        for _ in range(_ATTEMPTS):
            # If the policy was changed since it was read, it is read again.
            with suppress(CatalogConflict):
                return self._grant(collection, principal, dry_run=dry_run)
        raise CatalogUnavailable(f"others keep changing the policy of {collection.name}; run the command again")

    def _grant(self, collection: Collection, principal: str, *, dry_run: bool) -> Change:
        store = f"{self._endpoint}/policystore"
        address = f"{store}/collections/{quote(collection.name, safe='')}/metadataPolicy"
        before = self._send("GET", address, _POLICIES, collection)
        policy, change = with_curator(before, collection.name, principal)
        if change is not Change.NONE and not dry_run:
            address = f"{store}/metadataPolicies/{quote(policy['id'], safe='')}"
            self._send("PUT", address, _POLICIES, collection, policy)
        return change

    def _send(
        self, method: str, url: str, params: Mapping[str, str], collection: Collection, json: object = None
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._transport.send(method, url, params=params, json=json).json()
        except (CatalogDenied, CatalogRefused) as error:
            raise self._explained(error, collection) from None
        except ValueError:
            raise CatalogUnavailable(
                f"{method} {urlsplit(url).path} was answered with something that is no JSON"
            ) from None
        return answer

    def _explained(self, error: CatalogDenied | CatalogRefused, collection: Collection) -> CatalogRefused:
        """The refusal with a remedy for a person who grants roles."""
        remedy = error.remedy
        if error.status == 403:
            remedy = _ADMIN_NEEDED.format(collection=collection.name, account=self.account)
        elif error.status == 404:
            remedy = f"Is {collection.name} the internal name of a collection of {self.account}?"
        return CatalogRefused(error.status, error.code, error.reason, remedy)


def with_curator(policy: Mapping[str, Any], collection: str, principal: str) -> tuple[dict[str, Any], Change]:
    """The policy with the principal among its Data Curators, and what it lacked.

    :raises CatalogRefused: the policy has no rule of permissions, without which no role gives anything.
    """
    new = deepcopy(dict(policy))
    rules: list[dict[str, Any]] = new["properties"]["attributeRules"]
    rule_id = f"{DATA_CURATOR}:{collection}"
    rule = next((rule for rule in rules if rule["id"] == rule_id), None)
    change = Change.MEMBER if rule else Change.RULE
    if rule is None:
        rule = {"kind": "attributerule", "id": rule_id, "name": rule_id, "dnfCondition": []}
        rules.append(rule)
    if not _add_member(rule, principal):
        change = Change.NONE
    permissions = next((rule for rule in rules if rule["id"] == f"permission:{collection}"), None)
    if permissions is None:
        reason = f"the policy of {collection} has no rule permission:{collection}, without which a role gives nothing"
        raise CatalogRefused(200, "", reason, _BY_HAND)
    # A role whose rule is not among the permissions has no effect.
    if not any(each.get("fromRule") == rule_id for all_of in permissions["dnfCondition"] for each in all_of):
        permissions["dnfCondition"].append([_derived("permission", rule_id)])
        change = Change.RULE
    return new, change


def _add_member(rule: dict[str, Any], principal: str) -> bool:
    """Add the principal to the first list of members; returns whether it was missing from all."""
    lists: list[list[str]] = [
        each["attributeValueIncludedIn"]
        for all_of in rule["dnfCondition"]
        for each in all_of
        if each.get("attributeName") == _MEMBER and "attributeValueIncludedIn" in each
    ]
    if any(principal in members for members in lists):
        return False
    if lists:
        lists[0].append(principal)
    else:
        member = {"attributeName": _MEMBER, "attributeValueIncludedIn": [principal]}
        rule["dnfCondition"].append([member, _derived("role", DATA_CURATOR)])
    return True


def _derived(what: str, rule: str) -> dict[str, str]:
    return {"fromRule": rule, "attributeName": f"derived.purview.{what}", "attributeValueIncludes": rule}
