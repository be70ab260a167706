"""Finds the assets of the catalogue that are the datasets of a lineage.

A look-up tries, in this order: the cache; the candidates by exact name, in their order; and a search that is restricted
to dataset types, whose hits are compared name by name. A scanned resource set is preferred to a folder, and a folder to
a generic asset. If an exact name leads only to a folder or a generic asset, the search is tried as well.

A dataset whose search failed must not count as missing, so a look-up that cannot be completed fails as a whole.
To keep the number of searches low, datasets with the same search words share one search, and several searches go into
one request.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from core.catalog_model import Asset, AssetName, Resolution
from core.errors import CatalogRefused
from core.event_model import DatasetId
from core.threads import in_threads
from purview.dataset_entities import GENERIC_TYPE, Resolutions, storable
from purview.search_index import SearchIndex, is_replaceable
from purview.search_request import SearchResult
from purview.type_families import family, is_table, rank

#: Whether two names are names of the same dataset, as scans may name it. It must only accept names that
#: purview.search_index.SearchIndex does not rule out.
Same = Callable[[AssetName, AssetName], bool]

_log = logging.getLogger(__name__)

_MOST_WORDS = 8
# How many searches go into one request, and how many requests are in progress at a time.
_BUNDLE = 16
_AT_ONCE = 4
# Statuses with which the catalogue may refuse a request that is too large.
_TOO_MUCH = (400, 413)

# The types to search for, and the words.
_Query = tuple[tuple[str, ...], tuple[str, ...]]


class Finder(Protocol):
    """The part of the catalogue that look-ups use."""

    def find(self, names: Iterable[AssetName]) -> dict[AssetName, Asset]: ...

    def search(self, alternatives: Sequence[Sequence[str]], types: Sequence[str]) -> SearchResult: ...


class Cache(Protocol):
    """A memory of earlier look-ups whose entries expire. Values are opaque texts."""

    def get_many(self, names: Iterable[AssetName]) -> Mapping[AssetName, str]: ...

    def put_many(self, guids: Mapping[AssetName, str], *, lasting: bool = False) -> None: ...

    def drop(self, names: Iterable[AssetName]) -> None: ...


def look_up(resolutions: Resolutions, catalog: Finder, cache: Cache, same: Same) -> dict[DatasetId, Asset]:
    """Find the asset of each dataset. A dataset that the catalogue does not have gets its planned name and no guid.

    :raises CatalogUnavailable: if the catalogue is unavailable.
    :raises CatalogRefused: if the catalogue refuses a request.
    """
    keys = {dataset: storable(resolution.asset) for dataset, resolution in resolutions.items()}
    kept = cache.get_many(set(keys.values()))
    found = {dataset: _decode(key, kept[key]) for dataset, key in keys.items() if key in kept}
    unknown = {dataset: resolution for dataset, resolution in resolutions.items() if dataset not in found}
    fresh = _search_all(unknown, look_up_exactly(unknown, catalog), catalog, same)
    remember({keys[dataset]: asset for dataset, asset in fresh.items() if asset.guid}, cache)
    return found | fresh


def look_up_exactly(resolutions: Resolutions, catalog: Finder) -> dict[DatasetId, Asset]:
    """Find the assets by exact name only, without the cache. Unlike the search, this finds what was just created."""
    return _find(resolutions, {dataset: _candidates(each) for dataset, each in resolutions.items()}, catalog)


def look_up_planned(resolutions: Resolutions, catalog: Finder) -> dict[DatasetId, Asset]:
    """Find the assets only under the names that the datasets would be created with."""
    return _find(resolutions, {dataset: [storable(each.asset)] for dataset, each in resolutions.items()}, catalog)


@dataclass(frozen=True, slots=True)
class Existing:
    """What the catalogue has of a dataset: guids by name, and the asset that is used for it (None if there is none)."""

    guids: Mapping[AssetName, str]
    used: Asset | None


def look_up_all(resolution: Resolution, catalog: Finder, same: Same) -> Existing:
    """Find everything under any name of a dataset, without the cache.

    :raises CatalogUnavailable: if the catalogue is unavailable.
    :raises CatalogRefused: if the catalogue refuses a request.
    """
    named = catalog.find([*resolution.candidates, *_candidates(resolution), _generic(resolution)])
    dataset = {resolution.dataset.id: resolution}
    used = _search_all(dataset, look_up_exactly(dataset, catalog), catalog, same)[resolution.dataset.id]
    return Existing({name: asset.guid for name, asset in named.items()}, used if used.guid else None)


def look_up_others(
    resolutions: Resolutions, ours: Mapping[DatasetId, Asset], catalog: Finder, same: Same
) -> dict[DatasetId, Asset]:
    """For datasets with an asset that we created, find an asset for them that a scan or a person created.

    Only an asset that look-ups prefer to the app's own one counts, because a scan of a resource set also lists its
    folder.
    """
    names = {dataset: [*_candidates(resolutions[dataset]), _generic(resolutions[dataset])] for dataset in ours}
    exact = catalog.find({name for found in names.values() for name in found})
    own_guids = {asset.guid for asset in ours.values()}
    hits = _search([resolutions[dataset].asset for dataset in ours], catalog, same, own_guids)
    listed = {dataset: hits.get(resolutions[dataset].asset, []) for dataset in ours}
    existing = catalog.find({asset.name for assets in listed.values() for asset in assets})
    others: dict[DatasetId, Asset] = {}
    for dataset, own in ours.items():
        found = [exact[name] for name in names[dataset] if name in exact]
        found += [existing[asset.name] for asset in listed[dataset] if asset.name in existing]
        better = [
            asset
            for asset in found
            if asset.guid != own.guid and rank(asset.name.type_name) <= rank(own.name.type_name)
        ]
        if better:
            others[dataset] = min(better, key=lambda asset: rank(asset.name.type_name))
    return others


def _find(
    resolutions: Resolutions, wanted: Mapping[DatasetId, Sequence[AssetName]], catalog: Finder
) -> dict[DatasetId, Asset]:
    exact = catalog.find({name for names in wanted.values() for name in names})
    missing = {dataset: names for dataset, names in wanted.items() if not any(name in exact for name in names)}
    # If the tenant does not know a type, the asset was created with the generic type. Asking for the generic type also
    # finds an asset of another type with the same name, which is better than a second asset.
    exact |= catalog.find({_generic(resolutions[dataset]) for dataset in missing})
    return {
        dataset: next(
            (exact[name] for name in (*names, _generic(resolutions[dataset])) if name in exact),
            Asset(storable(resolutions[dataset].asset)),
        )
        for dataset, names in wanted.items()
    }


def remember(assets: Mapping[AssetName, Asset], cache: Cache, *, lasting: bool = False) -> None:
    """Cache the asset that each planned name led to. With ``lasting``, the entry stays until the asset is gone."""
    if assets:
        cache.put_many({key: _encode(key, asset) for key, asset in assets.items()}, lasting=lasting)


def _candidates(resolution: Resolution) -> list[AssetName]:
    names = (*resolution.candidates, resolution.asset)
    return list(dict.fromkeys(storable(name) for name in names))


def _generic(resolution: Resolution) -> AssetName:
    return AssetName(GENERIC_TYPE, storable(resolution.asset).qualified_name)


def _search_all(
    resolutions: Resolutions, exact: Mapping[DatasetId, Asset], catalog: Finder, same: Same
) -> dict[DatasetId, Asset]:
    """The assets found by exact name, replaced where the search finds a better one."""
    wanted = {
        dataset: resolutions[dataset].asset
        for dataset, asset in exact.items()
        if _is_worth_a_search(resolutions[dataset].asset, asset)
    }
    answers = _search(wanted.values(), catalog, same)
    hits = {dataset: answers[name] for dataset, name in wanted.items() if name in answers}
    # The search index may still contain assets that were deleted long ago.
    existing = catalog.find({asset.name for assets in hits.values() for asset in assets})
    better = dict(exact)
    for dataset, assets in hits.items():
        known = [exact[dataset]] if exact[dataset].guid else []
        choice = [*known, *(existing[asset.name] for asset in assets if asset.name in existing)]
        if choice:
            better[dataset] = min(choice, key=lambda asset: rank(asset.name.type_name))
    return better


def _is_worth_a_search(wanted: AssetName, asset: Asset) -> bool:
    if wanted.type_name == GENERIC_TYPE:
        return False
    best = min(map(rank, family(wanted.type_name)))
    return not asset.guid or rank(asset.name.type_name) > best


def _search(
    names: Iterable[AssetName], catalog: Finder, same: Same, without: Container[str] = ()
) -> dict[AssetName, list[Asset]]:
    """What the search finds for each name with at least two search words, the best first.

    ``without`` contains the guids of assets to leave out.
    """
    groups: defaultdict[_Query, set[AssetName]] = defaultdict(set)
    for name in names:
        words = _words(name.qualified_name)
        if len(words) > 1:
            groups[family(name.type_name), words].add(name)
    results = in_threads(lambda bundle: _ask(bundle, catalog), _bundles(groups), _AT_ONCE)
    return {
        name: _chosen(name, [hit for hit in found.like(name.qualified_name) if hit.guid not in without], same)
        for queries, found in chain.from_iterable(results)
        for name in groups[queries]
    }


def _bundles(queries: Iterable[_Query]) -> list[list[_Query]]:
    """Group the queries by request: of one family, and neighbours, because they share the most words."""
    families: defaultdict[tuple[str, ...], list[_Query]] = defaultdict(list)
    for query in sorted(queries, key=lambda query: (query[0], query[1][0], sorted(query[1]))):
        families[query[0]].append(query)
    return [group[at : at + _BUNDLE] for group in families.values() for at in range(0, len(group), _BUNDLE)]


def _ask(bundle: Sequence[_Query], catalog: Finder) -> list[tuple[_Query, SearchIndex]]:
    """Answer each query. Queries with too many hits, or too long for one request, are split into several requests."""
    family, half = bundle[0][0], len(bundle) // 2
    try:
        result = catalog.search([words for _, words in bundle], family)
    except CatalogRefused as error:
        if not half or error.status not in _TOO_MUCH:
            raise
    else:
        if not result.is_complete and not half:
            _log.warning("the search has more hits than are read for %s", " ".join(bundle[0][1]))
        if result.is_complete or not half:
            found = SearchIndex(hit.asset for hit in result.hits)
            return [(query, found) for query in bundle]
    return [*_ask(bundle[:half], catalog), *_ask(bundle[half:], catalog)]


def _chosen(wanted: AssetName, found: Iterable[Asset], same: Same) -> list[Asset]:
    any_case = is_table(wanted.type_name)
    accepted = [
        asset for asset in found if same(wanted, asset.name) or (any_case and _differ_in_case(wanted, asset.name))
    ]
    # If several tables differ only in case, none of them can be chosen safely.
    return [] if any_case and len(accepted) > 1 else sorted(accepted, key=_by_rank)


def _differ_in_case(one: AssetName, other: AssetName) -> bool:
    return one.qualified_name.casefold() == other.qualified_name.casefold()


def _by_rank(asset: Asset) -> tuple[int, AssetName]:
    return rank(asset.name.type_name), asset.name


def _words(qualified_name: str) -> tuple[str, ...]:
    """Words that every spelling of the dataset's qualified name contains.

    These are the path segments in which a scan replaces nothing and, of the host, only the account, because an account
    has the hosts ``dfs`` and ``blob``. The index matches ``contains`` only within a segment.
    """
    host, *segments = [part for part in qualified_name.partition("://")[2].split("/") if part] or [""]
    plain = [part for part in segments if not is_replaceable(part)]
    account = host.partition(".")[0]
    longest = sorted(set(plain), key=lambda word: (-len(word), word))[: _MOST_WORDS - 1]
    return tuple(word for word in (account, *longest) if word)


def _encode(key: AssetName, asset: Asset) -> str:
    """The guid, followed by the asset's type and qualified name if they differ from the key."""
    if asset.name == key:
        return asset.guid
    return f"{asset.guid} {asset.name.type_name} {asset.name.qualified_name}"


def _decode(key: AssetName, text: str) -> Asset:
    guid, _, name = text.partition(" ")
    type_name, _, qualified_name = name.partition(" ")
    return Asset(AssetName(type_name, qualified_name) if name else key, guid)
