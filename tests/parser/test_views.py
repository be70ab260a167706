"""Views that old agents report are kept, not drawn: what reads them is drawn from their tables."""

import json
from collections import defaultdict
from collections.abc import Mapping

import pytest

from core.event_model import RunEvent
from core.lineage_model import Lineage
from parser.details import details
from parser.lineage import LineageRules, derive
from parser.merge import merge
from tests.support.corpus import SPARK_31, events


def views(scenario: str) -> Mapping[str, Lineage]:
    """The views of an application by their names."""
    runs: dict[str, list[RunEvent]] = defaultdict(list)
    for event in events(f"{SPARK_31}/{scenario}"):
        runs[event.run_key].append(event)
    found = (item for run in runs.values() for item in derive(merge(run), LineageRules()).lineages)
    return {item.sink.id.name: item for item in found if item.view}


KINDS = [
    ("customer_master_views", "lake.v_cm", "persistent"),
    ("temp_view_chain", "meds", "temporary"),
    ("global_temp_view", "gw", "global temporary"),
    ("temp_view_using_csv", "w_csv", "temporary"),
]


@pytest.mark.parametrize(("scenario", "view", "kind"), KINDS)
def test_the_kind_of_a_view_is_reported(scenario: str, view: str, kind: str) -> None:
    lineage = views(scenario)[view]
    row = details(lineage)
    assert lineage.view == kind
    assert (row["isintermediate"], row["isglobal"]) == (True, kind == "global temporary")


def test_a_view_is_kept_with_its_tables_columns_and_expressions() -> None:
    table = "table/lake.customer_master"
    row = details(views("customer_master_views")["lake.v_cm"])
    assert row["output_table"] == "view/lake.v_cm"
    assert json.loads(str(row["input_tables"])) == [table]
    assert {item["column"]: (item["from"], item["expression"]) for item in json.loads(str(row["derived_columns"]))} == {
        "id": ([f"{table}#id"], None),
        "full_name": ([f"{table}#full_name"], None),
        "rn": ([], "row_number() OVER (PARTITION BY addr ORDER BY id DESC)"),
    }


def test_a_view_over_a_view_names_it() -> None:
    found = views("ctas_of_nested_views")["marts.v_ward_gross"]
    assert [str(table.id) for table in found.inputs] == ["table/hosp.ward", "table/marts.v_gross"]


def test_columns_that_the_statement_names_are_not_in_the_plan() -> None:
    found = views("persistent_view")["marts.v_wards"]
    assert [str(table.id) for table in found.inputs] == ["table/hosp.staff", "table/hosp.ward"]
    assert found.columns == ()
    assert [note.code for note in found.notes] == ["view-open"]
