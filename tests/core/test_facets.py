"""What docs/compatibility.md says about each facet is true."""

import re
from pathlib import Path

import pytest

from core import events
from tests.support.corpus import bodies, scenarios
from tests.support.events import body, dataset, event
from tests.support.facets import FATES, Fate, found_facets, result, without
from tests.support.tiers import recorded

USED = [fate for fate in FATES if fate.used]
UNUSED = {fate.place for fate in FATES if not fate.used}


def made_event(facet: str) -> bytes:
    """An event that brings one more facet, of those that change nothing in any recorded event."""
    table = {
        "identifiers": [{"namespace": "hive://metastore.contoso.com:9083", "name": "sales.orders", "type": "TABLE"}]
    }
    written = dataset("orders", ["a"], {"a": [("raw/orders", "a")]})
    if facet == "symlinks":
        written["facets"]["symlinks"] = table
    return body(
        event(
            job_name="sales.append_data.execute_insert_into_hadoop_fs_relation_command.orders",
            parent="sales.append_data" if facet == "parent" else "",
            environment={"spark.databricks.notebook.path": "/Shared/Load"} if facet == "environment-properties" else {},
            inputs=[dataset("raw/orders", ["a"])],
            outputs=[written],
        )
    )


def test_every_facet_of_the_recorded_events_has_a_fate() -> None:
    found = {place for scenario in scenarios() for each in bodies(scenario) for place in found_facets(each)}
    assert {fate.place for fate in FATES} == found
    assert len(FATES) == len(found)


@pytest.mark.parametrize("fate", USED, ids=lambda fate: fate.facet)
def test_without_a_facet_that_is_used_something_else_comes_out(fate: Fate) -> None:
    sent = bodies(fate.application) if fate.application else [made_event(fate.facet)]
    assert result([without(each, {fate.place}) for each in sent]) != result(sent)


@pytest.mark.parametrize("scenario", recorded("/"))
def test_without_the_facets_that_are_not_used_nothing_changes(scenario: str) -> None:
    sent = bodies(scenario)
    assert result([without(each, UNUSED) for each in sent]) == result(sent)


def test_the_reader_reads_the_facets_that_are_used_and_no_others() -> None:
    read = re.findall(r'_facet\([^"]*"([^"]+)"\)', Path(str(events.__file__)).read_text("utf-8"))
    assert set(read) == {fate.facet for fate in USED}
