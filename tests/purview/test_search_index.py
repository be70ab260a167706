"""Hits are found by the segments of a path; what a scan may have replaced rules nothing out."""

import pytest

from core.catalog_model import Asset, AssetName
from purview.search_index import SearchIndex

NAMES = [
    "https://lake/raw/sales",
    "https://lake/gold/sales",
    "https://lake/gold/sales/2024",
    "https://lake/gold/{Year}/{SparkPartitions}",
    "https://lake/gold/orders/{SparkPartitions}",
]
RAW, GOLD, IN_2024, BY_YEAR, ORDERS = range(5)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("https://lake/gold/sales", [GOLD, IN_2024]),
        ("https://other.host/GOLD/Sales/", [GOLD, IN_2024]),
        ("https://lake/raw", [RAW]),
        ("https://lake/gold", [GOLD, IN_2024, BY_YEAR, ORDERS]),
        ("https://lake/gold/2024", [IN_2024, BY_YEAR]),
        ("https://lake/gold/2023", [BY_YEAR]),
        ("https://lake/gold/orders/{SparkPartitions}", [ORDERS]),
        ("https://lake/gold/year=2024", [GOLD, IN_2024, BY_YEAR, ORDERS]),
        ("https://lake/silver/sales", []),
        ("https://lake/{Year}", [RAW, GOLD, IN_2024, BY_YEAR, ORDERS]),
        ("https://lake", [RAW, GOLD, IN_2024, BY_YEAR, ORDERS]),
    ],
)
def test_hits_that_may_mean_the_same(wanted: str, expected: list[int]) -> None:
    index = SearchIndex(Asset(AssetName("t", name), str(number)) for number, name in enumerate(NAMES))
    assert [int(asset.guid) for asset in index.like(wanted)] == expected


def test_a_hit_that_came_twice_is_there_once() -> None:
    asset = Asset(AssetName("t", NAMES[RAW]), "g")
    assert SearchIndex([asset, asset]).like(NAMES[RAW]) == [asset]
