"""Which folders at the end of a path are partitions: the rules of the trimmers of agent 1.39."""

import pytest

from core.partitions import without_partitions


@pytest.mark.parametrize(
    "tail",
    [
        "key=value",
        "x=",
        "year=2024/month=01/day=05",
        "2025-07-22",
        "21.07.2025",
        "20250721",
        "20250722T0901Z",
        "20250722T901Z",
        "2025-07-22T10:11:12Z",
        "2025-07-22 10.11",
        "2025072110",
        "2025-02-30",
        "202507",
        "2025-07",
        "2025/07",
        "2025/07/21",
        "year=2025/2025-07-01",
        "date=20250721/20250722T901Z",
        "20250721/20250722T901Z/key=value",
        "2025/07/21/hour=3",
    ],
)
def test_partitions_are_cut(tail: str) -> None:
    assert without_partitions(["tmp", "t", *tail.split("/")]) == ["tmp", "t"]


@pytest.mark.parametrize(
    "path",
    [
        "tmp/cat",
        "tmp/a=b=c",
        "tmp/20122321",
        "tmp/0000-01-01",
        "tmp/00.07.2025",
        "tmp/dataset_20250721",
        "tmp/2025-07-21T10+02",
        "tmp/2025-07-21.csv",
        "tmp/202540",
        "tmp/2025",
        "tmp/2025/14",
        "tmp/2025/07/50",
        "tmp/2025/07/21/orders.csv",
        "tmp/2025/07/eu",
    ],
)
def test_everything_else_stays(path: str) -> None:
    assert "/".join(without_partitions(path.split("/"))) == path


@pytest.mark.parametrize("path", ["key=value", "20250721", "2025-07", "2025/07", "2025/07/21", "day=1/day=2", ""])
def test_the_first_folder_is_never_cut(path: str) -> None:
    first = path.split("/")[0]

    assert without_partitions(path.split("/"))[0] == first


def test_a_month_or_date_that_is_the_whole_path_stays() -> None:
    assert without_partitions(["2025", "07", "21"]) == ["2025", "07", "21"]
    assert without_partitions(["2025", "07"]) == ["2025", "07"]
