"""Claims about the processing of an event, checked with test events, which are removed afterwards."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import requests

from cli.checks.end_to_end import COLUMN, clean_up, lineage_event
from cli.checks.endpoint import NAMESPACE, Receiver
from cli.tasks import replay_runs
from cli.tasks.purge_runs import forget_run
from cli.verification.claim import Claim
from core.catalog_model import AssetName
from core.errors import SparklinError
from core.identity import run_key
from core.naming import EventName
from pipeline.services import Services
from purview.dataset_entities import GENERIC_TYPE
from storage.clients import EVENTS
from storage.details_table import DetailsRow
from storage.event_rows import EventRow, Status
from storage.faults import storage_faults
from storage.poison_queues import BLOB_POISON_QUEUE, poison_messages, put_poison

_POLL_SECONDS = 0.25
_SEARCH_SECONDS = 120
_RECORD_SECONDS = 20
_PURVIEW = "docs/name-rules.md"

STORED = Claim("202 means stored", "an event with answer 202 is in storage", "docs/http-api.md")
TRIGGER = Claim("blob trigger", "Event Grid reports a stored event within seconds", "docs/retries.md")
POINTER = Claim(
    "private mode",
    "with a private receiver the app's own queue reports an event within seconds",
    "docs/deployment.md#networks",
)
CREATION = Claim("process", "a process with its column mapping is created, and read back as it was sent", _PURVIEW)
COLLECTION = Claim("collection", "new assets are in the collection of PURVIEW_COLLECTION", "docs/settings.md")
LOOK_UP = Claim("look-up", "an asset is found by type and qualified name right after it was created", _PURVIEW)
SEARCH = Claim("search", "the search finds an asset some time after it was created", _PURVIEW)
UNCHANGED = Claim("unchanged lineage", "a further event that changes nothing makes no upload", "docs/cost-and-scale.md")
RETRY = Claim("retry queue", "the app takes a run from its retry queue", "docs/retries.md#how-soon-a-queue-is-read")
DEAD_LETTER = Claim(
    "dead letter", "an event that cannot be read is dead-lettered with its reason", "docs/retries.md#what-is-retried"
)
POISON = Claim("poison queue", "the function poison takes the messages of its queue", "docs/retries.md#poison-queues")
TIMER = Claim("timer", "the timer runs every five minutes, and notes the version of the store", "docs/update.md")
ANONYMOUS = Claim("no anonymous access", "nobody reads an event without an identity", "docs/access.md")
DELETION = Claim("clean-up", "everything that this command created was removed", "docs/operations.md")
OF_PROCESS = (CREATION, COLLECTION, LOOK_UP, SEARCH, UNCHANGED, RETRY, ANONYMOUS)
ALL = (STORED, TRIGGER, POINTER, *OF_PROCESS, DEAD_LETTER, POISON, TIMER, DELETION)


@dataclass
class Trial:
    """A test run and its progress through a deployment."""

    receiver: Receiver
    services: Services
    seconds: float
    is_private: bool
    run: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def key(self) -> str:
        return run_key(self.run)

    def row(self) -> EventRow | None:
        rows = self.services.events.rows_of(self.services.events.names(self.key))
        return rows[0] if rows else None

    def details(self) -> DetailsRow | None:
        """The row of the process of the run."""
        names = sorted(self.services.run_records.get(self.key))
        return self.services.details.read(names[0]) if names else None

    def wait(self, happened: Callable[[], object], seconds: float = 0) -> float | None:
        """Seconds until a condition held; None if it did not in time."""
        began = time.perf_counter()
        while not happened():
            if time.perf_counter() - began > (seconds or self.seconds):
                return None
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - began


def processing_claims(trial: Trial) -> Iterator[Claim]:
    """Each claim with its result; everything created is removed at the end, even after an error."""
    yield from _guarded((TIMER,), lambda: _timer(trial))
    try:
        yield from _guarded((STORED, TRIGGER, POINTER), lambda: _way(trial))
        if (row := trial.row()) and row.status is Status.PROCESSED:
            for claim, look in (
                (CREATION, _creation), (COLLECTION, _collection), (LOOK_UP, _look_up), (SEARCH, _search),
                (UNCHANGED, _unchanged), (ANONYMOUS, _anonymous), (RETRY, _retry), (POISON, _poison),
            ):  # fmt: skip
                yield from _guarded((claim,), lambda look=look: iter([look(trial)]))  # type: ignore[misc]
        else:
            for claim in (*OF_PROCESS, POISON):
                yield claim.judged(None, "the event was not processed in time")
        yield from _guarded((DEAD_LETTER,), lambda: iter([_dead_letter(trial)]))
    finally:
        removed = list(_guarded((DELETION,), lambda: iter([_deletion(trial)])))
    yield from removed


def _guarded(claims: tuple[Claim, ...], look: Callable[[], Iterator[Claim]]) -> Iterator[Claim]:
    """The claims; those that an error prevented from being checked are unknown, for that reason."""
    seen = set()
    try:
        for claim in look():
            seen.add(claim.name)
            yield claim
    except SparklinError as error:
        reason = str(error)
    except requests.RequestException as error:
        reason = f"the app did not answer ({type(error).__name__})"
    else:
        return
    yield from (claim.judged(None, reason) for claim in claims if claim.name not in seen)


def _way(trial: Trial) -> Iterator[Claim]:
    began = time.perf_counter()
    answer = trial.receiver.post(lineage_event(trial.run, "COMPLETE"))
    answered = time.perf_counter() - began
    if answer.status_code != 202:
        yield STORED.judged(False, f"answered {answer.status_code}", answerSeconds=answered)
        return
    is_stored = trial.row() is not None
    seen = "blob and row are there" if is_stored else "there is no blob in the storage of these settings"
    yield STORED.judged(is_stored, seen, answerSeconds=answered)
    waiting = (Status.RECEIVED, Status.RETRYING)
    seconds = trial.wait(lambda: (row := trial.row()) is not None and row.status not in waiting)
    row = trial.row()
    claim, other = (POINTER, TRIGGER) if trial.is_private else (TRIGGER, POINTER)
    yield other.judged(None, f"the receiver is {'private' if trial.is_private else 'public'} from here")
    if seconds is None or row is None:
        yield claim.judged(False, f"not processed within {trial.seconds:.0f} s")
    elif row.retry_count:
        yield claim.judged(False, "the timer found the event: nothing reported it", processedSeconds=seconds)
    else:
        seen = ": ".join(filter(None, (row.status.value, row.message)))
        yield claim.judged(row.status is Status.PROCESSED, seen, processedSeconds=seconds)


def _creation(trial: Trial) -> Claim:
    row = trial.details()
    entity = trial.services.catalog.get(row.process_guid) if row else {}
    attributes: dict[str, Any] = entity.get("attributes") or {}
    mapping = json.loads(attributes.get("columnMapping") or "[]")
    columns = [(each["Source"], each["Sink"]) for pair in mapping for each in pair["ColumnMapping"]]
    ends = {side: len(attributes.get(side) or []) for side in ("inputs", "outputs")}
    seen = f"{ends['inputs']} input, {ends['outputs']} output, {len(columns)} column"
    return CREATION.judged(ends == {"inputs": 1, "outputs": 1} and columns == [(COLUMN, COLUMN)], seen)


def _collection(trial: Trial) -> Claim:
    wanted = trial.services.settings.collection(NAMESPACE)
    row = trial.details()
    found = str((trial.services.catalog.get(row.process_guid) if row else {}).get("collectionId") or "")
    if not wanted:
        return COLLECTION.judged(None, "PURVIEW_COLLECTION is not set: the root collection is used")
    return COLLECTION.judged(found == wanted, f"the process is in collection {found or 'of no name'}")


def _asset() -> AssetName:
    return AssetName(GENERIC_TYPE, f"{NAMESPACE}/in")


def _look_up(trial: Trial) -> Claim:
    found = _asset() in trial.services.catalog.find([_asset()])
    return LOOK_UP.judged(found, "found" if found else "not found")


def _search(trial: Trial) -> Claim:
    def is_found() -> bool:
        hits = trial.services.catalog.search_datasets([NAMESPACE]).hits
        return any(hit.asset.name == _asset() for hit in hits)

    longest = min(trial.seconds, _SEARCH_SECONDS)
    seconds = trial.wait(is_found, longest)
    if seconds is None:
        return SEARCH.judged(False, f"not found within {longest:.0f} s")
    return SEARCH.judged(True, f"found after {seconds:.1f} s", foundSeconds=seconds)


def _unchanged(trial: Trial) -> Claim:
    before = trial.details()
    trial.receiver.post(lineage_event(trial.run, "START"))
    rows = trial.services.events.rows_of
    seconds = trial.wait(
        lambda: (
            len(found := rows(trial.services.events.names(trial.key))) > 1
            and all(row.status is Status.PROCESSED for row in found)
        )
    )
    after = trial.details()
    if seconds is None or before is None or after is None:
        return UNCHANGED.judged(None, "the further event was not processed in time")
    same = (before.uploaded, before.fingerprint) == (after.uploaded, after.fingerprint)
    return UNCHANGED.judged(same, "not uploaded again" if same else "uploaded again", processedSeconds=seconds)


def _anonymous(trial: Trial) -> Claim:
    (name, *_) = trial.services.events.names(trial.key)
    address = f"{trial.services.clients.blobs.url.partition('?')[0].rstrip('/')}/{EVENTS}/{name.name.blob}"
    status = requests.get(address, timeout=30).status_code
    return ANONYMOUS.judged(status != 200, f"reading without an identity is answered {status}")


def _retry(trial: Trial) -> Claim:
    candidates = list(replay_runs.candidates([trial.key], trial.services, force=True, settle=False))
    list(replay_runs.enqueue(candidates, trial.services, force=False))
    seconds = trial.wait(lambda: list(replay_runs.outcomes([trial.key], trial.services)))
    if seconds is None:
        return RETRY.judged(False, f"not taken within {trial.seconds:.0f} s")
    return RETRY.judged(True, f"processed again after {seconds:.1f} s", processedSeconds=seconds)


def _poison(trial: Trial) -> Claim:
    """A message as the host writes it, for a blob that was processed: the app processes its run once more."""
    (event, *_) = trial.services.events.names(trial.key)
    message = {"Type": "BlobTrigger", "ContainerName": EVENTS, "BlobName": event.name.blob}
    put_poison(trial.services.clients, BLOB_POISON_QUEUE, json.dumps(message))
    seconds = trial.wait(lambda: BLOB_POISON_QUEUE not in poison_messages(trial.services.clients))
    if seconds is None:
        return POISON.judged(False, f"the message was not taken within {trial.seconds:.0f} s")
    return POISON.judged(True, f"taken after {seconds:.1f} s", takenSeconds=seconds)


def _dead_letter(trial: Trial) -> Claim:
    """A blob with the name of an event but unreadable content, as if storage had damaged it."""
    services, broken = trial.services, run_key(str(uuid.uuid4()))
    body = b"sparklin verify: not an event"
    name = EventName(broken, datetime.now(UTC), "COMPLETE", sha256(body).hexdigest()[:16])
    try:
        with storage_faults("store a broken event"):
            services.clients.container(EVENTS).upload_blob(name.blob, body)
        if trial.is_private:
            services.retries.announce(broken)
        seconds = trial.wait(lambda: list(services.dead_letters.names(broken)))
        if seconds is None:
            return DEAD_LETTER.judged(False, f"no dead letter within {trial.seconds:.0f} s")
        letter = services.dead_letters.read(next(services.dead_letters.names(broken)))
        reason = letter.reason if letter else "it cannot be read"
        # Its worker still writes the record of the run.
        trial.wait(lambda: services.run_records.read(broken).processed, _RECORD_SECONDS)
        return DEAD_LETTER.judged(letter is not None, f"dead-lettered: {reason}", deadLetterSeconds=seconds)
    finally:
        forget_run(broken, services)


def _timer(trial: Trial) -> Iterator[Claim]:
    versions = trial.services.versions.all()
    if not versions:
        yield TIMER.judged(None, "no version is noted yet: run this again six minutes after the app has started")
        return
    last = max(version.last for version in versions)
    fresh = datetime.now(UTC) - last < timedelta(days=1)
    yield TIMER.judged(fresh, f"a version was last noted on {last:%Y-%m-%d}")


def _deletion(trial: Trial) -> Claim:
    services = trial.services
    row = trial.details()
    left = clean_up(trial.run, trial.receiver, services, time.monotonic() + trial.seconds)
    if row and row.process_guid:
        entity = services.catalog.get(row.process_guid)
        gone = not entity or entity.get("status") == "DELETED"
        left = left or ("" if gone else "the process is still in the catalogue")
    if not left and _asset() in services.catalog.find([_asset()]):
        left = "an asset is still in the catalogue"
    if not left and services.events.names(trial.key):
        left = "events are still in storage"
    return DELETION.judged(not left, left or "nothing is left")
