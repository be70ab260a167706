"""Short names that distinguish the datasets of one source: the same in the tree, the page and all files."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import msgspec

from explorer.graph import GraphDataset, LineageGraph

_PLACEHOLDER = "{SparkPartitions}"


def labels(datasets: Iterable[GraphDataset]) -> dict[str, str]:
    """The label of each id in a graph."""
    return {dataset.id: dataset.label or dataset.name for dataset in datasets}


def labelled(graph: LineageGraph) -> LineageGraph:
    """The graph with a label for each dataset whose name is not unique. Parts of the graph keep these labels."""
    return with_labels(graph, distinct_labels(graph.datasets))


def with_labels(graph: LineageGraph, found: Mapping[str, str]) -> LineageGraph:
    """The graph with labels by the ids of its datasets."""
    return msgspec.structs.replace(graph, datasets=tuple(_with_label(each, found) for each in graph.datasets))


def _with_label(dataset: GraphDataset, found: Mapping[str, str]) -> GraphDataset:
    label = found[dataset.id]
    return msgspec.structs.replace(dataset, label="" if label == dataset.name else label)


def distinct_labels(datasets: Iterable[GraphDataset]) -> dict[str, str]:
    """A label for each id: the short name, with as many folders before it as make it unique."""
    by_name: defaultdict[str, list[GraphDataset]] = defaultdict(list)
    for dataset in datasets:
        by_name[dataset.name].append(dataset)
    found: dict[str, str] = {}
    for same in by_name.values():
        found.update(_apart(same))
    return found


def _apart(same: list[GraphDataset]) -> dict[str, str]:
    if len(same) == 1:
        return {same[0].id: same[0].name}
    paths = {each.id: _folders(each) for each in same}
    ends = {key: ["/".join(path[-length:]) for length in range(2, len(path) + 1)] for key, path in paths.items()}
    counts = Counter(end for found in ends.values() for end in found)
    return {key: next((end for end in found if counts[end] == 1), key) for key, found in ends.items()}


def _folders(dataset: GraphDataset) -> list[str]:
    parts = readable(dataset.qualified_name).replace("#", "/").split("/")
    return [part for part in parts if part and part != _PLACEHOLDER]


def readable(qualified_name: str) -> str:
    """A qualified name without percent-encoding: Fabric's ``sales%252Forders`` is ``sales/orders``."""
    return unquote(unquote(qualified_name))
