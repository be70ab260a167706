"""Processes move to assets that scans created after ours, on real storage and a real Data Map."""

from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from cli.tasks import relink_processes as steps
from cli.tasks.relink_processes import Leftover
from core.catalog_model import Asset, AssetName
from core.errors import CatalogRefused
from pipeline.services import Services
from purview.catalog import Catalog
from tests.support.events import body, dataset, event
from tests.support.fixtures import Sparklin, new_universe
from tests.support.universe import Universe

SQL = "sqlserver://contoso.database.windows.net"


def table(universe: Universe, name: str) -> str:
    return f"mssql://contoso.database.windows.net/{universe.name}/dbo/{name}"


def load(universe: Universe, sink: str = "orders") -> bytes:
    """An event of a load from table ``Orders``, as the job spells it: in lower case."""
    source = {**dataset("x", ["id"]), "namespace": SQL, "name": f"{universe.name}.dbo.orders"}
    return body(
        event(
            run=sink, job_name="load.execute_save_into_data_source_command.t", inputs=[source], outputs=[dataset(sink)]
        )
    )


def scan(universe: Universe, type_name: str, qualified_name: str, **more: Any) -> None:
    """Put an asset into the Data Map as a scan would."""
    entity = {
        "typeName": type_name,
        "guid": "-1",
        "attributes": {"qualifiedName": qualified_name, "name": "scanned", **more.pop("attributes", {})},
        **more,
    }
    url = f"{universe.services.settings.purview_endpoint}/datamap/api/atlas/v2/entity/bulk"
    requests.post(url, json={"entities": [entity]}, timeout=30).raise_for_status()


@pytest.fixture
def relink(universe: Universe, sparklin: Sparklin) -> Any:
    """Runs the command, and returns its output about this universe."""

    def run(*options: str, here: Universe = universe) -> Any:
        code, shown = sparklin("relink", *options)
        assert code == 0
        moves = [move for move in shown["moves"] if f"//{here.name}/" in move["process"]]
        ours = {move["from"]["guid"] for move in moves}
        return moves, [item for item in shown["placeholders"] if item["guid"] in ours]

    return run


def names(universe: Universe) -> set[str]:
    return {str(entity["attributes"]["qualifiedName"]) for entity in universe.entities()}


def sources(universe: Universe) -> list[list[str]]:
    return [list(process["inputs"]) for process in universe.processes().values()]


def test_nothing_is_moved_while_no_scan_has_found_the_table(universe: Universe, relink: Any) -> None:
    universe.deliver(load(universe))
    assert relink("--apply") == ([], [])
    assert sources(universe) == [[table(universe, "orders")]]


def test_without_apply_nothing_is_done(universe: Universe, relink: Any) -> None:
    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    (move,), (placeholder,) = relink()
    assert (move["from"]["qualifiedName"], move["to"]["qualifiedName"]) == (
        table(universe, "orders"),
        table(universe, "Orders"),
    )
    assert not move["moved"]
    assert (placeholder["removed"], placeholder["kept"]) == (False, None)
    assert sources(universe) == [[table(universe, "orders")]]


def test_a_process_moves_to_the_scanned_table_and_the_placeholder_is_deleted(universe: Universe, relink: Any) -> None:
    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    (move,), (placeholder,) = relink("--apply")
    assert (move["moved"], placeholder["removed"]) == (True, True)
    assert sources(universe) == [[table(universe, "Orders")]]
    assert table(universe, "orders") not in names(universe)
    assert relink("--apply") == ([], [])


def test_the_columns_of_a_placeholder_are_deleted_with_it(universe: Universe, relink: Any) -> None:
    """A folder that was treated as a file, until a scan found the set of files in it."""
    name = f"{universe.name}/x.parquet"
    universe.deliver(body(event(inputs=[dataset(name, ["id"])], outputs=[dataset(f"{universe.name}/out")])))
    path = f"https://contosolake.dfs.core.windows.net/data/{name}"
    assert f"{path}#__tabular_schema//id" in names(universe)
    scan(universe, "azure_datalake_gen2_resource_set", f"{path}/{{SparkPartitions}}")
    (move,), (placeholder,) = relink("--apply")
    assert (move["moved"], placeholder["removed"]) == (True, True)
    assert [each for each in names(universe) if each.startswith(f"{path}#") or each == path] == []


def test_all_processes_of_a_table_move_before_its_placeholder_is_deleted(universe: Universe, relink: Any) -> None:
    for sink in ("a", "b", "c"):
        universe.deliver(load(universe, sink))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    moves, (placeholder,) = relink("--apply")
    assert [move["moved"] for move in moves] == [True, True, True]
    assert placeholder["removed"]
    assert sources(universe) == [[table(universe, "Orders")]] * 3


def test_a_placeholder_that_others_use_is_kept_with_the_reason(universe: Universe, relink: Any) -> None:
    universe.deliver(load(universe))
    own = {
        "inputs": [{"typeName": "azure_sql_table", "uniqueAttributes": {"qualifiedName": table(universe, "orders")}}]
    }
    name = f"other://{universe.name}"
    scan(universe, "Process", name, attributes={"qualifiedName": name, "name": "other", "outputs": [], **own})
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    (_,), (foreseen,) = relink()
    assert foreseen["kept"] == "processes refer to it"
    (move,), (placeholder,) = relink("--apply")
    assert (move["moved"], placeholder["removed"], placeholder["kept"]) == (True, False, "processes refer to it")
    assert table(universe, "orders") in names(universe)


BY_PEOPLE = [
    ("", {"businessAttributes": {"Governance": {"steward": "me"}}}, "businessAttributes"),
    ("", {"attributes": {"userDescription": "all orders"}}, "userDescription"),
    ("#id", {"classifications": [{"typeName": "MICROSOFT.PERSONAL.NAME"}]}, "classifications"),
    ("#id", {"attributes": {"description": "the key"}}, "description"),
]


@pytest.mark.parametrize(
    ("part", "added", "addition"), BY_PEOPLE, ids=[f"{addition}{part}" for part, _, addition in BY_PEOPLE]
)
def test_a_placeholder_to_which_people_added_something_is_kept(
    universe: Universe, relink: Any, monkeypatch: pytest.MonkeyPatch, part: str, added: dict[str, Any], addition: str
) -> None:
    """The local Data Map keeps no such thing, so it is added to what it answers."""
    plain_get = Catalog.get

    def get(catalog: Catalog, guid: str) -> dict[str, Any]:
        entity = plain_get(catalog, guid)
        attributes = entity.get("attributes", {})
        if attributes.get("qualifiedName") != table(universe, "orders") + part:
            return entity
        return {**entity, **added, "attributes": {**attributes, **added.get("attributes", {})}}

    monkeypatch.setattr(Catalog, "get", get)
    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    _, (placeholder,) = relink("--apply")
    assert (placeholder["removed"], placeholder["kept"]) == (False, f"people added {addition}")
    assert table(universe, "orders") in names(universe)


def test_the_report_is_complete_if_a_placeholder_cannot_be_deleted(
    universe: Universe, sparklin: Sparklin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(*_: object) -> NoReturn:
        raise CatalogRefused(403, "", "Purview refuses", "grant a role")

    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    monkeypatch.setattr(Catalog, "delete", delete)
    code, shown = sparklin("relink", "--apply")
    (move,) = [each for each in shown["moves"] if f"//{universe.name}/" in each["process"]]
    (placeholder,) = [each for each in shown["placeholders"] if each["guid"] == move["from"]["guid"]]
    assert (code, move["moved"]) == (1, True)
    assert (placeholder["removed"], placeholder["kept"]) == (False, "Purview refuses")


def test_a_placeholder_that_is_kept_at_the_last_check_is_reported_as_kept(
    universe: Universe, relink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_remove = steps.remove

    def remove(asset: Asset, services: Services) -> steps.Leftover:
        scan(universe, "azure_sql_table", asset.name.qualified_name, attributes={"owner": "me"})
        return plain_remove(asset, services)

    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    monkeypatch.setattr("cli.tasks.relink_processes.remove", remove)
    _, (placeholder,) = relink("--apply")
    assert (placeholder["removed"], placeholder["kept"]) == (False, "people added owner")


def test_a_later_run_uses_the_scanned_table(universe: Universe, relink: Any) -> None:
    universe.deliver(load(universe))
    scan(universe, "azure_sql_table", table(universe, "Orders"))
    relink("--apply")
    universe.deliver(load(universe, "second"))
    assert sources(universe) == [[table(universe, "Orders")]] * 2


def test_a_folder_next_to_our_resource_set_is_no_reason_to_move(universe: Universe, relink: Any) -> None:
    other = new_universe(universe.services)
    other.deliver(body(event(inputs=[dataset(f"{other.name}/in")], outputs=[dataset(f"{other.name}/out")])))
    lake = "https://contosolake.dfs.core.windows.net/data"
    scan(other, "azure_datalake_gen2_path", f"{lake}/{other.name}/in/")
    assert relink("--apply", here=other) == ([], [])


def test_without_a_local_stack_the_command_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["relink", "--local"])
    assert result.exit_code == 2
    assert "make up" in result.stderr


@pytest.mark.parametrize(
    ("process", "guids"),
    [
        ({}, set()),
        ({"attributes": {"inputs": [{"guid": "a"}], "outputs": [{"guid": "b"}]}}, {"a", "b"}),
        ({"attributes": {"inputs": None, "outputs": [{"guid": "b"}]}}, {"b"}),
        ({"attributes": {"inputs": [{"guid": "a"}, {"guid": "c"}]}}, {"a", "c"}),
    ],
)
def test_the_assets_to_which_a_process_refers(process: dict[str, Any], guids: set[str]) -> None:
    assert steps._references(process) == guids


def test_a_placeholder_that_is_gone_is_forgotten(universe: Universe, services: Services) -> None:
    universe.deliver(load(universe))
    name = AssetName("azure_sql_table", table(universe, "orders"))
    (created,) = services.created.get_many([name]).values()
    asset = Asset(name, created.guid)

    assert steps.leftover(asset, services) == Leftover(asset, "processes refer to it")
    assert services.created.get_many([name])
    services.catalog.delete(created.guid)
    assert steps.leftover(asset, services) is None
    assert services.created.get_many([name]) == {}
