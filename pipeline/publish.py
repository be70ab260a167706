"""Updates one process to what its history says: the step between LineageDetails and the catalogue.

The row of a process is changed only with its ETag, so no run's contribution is lost. What has to be uploaded is
decided under a lock, one worker at a time; the row is marked dirty before and clean after the upload. A worker that
finds a dirty row uploads again, so a crash in between repeats work and leaves nothing stale. If the row changes during
the upload, only a picture that differs from what was just uploaded is uploaded again.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from core.catalog_model import AssetName
from core.errors import LeaseLost
from core.lineage_model import RunRef
from core.logs import step
from parser import process_history as histories
from parser import repeated_runs
from parser.details import details
from parser.process_history import History
from parser.repeated_runs import Repeats, repeats_of, whole_history
from pipeline import unused_assets
from pipeline.processes import Process, drawn, process_of, same_data, shown
from pipeline.services import Services
from pipeline.unused_assets import Referred
from purview import uploader
from purview.fingerprint import Fingerprints, fingerprints
from storage.details_table import Conflict, DetailsRow
from storage.locks import HeldLocks

log = logging.getLogger(__name__)

_CONFLICTS = 50
# In place of a fingerprint: the process is to be uploaded again, even by a worker that has just uploaded the same.
_FORCED = "forced"


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the catalogue is to show for a history, and its fingerprints; no process if it is to show nothing.

    ``repeats`` may be stored beside the history; it has no runs yet.
    """

    history: bytes
    process: Process | None
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    repeats: Repeats = field(default_factory=Repeats)


def record(process: str, change: Callable[[History], History], services: Services) -> None:
    """Apply ``change`` to the history of a process; unchanged histories are not written.

    :raises LeaseLost: others kept changing the row.
    :raises Refused: the stored history cannot be read.
    """
    window = services.settings.lineage_window
    for _ in _attempts(process):
        row = services.details.read(process) or DetailsRow(process)
        before = whole_history(row.history, row.repeats)
        after = histories.pruned(change(before), window)
        if after == before:
            return
        lineage, _ = shown(after, window, services.naming)
        columns = details(lineage) if lineage else {}
        try:
            services.details.write(replace(row, history=histories.encode(after), repeats="", columns=columns))
        except Conflict:
            continue
        return


def record_repeat(added: Process, run: RunRef, services: Services, *, is_new: bool) -> bool:
    """Record a run that repeats the newest lineage of a process, without reading the history.

    False if it has to be recorded, or the process uploaded, as for any other run. ``is_new`` says that the run was
    never recorded; ``added`` is what it adds to the process.

    :raises LeaseLost: others kept changing the row.
    """
    process = added.qualified_name
    mark = _mark(added, services)
    for _ in _attempts(process):
        row = services.details.read_head(process)
        known = repeated_runs.decode(row.repeats) if row else Repeats()
        if row is None or not known.takes(mark, run) or not _is_shown(row, known.fingerprint, services):
            return False
        if run not in known.runs:
            if not is_new:
                return False
            try:
                services.details.note_repeats(row, repeated_runs.encode(known.with_run(run)))
            except Conflict:
                continue
        step(log, "upload", "unchanged", {"process": process})
        return True
    return False


def _is_shown(row: DetailsRow, fingerprint: str, services: Services) -> bool:
    """Whether the catalogue shows the picture of this fingerprint, and no upload is due."""
    is_fresh = row.uploaded is not None and datetime.now(UTC) - row.uploaded < services.settings.upload_refresh
    return not row.dirty and row.fingerprint == fingerprint != "" and is_fresh


def _mark(process: Process, services: Services) -> str:
    """A hash that identifies the lineage of a run, under the current rules and settings."""
    lineage = process.lineage
    collection = services.settings.collection(lineage.application.namespace)
    drawn_alone = fingerprints(lineage, process.resolutions, collection, process.qualified_name).current
    parts = (lineage, drawn_alone, services.settings.lineage_window_days)
    return sha256(msgspec.json.encode(parts)).hexdigest()


def publish(process: str, services: Services, known: Process | None = None) -> bool:
    """Update the catalogue to the process' row; returns whether that took a call.

    ``known`` is what a run has just added to it, whose datasets need not be resolved again.

    :raises LeaseLost: others kept changing the row; it stays dirty, so that the next run uploads it.
    """
    row = services.details.read(process)
    picture = _picture(row, services, known) if row else None
    if row is None or picture is None or not _is_due(row, picture, services):
        if row and picture:
            _note_repeats(row, picture, services)
        step(log, "upload", "unchanged", {"process": process})
        return False
    with services.locks.hold([process], wait_seconds=services.lock_wait_seconds) as held:
        _upload_until_it_fits(process, picture, held, services)
    return True


def _note_repeats(row: DetailsRow, picture: _Picture, services: Services) -> None:
    """Note beside the history that runs with its newest lineage change nothing."""
    repeats = _beside(row, picture)
    if row.fingerprint == picture.repeats.fingerprint and repeats != row.repeats:
        with suppress(Conflict):
            services.details.note_repeats(row, repeats)


def _beside(row: DetailsRow, picture: _Picture) -> str:
    """The repeats for the row of this picture; their runs are not in the history."""
    if not picture.repeats.mark:
        return row.repeats
    return repeated_runs.encode(replace(picture.repeats, runs=repeated_runs.decode(row.repeats).runs))


def republish(process: str, services: Services, known: Process | None = None) -> None:
    """Upload a process again, even if it has not changed; ``known`` is what a run has just added to it.

    :raises LeaseLost: others kept changing the row.
    :raises TryLater, Refused: the upload failed; the row stays dirty, so that the next run uploads it.
    """
    for _ in _attempts(process):
        row = services.details.read(process)
        if row is None:
            return
        try:
            services.details.write(replace(row, dirty=True, fingerprint=_FORCED))
        except Conflict:
            continue
        publish(process, services, known)
        return


def _attempts(process: str) -> Iterator[int]:
    """Attempts to write a row that others change too, with growing pauses between them.

    :raises LeaseLost: all of them were used.
    """
    for attempt in range(_CONFLICTS):
        yield attempt
        time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
    raise LeaseLost(f"the row of process {process} was changed by others {_CONFLICTS} times in a row")


def _upload_until_it_fits(process: str, picture: _Picture, held: HeldLocks, services: Services) -> None:
    """Upload what the row says until the catalogue shows exactly that and the row is marked clean."""
    done: _Picture | None = None
    clean: Callable[[DetailsRow], DetailsRow] | None = None
    for _ in _attempts(process):
        row = services.details.read(process)
        if row is None:
            return
        if row.history != picture.history:
            picture = _picture(row, services, picture.process)
        if done is None and not _is_due(row, picture, services):
            return
        try:
            is_shown = done is not None and done.fingerprints == picture.fingerprints and row.fingerprint != _FORCED
            if clean is None or not is_shown:
                known = frozenset() if row.dirty else unused_assets.decode(row.referred).names
                row = services.details.write(_begun(row, picture, services))
                held.check()
                # From here on the catalogue may show this, even over the upload of a worker that took over the lock.
                done, clean = picture, _upload(row, picture, known, services)
            services.details.write(replace(clean(row), repeats=_beside(row, picture)))
        except Conflict:
            continue  # Another run, or worker, changed the row in between.
        return


def _picture(row: DetailsRow, services: Services, known: Process | None = None) -> _Picture:
    """What the catalogue is to show for a row."""
    window = services.settings.lineage_window
    history = whole_history(row.history, row.repeats)
    lineage, _ = drawn(history, window, services.naming)
    if lineage is None:
        return _Picture(row.history, None)
    process = process_of(lineage, services.naming, row.qualified_name, known)
    collection = services.settings.collection(lineage.application.namespace)
    found = fingerprints(lineage, process.resolutions, collection, process.qualified_name)
    repeats = Repeats()
    if known and known.lineage.application == lineage.application:
        repeats = repeats_of(history, known.lineage, window, _mark(known, services), found.current)
    return _Picture(row.history, process, found, repeats)


def _is_due(row: DetailsRow, picture: _Picture, services: Services) -> bool:
    """Whether the catalogue may differ from the row, or the last upload is too long ago."""
    if row.dirty:
        return True
    if picture.process is None:
        return bool(row.fingerprint)
    valid = services.settings.upload_refresh
    if row.fingerprint == picture.fingerprints.older:
        # An earlier version uploaded it. Such processes are not all uploaded again on the first day.
        valid *= _share(row.qualified_name)
    elif row.fingerprint != picture.fingerprints.current:
        return True
    return row.uploaded is None or datetime.now(UTC) - row.uploaded >= valid


def _share(process: str) -> float:
    """A number from 0 to 1 that is always the same for a process, and spread evenly over all processes."""
    digest = sha256(process.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _begun(row: DetailsRow, picture: _Picture, services: Services) -> DetailsRow:
    """The row before an upload, with the names of all datasets that the process may refer to until it is over."""
    before, collection = unused_assets.decode(row.referred), ""
    if picture.process is None:
        with services.catalog.upload_turn():
            collection = unused_assets.collection_of(row.qualified_name, services) or before.collection
    referred = Referred(before.names | unused_assets.names_of(picture.process), collection)
    return replace(row, dirty=True, fingerprint="", referred=unused_assets.encode(referred))


def _upload(
    row: DetailsRow, picture: _Picture, known: frozenset[AssetName], services: Services
) -> Callable[[DetailsRow], DetailsRow]:
    """Show the picture in the catalogue, and delete what is no longer needed; returns how the row is to be marked.

    ``known`` are the names of datasets to which the process certainly refers already.
    """
    before, names = unused_assets.decode(row.referred), unused_assets.names_of(picture.process)
    marked = _show(row, picture, known, services)
    unused_assets.remove_unused(row.qualified_name, before.names - names, before.collection, services)
    return lambda row: replace(marked(row), dirty=False, referred=unused_assets.encode(Referred(names)))


def _show(
    row: DetailsRow, picture: _Picture, known: frozenset[AssetName], services: Services
) -> Callable[[DetailsRow], DetailsRow]:
    process = picture.process
    if process is None:
        uploader.remove(row.qualified_name, services.catalog)
        step(log, "upload", "removed", {"process": row.qualified_name})
        return lambda row: replace(row, fingerprint="", uploaded=None, process_guid="")
    result = uploader.upload(
        process.lineage,
        process.resolutions,
        services.catalog,
        services.cache,
        services.created,
        services.locks,
        services.settings.collection(process.lineage.application.namespace),
        process=process.qualified_name,
        referred=known,
        same=same_data,
        wait_seconds=services.lock_wait_seconds,
    )
    counts = {"created": result.created, "updated": result.updated}
    step(log, "upload", "uploaded", {"process": row.qualified_name, **counts})
    fingerprint, now = picture.fingerprints.current, datetime.now(UTC)
    return lambda row: replace(row, fingerprint=fingerprint, uploaded=now, process_guid=result.process_guid)
