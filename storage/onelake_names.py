"""The GUIDs of OneLake names in events, and which runs use a name: rows in table RunProcesses.

A partition is a name in one spelling. Its rows:

- ``id|{guid}``: a GUID that events contain for the name, the time of the newest such event, and whether runs that use
  the name are still to be enqueued because of it (``open``),
- ``run|{run}``: a run whose lineage uses the name.

A row of a GUID is changed only with its ETag, so no worker overwrites what it has not read.
"""

import hashlib
import random
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode

from core.catalog_model import LearnedId
from core.errors import LeaseLost
from core.identity import plain_name
from storage.batches import delete_old_rows
from storage.clients import RUN_PROCESSES, StorageClients
from storage.faults import Conflict, storage_faults

_PREFIX = "onelake-"
_ATTEMPTS = 50


class OneLakeNames:
    """GUIDs by name, and the runs that use a name."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(RUN_PROCESSES)

    def ids(self, name: str) -> tuple[LearnedId, ...]:
        """The GUIDs that events contain for a name, the newest first.

        :raises StorageUnavailable: storage does not answer.
        """
        return tuple(sorted((_learned(name, row) for row in self._rows(name, "id")), reverse=True))

    def learn(self, item: LearnedId) -> bool:
        """Store the GUID in an event. Returns whether the runs that use the name must be processed again.

        :raises StorageUnavailable: it may not be kept.
        :raises LeaseLost: others kept changing the row.
        """
        for attempt in range(_ATTEMPTS):
            rows = {str(row["RowKey"]).partition("|")[2]: row for row in self._rows(item.name, "id")}
            known = {guid: _learned(item.name, row) for guid, row in rows.items()}
            own = known.get(item.guid)
            if own and own >= item:
                return bool(rows[item.guid].get("open"))
            is_another = bool(known) and max(known.values()).guid != max(*known.values(), item).guid
            is_open = own is None or is_another or bool(rows[item.guid].get("open"))
            try:
                self._put(item, rows.get(item.guid), is_open=is_open)
            except Conflict:
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
                continue
            return is_open
        raise LeaseLost(f"the GUID of {item.name} was changed by others {_ATTEMPTS} times in a row")

    def announced(self, item: LearnedId) -> None:
        """Note that the runs that use the name were enqueued, unless a newer event has opened the row since.

        :raises StorageUnavailable: it may not be noted; then they are enqueued once more.
        """
        for row in self._rows(item.name, "id"):
            known = _learned(item.name, row)
            if known.guid == item.guid and known <= item:
                try:
                    self._put(item, row, is_open=False)
                except Conflict:
                    return  # The worker that changed it has seen that it is open, and enqueues them too.

    def note_use(self, name: str, run_key: str) -> None:
        """Note that the lineage of a run uses a name.

        :raises StorageUnavailable: it may not be noted.
        """
        with storage_faults("write a name of OneLake"):
            self._table.upsert_entity({"PartitionKey": _key(name), "RowKey": f"run|{run_key}"}, UpdateMode.REPLACE)

    def users(self, name: str) -> Iterator[str]:
        """The runs that use a name.

        :raises StorageUnavailable: storage does not answer, also during the iteration.
        """
        return (str(row["RowKey"]).partition("|")[2] for row in self._rows(name, "run"))

    def forget_users(self, before: datetime) -> int:
        """Delete the rows of runs that were written before a time; returns how many. GUIDs are kept.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("forget which runs use OneLake names"):
            query = f"PartitionKey ge '{_PREFIX}' and PartitionKey lt '{_PREFIX}~' and RowKey ge 'run|'"
            return delete_old_rows(self._table, query, before)

    def _put(self, item: LearnedId, before: TableEntity | None, *, is_open: bool) -> None:
        """Replace the row of a GUID that was read, or write a new one.

        :raises Conflict: it has been changed since.
        """
        key = {"PartitionKey": _key(item.name), "RowKey": f"id|{item.guid}"}
        row = {**key, "time": item.time.astimezone(UTC).isoformat(), "open": is_open}
        with storage_faults("write a name of OneLake"):
            try:
                if before is None:
                    self._table.create_entity(row)
                else:
                    etag, only = str(before.metadata["etag"]), MatchConditions.IfNotModified
                    self._table.update_entity(row, UpdateMode.REPLACE, etag=etag, match_condition=only)
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
                raise Conflict(f"the GUID of {item.name} was changed by another worker") from None

    def _rows(self, name: str, kind: str) -> Iterable[TableEntity]:
        query = "PartitionKey eq @name and RowKey ge @first and RowKey lt @last"
        # "}" sorts after "|".
        span = {"name": _key(name), "first": f"{kind}|", "last": kind + "}"}
        with storage_faults("read a name of OneLake"):
            yield from self._table.query_entities(query, parameters=span)


def _learned(name: str, row: TableEntity) -> LearnedId:
    return LearnedId(datetime.fromisoformat(row["time"]), name, str(row["RowKey"]).partition("|")[2])


def _key(name: str) -> str:
    return _PREFIX + hashlib.sha256(plain_name(name).encode("utf-8", "surrogatepass")).hexdigest()[:32]
