"""A table that some events name by GUIDs and others by names is one asset, once any event contains both."""

import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.catalog_model import LearnedId
from core.events import read_event
from parser.merge import merge
from parser.onelake_ids import learned_ids
from pipeline import learned_ids as learning
from pipeline.publish import record
from pipeline.services import Services
from tests.support.corpus import bodies
from tests.support.events import body, dataset, event
from tests.support.fixtures import new_universe
from tests.support.orders import backwards, follow_up, once, shuffled_and_doubled
from tests.support.tiers import sweep
from tests.support.universe import Universe

SCENARIO = "fabric-1.40.1_spark-4.0.1/guid_and_name"
WORKSPACE, SILVER = "5d7c1f3a-8b42-4e0f-9a61-2c90d1e7b8f4", "3c8e5d12-94ab-4f70-a6d3-5b29e7c0f481"
BRONZE, GOLD = "0a4f9c61-7e2d-4b38-9c05-d1f86b3e2a74", "71d0b8e4-2c56-4d9f-8e1a-f3a96c4b7d20"
OTHER = "99999999-2c56-4d9f-8e1a-f3a96c4b7d20"
TIME = "2026-01-01T10:00:00.000Z"
BY_GUID = f"abfss://{WORKSPACE}@onelake.dfs.fabric.microsoft.com"
PORTAL = f"https://app.fabric.microsoft.com/groups/{WORKSPACE}/lakehouses"

Order = Callable[[list[bytes]], list[bytes]]


class Notebook:
    """The recorded notebook, in a workspace of a name that no other test uses, and writes of others there."""

    def __init__(self) -> None:
        self.workspace = f"Retail {uuid.uuid4().hex[:8]}"
        self.by_name = f"abfss://{self.workspace.replace(' ', '%20')}@onelake.dfs.fabric.microsoft.com"
        encoded = self.workspace.replace(" ", "%20").encode()
        self.events = [body.replace(b"Retail-Analytics", encoded) for body in bodies(SCENARIO)]
        self.facts = [
            self.link("LH_Silver", "sales/stock", SILVER),
            self.link("LH_Gold", "dbo/stock", GOLD),
            self.default_lakehouse("LH_Bronze", BRONZE),
        ]

    def link(self, item: str, name: str, guid: str, time: str = TIME) -> bytes:
        """A write to a table by GUIDs, whose LOCATION symlink has the names."""
        location = {"namespace": self.by_name, "name": f"/{item}.Lakehouse/Tables/{name}", "type": "LOCATION"}
        return written(f"/{guid}/Tables/{name}", time, output={"symlinks": {"identifiers": [location]}})

    def by_names(self, item: str, name: str) -> bytes:
        """A write to a table by names alone."""
        return written(f"/{item}.Lakehouse/Tables/{name}", TIME, namespace=self.by_name)

    def default_lakehouse(self, lakehouse: str, guid: str) -> bytes:
        """A write whose session has a lakehouse as its default."""
        names = {"workspace.name": self.workspace, "workspace.id": WORKSPACE}
        names |= {"lakehouse.name": lakehouse, "lakehouse.id": guid}
        properties = {f"trident.{key}": value for key, value in names.items()}
        return written(f"/{guid}/Tables/log", TIME, run={"spark_properties": {"properties": properties}})


def written(
    table: str,
    time: str,
    *,
    namespace: str = BY_GUID,
    output: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
) -> bytes:
    """The end of a small write."""
    event = {
        "eventType": "COMPLETE",
        "eventTime": time,
        "producer": "https://github.com/OpenLineage/OpenLineage/tree/1.40.1/integration/spark",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(uuid.uuid4()), "facets": run or {}},
        "job": {"namespace": "fabric", "name": f"nb_stock.execute_save_into_data_source_command.{table[-9:]}"},
        "inputs": [{"namespace": BY_GUID, "name": f"/{BRONZE}/Files/stock"}],
        "outputs": [{"namespace": namespace, "name": table, "facets": output or {}}],
    }
    return json.dumps(event).encode()


def in_order(found: list[bytes]) -> list[bytes]:
    return found


def shown(found: list[bytes], services: Services) -> Universe:
    here = new_universe(services)
    here.deliver_all(found)
    while follow_up(here, learning.REASON):
        pass
    return here


def sinks(here: Universe) -> list[str]:
    return sorted(name for process in here.entities_of_processes() for _, name in process["relationships"]["outputs"])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_SPREAD_SECONDS", 0)


@pytest.mark.parametrize("order", sweep([in_order, backwards, shuffled_and_doubled], [shuffled_and_doubled]))
def test_a_table_by_guid_and_by_name_is_one_asset_in_any_order_of_the_events(order: Order, services: Services) -> None:
    notebook = Notebook()
    assert sinks(shown(order([*notebook.events, *notebook.facts]), services)) == [
        f"{notebook.by_name}/LH_Named.Lakehouse/Tables/basket_sum",
        f"{PORTAL}/{BRONZE}/tables/log",
        f"{PORTAL}/{SILVER}/tables/sales%252Fbasket",
        f"{PORTAL}/{SILVER}/tables/sales%252Fstock",
        f"{PORTAL}/{GOLD}/tables/dbo%252Fbasket_titles",
        f"{PORTAL}/{GOLD}/tables/dbo%252Fstock",
    ]


def test_names_that_are_learned_while_a_worker_writes_the_older_ones_count_in_the_end(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker learns, and the replay that this causes has ended before the first worker continues."""
    notebook = Notebook()
    here = new_universe(services)

    def learn_and_replay() -> None:
        here.deliver(notebook.link("LH_Silver", "sales/stock", SILVER))
        assert follow_up(here, learning.REASON)

    monkeypatch.setattr("pipeline.run.record", once(record, learn_and_replay))
    here.deliver(notebook.by_names("LH_Silver", "sales/basket"))

    assert sinks(here) == [f"{PORTAL}/{SILVER}/tables/sales%252F{name}" for name in ("basket", "stock")]


def test_what_is_known_enqueues_nobody(services: Services) -> None:
    notebook = Notebook()
    here = shown([notebook.by_names("LH_Silver", "sales/basket"), *notebook.facts], services)
    here.deliver_all(
        [notebook.link("LH_Silver", "sales/stock", SILVER), notebook.default_lakehouse("LH_Bronze", BRONZE)]
    )
    assert follow_up(here, learning.REASON) == 0


NEWEST = {"2026-01-01T11:00:00.000Z": OTHER, "2026-01-01T09:00:00.000Z": SILVER}


@pytest.mark.parametrize("time", sweep(NEWEST, ["2026-01-01T11:00:00.000Z"]))
def test_the_guid_of_the_newest_event_counts(time: str, services: Services) -> None:
    guid = NEWEST[time]
    notebook = Notebook()
    links = [notebook.link("LH_Silver", "sales/stock", SILVER), notebook.link("LH_Silver", "sales/stock", OTHER, time)]
    here = shown([notebook.by_names("LH_Silver", "sales/basket"), *links], services)
    (basket,) = (each for each in here.entities_of_processes() if "basket" in each["attributes"]["qualifiedName"])
    assert f"{PORTAL}/{guid}/tables/sales%252Fbasket" in str(basket["relationships"]["outputs"])
    assert f'Events contain several GUIDs for "{notebook.workspace}' in basket["attributes"]["description"]


def at(hour: int, guid: str, name: str) -> LearnedId:
    return LearnedId(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour), name, guid)


@pytest.mark.parametrize("hours", list(itertools.permutations([(0, SILVER), (20, SILVER), (10, OTHER)])), ids=str)
def test_the_newest_event_counts_in_any_order(hours: tuple[tuple[int, str], ...], services: Services) -> None:
    name = f"Retail {uuid.uuid4()}"
    for hour, guid in hours:
        services.onelake_names.learn(at(hour, guid, name))
    assert [(each.guid, each.time.hour) for each in services.onelake_names.ids(name)] == [(SILVER, 20), (OTHER, 10)]


def test_a_guid_stays_open_until_those_who_learned_it_last_have_announced_it(services: Services) -> None:
    name = f"Retail {uuid.uuid4()}"
    first, second = at(1, SILVER, name), at(5, SILVER, name)
    names = services.onelake_names
    assert (names.learn(first), names.learn(second)) == (True, True)
    names.announced(first)
    assert names.learn(second)
    names.announced(second)
    assert not names.learn(second)
    assert not names.learn(at(6, SILVER, name))


LINKED = "abfss://{}@onelake.dfs.fabric.microsoft.com", "{}/Tables/t"


@pytest.mark.parametrize(
    ("own", "link", "learned"),
    [
        ((WORKSPACE, SILVER), ("Sales", "L.Lakehouse"), {"Sales": WORKSPACE, "Sales/L.Lakehouse": SILVER}),
        ((WORKSPACE, "L.Lakehouse"), ("Sales", "L.Lakehouse"), {"Sales": WORKSPACE}),
        ((WORKSPACE, "L.Lakehouse"), ("Sales", "M.Lakehouse"), {}),
        ((WORKSPACE, SILVER), ("Sales", GOLD), {}),
        ((WORKSPACE, "L.Lakehouse"), (OTHER, GOLD), {}),
        (("Sales", "L.Lakehouse"), ("HR", GOLD), {}),
    ],
)
def test_only_two_spellings_of_one_thing_teach_a_guid(
    own: tuple[str, str], link: tuple[str, str], learned: dict[str, str]
) -> None:
    location = {"namespace": LINKED[0].format(link[0]), "name": LINKED[1].format(link[1]), "type": "LOCATION"}
    written = event(outputs=[dataset(LINKED[1].format(own[1]), [], namespace=LINKED[0].format(own[0]))])
    written["outputs"][0]["facets"]["symlinks"] = {"identifiers": [location]}
    found = learned_ids(merge([read_event(body(written))]))
    assert {each.name: each.guid for each in found} == learned


def test_the_setting_counts_over_what_events_contain(services: Services) -> None:
    notebook = Notebook()
    context = replace(services.naming.context, onelake_ids={f"{notebook.workspace}/lh_silver.Lakehouse": OTHER})
    set_up = replace(services, naming=replace(services.naming, context=context))
    written_by_names = notebook.by_names("LH_Silver", "sales/basket")
    assert f"{PORTAL}/{OTHER}/tables/sales%252Fbasket" in sinks(shown([*notebook.facts, written_by_names], set_up))


def test_runs_are_forgotten_and_guids_are_kept(services: Services) -> None:
    notebook = Notebook()
    shown([notebook.by_names("LH_Silver", "sales/basket"), notebook.facts[0]], services)
    name = f"{notebook.workspace}/LH_Silver.Lakehouse"
    assert list(services.onelake_names.users(name.upper()))
    assert services.onelake_names.forget_users(datetime.now(UTC) + timedelta(minutes=1)) > 0
    assert list(services.onelake_names.users(name)) == []
    assert [item.guid for item in services.onelake_names.ids(name.replace(" ", "%2520"))] == [SILVER]
