"""Which folders at the end of a path are partitions: the rules of the trimmers of agent 1.39."""

import pytest

from core.partitions import without_part_file, without_partitions


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
        "tmp/2025-07-21T10T",
        "tmp/2025-07-21ZZ",
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


GUID = "3d8a1b2c-1111-4a4a-8b8b-0123456789ab"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"tmp/t/2024-01-31/10-20-30-123/{GUID}", "tmp/t"),
        (f"t/2024-01-31/10-20-30/{GUID.upper()}", "t"),
        (f"t/day=1/2024-01-31/10-20-30/{GUID}", "t"),
        (f"2024-01-31/10-20-30/{GUID}", f"2024-01-31/10-20-30/{GUID}"),
        (f"t/2024-13-31/10-20-30/{GUID}", f"t/2024-13-31/10-20-30/{GUID}"),
        (f"t/2024-01-31/10-20/{GUID}", f"t/2024-01-31/10-20/{GUID}"),
        ("t/2024-01-31/10-20-30/no-guid", "t/2024-01-31/10-20-30/no-guid"),
        (".spark-bigquery-app1-0f3c/part", ".spark-bigquery"),
        (".spark-bigquery", ".spark-bigquery"),
        ("t/.spark-bigquery-app1", "t/.spark-bigquery-app1"),
    ],
)
def test_the_staging_folders_of_connectors_get_one_name(path: str, kept: str) -> None:
    assert "/".join(without_partitions(path.split("/"))) == kept


def test_no_folders_have_no_partitions() -> None:
    assert without_partitions([]) == []


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("t/part-00000-3d8a-c000.snappy.parquet", "t"),
        ("t/part-r-00003.gz", "t"),
        ("t/part-00000", "t"),
        ("part-00000", "part-00000"),
        ("t/part-0000", "t/part-0000"),
        ("part-00000/t", "part-00000/t"),
        ("", ""),
    ],
)
def test_a_part_file_belongs_to_its_folder(path: str, folder: str) -> None:
    assert "/".join(without_part_file(path.split("/"))) == folder


@pytest.mark.parametrize("tail", ["2025/07", "2025/07/21", "key=value", "202507"])
def test_the_folder_above_a_partition_may_be_the_first(tail: str) -> None:
    assert without_partitions(["t", *tail.split("/")]) == ["t"]
