"""Which versions of the app have written a store, and when: a row in EventMetadata for each version."""

from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from storage.clients import EVENT_METADATA, StorageClients
from storage.faults import storage_faults

_PARTITION = "version"


@dataclass(frozen=True, slots=True)
class StoreVersion:
    """A version, with the first and last day (UTC) on which it wrote the store."""

    name: str
    first: datetime
    last: datetime


class StoreVersions:
    """The versions of a store. A row is written at most once a day."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(EVENT_METADATA)
        self._noted = datetime.min.replace(tzinfo=UTC).date()

    def note(self, name: str, now: datetime) -> None:
        """Note that a version writes the store. Nothing is sent if this object has done so on the same day.

        :raises StorageUnavailable: it may not be noted.
        """
        today = now.astimezone(UTC).date()
        if self._noted == today:
            return
        with storage_faults("note the version of the store"):
            try:
                row = self._table.get_entity(_PARTITION, name)
            except ResourceNotFoundError:
                row = None
            if row is None or _time(row["Last"]).date() != today:
                first = _time(row["First"]) if row else now
                changed = {"PartitionKey": _PARTITION, "RowKey": name, "First": first, "Last": now}
                self._table.upsert_entity(changed, mode=UpdateMode.REPLACE)
        self._noted = today

    def all(self) -> tuple[StoreVersion, ...]:
        """All versions that were noted, in the order of their first day.

        :raises StorageUnavailable: storage does not answer.
        """
        with storage_faults("read the versions of the store"):
            rows = list(self._table.query_entities("PartitionKey eq @partition", parameters={"partition": _PARTITION}))
        found = (StoreVersion(str(row["RowKey"]), _time(row["First"]), _time(row["Last"])) for row in rows)
        return tuple(sorted(found, key=lambda version: (version.first, version.name)))


def _time(value: datetime) -> datetime:
    """A time of the SDK, whose class keeps more digits, in UTC."""
    return value.astimezone(UTC)
