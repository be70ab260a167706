"""Checks that the Data Map shows everything that the events report, as derived without the pipeline."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.preview import as_object, preview_rules
from cli.tasks.preview_events import preview
from core.envelope import read_envelope
from core.event_fields import digest
from core.naming import CONTAINER, event_name
from core.settings import Settings
from core.storage_connection import StorageConnection
from purview.process_name import PROCESS_TYPE
from receiver.accept import ReceiverRules, accept
from storage.clients import connect
from storage.event_rows import EventRow, Status
from storage.event_store import EventStore

FINAL = (Status.PROCESSED, Status.IGNORED, Status.DEAD_LETTERED, Status.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of stored events by status, those that are not finished, and the blobs of all."""

    counts: Mapping[Status, int]
    pending: tuple[EventRow, ...]
    names: frozenset[str] = frozenset()

    @property
    def done(self) -> int:
        return sum(self.counts.get(status, 0) for status in FINAL)


class Inbox:
    """The rows of the events that were received since ``since``."""

    def __init__(self, connection_string: str, since: datetime) -> None:
        self._store = EventStore(connect(StorageConnection(connection_string=connection_string)))
        self._since = since

    def progress(self) -> Progress:
        """The progress of the events. A run that never ends waits forever, so its events are not pending."""
        rows = self._rows()
        ended = {row.run_key for row in rows if row.event_type in ("COMPLETE", "FAIL", "ABORT")}
        waits = [row for row in rows if row.status is Status.WAITING and row.run_key not in ended]
        pending = [row for row in rows if row.status not in FINAL and row not in waits]
        return Progress(Counter(row.status for row in rows), tuple(pending), frozenset(row.file_path for row in rows))

    def bodies(self) -> list[bytes]:
        """The bodies of all stored events, run by run."""
        runs = sorted({row.run_key for row in self._rows()})
        return [body for run in runs for _, body in self._store.bodies(self._store.names(run))]

    def _rows(self) -> list[EventRow]:
        rows = self._store.rows(self._since - timedelta(hours=1), datetime.now(UTC))
        return [row for row in rows if row.received >= self._since]


def kept(bodies: Iterable[bytes]) -> frozenset[str]:
    """The blobs of those events that the receiver keeps."""
    rules = ReceiverRules()
    named = ((read_envelope(body), body) for body in bodies)
    return frozenset(
        f"{CONTAINER}/{event_name(envelope, digest(body)).blob}"
        for envelope, body in named
        if accept(envelope, rules).kept
    )


def expected_processes(bodies: Iterable[bytes], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The processes of these events, in the format of ``sparklin preview``."""
    result = preview(bodies, preview_rules(Settings.offline(environment)))
    return [as_object(process) for process in result.processes]


def missing(expected: Iterable[Mapping[str, Any]], entities: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each process that the Data Map does not show as it should."""
    by_asset = {_asset(entity): entity for entity in entities}
    shown = {name: entity for (kind, name), entity in by_asset.items() if kind == PROCESS_TYPE}
    for item in expected:
        process = item["process"]
        entity = shown.get(process["qualifiedName"])
        if entity is None:
            yield f"process {process['name']} is missing"
            continue
        for side in ("inputs", "outputs"):
            if _names(entity, side) != sorted(asset["qualifiedName"] for asset in process[side]):
                yield f"process {process['name']} has other {side} than its events report"
        if json.loads(entity["attributes"].get("columnMapping") or "[]") != process["columnMapping"]:
            yield f"process {process['name']} has other columns than its events report"
        lost = [name for kind, name in _columns(item) if (kind, name) not in by_asset]
        if lost:
            which = "1 column of its assets is" if len(lost) == 1 else f"{len(lost)} columns of its assets are"
            yield f"process {process['name']}: {which} missing, such as {lost[0]}"


def _columns(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The columns that should be created: the entities that are neither the process nor one of its assets."""
    process = item["process"]
    ends = {(asset["typeName"], asset["qualifiedName"]) for side in ("inputs", "outputs") for asset in process[side]}
    yield from sorted({_asset(e) for e in item["entities"]} - ends - {(process["typeName"], process["qualifiedName"])})


def _asset(entity: Mapping[str, Any]) -> tuple[str, str]:
    return entity["typeName"], entity["attributes"]["qualifiedName"]


def _names(entity: Mapping[str, Any], side: str) -> list[str]:
    return sorted(name for _, name in entity["relationships"].get(side, ()))
