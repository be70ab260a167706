"""A separate world for one test: events of the corpus under a job namespace and run ids that no other test has.

Storage and Data Map are real and shared. What a test finds there under its job namespace is its own.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from core.envelope import read_envelope
from core.event_fields import digest
from core.naming import CONTAINER, event_name
from pipeline import retries
from pipeline.receive import receive
from pipeline.services import Services

Event = dict[str, Any]


@dataclass(frozen=True)
class Universe:
    """One job namespace, accessed through the services."""

    name: str
    services: Services

    def own(self, body: bytes) -> bytes:
        """The event with this universe's job namespace and run ids."""
        event: Event = json.loads(body)
        event["job"]["namespace"] = self.name
        event["run"]["runId"] = self.run_id(event["run"]["runId"])
        parent = event["run"].get("facets", {}).get("parent")
        if parent:
            parent["run"]["runId"] = self.run_id(parent["run"]["runId"])
            parent["job"]["namespace"] = self.name
        return json.dumps(event).encode()

    def run_id(self, run_id: str) -> str:
        """The id that a recorded run has here."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{run_id}"))

    def post(self, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Send an event to the receiver: its answer."""
        known = self.services
        now = datetime.now(UTC)
        return receive(self.own(body), {}, known.receiver, now)

    def blob(self, body: bytes) -> str:
        """Where the receiver stored the event, as the blob trigger names it."""
        own = self.own(body)
        return f"{CONTAINER}/{event_name(read_envelope(own), digest(own)).blob}"

    def deliver(self, body: bytes) -> None:
        """Send an event and, if it was kept, let the parser see its blob."""
        status, _ = self.post(body)
        if status == 202:
            retries.stored(self.blob(body), self.services)

    def deliver_all(self, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            self.deliver(body)

    def processes(self) -> dict[str, Mapping[str, Any]]:
        """What the Data Map shows of this universe: by process name its inputs, outputs and columnMapping."""
        found = self.entities_of_processes()
        shown = {entity["attributes"]["name"]: _picture(entity) for entity in found}
        assert len(shown) == len(found), "two processes of one name"
        return shown

    def entities_of_processes(self) -> list[Mapping[str, Any]]:
        """The process entities of this universe, as the Data Map has them."""
        own = self.entities_named(f"sparklin://{self.name}/")
        return [entity for entity in own if entity["typeName"] == "azure_synapse_operation"]

    def entities_named(self, text: str) -> list[Mapping[str, Any]]:
        """All assets of the Data Map with a text in their qualified names."""
        url = f"{self.services.settings.purview_endpoint}/_control/entities"
        found: list[Mapping[str, Any]] = requests.get(url, json={"containing": text}, timeout=30).json()
        return found

    def entities(self) -> list[Mapping[str, Any]]:
        """All assets of the Data Map, but of the processes only this universe's."""
        prefix = f"sparklin://{self.name}/"
        return [
            entity
            for entity in self.entities_named("")
            if entity["typeName"] != "azure_synapse_operation"
            or entity["attributes"]["qualifiedName"].startswith(prefix)
        ]

    def calls(self, method: str = "", route: str = "") -> int:
        """How many requests, of a method and on a route if these are given, the Data Map had since ``forget_calls``."""
        counted = requests.get(f"{self.services.settings.purview_endpoint}/_control/calls", timeout=30).json()
        return sum(item["count"] for item in counted if method in ("", item["method"]) and route in ("", item["route"]))

    def forget_calls(self) -> None:
        requests.delete(f"{self.services.settings.purview_endpoint}/_control/calls", timeout=30)

    def fail(self, **fault: object) -> None:
        """Let the next requests to the Data Map fail; see local/data_map/control.py."""
        url = f"{self.services.settings.purview_endpoint}/_control/faults"
        requests.post(url, json=fault, timeout=30).raise_for_status()

    def statuses(self, bodies: Sequence[bytes]) -> list[str]:
        """The status of each event's row."""
        events = self.services.events
        runs = {read_envelope(self.own(body)).run_key for body in bodies}
        rows = [row for run in runs for row in events.rows_of(events.names(run))]
        found = {row.file_path: row.status.value for row in rows}
        return [found.get(self.blob(body), "no row") for body in bodies]


def _picture(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "inputs": sorted(name for _, name in entity["relationships"].get("inputs", ())),
        "outputs": sorted(name for _, name in entity["relationships"].get("outputs", ())),
        "columns": json.loads(entity["attributes"]["columnMapping"]),
    }
