"""Moves processes that an earlier version named after the application to those of their notebooks and jobs.

The name of an application does not say which notebook it was, and agents up to 1.40 gave each session of a notebook
another name; the stored events contain it. So after an update the timer reads LineageDetails, some rows a call. If the
events of a process' newest run contain the id of a notebook, all runs of the process are processed once more: each then
leaves the former process for its own, and the former one is removed when its last run has left. For a run whose events
were deleted, its part of the history is moved.

A day later all rows are read once more, because workers of the earlier version may have been at work meanwhile.
"""

import logging
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from core.errors import BadEvent, Refused
from core.events import read_event
from core.lineage_model import Application, RunRef
from core.logs import step
from parser import process_history as histories
from parser.merge import merge
from parser.process_history import History, LineageVersion, with_run, without_run
from parser.repeated_runs import whole_history
from pipeline.processes import process_of
from pipeline.publish import publish, record
from pipeline.services import Services
from purview.process_name import native
from storage.details_table import PARTS, DetailsRow
from storage.migrations import Progress

log = logging.getLogger(__name__)

NAME = "artifacts"
REASON = "its process is named after its notebook or job now"
_ROUNDS = 2
_BETWEEN_ROUNDS = timedelta(days=1)
#: How many rows a call reads before it leaves the rest to the next one.
ROWS_PER_CALL = 200
_SPREAD_SECONDS = 60
_LOOKED_AT = 3


def move_to_artifacts(services: Services, now: datetime | None = None) -> None:
    """Continue the migration, if it is not finished.

    :raises TryLater: storage or the catalogue is unavailable; the next call repeats what was not finished.
    """
    now = now or datetime.now(UTC)
    progress = services.migrations.read(NAME)
    if progress.rounds >= _ROUNDS or services.naming.process is not native:
        return
    if progress.ended and progress.partition == 0 and now - progress.ended < _BETWEEN_ROUNDS:
        return
    seen, part = 0, progress.partition
    while part < PARTS and seen < ROWS_PER_CALL:
        for row in services.details.part(part):
            seen += 1
            try:
                _move(row, services)
            except Refused as error:
                log.error("process %s stays under its former name: %s", row.qualified_name, error.reason)
        part += 1
    rest = replace(progress, partition=part) if part < PARTS else Progress(progress.rounds + 1, 0, now)
    services.migrations.write(NAME, rest)


def _move(row: DetailsRow, services: Services) -> None:
    """Move the runs of a process that is named after an application, if their notebook is known."""
    history = whole_history(row.history, row.repeats)
    items = [item for item in history.contributions if not item.lineage.application.artifact]
    owner = _owner(items, services)
    if owner is None:
        return
    runs = dict.fromkeys((*(run for item in items for run in item.runs), *history.failures))
    with_events = {run for run in runs if services.events.names(run.run_key)}
    for run in runs:
        if run in with_events:
            services.retries.enqueue_replay(run.run_key, REASON, random.uniform(0, _SPREAD_SECONDS))
    moved = [(item, run) for item in items for run in item.runs if run not in with_events]
    _hand_over(row.qualified_name, moved, owner, services)
    step(log, "migrate", "enqueued", {"process": row.qualified_name, "runs": len(with_events), "reason": REASON})


def _owner(items: list[LineageVersion], services: Services) -> Application | None:
    """The notebook or job in the events of the newest runs that have any."""
    for run in [run for item in items for run in item.runs[:1]][:_LOOKED_AT]:
        events = []
        for _, body in services.events.bodies(services.events.names(run.run_key)):
            try:
                events.append(read_event(body))
            except BadEvent:
                continue
        found = services.lineage_rules.application(merge(events)) if events else None
        if found and found.artifact:
            return found
    return None


def _hand_over(former: str, moved: list[tuple[LineageVersion, RunRef]], owner: Application, services: Services) -> None:
    """Move runs whose events are gone, from history to history."""
    names = set()
    for item, run in moved:
        lineage = replace(item.lineage, application=replace(owner, namespace=item.lineage.application.namespace))
        name = process_of(lineage, services.naming).qualified_name
        services.run_records.add(run.run_key, [name])
        record(name, partial(_with_moved, lineage=item, owner=lineage.application, run=run), services)
        record(former, partial(without_run, run_key=run.run_key), services)
        names.add(name)
    for name in sorted(names):
        publish(name, services)
    if moved:
        publish(former, services)


def _with_moved(history: History, lineage: LineageVersion, owner: Application, run: RunRef) -> History:
    """The history with a run of another one, with the texts that it had there."""
    return with_run(history, replace(histories.in_words(lineage), application=owner), run)
