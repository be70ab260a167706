"""One process, brought to what its history says: the step between LineageDetails and the catalogue.

The row of a process is changed only with its ETag, so no run's contribution is lost. What has to be uploaded is
decided under a lock, one worker at a time; the row is marked dirty before and clean after the upload. Whoever finds
a dirty row uploads again, so a crash in between repeats work and leaves nothing stale.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from core.errors import LeaseLost
from core.logs import step
from core.model import Lineage
from parser import process_history as histories
from parser.details import details
from parser.process_history import History
from pipeline.processes import Process, drawn, process_of, same_data, shown
from pipeline.services import Services
from purview import uploader
from purview.fingerprint import fingerprint
from storage.details_table import Conflict, DetailsRow

log = logging.getLogger(__name__)

_CONFLICTS = 50


def record(process: str, change: Callable[[History], History], services: Services) -> None:
    """Apply ``change`` to the history of a process; unchanged histories are not written."""
    window = services.settings.lineage_window
    for attempt in range(_CONFLICTS):
        row = services.details.read(process) or DetailsRow(process)
        before = histories.decode(row.history)
        after = histories.pruned(change(before), window)
        if after == before:
            return
        lineage, _ = shown(after, window, services.naming)
        columns = details(lineage) if lineage else {}
        try:
            services.details.write(replace(row, history=histories.encode(after), columns=columns))
        except Conflict:
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
        else:
            return
    raise LeaseLost(f"the row of process {process} was changed by others {_CONFLICTS} times in a row")


def publish(process: str, services: Services) -> bool:
    """Bring the catalogue to what the process' row says; whether that took a call."""
    row = services.details.read(process)
    if row is None or not _is_due(row, services):
        step(log, "upload", "unchanged", {"process": process})
        return False
    with services.locks.hold([process], wait_seconds=services.lock_wait_seconds) as held:
        is_again = False
        while (row := services.details.read(process)) is not None and (is_again or _is_due(row, services)):
            try:
                row = services.details.write(replace(row, dirty=True, fingerprint=""))
                held.check()
                # From here on the catalogue may show this row, even over what a worker showed that took the lock over.
                is_again = True
                services.details.write(_uploaded(row, services))
            except Conflict:
                continue  # Another run, or worker, came in between, so this is done again.
            break
    return True


def republish(process: str, services: Services) -> None:
    """Upload a process anew, even if nothing about it has changed.

    :raises TryLater, Refused: as an upload does; the row stays dirty then, so that the next run uploads it.
    """
    for _ in range(_CONFLICTS):
        row = services.details.read(process)
        if row is None:
            return
        try:
            services.details.write(replace(row, dirty=True))
        except Conflict:
            continue
        publish(process, services)
        return


def _drawn(row: DetailsRow, services: Services) -> Lineage | None:
    return drawn(histories.decode(row.history), services.settings.lineage_window, services.naming)[0]


def _is_due(row: DetailsRow, services: Services) -> bool:
    if row.dirty:
        return True
    lineage = _drawn(row, services)
    if lineage is None:
        return bool(row.fingerprint)
    stale = row.uploaded is None or datetime.now(UTC) - row.uploaded >= services.settings.upload_refresh
    return stale or row.fingerprint != _fingerprint(process_of(lineage, services.naming, row.qualified_name), services)


def _fingerprint(process: Process, services: Services) -> str:
    collection = services.settings.collection(process.lineage.application.namespace)
    return fingerprint(process.lineage, process.resolutions, collection, process.qualified_name)


def _uploaded(row: DetailsRow, services: Services) -> DetailsRow:
    """The row as it is once the catalogue shows its history."""
    lineage = _drawn(row, services)
    if lineage is None:
        uploader.remove(row.qualified_name, services.catalog)
        step(log, "upload", "removed", {"process": row.qualified_name})
        return replace(row, dirty=False, fingerprint="", uploaded=None, process_guid="")
    process = process_of(lineage, services.naming, row.qualified_name)
    result = uploader.upload(
        process.lineage,
        process.resolutions,
        services.catalog,
        services.cache,
        services.created,
        services.locks,
        services.settings.collection(process.lineage.application.namespace),
        process=process.qualified_name,
        same=same_data,
        wait_seconds=services.lock_wait_seconds,
    )
    counts = {"created": result.created, "updated": result.updated}
    step(log, "upload", "uploaded", {"process": row.qualified_name, **counts})
    return replace(
        row,
        dirty=False,
        fingerprint=_fingerprint(process, services),
        uploaded=datetime.now(UTC),
        process_guid=result.process_guid,
    )
