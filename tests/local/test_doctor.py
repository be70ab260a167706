"""``sparklin doctor``: each thing that can be wrong is broken once, and must be found with its repair."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest
import requests
from typer.testing import CliRunner, Result

from cli.checks.endpoint import Receiver
from cli.main import app
from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from local.azurite import Azurite
from local.stack.lifecycle import Stack
from storage.clients import connect, provision
from storage.poison_queues import RETRY_POISON_QUEUE
from tests.support.processes import until

pytestmark = pytest.mark.xdist_group("stack")

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "contracts" / "doctor.schema.json").read_text("utf-8"))
NAMES = [
    "settings",
    "address of the receiver",
    "address of Purview",
    "receiver",
    "function key",
    "compression",
    "storage",
    "containers, tables, queue",
    "poison queues",
    "version of the store",
    "Purview",
    "type",
    "visible asset",
    "end to end",
]


@pytest.fixture(autouse=True)
def _mended(stack: Stack) -> Iterator[None]:
    yield
    stack.misdeliver_events()
    requests.delete(f"{data_map(stack)}/_control/faults", timeout=60)


def data_map(stack: Stack) -> str:
    assert stack.data_map is not None
    return stack.data_map.url


def entities(stack: Stack) -> Any:
    return requests.get(f"{data_map(stack)}/_control/entities", timeout=60).json()


def run(stack: Stack, *options: str, **instead: str) -> Result:
    environment = {
        "LINEAGE_STORAGE": stack.azurite.connection_string,
        "PURVIEW_ENDPOINT": data_map(stack),
        "PURVIEW_AUTH": "none",
        "SPARKLIN_RECEIVER": stack.receiver,
        "SPARKLIN_FUNCTION_KEY": stack.keys.function,
    }
    return CliRunner().invoke(app, ["doctor", *options], env={**environment, **instead})


def checked(result: Result) -> dict[str, Any]:
    """The text of each check, by its name."""
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, SCHEMA)
    assert shown["ok"] == (result.exit_code == 0)
    return {check["name"]: check for check in shown["checks"]}


def assert_wrong(result: Result, name: str, repair: str) -> None:
    assert result.exit_code == 1
    found = checked(result)[name]
    assert (found["state"], repair in found["repair"]) == ("wrong", True), found


def fault(stack: Stack, **what: object) -> None:
    requests.post(f"{data_map(stack)}/_control/faults", json=what, timeout=60).raise_for_status()


def test_a_working_stack_passes_and_no_trace_of_the_test_stays(stack: Stack) -> None:
    before = entities(stack)
    result = run(stack)
    found = checked(result)
    assert (result.exit_code, list(found)) == (0, NAMES), result.stdout
    others = {name: check["state"] for name, check in found.items() if name != "compression"}
    assert others.pop("version of the store") in ("ok", "skipped")  # The timer may have noted it.
    assert others == dict.fromkeys(others, "ok") | {"visible asset": "skipped"}
    assert entities(stack) == before


def test_a_chunked_body_shows_whether_compression_can_be_used(stack: Stack) -> None:
    """The local host drops the content of chunked bodies, as that of Azure is known to do."""
    found = checked(run(stack))["compression"]
    assert (found["state"], "transport.compression" in found["repair"]) == ("note", True)


def test_an_existing_asset_is_found(stack: Stack) -> None:
    entity = {"typeName": "DataSet", "guid": "-1", "attributes": {"qualifiedName": "doctor://seen", "name": "seen"}}
    address = f"{data_map(stack)}/datamap/api/atlas/v2/entity/bulk"
    requests.post(address, json={"entities": [entity]}, timeout=60).raise_for_status()
    assert checked(run(stack, "--asset", "DataSet", "doctor://seen"))["visible asset"]["state"] == "ok"


def test_an_asset_that_is_not_found_is_reported(stack: Stack) -> None:
    assert_wrong(run(stack, "--asset", "DataSet", "doctor://unseen"), "visible asset", "Data Reader")


def test_a_missing_setting(stack: Stack) -> None:
    result = run(stack, LINEAGE_STORAGE="")
    assert_wrong(result, "settings", "environment")
    assert "LINEAGE_STORAGE is missing" in checked(result)["settings"]["found"]


def test_an_unavailable_receiver(stack: Stack) -> None:
    assert_wrong(run(stack, SPARKLIN_RECEIVER="http://127.0.0.1:9"), "receiver", "az functionapp show")


def test_an_address_of_something_else(stack: Stack) -> None:
    assert_wrong(run(stack, SPARKLIN_RECEIVER=data_map(stack)), "receiver", "publish")


def test_a_name_without_an_address(stack: Stack) -> None:
    result = run(stack, SPARKLIN_RECEIVER="https://no-such-app.invalid")
    assert_wrong(result, "address of the receiver", "DNS")


def test_a_wrong_key(stack: Stack) -> None:
    assert_wrong(run(stack, SPARKLIN_FUNCTION_KEY="wrong"), "function key", "az functionapp keys list")


def test_without_a_receiver_the_rest_is_checked(stack: Stack) -> None:
    result = run(stack, SPARKLIN_RECEIVER="")
    found = checked(result)
    assert (result.exit_code, found["receiver"]["state"], found["end to end"]["state"]) == (0, "skipped", "skipped")


def test_unavailable_storage(stack: Stack) -> None:
    unreachable = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;"
        "QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;"
    )
    assert_wrong(run(stack, LINEAGE_STORAGE=unreachable), "storage", "private storage account")


def test_storage_that_refuses_the_identity(stack: Stack) -> None:
    refused = stack.azurite.connection_string.replace("AccountKey=", "AccountKey=AAAA")
    assert_wrong(run(stack, LINEAGE_STORAGE=refused), "storage", "Storage Blob Data Contributor")


def test_a_storage_account_that_is_not_the_apps(stack: Stack, tmp_path: Path) -> None:
    with Azurite(tmp_path / "azurite.log") as other:
        result = run(stack, LINEAGE_STORAGE=other.connection_string)
        assert_wrong(result, "containers, tables, queue", "restart")


def test_a_message_that_no_function_can_read(stack: Stack) -> None:
    queues = connect(StorageConnection(stack.azurite.connection_string)).queues
    queue = queues.create_queue(RETRY_POISON_QUEUE)
    queue.send_message('{"run": "plain"}')
    try:
        assert_wrong(run(stack), "poison queues", "az storage message clear")
    finally:
        queues.delete_queue(RETRY_POISON_QUEUE)


def test_an_unavailable_catalogue(stack: Stack) -> None:
    assert_wrong(run(stack, PURVIEW_ENDPOINT="http://127.0.0.1:9"), "Purview", "az login")


def test_a_catalogue_that_refuses_the_identity(stack: Stack) -> None:
    fault(stack, count=100, path="typedef", status=403)
    fault(stack, count=100, path="types/entitydef", status=403)
    assert_wrong(run(stack), "Purview", "Data Curator")


def test_a_catalogue_without_the_type(stack: Stack) -> None:
    unknown = '{"errorCode": "ATLAS-404-00-001", "errorMessage": "Given typename azure_synapse_operation was invalid"}'
    fault(stack, count=100, path="types/entitydef", status=404, body=unknown)
    assert_wrong(run(stack), "type", "Purview account")


def test_a_catalogue_without_the_type_of_the_old_names(stack: Stack) -> None:
    result = run(stack, PROCESS_NAMING="sparklin")
    assert_wrong(result, "type", "docs/migration.md")
    assert "HRServicesInsights_OneHRSI" in checked(result)["type"]["found"]


def test_an_event_without_a_notification(stack: Stack) -> None:
    stack.misdeliver_events(drop=True)
    assert_wrong(run(stack, "--wait", "3"), "event delivery", "event-subscription")


@pytest.mark.exhaustive
def test_an_app_that_may_not_write_to_the_catalogue(stack: Stack) -> None:
    fault(stack, count=100, path="entity/bulk", method="POST", status=403)
    result = run(stack, "--wait", "60")
    assert_wrong(result, "end to end", "sparklin replay")
    assert "Data Curator" in checked(result)["end to end"]["found"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("event_type", "name", "state"), [("COMPLETE", "end to end", "wrong"), ("FAIL", "clean-up", "note")]
)
def test_an_unanswered_event_does_not_hide_other_findings(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, event_type: str, name: str, state: str
) -> None:
    before = entities(stack)
    plain_post = Receiver.post

    def post(receiver: Receiver, body: bytes, *, chunked: bool = False) -> requests.Response:
        answer = plain_post(receiver, body, chunked=chunked)
        if json.loads(body)["eventType"] == event_type:
            raise requests.ReadTimeout
        return answer

    monkeypatch.setattr(Receiver, "post", post)
    found = checked(run(stack))
    assert (found[name]["state"], "ReadTimeout" in found[name]["found"]) == (state, True), found
    assert [each for each in NAMES if each not in found] == []
    monkeypatch.undo()
    run(stack)
    assert entities(stack) == before


def test_services_that_cannot_be_built_do_not_hide_other_findings(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(_: object) -> NoReturn:
        raise StorageUnavailable("storage did not answer in time")

    monkeypatch.setattr("cli.doctor.build_for_command", build)
    result = run(stack)
    assert_wrong(result, "end to end", "LINEAGE_STORAGE")
    assert list(checked(result)) == NAMES


@pytest.mark.exhaustive
def test_traces_in_another_storage_account_are_reported(stack: Stack, tmp_path: Path) -> None:
    before = entities(stack)
    with Azurite(tmp_path / "azurite.log") as other:
        provision(connect(StorageConnection(other.connection_string)))
        result = run(stack, LINEAGE_STORAGE=other.connection_string)
    assert_wrong(result, "end to end", "LINEAGE_STORAGE")
    assert "the events stay, and so do its assets" in checked(result)["clean-up"]["found"]
    until(lambda: not [each for each in entities(stack) if each["typeName"] == "azure_synapse_operation"])
    run(stack)
    assert entities(stack) == before
