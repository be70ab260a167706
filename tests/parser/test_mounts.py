"""Which of the dbfs mounts that an event lists its datasets need."""

from typing import Any

import pytest

from core.event_model import Dataset, DatasetId
from parser.mounts import mount_points

RAW, DEEP, ROOT, BESIDE = (
    ("/mnt/raw", "abfss://raw@lake"),
    ("/mnt/raw/deep/", "abfss://deep@lake"),
    ("/", "DatabricksRoot"),
    ("/mnt/raw2", "abfss://raw2@lake"),
)

CASES = [
    ("dbfs", "mnt/raw/orders", [ROOT, RAW]),
    ("dbfs", "mnt/raw", [ROOT, RAW]),
    ("dbfs", "mnt/raw/deep", [ROOT, RAW, DEEP]),
    ("file", "mnt/raw2/a", [ROOT, BESIDE]),
    ("dbfs://workspace", "elsewhere", [ROOT]),
    ("abfss://raw@lake", "mnt/raw/orders", []),
    ("wasbs://dbfs", "mnt/raw/orders", []),
]


def listed(*mounts: Any) -> dict[str, Any]:
    """A facet that lists mounts, each a pair of mount and source, or anything else."""
    pairs = [{"mountPoint": each[0], "source": each[1]} if isinstance(each, tuple) else each for each in mounts]
    return {"mountPoints": pairs}


def of(namespace: str, name: str) -> Dataset:
    return Dataset(DatasetId(namespace, name))


@pytest.mark.parametrize(("namespace", "name", "expected"), CASES)
def test_the_mounts_above_a_dataset_are_taken(namespace: str, name: str, expected: list[tuple[str, str]]) -> None:
    found = mount_points(listed(RAW, DEEP, ROOT, BESIDE), [of(namespace, name)])
    assert found == tuple(sorted(expected))


def test_the_mounts_of_all_datasets_are_taken_once() -> None:
    datasets = [of("abfss://x", "y"), of("dbfs", "mnt/raw2/b"), of("dbfs", "mnt/raw/a"), of("dbfs", "mnt/raw/b")]
    assert mount_points(listed(BESIDE, RAW, RAW, DEEP), datasets) == (RAW, BESIDE)


@pytest.mark.parametrize("broken", [5, {}, {"mountPoint": "/mnt"}, ("/mnt", None), (None, "x"), (5, "x"), ("/mnt", 5)])
def test_a_mount_that_is_not_as_expected_does_not_cost_the_rest(broken: Any) -> None:
    assert mount_points(listed(broken, RAW), [of("dbfs", "mnt/raw/a")]) == (RAW,)


@pytest.mark.parametrize("facet", [{}, {"mountPoints": None}, {"mountPoints": "x"}, {"mountPoints": {}}])
def test_an_event_without_mounts_has_none(facet: dict[str, Any]) -> None:
    assert mount_points(facet, [of("dbfs", "mnt/raw/a")]) == ()
