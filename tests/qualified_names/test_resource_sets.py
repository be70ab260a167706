"""Resource sets: the documented examples of Purview's patterns, and which names mean the same place."""

import pytest

from qualified_names.resource_sets import generalised, same_resource_set

LAKE = "https://lake.dfs.core.windows.net/raw"
BLOB = "https://lake.blob.core.windows.net/raw"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("machinesets/23/foo.parquet", "machinesets/{N}/foo.parquet"),
        ("weblogs/en-au/16.json", "weblogs/{LOC}/{N}.json"),
        ("weblogs/tr-tr/16.json", "weblogs/{LOC}/{N}.json"),
        ("data17.csv", "data{N}.csv"),
        (
            "data/2020/QueriesByState_2020-01-01_2020-01-31.tsv",
            "data/{N}/QueriesByState_{Year}-{Month}-{Day}_{N}-{N}-{N}.tsv",
        ),
        ("in/2024/01/31/a.csv", "in/{Year}/{Month}/{Day}/a.csv"),
        # The last segment is the file's name, not a day.
        ("in/2024/01/31", "in/{N}/{N}/{N}"),
        ("in/1999/01/31/a.csv", "in/{N}/{N}/{N}/a.csv"),
        ("x/3d8a1b2c-1111-4a4a-8b8b-0123456789ab/y.csv", "x/{GUID}/y.csv"),
        ("x/part-deadbeef01.csv", "x/part-{HEX}.csv"),
        ("x/2024-01-31T10-20-30Z.csv", "x/{Year}-{Month}-{Day}T{Hour}-{Minute}-{Second}Z.csv"),
        ("x/2024-01-31T10.csv", "x/{Year}-{Month}-{Day}T{Hour}.csv"),
        ("v1.2/a.csv", "v1.2/a.csv"),
        ("x/sales_v2.csv", "x/sales_v{N}.csv"),
        ("x/b2b.csv", "x/b2b.csv"),
        ("größen/2024/größe17.csv", "größen/{N}/größe{N}.csv"),
        ("deadbeef/abcdefab-x.csv", "{HEX}/{HEX}-x.csv"),
    ],
)
def test_files_are_generalised_as_scans_do(path: str, expected: str) -> None:
    assert generalised(path, is_file=True)[0] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sales_v2", "sales_v2"),
        ("sales2", "sales2"),
        ("sales_2", "sales_{N}"),
        ("year=2024", "year={N}"),
        ("dt=2024-01-31", "dt={Year}-{Month}-{Day}"),
        ("crm/customer", "crm/customer"),
        ("in/2024/01/31", "in/{Year}/{Month}/{Day}"),
        ("in/2024/01/31/10", "in/{Year}/{Month}/{Day}/{N}"),
        ("", ""),
    ],
)
def test_folders_are_generalised_as_scans_do(path: str, expected: str) -> None:
    assert generalised(path)[0] == expected


def test_both_readings_of_a_date_in_folders_are_given() -> None:
    assert generalised("in/2024/01/31/x") == ("in/{Year}/{Month}/{Day}/x", "in/{N}/{N}/{N}/x")
    assert generalised("in/2024/13/31/x") == ("in/{N}/{N}/{N}/x", "in/{N}/{N}/{N}/x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{LAKE}/{'1' * 255}", f"{LAKE}/{{N}}"),
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/"),
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/{{SparkPartitions}}"),
        (f"{LAKE}/crm/t", f"{BLOB}/crm/t/{{SparkPartitions}}"),
        (f"HTTPS://Lake.dfs.core.windows.net/raw/crm/t", f"{LAKE}/crm/t"),  # noqa: F541
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/Year={{Year}}/Month={{Month}}/Day={{Day}}/{{SparkPartitions}}"),
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/{{ProjectYear}}/{{SparkPartitions}}"),
        (f"{LAKE}/in/2021/x", f"{LAKE}/in/{{N}}/x/{{SparkPartitions}}"),
        (f"{LAKE}/in/2021", f"{LAKE}/in/{{Year}}/{{SparkPartitions}}"),
        (f"{LAKE}/in/a_17.csv", f"{LAKE}/in/a_{{N}}.csv"),
        (f"{LAKE}/in/A.CSV", f"{LAKE}/in/A.csv"),
        (f"{LAKE}/in/{{Year}}-{{Month}}.csv", f"{LAKE}/in/2024-01.csv"),
        (f"{LAKE}/in/20240131-7f.avro", f"{LAKE}/in/{{date}}-{{id}}.avro"),
        (f"{LAKE}/in/1-22-333-4444-5.csv", f"{LAKE}/in/{{N}}-{{N}}-{{N}}-{{N}}-{{N}}.csv"),
        (LAKE, f"{LAKE}/"),
        ("s3://bucket/a/b", "s3://bucket/a/b/{SparkPartitions}"),
    ],
)
def test_same_place(one: str, other: str) -> None:
    assert same_resource_set(one, other)
    assert same_resource_set(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{LAKE}/in/2021/x", f"{LAKE}/in/2022/x"),
        (f"{LAKE}/in/data.csv", f"{LAKE}/in"),
        (f"{LAKE}/in/a-2/x", f"{LAKE}/in/a-{{N}}-b/x"),
        (f"{LAKE}/crm/t", f"{LAKE}/CRM/t"),
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/u"),
        (f"{LAKE}/crm/t", f"{LAKE}/crm/t/u/{{SparkPartitions}}"),
        (f"{LAKE}/crm/t", "https://other.dfs.core.windows.net/raw/crm/t"),
        (f"{LAKE}/crm/t", "https://lake.dfs.core.windows.net/RAW/crm/t"),
        (f"{LAKE}/17/t", "https://lake.dfs.core.windows.net/{N}/17/t"),
        (f"{LAKE}/in/12a", f"{LAKE}/in/{{N}}"),
        (f"{LAKE}/in/A.CSV", f"{LAKE}/out/A.csv"),
        (f"{LAKE}/in/A.CSV", f"{LAKE}/in/in/A.csv"),
        # No folder or file has so long a name.
        (f"{LAKE}/{'1' * 256}", f"{LAKE}/{{N}}"),
        # These texts can be divided in too many ways to try them all.
        (f"{LAKE}/in/a-b-c-d-e", f"{LAKE}/in/{{A}}-{{B}}-{{C}}-{{D}}-{{E}}"),
        (f"{LAKE}/in/2131415161", f"{LAKE}/in/{{N}}1{{N}}1{{N}}1{{N}}1{{N}}1"),
        ("crm.customer@prod", "crm.customer@prod"),
    ],
)
def test_other_place(one: str, other: str) -> None:
    assert not same_resource_set(one, other)
    assert not same_resource_set(other, one)
