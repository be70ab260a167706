"""The names that pages show: each dataset has one that no other dataset of the Data Map has."""

from collections.abc import Mapping

from explorer.graph import GraphDataset
from explorer.labels import distinct_labels
from local.data_map.search import searchable
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem


def asset_labels(types: TypeSystem, session: Session) -> Mapping[str, str]:
    """The label of each dataset by its guid."""

    def is_dataset(name: str) -> bool:
        kind = types.entity(name)
        return kind.is_a("DataSet") and searchable(kind)

    found = {each.guid: each for each in session.entities(is_dataset)}
    labels = distinct_labels(
        GraphDataset(guid, each.type, each.qualified_name or guid, each.display_text, ())
        for guid, each in found.items()
    )
    # If the paths do not differ, the qualified name is used.
    return {guid: (found[guid].qualified_name or label) if label == guid else label for guid, label in labels.items()}


def shown_name(entity: Entity, labels: Mapping[str, str]) -> str:
    """The label of a dataset, or the name of another asset."""
    return labels.get(entity.guid, entity.display_text)
