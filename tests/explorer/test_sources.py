"""One application's lineage as a graph: from the catalogue, from LineageDetails and from its events."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from cli.preview import preview_rules
from cli.tasks.event_graph import from_events
from explorer.from_catalog import from_catalog
from explorer.from_details import from_details
from explorer.graph import ColumnReference, LineageGraph, from_json, to_json
from pipeline.services import Services
from storage.details_table import DetailsRow
from tests.support.corpus import SPARK_35, bodies
from tests.support.universe import Universe

CONTRACT = json.loads((Path(__file__).parents[2] / "docs" / "contracts" / "lineage.schema.json").read_text())
TUTORIAL = f"{SPARK_35}/tutorial_customer_master"
MEDALLION = "fabric-1.40.1_spark-4.0.1/medallion"
PLAN = f"{SPARK_35}/logical_plan_facet"
LAKE = "https://contosolake.dfs.core.windows.net"
SINK = f"{LAKE}/curated/customer_master_delta/{{SparkPartitions}}"
CUSTOMER = f"{LAKE}/data/raw/crm/customer/{{SparkPartitions}}"


def checked(graph: LineageGraph) -> LineageGraph:
    """The graph, after its JSON fits the contract and reads back as the same."""
    text = to_json(graph)
    jsonschema.validate(json.loads(text), CONTRACT, format_checker=jsonschema.FormatChecker())
    assert from_json(text) == graph
    ids = {dataset.id for dataset in graph.datasets}
    for process in graph.processes:
        assert ids >= {*process.inputs, *process.outputs}
    return graph


def of_events(scenario: str, services: Services, universe: Universe) -> LineageGraph:
    own = [universe.own(body) for body in bodies(scenario)]
    return checked(from_events(own, preview_rules(services.settings)))


def of_details(services: Services, universe: Universe) -> LineageGraph:
    rows = services.details.all(lambda name: name.startswith(f"sparklin://{universe.name}/"))
    return checked(from_details(rows, services.settings.lineage_window, services.naming))


def of_catalogue(services: Services, universe: Universe) -> LineageGraph:
    guids = [entity["guid"] for entity in universe.entities_of_processes()]
    return checked(from_catalog(services.catalog, guids, depth=1))


def bare(graph: LineageGraph) -> object:
    """What all sources know: the names, and which column flows into which."""
    edges = sorted(
        (process.qualified_name, each.dataset, each.column, source.dataset, source.column)
        for process in graph.processes
        for each in process.columns
        for source in each.sources
    )
    processes = [(each.id, each.name, each.inputs, each.outputs, each.application) for each in graph.processes]
    return sorted({each.id for each in graph.datasets}), processes, edges


@pytest.mark.parametrize("scenario", [TUTORIAL, MEDALLION])
def test_all_sources_have_the_same_lineage_under_the_same_ids(
    scenario: str, universe: Universe, services: Services
) -> None:
    universe.deliver_all(bodies(scenario))
    events, details, catalogue = (
        of_events(scenario, services, universe),
        of_details(services, universe),
        of_catalogue(services, universe),
    )
    assert msgspec.structs.replace(details, source="events", processes=()) == msgspec.structs.replace(
        events, processes=()
    )
    assert [msgspec.structs.replace(each, guid="") for each in details.processes] == list(events.processes)
    assert all(each.guid for each in details.processes)
    assert bare(catalogue) == bare(details)
    assert events.processes


def test_the_catalogue_has_expressions_and_conditions_too(universe: Universe, services: Services) -> None:
    universe.deliver_all(bodies(PLAN))
    for graph, filtered in ((of_catalogue(services, universe), "…"), (of_details(services, universe), "0")):
        (process,) = graph.processes
        assert {each.column: each.expression for each in process.columns if each.expression} == {
            "total": "sum(orders.amount)",
            "pos": "rank() OVER (ORDER BY sum(orders.amount) DESC)",
        }
        assert process.conditions == (
            "INNER: orders.customer_id = customer.id",
            f"WHERE: orders.qty > {filtered}",
        )


def test_a_column_is_computed_as_the_events_say(universe: Universe, services: Services) -> None:
    graph = of_events(TUTORIAL, services, universe)
    (process,) = graph.processes
    column = next(each for each in process.columns if each.column == "full_name")
    assert column.dataset == SINK
    assert column.sources == (ColumnReference(CUSTOMER, "first_name"), ColumnReference(CUSTOMER, "last_name"))
    assert {use.kind for use in process.rows} == {"JOIN", "FILTER"}
    assert [(run.state, run.started is not None) for run in process.runs] == [("COMPLETE", True)]


@pytest.mark.parametrize("scenario", [PLAN, MEDALLION, f"{SPARK_35}/streaming_files", f"{SPARK_35}/views"])
def test_graphs_fit_the_contract(scenario: str, services: Services, universe: Universe) -> None:
    of_events(scenario, services, universe)


def test_a_row_that_cannot_be_read_costs_no_other(universe: Universe, services: Services) -> None:
    rows = [DetailsRow("sparklin://ns/broken#x", history=b"[]"), DetailsRow("sparklin://ns/empty#x")]
    graph = checked(from_details(rows, services.settings.lineage_window, services.naming))
    assert [note.code for note in graph.notes] == ["row-unreadable"]
    assert graph.notes[0].text.startswith("sparklin://ns/broken#x: ")
