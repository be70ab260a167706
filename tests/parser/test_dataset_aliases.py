"""One dataset under two names in a run, what later events empty, and which outputs of an unknown operation count."""

from typing import Any

import pytest

from parser.dataset_aliases import aliases, renamed
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.events import LAKE, dataset, run_event


def inputs_of(*events: object) -> list[list[str]]:
    lineages = derive(merge(events), LineageRules()).lineages  # type: ignore[arg-type]
    return [[item.id.name for item in lineage.inputs] for lineage in lineages]


def test_a_path_that_only_the_facet_names_is_the_listed_folder_around_it() -> None:
    sink = dataset("t", ["id"], {"id": [("raw/orders/batch_0017", "id")]})
    assert inputs_of(run_event(inputs=[dataset("raw/orders", ["id"])], outputs=[sink])) == [["raw/orders"]]


def test_a_file_next_to_its_folder_is_the_folder() -> None:
    read = [dataset("raw/orders", ["id"]), dataset("raw/orders/2024.csv", ["id"])]
    assert inputs_of(run_event(inputs=read, outputs=[dataset("t")])) == [["raw/orders"]]


def test_part_files_are_their_folder() -> None:
    read = [dataset(f"raw/orders/part-0000{n}-aa-c000.json", ["id"]) for n in range(2)]
    assert inputs_of(run_event(inputs=read, outputs=[dataset("t")])) == [["raw/orders"]]


def test_a_table_named_in_start_and_by_its_location_in_complete_is_one_sink() -> None:
    by_name = dataset("main.sales.orders", namespace="unitycatalog://adb-1.azuredatabricks.net")
    located = dataset("gold/orders")
    link = {"namespace": "unity-catalog", "name": "main.sales.orders", "type": "TABLE"}
    located["facets"]["symlinks"] = {"identifiers": [link]}
    start = run_event("START", inputs=[dataset("s")], outputs=[by_name])
    lineages = derive(merge([start, run_event(inputs=[dataset("s")], outputs=[located])]), LineageRules()).lineages
    assert [str(lineage.sink.id) for lineage in lineages] == [f"{LAKE}/gold/orders"]


def linked(name: str, kind: str, link: str, namespace: str = LAKE) -> dict[str, Any]:
    """A dataset with a symlink: a table's name, or a folder of the lake."""
    made = dataset(name, namespace=namespace)
    made["facets"]["symlinks"] = {"identifiers": [{"namespace": LAKE, "name": link, "type": kind}]}
    return made


def table(name: str, namespace: str = "hive://metastore") -> dict[str, Any]:
    return dataset(name, namespace=namespace)


HIVE = "hive://metastore"
NAMES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "the table of a folder": ([linked("gold/t", "table", "DB.T"), table("db.t")], {"db.t": "gold/t"}),
    "a link of another kind": ([linked("gold/t", "OTHER", "db.t"), table("db.t")], {}),
    "a name without a database": ([linked("gold/t", "TABLE", "t"), table("t")], {}),
    "two tables of one name": ([linked("gold/t", "TABLE", "db.t"), table("db.t"), table("db.t", "glue://x")], {}),
    "the folder of a table": ([linked("db.t", "location", "gold/t", HIVE), dataset("gold/t")], {"db.t": "gold/t"}),
    "a folder that is not in the run": ([linked("db.t", "LOCATION", "gold/t", HIVE), dataset("gold/u")], {}),
    "a table that is called a table": ([linked("db.t", "TABLE", "db.u", HIVE), table("db.u")], {}),
    "a table with another link": ([linked("db.t", "OTHER", "gold/t", HIVE), dataset("gold/t")], {}),
    "the folder of a folder": ([linked("gold/u", "LOCATION", "gold/t"), dataset("gold/t")], {}),
    "a file next to its folder": ([dataset("raw/t"), dataset("raw/t/2024.csv")], {"raw/t/2024.csv": "raw/t"}),
    "a folder next to its folder": ([dataset("raw/t"), dataset("raw/t/sub")], {}),
    "a file of another folder": ([dataset("raw/t"), dataset("raw/u/2024.csv")], {}),
    "a table that is called like a file": ([table("raw/t"), table("raw/t/2024.csv")], {}),
}


@pytest.mark.parametrize(("read", "expected"), NAMES.values(), ids=NAMES.keys())
def test_which_names_stand_for_another_one(read: list[dict[str, Any]], expected: dict[str, str]) -> None:
    found = aliases([run_event(inputs=read, outputs=[dataset("out")])])
    assert {one.name: other.name for one, other in found.items()} == expected


@pytest.mark.parametrize(
    ("folders", "namespace", "expected"),
    [
        ([dataset("raw"), dataset("raw/t")], LAKE, "raw/t"),
        ([dataset("raw/t"), dataset("raw")], LAKE, "raw/t"),
        ([dataset("raw")], LAKE, "raw"),
        ([dataset("raw/tt"), dataset("ra")], LAKE, None),
        ([dataset("raw/t", namespace="abfss://other@lake.dfs.core.windows.net")], LAKE, None),
        ([table("raw/t")], HIVE, None),
    ],
)
def test_a_path_of_the_facet_belongs_to_the_nearest_listed_folder_around_it(
    folders: list[dict[str, Any]], namespace: str, expected: str | None
) -> None:
    sink = dataset("out", ["x"], {"x": [("raw/t/part", "a")]})
    sink["facets"]["columnLineage"]["fields"]["x"]["inputFields"][0]["namespace"] = namespace
    found = aliases([run_event(inputs=folders, outputs=[sink])])
    assert [other.name for other in found.values()] == ([expected] if expected else [])


def test_a_dataset_under_the_name_that_counts_is_a_folder() -> None:
    read = run_event(inputs=[dataset("raw/t"), dataset("raw/t/2024.csv")], outputs=[dataset("out")])
    found = renamed(read, aliases([read]))
    assert [(item.dataset.id.name, item.dataset.is_folder) for item in found.inputs] == [
        ("raw/t", False),
        ("raw/t", True),
    ]
    assert renamed(read, {}) is read


def test_an_output_that_is_also_an_input_does_not_hide_the_others() -> None:
    event = run_event(job_name="app.some_new_node.x", inputs=[dataset("a")], outputs=[dataset("a"), dataset("b")])
    lineages = derive(merge([event]), LineageRules()).lineages
    assert [(lineage.sink.id.name, [item.id.name for item in lineage.inputs]) for lineage in lineages] == [("b", ["a"])]


def test_what_a_later_event_leaves_empty_erases_nothing() -> None:
    start = run_event("START", environment={"mountPoints": [{"mountPoint": "/mnt/a"}], "spark.databricks.job.id": "7"})
    emptied = run_event(environment={"mountPoints": [], "spark.databricks.job.id": ""})
    assert merge([start, emptied]).environment == start.environment


def test_a_job_from_git_is_one_application_whatever_the_commit() -> None:
    paths = [f"/Repos/.internal/0cd1ab3d4c_commits/{commit * 8}/notebooks/etl" for commit in ("3f0d5", "aa0d5")]
    events = [run_event(environment={"spark.databricks.notebook.path": path}, outputs=[dataset("t")]) for path in paths]
    names = {derive(merge([event]), LineageRules()).lineages[0].application.name for event in events}
    assert names == {"Repos/.internal/0cd1ab3d4c/notebooks/etl"}
