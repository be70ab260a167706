"""Labels distinguish the datasets of a graph in as few words as possible."""

import pytest

from explorer.graph import Focus, GraphDataset, GraphProcess, LineageGraph
from explorer.graph_index import GraphIndex
from explorer.labels import distinct_labels, labelled, labels
from explorer.tracing import trace

SILVER = "https://lake/silver/orders/{SparkPartitions}"


def dataset(qualified_name: str, name: str = "orders") -> GraphDataset:
    return GraphDataset(qualified_name, "DataSet", qualified_name, name, ())


@pytest.mark.parametrize(
    ("others", "label"),
    [
        ([], "orders"),
        (["https://lake/bronze/orders/{SparkPartitions}"], "silver/orders"),
        (["https://other/silver/orders/{SparkPartitions}"], "lake/silver/orders"),
        (["https://app/groups/w/tables/sales%252Forders"], "silver/orders"),
        # The path of one is the end of another's path; nothing shorter than the whole name distinguishes them.
        (["https://x/https://lake/silver/orders/{SparkPartitions}"], SILVER),
    ],
)
def test_a_label_has_no_more_folders_than_it_needs(others: list[str], label: str) -> None:
    assert distinct_labels(map(dataset, [SILVER, *others]))[SILVER] == label


def test_two_spellings_of_one_path_keep_their_whole_names() -> None:
    found = distinct_labels([dataset("abfss://c@lake/t"), dataset("abfss://c@lake//t")])
    assert list(found.values()) == ["abfss://c@lake/t", "abfss://c@lake//t"]


def test_a_part_has_the_labels_of_the_whole() -> None:
    bronze, silver, report = "https://lake/bronze/orders", "https://lake/silver/orders", "https://lake/report"
    process = GraphProcess("p", "p", "p", (silver,), (report,), (), (), (), ())
    datasets = (dataset(bronze), dataset(report, "report"), dataset(silver))
    whole = labelled(LineageGraph("details", datasets, (process,), ()))

    part = trace(GraphIndex.of(whole), Focus(report, "up"))

    assert labels(part.datasets) == {report: "report", silver: "silver/orders"}
