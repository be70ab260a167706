"""How many workers have died while they did a piece of work: a row in table CollectedFiles for each piece in work.

A row is written before the work and deleted after it, also if the work failed. So a row of another process means that
it died, or was stopped, in between.
"""

import hashlib
import os
import uuid

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode

from storage.clients import COLLECTED_FILES, StorageClients
from storage.faults import storage_faults

# Partitions of folders are hashes.
_PARTITION = "attempts"
_PROCESS = uuid.uuid4().hex


class Attempts:
    """The pieces of work of this process. Safe to share between threads; each piece is done by one thread."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(COLLECTED_FILES)

    def begin(self, work: str) -> int:
        """Note that this process begins a piece of work; returns how many others have died over it.

        :raises StorageUnavailable: it may not be noted.
        """
        with storage_faults("note what is in work"):
            try:
                self._table.create_entity(_row(work, 0))
            except ResourceExistsError:
                return self._begin_again(work)
        return 0

    def _begin_again(self, work: str) -> int:
        try:
            left = self._table.get_entity(_PARTITION, _key(work))
        except ResourceNotFoundError:
            deaths = 0
        else:
            deaths = int(left["Deaths"]) + (left["Process"] != _process())
        self._table.upsert_entity(_row(work, deaths), UpdateMode.REPLACE)
        return deaths

    def end(self, work: str) -> None:
        """Note that this process has ended a piece of work.

        :raises StorageUnavailable: it may not be noted.
        """
        with storage_faults("note what is no longer in work"):
            try:
                self._table.delete_entity(_PARTITION, _key(work))
            except ResourceNotFoundError:
                return


def _row(work: str, deaths: int) -> TableEntity:
    return TableEntity(PartitionKey=_PARTITION, RowKey=_key(work), Process=_process(), Deaths=deaths)


def _process() -> str:
    """A name for this process, also for one that was forked."""
    return f"{_PROCESS}-{os.getpid()}"


def _key(work: str) -> str:
    return hashlib.sha256(work.encode("utf-8", "surrogatepass")).hexdigest()[:32]
