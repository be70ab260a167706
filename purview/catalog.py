"""The catalogue for the rest of the project: find, search, upload, delete.

Errors are those of core.errors: ``CatalogUnavailable`` and ``CatalogConflict`` if a later attempt may succeed,
``CatalogRefused`` if it cannot.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlencode, urlsplit

from core.catalog_model import Asset, AssetName
from core.errors import CatalogRefused, SettingsError
from core.loopback import is_loopback
from core.threads import in_threads
from purview import refusals
from purview.circuit_breaker import CircuitBreaker, LocalCircuits
from purview.retry_policy import Clock, RetryBudget, RetryPolicy, shared_budget
from purview.search_request import SearchHit, SearchResult, datasets_filter, hit_of, words_filter

if TYPE_CHECKING:
    from purview.client import DataMapClient, DiscoveryClient
    from purview.session import Credential

# Azure's gateways accept more, some proxies in between don't.
_URL_CHARACTERS = 2_000
# A guid in an address: "&guid=" and its 36 characters.
_GUID_CHARACTERS = 42
_PAGE = 1_000
_PAGES = 3
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Written:
    """What a request wrote: the real guid of each guid that was sent, and the numbers of new and changed entities."""

    assigned: Mapping[str, str]
    created: int = 0
    updated: int = 0


@dataclass(frozen=True, slots=True)
class _Clients:
    data_map: "DataMapClient"
    discovery: "DiscoveryClient"
    close: Callable[[], None]


class Slots(Protocol):
    """The upload slots that all workers of the app share."""

    def hold(self, wait_seconds: float, keep_waiting: Callable[[], None]) -> AbstractContextManager[object]:
        """Hold one of the slots; ``keep_waiting`` is called before each further attempt, and ends the wait by raising.

        :raises CircuitOpen: none was free within ``wait_seconds``.
        """
        ...


class Catalog:
    """A Purview account, or a Data Map on this machine. Safe to use from several threads.

    :param endpoint: the address of the account, ``https://<account>.purview.azure.com``.
    :param auth: "default" for a token by azure-identity, "none" for a Data Map on this machine.
    :param credential: the credential for "default"; by default the identity of the app, or a service principal by
        environment (azure.identity.DefaultAzureCredential).
    :param breaker: the circuit breaker that all workers share; by default one for this process.
    :param slots: limits the concurrent uploads of the whole app; by default there is no limit.
    :param clock: seconds that never run backwards; ``sleep`` waits for a number of seconds.
    :raises SettingsError: the endpoint can't be used with this auth.
    """

    def __init__(
        self,
        endpoint: str,
        auth: str = "default",
        *,
        credential: "Credential | None" = None,
        retry_policy: RetryPolicy | None = None,
        breaker: CircuitBreaker | None = None,
        slots: Slots | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        parts = urlsplit(self.endpoint)
        self._loopback = is_loopback(parts.hostname)
        if not self._loopback and (auth == "none" or parts.scheme != "https"):
            raise SettingsError(("PURVIEW_ENDPOINT: only a Data Map on this machine goes without https and a token",))
        self._auth = auth
        self._credential = credential
        self._policy = retry_policy or RetryPolicy()
        self._clock = clock
        self._sleep = sleep
        self._slots = slots
        self.breaker = breaker or CircuitBreaker(self._policy, LocalCircuits(), time.time)
        self._opened: _Clients | None = None
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        with self._opening:
            if self._opened:
                self._opened.close()
            self._opened = None

    @contextmanager
    def upload_turn(self, collection: str = "") -> Iterator[None]:
        """Do an upload to a collection: in a slot of its own, with one retry budget, and if the circuits allow it.

        :raises CircuitOpen: on entering, if Purview failed for others a moment ago, or all slots are in use.
        """
        slot = self._slots.hold(self._policy.slot_wait, lambda: self.breaker.check(collection)) if self._slots else None
        with slot or nullcontext(), self.breaker.upload(collection) as is_stopped:
            budget = RetryBudget(self._policy.budget, self._clock, is_stopped)
            with shared_budget(budget):
                yield

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]:
        """The assets that have these names exactly; those that don't exist, or whose type doesn't, are left out.

        An asset's own type may be a subtype of the requested one. This takes one call for each type, or several
        concurrent ones if the names are too long for one address.
        """
        wanted = set(names)
        calls = [
            (type_name, chunk)
            for type_name, group in groupby(sorted(wanted), key=lambda name: name.type_name)
            for chunk in self._chunks(type_name, [name.qualified_name for name in group])
        ]
        answers = in_threads(lambda call: self._named(*call), calls, _AT_ONCE)
        found = {
            AssetName(type_name, asset.name.qualified_name): asset
            for (type_name, _), entities in zip(calls, answers, strict=True)
            for asset in map(_asset, entities)
        }
        return {name: asset for name, asset in found.items() if name in wanted}

    def search(self, alternatives: Sequence[Sequence[str]], types: Sequence[str]) -> SearchResult:
        """Assets of one of the types whose qualified name contains every word of at least one of the alternatives.

        The index lags behind by seconds to minutes: what is missing may exist, what is found may be gone.
        """
        found = self._search({"limit": _PAGE, "filter": words_filter(alternatives, types)})
        hits = tuple(hit for hit in found.hits if hit.asset.name.type_name in types)
        return SearchResult(hits, found.is_complete)

    def search_datasets(self, words: Iterable[str]) -> SearchResult:
        """Datasets of any type whose qualified name contains all words; the index lags behind, as in ``search``."""
        return self._search({"limit": _PAGE, "filter": datasets_filter(words)})

    def _search(self, body: dict[str, Any]) -> SearchResult:
        hits: list[SearchHit] = []
        for _ in range(_PAGES):
            answer = self._clients().discovery.query(body=body)
            hits += map(hit_of, answer.get("value") or ())
            token = answer.get("continuationToken")
            if not token:
                return SearchResult(tuple(hits), is_complete=True)
            body = {**body, "continuationToken": token}
        return SearchResult(tuple(hits), is_complete=False)

    def upload(
        self, entities: Sequence[Mapping[str, Any]], collection: str = "", guard: Callable[[], None] | None = None
    ) -> Written:
        """Create or update entities in one transaction.

        :param collection: the internal name of a collection; existing entities are moved there too.
        :param guard: called before each attempt; what it raises ends the call.
        :raises purview.refusals.UnusableType: the catalogue doesn't know a type, or misses an attribute of it.
        :raises purview.refusals.ReferenceMissing: an entity refers to one that doesn't exist.
        """
        answer = self._clients().data_map.upload_bulk(entities, collection, guard)
        mutated = answer.get("mutatedEntities") or {}
        return Written(
            assigned=dict(answer.get("guidAssignments") or {}),
            created=len(mutated.get("CREATE") or ()),
            updated=len(mutated.get("UPDATE") or ()),
        )

    def get(self, guid: str) -> dict[str, Any]:
        """The entity with this guid, as Atlas returns it; {} if there is none."""
        try:
            answer = self._clients().data_map.get_single_entity(guid)
        except CatalogRefused as error:
            if error.code == refusals.UNKNOWN_GUID:
                return {}
            raise
        return dict(answer.get("entity") or {})

    def entities(self, guids: Sequence[str]) -> list[dict[str, Any]]:
        """The entities with these guids, with their relationships; those that do not exist are left out."""
        per_call = max(1, (_URL_CHARACTERS - len(self.endpoint) - 100) // _GUID_CHARACTERS)
        chunks = [list(guids[at : at + per_call]) for at in range(0, len(guids), per_call)]
        return [entity for found in in_threads(self._of_guids, chunks, _AT_ONCE) for entity in found]

    def attributes_of(self, type_name: str) -> frozenset[str]:
        """The attributes that an entity type has of its own, without those of its supertypes.

        :raises CatalogRefused: there is no such type.
        :raises CatalogDenied: the identity has no role.
        """
        from pyapacheatlas.core.typedef import TypeCategory

        definition = self._clients().data_map.get_typedef(TypeCategory.ENTITY, name=type_name)
        return frozenset(str(each["name"]) for each in definition.get("attributeDefs") or ())

    def delete(self, guid: str) -> None:
        """Delete an entity. It is not an error if it is already gone."""
        self._clients().data_map.delete_entity(guid=guid)

    def _chunks(self, type_name: str, names: Iterable[str]) -> Iterator[list[str]]:
        """The names in groups that fit into an address."""
        empty = len(f"{self.endpoint}/datamap/api/atlas/v2/entity/bulk/uniqueAttribute/type/{type_name}") + 50
        chunk: list[str] = []
        used = empty
        for name in names:
            cost = len(urlencode({"attr_999:qualifiedName": name})) + 1
            if chunk and used + cost > _URL_CHARACTERS:
                yield chunk
                chunk, used = [], empty
            chunk.append(name)
            used += cost
        if chunk:
            yield chunk

    def _named(self, type_name: str, names: list[str]) -> list[dict[str, Any]]:
        try:
            answer = self._clients().data_map.get_entity(
                typeName=type_name, qualifiedName=names, ignoreRelationships="true", minExtInfo="true"
            )
        except CatalogRefused as error:
            if error.code == refusals.UNKNOWN_TYPE or error.status == 414:
                return []
            if error.code not in (refusals.UNKNOWN_NAME, refusals.UNKNOWN_GUID):
                raise
            # Some versions of Atlas refuse all names if one of them is absent.
            half = len(names) // 2
            return [*self._named(type_name, names[:half]), *self._named(type_name, names[half:])] if half else []
        entities = (answer or {}).get("entities") or ()
        return [entity for entity in entities if entity.get("status") != "DELETED"]

    def _of_guids(self, guids: list[str]) -> list[dict[str, Any]]:
        try:
            answer = self._clients().data_map.get_entity(guid=guids)
        except CatalogRefused as error:
            if error.code != refusals.UNKNOWN_GUID:
                raise
            # One that is absent makes Atlas refuse all.
            half = len(guids) // 2
            return [*self._of_guids(guids[:half]), *self._of_guids(guids[half:])] if half else []
        entities = (answer or {}).get("entities") or ()
        return [entity for entity in entities if entity.get("status") != "DELETED"]

    def _clients(self) -> _Clients:
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> _Clients:
        # requests, azure-identity and pyapacheatlas take 0.1 s to import; most starts of the app do not need them.
        from purview.client import DataMapClient, DiscoveryClient
        from purview.session import Transport, default_credential

        transport = Transport(
            None if self._auth == "none" else self._credential or default_credential(),
            self._policy,
            trust_environment=not self._loopback,
            clock=self._clock,
            sleep=self._sleep,
        )
        return _Clients(
            DataMapClient(self.endpoint, transport), DiscoveryClient(self.endpoint, transport), transport.close
        )


def _asset(entity: Mapping[str, Any]) -> Asset:
    name = AssetName(str(entity["typeName"]), str(entity["attributes"]["qualifiedName"]))
    return Asset(name, str(entity["guid"]))
