"""Deletes blobs that crashed workers left in container ``lineage-details``."""

from datetime import datetime

from storage.clients import CREATED_ASSETS, DETAILS, LINEAGE_DETAILS, RUN_PROCESSES, StorageClients
from storage.rows import LargeRows


def purge_overflow(clients: StorageClients, before: datetime) -> int:
    """Delete blobs from before a time (UTC) at which no row points; returns how many.

    :raises StorageUnavailable: some may be left.
    """
    deleted = 0
    for table in (LINEAGE_DETAILS, RUN_PROCESSES, CREATED_ASSETS):
        rows = LargeRows(clients.table(table), clients.container(DETAILS))
        unused = list(rows.unused_blobs(before))
        rows.discard(unused)
        deleted += len(unused)
    return deleted
