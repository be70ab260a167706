"""The lineage of stored assets as a graph for the explorer, read like from another catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from explorer.catalog_entities import Entity as CatalogEntity
from explorer.from_catalog import from_catalog
from explorer.graph import Focus, LineageGraph
from explorer.labels import with_labels
from local.data_map.asset_labels import asset_labels
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import whole


@dataclass(frozen=True, slots=True)
class _Stored:
    """The store as a catalogue."""

    types: TypeSystem
    session: Session

    def entities(self, guids: Sequence[str]) -> Sequence[CatalogEntity]:
        found = (self.session.entity(guid) for guid in guids)
        return [whole(self.types, self.session, each) for each in found if each]


def whole_graph(types: TypeSystem, session: Session) -> LineageGraph:
    """All stored processes, with the datasets that they read and write."""
    processes = [each.guid for each in session.entities(lambda name: types.entity(name).is_a("Process"))]
    return _labelled(from_catalog(_Stored(types, session), processes, depth=1), asset_labels(types, session))


def lineage_graph(types: TypeSystem, session: Session, asset: Entity, labels: Mapping[str, str]) -> LineageGraph:
    """Everything that a dataset or process comes from and flows into; a dataset is the focus of the graph.

    Datasets have the labels of all pages, by guid.
    """
    graph = _labelled(from_catalog(_Stored(types, session), [asset.guid]), labels)
    focus = next((each.id for each in graph.datasets if each.guid == asset.guid), None)
    return msgspec.structs.replace(graph, focus=Focus(focus, "both")) if focus else graph


def _labelled(graph: LineageGraph, labels: Mapping[str, str]) -> LineageGraph:
    return with_labels(graph, {each.id: labels.get(each.guid, each.label or each.name) for each in graph.datasets})
