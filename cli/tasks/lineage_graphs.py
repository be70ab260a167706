"""The lineage graph that ``sparklin lineage`` shows, from LineageDetails or from the catalogue."""

from collections.abc import Iterable, Sequence

from core.catalog_model import Asset, AssetName
from explorer.asset_names import splits
from explorer.from_catalog import from_catalog
from explorer.from_details import from_details
from explorer.graph import LineageGraph
from pipeline.services import Services
from purview.catalog import Catalog

_MOST_SPLITS = 8
_MOST_ASSETS = 200
_SEPARATORS = str.maketrans(dict.fromkeys("/.#:\\", " "))


def graph_of_details(services: Services) -> LineageGraph:
    """All processes of a deployment.

    :raises StorageUnavailable: storage does not answer.
    """
    return from_details(services.details.all(), services.settings.lineage_window, services.naming)


def candidates_in_catalog(text: str, catalog: Catalog) -> LineageGraph:
    """The datasets of the catalogue that ``ASSET[.COLUMN]`` may name, with their columns and no processes.

    :raises CatalogUnavailable, CatalogRefused: the catalogue cannot be read.
    """
    heads = [head for head, _ in splits(text)][:_MOST_SPLITS]
    # A name of the general type also finds assets of its subtypes.
    found = list(catalog.find(AssetName("DataSet", head) for head in heads).values()) or _searched(heads, catalog)
    return from_catalog(catalog, [asset.guid for asset in found[:_MOST_ASSETS]], depth=0)


def _searched(heads: Iterable[str], catalog: Catalog) -> Sequence[Asset]:
    hits: dict[str, Asset] = {}
    for words in dict.fromkeys(tuple(head.translate(_SEPARATORS).split()) for head in heads):
        if words:
            hits.update({hit.asset.guid: hit.asset for hit in catalog.search_datasets(words).hits})
    return list(hits.values())
