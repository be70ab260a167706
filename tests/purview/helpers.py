"""Builders and substitutes for the tests of purview: short words for lineage, and what the room gets as input."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from core.catalog_model import AssetName, Created, Resolution
from core.event_model import ColumnRef, Dataset, DatasetId, Field
from core.identity import dataset_id
from core.lineage_model import Application, Lineage, Note, SinkColumn

LAKE = "https://acct.dfs.core.windows.net/lake"
RESOURCE_SET = "azure_datalake_gen2_resource_set"
PATH = "azure_datalake_gen2_path"
SQL = "azure_sql_table"
PROCESS = "azure_synapse_operation"


def folder(name: str) -> DatasetId:
    return dataset_id("abfss://lake@acct.dfs.core.windows.net", name)


def table(name: str) -> DatasetId:
    return dataset_id("sqlserver://srv.database.windows.net", name)


def dataset(identity: DatasetId, *columns: str) -> Dataset:
    return Dataset(identity, tuple(Field(column, "string") for column in columns))


def resolve(item: Dataset) -> Resolution:
    """Like the rules for two kinds of stores; everything else is a generic asset."""
    space, name = item.id.namespace, item.id.name
    short = name.rpartition("/")[2].rpartition(".")[2]
    candidates: tuple[AssetName, ...]
    if space.startswith("abfss://"):
        candidates = (
            AssetName(RESOURCE_SET, f"{LAKE}/{name}/{{SparkPartitions}}"),
            AssetName(PATH, f"{LAKE}/{name}/"),
            AssetName(PATH, f"{LAKE}/{name}"),
        )
    elif space.startswith("sqlserver://"):
        candidates = (AssetName(SQL, f"mssql://srv.database.windows.net/{name.replace('.', '/')}"),)
    else:
        candidates = (AssetName("DataSet", f"{space}/{name}"),)
    return Resolution(item, "test", candidates[0], candidates, short)


def resolve_all(lineage: Lineage) -> dict[DatasetId, Resolution]:
    return {item.id: resolve(item) for item in (*lineage.inputs, lineage.sink)}


def column(name: str, *sources: tuple[DatasetId, str]) -> SinkColumn:
    return SinkColumn(name, tuple(ColumnRef(*source) for source in sources))


def lineage(
    sink: Dataset,
    *inputs: Dataset,
    columns: Iterable[SinkColumn] = (),
    notes: Iterable[Note] = (),
    application: str = "nightly",
) -> Lineage:
    return Lineage(Application("spark", application), "append_data", sink, inputs, tuple(columns), notes=tuple(notes))


def copy_of(source: DatasetId, sink: DatasetId, *names: str) -> Lineage:
    """Every column goes from one dataset to the other under its name."""
    columns = [column(name, (source, name)) for name in names]
    return lineage(dataset(sink, *names), dataset(source, *names), columns=columns)


def mapping(entity: Mapping[str, Any]) -> Any:
    return json.loads(entity["attributes"]["columnMapping"])


@dataclass
class MemoryCache:
    kept: dict[AssetName, str] = field(default_factory=dict)

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, str]:
        return {name: self.kept[name] for name in names if name in self.kept}

    def put_many(self, guids: Mapping[AssetName, str], *, lasting: bool = False) -> None:
        self.kept.update(guids)

    def drop(self, names: Iterable[AssetName]) -> None:
        for name in names:
            self.kept.pop(name, None)


@dataclass
class MemoryRecord:
    kept: dict[AssetName, Created] = field(default_factory=dict)

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, Created]:
        return {name: self.kept[name] for name in names if name in self.kept}

    def add_many(self, created: Mapping[AssetName, Created]) -> None:
        for name, added in created.items():
            before = self.kept.get(name, Created())
            columns = before.columns if before.guid == added.guid else frozenset()
            announced = None if added.guid else datetime.now(UTC)
            self.kept[name] = Created(added.guid, columns | added.columns, announced)

    def remove(self, name: AssetName, guid: str) -> None:
        if name in self.kept and self.kept[name].guid == guid:
            del self.kept[name]


class ThreadLease:
    """A lease that can be made to expire at the ``checks``-th check."""

    def __init__(self, error: Exception | None = None, checks: int = 1) -> None:
        self.error = error
        self.checks = checks
        self.checked = 0

    def check(self) -> None:
        self.checked += 1
        if self.error and self.checked >= self.checks:
            raise self.error


@dataclass
class ThreadLocks:
    """Locks between the threads of a test; ``held`` records what was locked."""

    lease: ThreadLease = field(default_factory=ThreadLease)
    held: list[Sequence[str]] = field(default_factory=list)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def hold(self, keys: Sequence[str], wait_seconds: float) -> Iterator[ThreadLease]:
        assert list(keys) == sorted(keys)
        with self._guard:
            self.held.append(keys)
            locks = [self._locks.setdefault(key, threading.Lock()) for key in keys]
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            yield self.lease


class DataMap:
    """The local Data Map from the inside: its content, its requests, its faults."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def reset(self) -> None:
        self._control("POST", "reset")

    def entities(self, type_name: str = "") -> list[dict[str, Any]]:
        found = self._control("GET", "entities")
        return [each for each in found if type_name in ("", each["typeName"])]

    def entity(self, type_name: str) -> dict[str, Any]:
        (found,) = self.entities(type_name)
        return found

    def named(self, qualified_name: str) -> dict[str, Any]:
        (found,) = [each for each in self.entities() if each["attributes"]["qualifiedName"] == qualified_name]
        return found

    def fail(self, **fault: Any) -> None:
        self._control("POST", "faults", fault)

    def heal(self) -> None:
        """Forget the faults that are still to come."""
        self._control("DELETE", "faults")

    def settings(self, **settings: Any) -> None:
        self._control("POST", "settings", settings)

    def calls(self) -> dict[str, int]:
        """How often each route was called since the last ``forget_calls``."""
        return {f"{call['method']} {call['route']}": call["count"] for call in self._control("GET", "calls")}

    def forget_calls(self) -> None:
        self._control("DELETE", "calls")

    def add(self, type_name: str, qualified_name: str, name: str = "scanned", collection: str = "", **more: Any) -> str:
        """Put an asset there as a scan would, and return its guid."""
        attributes = {"qualifiedName": qualified_name, "name": name, **more}
        body = {"entities": [{"typeName": type_name, "guid": "-1", "attributes": attributes}]}
        params = {"collectionId": collection} if collection else {}
        path = f"{self.url}/datamap/api/atlas/v2/entity/bulk"
        answer = self._session.post(path, json=body, params={**params, "api-version": "2023-09-01"}, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["guidAssignments"]["-1"])

    def delete(self, guid: str) -> None:
        path = f"{self.url}/datamap/api/atlas/v2/entity/guid/{guid}"
        self._session.delete(path, timeout=60).raise_for_status()

    def _control(self, method: str, name: str, body: object = None) -> Any:
        answer = self._session.request(method, f"{self.url}/_control/{name}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()
