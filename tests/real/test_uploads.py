"""Uploads of the app look the same in a real Apache Atlas and in the local Data Map: recorded events, all steps.

A scenario a time goes into both catalogues, each with its own storage. Atlas has no search here, so nothing is
scanned beforehand: all assets are the app's own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
import requests

from core.identity import run_key
from core.settings import Settings
from core.storage_connection import StorageConnection
from core.threads import in_threads
from local.azurite import Azurite
from parser.process_history import decode
from pipeline.publish import republish
from pipeline.services import Services, build
from storage.details_table import DetailsRow
from tests.support.corpus import bodies, scenarios
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

# Of the agents that sent the same ten writes, an old one and a new one.
PRODUCERS = (
    "openlineage-1.53.0_spark-3.5.1/",
    "openlineage-1.53.0_spark-3.5_plans/",
    "agents/0.10.0",
    "agents/1.45.0_spark-3.5.1_plan",
)
SCENARIOS = [scenario for scenario in scenarios() if scenario.startswith(PRODUCERS)]

ENDS = ("inputs", "outputs")

Picture = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """One universe in a real Atlas, and the same in the Data Map."""

    atlas: Universe
    data_map: Universe

    def deliver(self, *events: bytes) -> None:
        in_threads(lambda universe: universe.deliver_all(events), (self.atlas, self.data_map), 2)

    def pictures(self) -> tuple[Picture, Picture]:
        of_atlas, of_data_map = in_threads(picture, (self.atlas, self.data_map), 2)
        return of_atlas, of_data_map


@pytest.fixture(scope="module")
def services(
    real_atlas: str, data_map: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Services, Services]]:
    folder = tmp_path_factory.mktemp("storage")
    with Azurite(folder / "one.log") as one, Azurite(folder / "other.log") as other:
        yield _services(one, real_atlas), _services(other, data_map)


def _services(azurite: Azurite, endpoint: str) -> Services:
    storage = StorageConnection(connection_string=azurite.connection_string)
    return build(Settings(lineage_storage=storage, purview_endpoint=endpoint, purview_auth="none"))


@pytest.fixture
def pair(services: tuple[Services, Services], request: pytest.FixtureRequest) -> Pair:
    name = f"real-{abs(hash(request.node.name))}"
    return Pair(*(Universe(name, each) for each in services))


def picture(universe: Universe) -> Picture:
    """By qualified name, each process of the universe with all that hangs on it."""
    rows = [row for row in rows_of(universe) if row.process_guid]
    found = entities(universe, [row.process_guid for row in rows])
    return {row.qualified_name: _process(found[row.process_guid], universe) for row in rows}


def rows_of(universe: Universe) -> list[DetailsRow]:
    return [row for row in universe.services.details.all() if f"//{universe.name}/" in row.qualified_name]


def entities(universe: Universe, guids: Iterable[str]) -> dict[str, Picture]:
    """The entities of some guids, fetched many at a time."""
    url = f"{universe.services.settings.purview_endpoint}/datamap/api/atlas/v2/entity/bulk"
    chunks = [requests.get(url, {"guid": list(some)}, timeout=60).json()["entities"] for some in batched(guids)]
    return {entity["guid"]: entity for chunk in chunks for entity in chunk}


def batched(guids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(guids)
    while some := tuple(islice(rest, 50)):
        yield some


def _process(entity: Picture, universe: Universe) -> Picture:
    attributes = entity["attributes"]
    assets = entities(universe, {each["guid"] for end in ENDS for each in attributes[end]})
    ends = {end: sorted((_asset(assets[each["guid"]], universe) for each in attributes[end]), key=str) for end in ENDS}
    return {"type": entity["typeName"], **_told(attributes), **ends}


def _asset(entity: Picture, universe: Universe) -> Picture:
    schema = entity["relationshipAttributes"].get("tabular_schema")
    holder = entities(universe, [schema["guid"]])[schema["guid"]] if schema else entity
    columns = entities(universe, [each["guid"] for each in holder["relationshipAttributes"].get("columns") or ()])
    shown = sorted(([each["typeName"], _told(each["attributes"])] for each in columns.values()), key=str)
    return {"type": entity["typeName"], **_told(entity["attributes"]), "columns": shown}


def _told(attributes: Mapping[str, Any]) -> Picture:
    """The attributes that were sent."""
    return {key: value for key, value in attributes.items() if isinstance(value, str)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_recorded_events_leave_the_same_lineage(pair: Pair, scenario: str) -> None:
    pair.deliver(*bodies(scenario))
    of_atlas, of_data_map = pair.pictures()
    assert of_atlas == of_data_map


def a_write(run: str, source: str, event_type: str = "COMPLETE", columns: tuple[str, ...] = ("x",)) -> bytes:
    written = dataset("t", ["a"], {"a": [(source, "x")]})
    return body(event(event_type, run=run, inputs=[dataset(source, list(columns))], outputs=[written]))


def guids(universe: Universe) -> list[str]:
    return sorted(row.process_guid for row in rows_of(universe) if row.process_guid)


def test_an_upload_that_is_repeated_changes_nothing(pair: Pair) -> None:
    pair.deliver(a_write("one", "s"))
    before = pair.pictures(), [guids(universe) for universe in (pair.atlas, pair.data_map)]
    for universe in (pair.atlas, pair.data_map):
        for name in universe.services.run_records.get(run_key(universe.run_id("one"))):
            republish(name, universe.services)
    assert (pair.pictures(), [guids(universe) for universe in (pair.atlas, pair.data_map)]) == before


def test_inputs_are_added_and_taken_away(pair: Pair) -> None:
    pair.deliver(a_write("one", "s1"), a_write("two", "s2"))
    of_atlas, of_data_map = pair.pictures()
    assert of_atlas == of_data_map
    (process,) = of_atlas.values()
    assert len(process["inputs"]) == 2
    pair.deliver(a_write("one", "s1", "FAIL"))
    of_atlas, of_data_map = pair.pictures()
    assert of_atlas == of_data_map
    (process,) = of_atlas.values()
    assert len(process["inputs"]) == 1


def test_a_process_without_runs_is_removed(pair: Pair) -> None:
    pair.deliver(a_write("one", "s"), a_write("one", "s", "FAIL"))
    assert pair.pictures() == ({}, {})


def test_an_asset_gets_columns_that_are_reported_later(pair: Pair) -> None:
    pair.deliver(a_write("one", "grown"), a_write("two", "grown", columns=("x", "y", "z")))
    of_atlas, of_data_map = pair.pictures()
    assert of_atlas == of_data_map
    (process,) = of_atlas.values()
    assert [len(each["columns"]) for each in process["inputs"]] == [3]


def test_the_history_of_both_is_one(pair: Pair) -> None:
    pair.deliver(a_write("one", "s"))
    of_atlas, of_data_map = ([decode(row.history) for row in rows_of(each)] for each in (pair.atlas, pair.data_map))
    assert of_atlas == of_data_map
