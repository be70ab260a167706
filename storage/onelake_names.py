"""What events say about the GUIDs of OneLake's names, and which runs use a name: rows in table RunProcesses.

A partition is a name, however it is spelled. Its rows:

- ``id|{guid}``: a GUID that events contain for the name, the time of the newest such event, and whether the runs that
  use the name have been enqueued since the GUID became the newest,
- ``run|{run}``: a run whose lineage uses the name.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from azure.data.tables import TableEntity, UpdateMode

from core.model import LearnedId
from storage.batches import delete_old_rows
from storage.clients import RUN_PROCESSES, StorageClients
from storage.faults import storage_faults

_PREFIX = "onelake-"
# How much newer an event must be for its time to be written, while no other GUID competes.
_FRESH_FOR = timedelta(days=1)


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
        """Keep what an event says. Whether the runs that use the name are to be processed again.

        :raises StorageUnavailable: it may not be kept.
        """
        rows = {str(row["RowKey"]).partition("|")[2]: row for row in self._rows(item.name, "id")}
        known = {guid: _learned(item.name, row) for guid, row in rows.items()}
        own = known.get(item.guid)
        newest = max(item, own) if own else item
        is_another = bool(known) and max(known.values()).guid != max(*known.values(), newest).guid
        is_open = own is None or is_another or bool(rows[item.guid].get("open"))
        threshold = timedelta(0) if len(rows) > 1 else _FRESH_FOR
        if own is None or is_another or newest.time - own.time > threshold:
            self._put(newest, is_open=is_open)
        return is_open

    def announced(self, item: LearnedId) -> None:
        """Note that the runs that use the name have been enqueued.

        :raises StorageUnavailable: it may not be noted; then they are enqueued once more.
        """
        self._put(max([item, *(each for each in self.ids(item.name) if each.guid == item.guid)]), is_open=False)

    def note_use(self, name: str, run_key: str) -> None:
        """Note that the lineage of a run uses a name.

        :raises StorageUnavailable: it may not be noted.
        """
        self._upsert(_key(name), f"run|{run_key}")

    def users(self, name: str) -> Iterator[str]:
        """The runs that use a name.

        :raises StorageUnavailable: storage does not answer, also during the iteration.
        """
        return (str(row["RowKey"]).partition("|")[2] for row in self._rows(name, "run"))

    def forget_users(self, before: datetime) -> int:
        """Delete the rows of runs that were written before a time, and say how many that were. GUIDs are kept.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("forget which runs use OneLake names"):
            query = f"PartitionKey ge '{_PREFIX}' and PartitionKey lt '{_PREFIX}~' and RowKey ge 'run|'"
            return delete_old_rows(self._table, query, before)

    def _put(self, item: LearnedId, *, is_open: bool) -> None:
        self._upsert(_key(item.name), f"id|{item.guid}", name=item.name, time=item.time, open=is_open)

    def _upsert(self, partition: str, row_key: str, **values: object) -> None:
        with storage_faults("write a name of OneLake"):
            row = {"PartitionKey": partition, "RowKey": row_key, **values}
            self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    def _rows(self, name: str, kind: str) -> Iterable[TableEntity]:
        query = "PartitionKey eq @name and RowKey ge @first and RowKey lt @last"
        # "}" sorts behind "|".
        span = {"name": _key(name), "first": f"{kind}|", "last": kind + "}"}
        with storage_faults("read a name of OneLake"):
            yield from self._table.query_entities(query, parameters=span)


def _learned(name: str, row: TableEntity) -> LearnedId:
    time: Any = row.get("time")
    when = time.astimezone(UTC) if isinstance(time, datetime) else datetime.min.replace(tzinfo=UTC)
    return LearnedId(when, name, str(row["RowKey"]).partition("|")[2])


def _key(name: str) -> str:
    """One partition for all spellings of a name; agents differ in case, and some encode blanks once or twice."""
    plain = unquote(unquote(name)).strip().casefold()
    return _PREFIX + hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]
