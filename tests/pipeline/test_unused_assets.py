"""What was created for a run is deleted when the run is retracted, unless somebody needs or changed it."""

import itertools
import json
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import requests

from core.catalog_model import Asset, AssetName, Created
from core.errors import CatalogRefused
from pipeline.run import process_run
from pipeline.unused_assets import Referred, _own, decode, encode
from purview.catalog import Catalog
from purview.creation import creation_locks
from purview.removal import remove_asset
from storage.created_assets import CreatedAssets
from storage.details_table import DetailsTable
from storage.locks import Locks
from tests.support.events import body, dataset, event
from tests.support.tiers import sweep
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")

LAKE = "https://contosolake.dfs.core.windows.net/data"
SET = "azure_datalake_gen2_resource_set"


def written(universe: Universe, source: str = "in", sink: str = "out", *, run: str = "r", **more: Any) -> bytes:
    """The end of a run that fills a folder from another one."""
    source, sink = f"{universe.name}/{source}", f"{universe.name}/{sink}"
    more.setdefault("job_name", f"nb_{run}.execute_insert_into_hadoop_fs_relation_command.out")
    output = dataset(sink, ["a"], {"a": [(source, "x")]})
    return body(event(run=run, inputs=[dataset(source, ["x"])], outputs=[output], **more))


def failed(universe: Universe, source: str = "in", sink: str = "out", *, run: str = "r", **more: Any) -> bytes:
    """The report that the same run has failed."""
    event = json.loads(written(universe, source, sink, run=run, **more))
    return body({**event, "eventType": "FAIL"})


def name_of(universe: Universe, folder: str) -> AssetName:
    return AssetName(SET, f"{LAKE}/{universe.name}/{folder}/{{SparkPartitions}}")


def left(universe: Universe) -> list[str]:
    """What the Data Map has of this universe: names below its folder, and "process" for each process."""
    found = [
        (each["typeName"], str(each["attributes"]["qualifiedName"])) for each in universe.entities_named(universe.name)
    ]
    return sorted(
        "process" if kind == "azure_synapse_operation" else name.rpartition(f"{universe.name}/")[2]
        for kind, name in found
        if f"{universe.name}/" in name
    )


def a_folder(name: str, column: str) -> list[str]:
    """All that belongs to one folder of ours."""
    head = f"{name}/{{SparkPartitions}}"
    return [head, f"{head}#__tabular_schema", f"{head}#__tabular_schema//{column}"]


def entity(universe: Universe, name: str) -> Any:
    (found,) = [each for each in universe.entities_named(name) if each["attributes"]["qualifiedName"] == name]
    return found


def send(universe: Universe, path: str, content: object, *, author: str = "local") -> None:
    """Write to the Data Map as somebody other than the app."""
    url = universe.services.settings.purview_endpoint
    requests.post(f"{url}/_control/settings", json={"author": author}, timeout=30).raise_for_status()
    try:
        requests.post(f"{url}/datamap/api/{path}", json=content, timeout=30).raise_for_status()
    finally:
        requests.post(f"{url}/_control/settings", json={"author": "local"}, timeout=30).raise_for_status()


def upload(universe: Universe, name: AssetName, *, author: str = "local", **more: Any) -> None:
    attributes = {"qualifiedName": name.qualified_name, "name": "x", **more.pop("attributes", {})}
    written = {"typeName": name.type_name, "guid": "-1", "attributes": attributes, **more}
    send(universe, "atlas/v2/entity/bulk", {"entities": [written]}, author=author)


@pytest.mark.parametrize("order", [("COMPLETE", "FAIL"), ("FAIL", "COMPLETE")], ids="-".join)
def test_a_run_that_failed_leaves_nothing_in_any_order(universe: Universe, order: tuple[str, str]) -> None:
    sent = {"COMPLETE": written(universe), "FAIL": failed(universe)}
    universe.deliver_all(sent[each] for each in order)
    assert left(universe) == []
    assert universe.services.created.get_many([name_of(universe, "in"), name_of(universe, "out")]) == {}


def test_what_was_deleted_is_created_again(universe: Universe) -> None:
    universe.deliver_all([written(universe), failed(universe), written(universe, run="again")])
    assert left(universe) == sorted([*a_folder("in", "x"), *a_folder("out", "a"), "process"])


def test_a_process_that_continues_drops_only_what_the_failed_run_read(universe: Universe) -> None:
    job = "nb.execute_insert_into_hadoop_fs_relation_command.out"
    runs = [written(universe, source, run=source, job_name=job) for source in ("one", "two")]
    universe.deliver_all([*runs, failed(universe, "two", run="two", job_name=job)])
    ((_, shown),) = universe.processes().items()
    assert shown["inputs"] == [name_of(universe, "one").qualified_name]
    assert [name for name in left(universe) if name.startswith("two/")] == []


@pytest.mark.parametrize("order", sweep(map("".join, itertools.permutations("abc")), ["acb", "cab"]))
def test_shared_assets_are_removed_with_the_last_process(universe: Universe, order: str) -> None:
    universe.deliver_all(written(universe, sink=run, run=run) for run in "abc")
    for run in order[:-1]:
        universe.deliver(failed(universe, sink=run, run=run))
        assert set(a_folder("in", "x")) <= set(left(universe))
        assert [name for name in left(universe) if name.startswith(f"{run}/")] == []
    universe.deliver(failed(universe, sink=order[-1], run=order[-1]))
    assert left(universe) == []


def test_processes_that_are_retracted_at_once_leave_nothing(universe: Universe) -> None:
    runs = [str(number) for number in range(4)]
    universe.deliver_all(written(universe, sink=run, run=run) for run in runs)
    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(universe.deliver, [failed(universe, sink=run, run=run) for run in runs]))
    assert left(universe) == []


def _other_process(universe: Universe) -> None:
    reference = {"typeName": SET, "uniqueAttributes": {"qualifiedName": name_of(universe, "in").qualified_name}}
    name = AssetName("Process", f"other://{universe.name}")
    upload(universe, name, attributes={"inputs": [reference], "outputs": []}, author="adf")


def _scan(universe: Universe) -> None:
    upload(universe, name_of(universe, "in"), attributes={"partitionCount": 7}, author="scan")


def _scanned_column(universe: Universe) -> None:
    related = {"composeSchema": _schema(universe)}
    upload(universe, _column(universe, "y"), attributes={"type": "int"}, relationshipAttributes=related, author="scan")


def _description(universe: Universe) -> None:
    upload(universe, name_of(universe, "in"), attributes={"description": "all orders"})


def _owner_of_a_column(universe: Universe) -> None:
    upload(universe, _column(universe, "x"), attributes={"type": "string", "owner": "me"})


def _move(universe: Universe) -> None:
    guids = [entity(universe, name_of(universe, "in").qualified_name)["guid"]]
    send(universe, "entity/moveTo?collectionId=elsewhere", {"entityGuids": guids})


def _other_asset_with_its_schema(universe: Universe) -> None:
    name = AssetName("azure_blob_path", f"https://x/{universe.name}")
    upload(universe, name, relationshipAttributes={"tabular_schema": _schema(universe)})


def _schema(universe: Universe) -> dict[str, str]:
    return {"guid": entity(universe, f"{name_of(universe, 'in').qualified_name}#__tabular_schema")["guid"]}


def _column(universe: Universe, column: str) -> AssetName:
    return AssetName("column", f"{name_of(universe, 'in').qualified_name}#__tabular_schema//{column}")


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (_other_process, "processes refer to it"),
        (_scan, "somebody else changed it"),
        (_scanned_column, "somebody else changed it"),
        (_description, "people added description"),
        (_owner_of_a_column, "people added owner"),
        (_move, "it is not in the collection of its process"),
        (_other_asset_with_its_schema, "other assets refer to it"),
    ],
)
def test_assets_that_others_use_or_changed_stay_and_the_log_says_why(
    happened: Callable[[Universe], None], reason: str, universe: Universe, caplog: pytest.LogCaptureFixture
) -> None:
    universe.deliver(written(universe))
    happened(universe)
    with caplog.at_level(logging.INFO):
        universe.deliver(failed(universe))
    assert set(a_folder("in", "x")) <= set(left(universe))
    assert [name for name in left(universe) if name.startswith("out/")] == []
    steps = [
        json.loads(record.getMessage().removeprefix("step "))
        for record in caplog.records
        if record.name == "pipeline.unused_assets"
    ]
    assert [(each["outcome"], each["reason"]) for each in steps if "/in/" in each["asset"]] == [("kept", reason)]


def test_a_scan_behind_a_later_upload_is_seen_by_what_it_wrote(universe: Universe) -> None:
    """``updatedBy`` names the last author, who is Sparklin again."""
    universe.deliver(written(universe))
    _scan(universe)
    upload(universe, name_of(universe, "in"))
    universe.deliver(failed(universe))
    assert set(a_folder("in", "x")) <= set(left(universe))


@pytest.mark.parametrize("missing", ["createdBy", "updatedBy", "relationshipAttributes"])
def test_what_the_catalogue_does_not_say_keeps_an_asset(
    missing: str, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_get = Catalog.get
    monkeypatch.setattr(
        Catalog,
        "get",
        lambda catalog, guid: {key: value for key, value in plain_get(catalog, guid).items() if key != missing},
    )
    universe.deliver_all([written(universe), failed(universe)])
    assert name_of(universe, "in").qualified_name.rpartition(f"{universe.name}/")[2] in left(universe)


@pytest.mark.parametrize(
    "added",
    [
        {"classifications": [{"typeName": "MICROSOFT.PERSONAL.NAME"}]},
        {"relationshipAttributes": {"meanings": [{"guid": "term"}]}},
        {"contacts": {"Owner": [{"id": "me"}]}},
        {"labels": ["gold"]},
    ],
    ids=lambda added: next(iter(added)),
)
def test_what_people_classified_or_described_stays(
    added: dict[str, Any], universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local Data Map keeps no such thing, so it is added to what it answers."""
    plain_get = Catalog.get

    def get(catalog: Catalog, guid: str) -> dict[str, Any]:
        found = plain_get(catalog, guid)
        is_it = found.get("attributes", {}).get("qualifiedName") == name_of(universe, "in").qualified_name
        return {**found, **added} if is_it else found

    monkeypatch.setattr(Catalog, "get", get)
    universe.deliver_all([written(universe), failed(universe)])
    assert name_of(universe, "in").qualified_name.rpartition(f"{universe.name}/")[2] in left(universe)


def test_an_asset_that_the_catalogue_does_not_delete_stays_and_the_run_is_processed(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    universe.deliver(written(universe))
    kept = entity(universe, name_of(universe, "in").qualified_name)["guid"]
    plain_delete = Catalog.delete

    def delete(catalog: Catalog, guid: str) -> None:
        if guid == kept:
            raise CatalogRefused(400, "", "Purview refuses", "ask Microsoft")
        plain_delete(catalog, guid)

    monkeypatch.setattr(Catalog, "delete", delete)
    sent = failed(universe)
    universe.deliver(sent)
    assert universe.statuses([sent]) == ["Processed"]
    assert left(universe) == sorted(a_folder("in", "x"))


def test_an_asset_of_a_scan_stays(universe: Universe) -> None:
    upload(universe, name_of(universe, "in"), author="scan")
    universe.deliver_all([written(universe), failed(universe)])
    assert left(universe) == ["in/{SparkPartitions}"]


def test_an_asset_whose_creation_was_not_recorded_is_deleted_too(universe: Universe) -> None:
    universe.deliver(written(universe))
    universe.services.created.add_many({name_of(universe, "in"): Created()})
    universe.deliver(failed(universe))
    assert left(universe) == []


def test_the_names_of_a_row_of_an_earlier_version_are_not_known_and_its_assets_stay(universe: Universe) -> None:
    universe.deliver(written(universe))
    details = universe.services.details
    (row,) = [row for row in details.all() if f"{universe.name}/" in row.qualified_name]
    details.write(replace(details.read(row.qualified_name) or row, referred=b""))
    universe.deliver(failed(universe))
    assert left(universe) == sorted(a_folder("in", "x") + a_folder("out", "a"))


class Dead(BaseException):
    """The worker was killed."""


def kill(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the worker die after its ``at``-th change."""
    changes = itertools.count()
    lock = threading.Lock()
    for owner, name in ((Catalog, "delete"), (CreatedAssets, "remove"), (DetailsTable, "write")):
        plain = getattr(owner, name)

        def change(*arguments: Any, _plain: Any = plain, **more: Any) -> Any:
            result = _plain(*arguments, **more)
            with lock:
                if next(changes) == at:
                    raise Dead
            return result

        monkeypatch.setattr(owner, name, change)


@pytest.mark.exhaustive
def test_a_worker_that_is_killed_after_any_change_leaves_nothing_once_the_run_is_repeated(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    for deaths in range(100):
        run = f"run-{deaths}"
        universe.deliver(written(universe, run=run, sink=run))
        with monkeypatch.context() as patch:
            kill(patch, deaths)
            try:
                universe.deliver(failed(universe, run=run, sink=run))
            except Dead:
                pass
            else:
                break
        process_run(universe.run_id(run), universe.services, replay=True)
        assert (deaths, left(universe)) == (deaths, [])
    # The row (its history, the names, clean), the process, two folders with their schemas, and two records.
    assert deaths >= 9


def test_an_asset_to_which_another_process_starts_to_refer_is_not_lost(
    universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker comes after the check of the asset, before its deletion."""
    universe.deliver(written(universe))
    waits = threading.Event()
    other = threading.Thread(target=universe.deliver, args=[written(universe, sink="other", run="other")])
    plain_hold = Locks.hold

    def hold(locks: Locks, keys: Iterable[str], wait_seconds: float) -> Any:
        wanted = list(keys)
        if threading.current_thread() is other and set(creation_locks([name_of(universe, "in")])) <= set(wanted):
            waits.set()
        return plain_hold(locks, wanted, wait_seconds)

    def remove(asset: Asset, catalog: Catalog, guard: Callable[[], None]) -> None:
        if asset.name == name_of(universe, "in"):
            other.start()
            while not waits.wait(0.01) and other.is_alive():
                pass
        remove_asset(asset, catalog, guard)

    monkeypatch.setattr(Locks, "hold", hold)
    monkeypatch.setattr("pipeline.unused_assets.remove_asset", remove)
    universe.deliver(failed(universe))
    other.join(60)
    ((_, shown),) = universe.processes().items()
    assert shown["inputs"] == [name_of(universe, "in").qualified_name]
    assert left(universe) == sorted([*a_folder("in", "x"), *a_folder("other", "a"), "process"])


@pytest.mark.parametrize("is_there", [True, False], ids=["there", "not there"])
@pytest.mark.parametrize("recorded", [None, Created(), Created("g")], ids=["foreign", "announced", "ours"])
def test_an_asset_is_ours_if_it_was_created_after_it_was_announced(
    recorded: Created | None, is_there: bool, universe: Universe
) -> None:
    name, services = name_of(universe, "in"), universe.services
    if recorded:
        services.created.add_many({name: recorded})
    if is_there:
        upload(universe, name)
    guid = entity(universe, name.qualified_name)["guid"] if is_there else ""
    expected = "g" if recorded and recorded.guid else guid if recorded else ""
    assert _own(name, services) == (Asset(name, expected) if expected else None)
    assert services.created.get_many([name]) == ({name: Created(expected)} if expected else {})


def test_names_are_read_as_they_were_stored() -> None:
    kept = Referred(frozenset({AssetName("a", "b"), AssetName("c", "ü \ud800")}), "sales")
    assert decode(encode(kept)) == kept
    assert (decode(b""), encode(Referred())) == (Referred(), b"")
