"""The hallway: what happens to a request, and to a run, step by step."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from core.errors import BadEvent, BadRequest, StorageUnavailable, TryLater
from core.events import describes_no_run, digest, read_envelope, read_event
from core.logs import step
from core.model import Envelope, Lineage, RunEvent
from core.naming import EventName
from parser.history import with_failure, with_run, without_run
from parser.lineage import derive
from parser.merge import MergedRun, RunState, merge
from processes import by_failed_process, by_process, check_drawable
from publication import publish, record, republish
from receiver import receipt
from receiver.accept import ReceiverRules, accept
from receiver.body import Limits, expand
from receiver.receipt import Receipt, escaped
from services import Services
from storage.event_rows import Status
from storage.event_store import EventStore, StoredEvent

log = logging.getLogger(__name__)

_items = msgspec.json.Decoder(list[msgspec.Raw])

ENDS = ("COMPLETE", "FAIL", "ABORT")
OPEN = (Status.RECEIVED, Status.WAITING, Status.RETRYING)

Answer = tuple[int, dict[str, Any]]
Keep = Callable[[Envelope, bytes], None]
Show = Callable[[str, Services], object]


def receive(
    body: bytes, headers: Mapping[str, str], limits: Limits, rules: ReceiverRules, store: EventStore, now: datetime
) -> Answer:
    """Take one event: the HTTP status and the JSON to answer with. What is answered 202 is on disk."""
    try:
        event = expand(headers, body, limits)
    except BadRequest as error:
        taken = receipt.rejected(error)
    else:
        taken = _take(event, rules, _keeper(store, now))
    _log(taken)
    return taken.status, taken.answer()


def receive_batch(
    body: bytes, headers: Mapping[str, str], limits: Limits, rules: ReceiverRules, store: EventStore, now: datetime
) -> Answer:
    """Take an array of events, one after the other; one that cannot be read does not cost the others."""
    try:
        events = _array(expand(headers, body, limits))
    except BadRequest as error:
        refused = receipt.rejected(error)
        _log(refused)
        return refused.status, refused.answer()
    keep = _give_up_early(_keeper(store, now))
    taken = [_take(event, rules, keep) for event in events]
    for item in taken:
        _log(item)
    return receipt.batch_status(taken), receipt.batch_answer(taken)


def unavailable(error: StorageUnavailable) -> Answer:
    """The answer while storage is out of reach."""
    return 503, {"status": "rejected", "reason": f"not stored, send it again: {error.reason}", "run": None}


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run: the status of its events, the reason in a sentence, the processes it belongs to.

    ``left`` are the processes that it belongs to no more.
    """

    status: Status
    message: str
    processes: tuple[str, ...] = ()
    job: str = ""
    left: frozenset[str] = frozenset()


def process_run(
    run_key: str,
    services: Services,
    *,
    settle: bool = False,
    replay: bool = False,
    force: bool = False,
    event: EventName | None = None,
) -> RunReport | None:
    """Bring the catalogue to what all stored events of a run say; None if they were all processed before.

    ``settle`` takes a run that has no end for ended; ``replay`` processes a run that was processed before, ``force``
    also uploads what has not changed; ``event`` is the one that gave rise to this. Safe to repeat, in any order, and by
    several workers at once.

    :raises TryLater: storage or the catalogue is out of reach; nothing is lost, the run is to be tried again.
    :raises Refused: the catalogue will not have it; trying again is no use.
    """
    report: RunReport | None = None
    seen: tuple[StoredEvent, ...] = ()
    while (stored := services.events.names(run_key)) != seen:
        processed = services.run_processes.read(run_key).processed
        # After a report it is not enough: that may have overwritten the report of a worker which saw more events.
        if not (replay or report) and processed == set_of(stored) and (event or _are_done(stored, services)):
            break
        if not settle and not any(item.name.event_type in ENDS for item in stored):
            seen = stored
            report = RunReport(Status.WAITING, "the run has not ended yet")
            services.events.mark([item for item in stored if event in (None, item.name)], report.status, report.message)
        elif services.run_processes.begin(run_key, processed):
            seen = stored
            report = _process_counted(run_key, stored, services, republish if force else publish)
    if report:
        facts = {"run": run_key, "job": escaped(report.job), "reason": report.message}
        counts = {"events": len(seen), "processes": len(report.processes)}
        step(log, "process", report.status.value, {**facts, **counts})
    return report


def _are_done(stored: tuple[StoredEvent, ...], services: Services) -> bool:
    """Whether the events' rows say so too: those of a run that is to be retried were marked as such."""
    return not any(row.status in OPEN for row in services.events.rows_of(stored))


def set_of(stored: tuple[StoredEvent, ...]) -> str:
    """A name for a set of stored events."""
    return digest("".join(item.name.blob for item in stored).encode())


def _process_counted(run_key: str, stored: tuple[StoredEvent, ...], services: Services, show: Show) -> RunReport:
    """Process events and note the result; the run's record counts this worker meanwhile."""
    try:
        report = _process(stored, services, show)
        services.events.mark(stored, report.status, report.message)
    except Exception:
        with suppress(TryLater):
            services.run_processes.give_up(run_key)
        raise
    services.run_processes.end(run_key, set_of(stored), report.left)
    return report


def _process(stored: tuple[StoredEvent, ...], services: Services, show: Show) -> RunReport:
    events = _readable(services.events.bodies(stored), services)
    if not events:
        return RunReport(Status.DEAD_LETTERED, "no event of this run can be read")
    run = merge(events)
    derived = derive(run, services.lineage_rules)
    named = by_failed_process if run.state is RunState.FAILED else by_process
    lineages = named(derived.lineages, services.naming)
    check_drawable(lineages.values(), services.naming)
    affected = _record(run, lineages, services)
    for process in sorted(affected):
        show(process, services)
    status, message = Status.PROCESSED, f"in {len(lineages)} process{'' if len(lineages) == 1 else 'es'}"
    if run.state is RunState.FAILED:
        message = "the run failed and draws nothing"
    elif derived.reason:
        status, message = Status.IGNORED, derived.reason
    return RunReport(
        status, message, tuple(lineages), f"{run.job_namespace}/{run.job_name}", affected - lineages.keys()
    )


def _record(run: MergedRun, lineages: Mapping[str, Lineage], services: Services) -> frozenset[str]:
    """Put the run into the histories of its processes and take it out of those it no longer belongs to."""
    before = services.run_processes.get(run.run_key)
    if not lineages.keys() <= before:
        services.run_processes.add(run.run_key, frozenset(lineages))
    for process, lineage in lineages.items():
        if run.state is RunState.FAILED:
            record(process, partial(with_failure, run=run.ref), services)
        else:
            record(process, partial(with_run, lineage=lineage, run=run.ref), services)
    for process in before - lineages.keys():
        record(process, partial(without_run, run_key=run.run_key), services)
    return before | lineages.keys()


def _readable(bodies: Iterable[tuple[StoredEvent, bytes]], services: Services) -> list[RunEvent]:
    """The events that can be read; one that cannot is put aside and does not cost the others."""
    events = []
    for stored, body in bodies:
        try:
            events.append(_in_our_time(read_event(body), stored))
        except BadEvent as error:
            blob = stored.name.blob
            remedy = "Store the event anew, or delete its blob."
            services.dead_letters.put(stored.name.run_key, error.reason, remedy, {"blob": blob}, datetime.now(UTC))
            log.error("stored event %s cannot be read: %s", blob, error.reason)
    return events


def _in_our_time(event: RunEvent, stored: StoredEvent) -> RunEvent:
    """The event, its time no later than a day after its receipt: one clock ahead must not hide all other runs."""
    latest = stored.received + timedelta(days=1) if stored.received else event.time
    return replace(event, time=min(event.time, latest))


def _take(event: bytes, rules: ReceiverRules, keep: Keep) -> Receipt:
    """One event from its bytes to its receipt; blanks around it make it no other event."""
    event = event.strip()
    if describes_no_run(event):
        return receipt.describes_no_run()
    try:
        envelope = read_envelope(event)
    except BadRequest as error:
        return receipt.rejected(error)
    decision = accept(envelope, rules)
    if not decision.kept:
        return receipt.ignored(envelope, decision)
    try:
        keep(envelope, event)
    except StorageUnavailable as error:
        return receipt.unavailable(envelope, error.reason)
    return receipt.kept(envelope, decision.reason)


def _keeper(store: EventStore, now: datetime) -> Keep:
    def keep(envelope: Envelope, event: bytes) -> None:
        store.put(envelope, digest(event), event, now)

    return keep


def _give_up_early(keep: Keep) -> Keep:
    """As ``keep``, but after one failure the rest of a batch fails at once: its sender waits for all of it."""
    failures: list[StorageUnavailable] = []

    def keep_or_fail(envelope: Envelope, event: bytes) -> None:
        if failures:
            raise failures[0]
        try:
            keep(envelope, event)
        except StorageUnavailable as error:
            failures.append(error)
            raise

    return keep_or_fail


def _array(body: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _items.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent("$", f"the body of a batch must be a JSON array of events ({error})") from None


def _log(taken: Receipt) -> None:
    facts = {"run": escaped(taken.run), "job": escaped(taken.job), "reason": escaped(taken.reason)}
    step(log, "receive", taken.outcome.value, {**facts, "status": taken.status})
