"""A message that kills the worker does not stop its partition: it kills the local host, which then restarts."""

import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from core.envelope import read_envelope
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from local.stack.parts import ROOT, FunctionHost
from local.stack.processes import Command
from pipeline.intake import DEADLY, MOST_DEATHS
from pipeline.services import Services, build
from tests.faults.deadly import JOURNAL, deaths
from tests.faults.dying import _free_port
from tests.support.events import body, dataset, event
from tests.support.processes import until

pytestmark = pytest.mark.exhaustive
HUB = "openlineage"
SETTINGS = {
    "EVENT_HUB": HUB,
    "EVENT_HUB_CONNECTION__fullyQualifiedNamespace": "none.servicebus.windows.net",
    "PURVIEW_ENDPOINT": "http://127.0.0.1:9",
    "PURVIEW_AUTH": "none",
}


class DeadlyHost(FunctionHost):
    """A host by tests/faults/deadly.py; all its lives have one port."""

    def __init__(self, other: FunctionHost) -> None:
        super().__init__(other.log, ROOT, {}, _free_port(), keys=other.keys, options=("--no-events",), name=other.name)

    def command(self) -> Command:
        command = super().command()
        words = ["tests.faults.deadly" if word == "local.host" else word for word in command.arguments]
        return replace(command, arguments=tuple(words))


def a_write(job: str) -> bytes:
    return body(event(run=str(uuid.uuid4()), job_name=f"{job}.execute_insert_into", outputs=[dataset(job)]))


def is_delivered(stack: Stack, batch: list[bytes]) -> bool:
    """Deliver a batch, as the hub does from the last checkpoint on; False while no host listens."""
    headers = {"x-functions-key": stack.keys.master}
    given = {"input": "\n".join(each.decode() for each in batch)}
    with suppress(requests.RequestException):
        url = f"{stack.receiver}/admin/functions/receive_stream"
        return requests.post(url, json=given, headers=headers, timeout=30).status_code == 202
    return False


def stored(events: list[bytes], services: Services) -> list[int]:
    return [len(services.events.names(read_envelope(each).run_key)) for each in events]


def letters(services: Services) -> list[tuple[str, str]]:
    """Reason and text of the hub's dead letters."""
    box = services.dead_letters
    found = [box.read(name) for name in box.names(box.name_of(f"event hub {HUB}", "x").partition("/")[0])]
    return [(letter.reason, str(letter.details["text"])) for letter in found if letter]


def test_a_message_that_kills_the_worker_is_given_up_and_the_rest_of_its_batch_is_taken(tmp_path: Path) -> None:
    batch = [a_write("first"), a_write("deadly"), a_write("last")]
    journal = tmp_path / "journal"
    stack = Stack(tmp_path, data_map=False, environment={**SETTINGS, JOURNAL: str(journal)})
    stack.hosts = [DeadlyHost(host) for host in stack.hosts]
    with stack:
        storage = StorageConnection(stack.azurite.connection_string)
        services = build(Settings(lineage_storage=storage, purview_endpoint="http://127.0.0.1:9", purview_auth="none"))
        for life in range(2 * MOST_DEATHS):
            until(lambda: is_delivered(stack, batch))
            until(lambda life=life: deaths(journal) > life)  # type: ignore[misc]
        until(lambda: is_delivered(stack, batch))
        until(lambda: stored(batch, services) == [1, 0, 1])

        until(lambda: letters(services) == [(DEADLY, batch[1].decode())])
        assert deaths(journal) == 2 * MOST_DEATHS
