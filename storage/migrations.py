"""The progress of migrations of the rows of LineageDetails: a row in EventMetadata for each migration."""

from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from storage.clients import EVENT_METADATA, StorageClients
from storage.faults import storage_faults

_PARTITION = "migration"


@dataclass(frozen=True, slots=True)
class Progress:
    """How often all rows were read, the partition to continue with, and when the last round ended (UTC)."""

    rounds: int = 0
    partition: int = 0
    ended: datetime | None = None


class Migrations:
    """The progress of each migration, by its name."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(EVENT_METADATA)

    def read(self, name: str) -> Progress:
        """The progress of the migration; that of a new one if nothing is stored.

        :raises StorageUnavailable: storage does not answer.
        """
        with storage_faults("read the progress of a migration"):
            try:
                row = self._table.get_entity(_PARTITION, name)
            except ResourceNotFoundError:
                return Progress()
        ended = row.get("Ended")
        return Progress(
            int(row["Rounds"]), int(row["Next"]), ended.astimezone(UTC) if isinstance(ended, datetime) else None
        )

    def write(self, name: str, progress: Progress) -> None:
        """Store the progress of the migration.

        :raises StorageUnavailable: it may not be stored, so the last part is repeated.
        """
        row = {"PartitionKey": _PARTITION, "RowKey": name, "Rounds": progress.rounds, "Next": progress.partition}
        with storage_faults("note the progress of a migration"):
            self._table.upsert_entity(
                {**row, "Ended": progress.ended} if progress.ended else row, mode=UpdateMode.REPLACE
            )
