"""What each step of an event's way asks of storage and of the Data Map, counted on Azurite and the local Data Map.

.venv/bin/python -m benchmarks.calls [--write]

The counts are exact and the same each time (a test repeats them); the milliseconds are this machine's. ``--write`` puts
both, and what the recordings are like, into benchmarks/measured.json, from which docs/cost-and-scale.md is made.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.counting import BLOB, DATA_MAP, QUEUE, TABLE, counted, counted_lines
from benchmarks.mix import RECORDED, WITH_PLANS
from core.envelope import read_envelope
from core.settings import Settings
from core.storage_connection import StorageConnection
from local.azurite import Azurite
from local.data_map.server import running
from pipeline import retries
from pipeline.receive import receive
from pipeline.services import Services, build
from receiver.accept import ReceiverRules, accept
from storage.poison_queues import poison_messages
from storage.upload_slots import UploadSlots
from tests.support.corpus import SPARK_35, bodies, scenarios
from tests.support.universe import Universe

MEASURED = Path(__file__).with_name("measured.json")
TUTORIAL = f"{SPARK_35}/tutorial_customer_master"
_UUID = re.compile(rb'"runId":\s*"([0-9a-f-]{36})"')
FAILING = f"{SPARK_35}/failing_udf_plain_spark"

#: The steps, in the order in which they are measured, as the page names them.
STEPS = {
    "ignored": "an event without lineage is received",
    "received": "an event with lineage is received",
    "received again": "the same event is received again",
    "waiting": "START or RUNNING is processed: the run has not ended",
    "first": "COMPLETE of a new process with new assets",
    "late": "a further notification of a processed run",
    "first, known assets": "COMPLETE of a new process with known assets",
    "unchanged": "COMPLETE of an unchanged new run",
    "refreshed": "COMPLETE of an unchanged new run, a week after the last upload",
    "changed": "COMPLETE of a new run with one more source",
    "failed": "FAIL of a run that was not drawn",
    "retracted": "FAIL of a run that was drawn, which removes a source",
    "sweep": "the timer, every five minutes, if nothing waits",
}
_SOURCE = b"raw/crm/address"


@dataclass(frozen=True)
class Measured:
    """Of each step its requests by kind, and the milliseconds it took."""

    counts: Mapping[str, Counter[str]]
    milliseconds: Mapping[str, float]


def main() -> None:
    """Print the counts; with ``--write`` keep them."""
    found = [measure() for _ in range(5)]
    if any(each.counts != found[0].counts for each in found):
        raise SystemExit("the counts differ from time to time")
    times = {step: round(statistics.median(each.milliseconds[step] for each in found), 1) for step in STEPS}
    again = dict(sorted(measure_recording().items()))
    shown = {"cpus": os.cpu_count(), "milliseconds": times, "counts": plain(found[0]), "recording": again}
    print(json.dumps(shown, indent=1))
    if "--write" in sys.argv:
        keep("calls", shown)
        keep("recordings", {name: measure_mix(name) for name in (RECORDED, WITH_PLANS)})


def keep(part: str, found: object) -> None:
    """Put a part of what was measured into the file."""
    known = json.loads(MEASURED.read_text("utf-8")) if MEASURED.exists() else {}
    MEASURED.write_text(json.dumps({**known, part: found}, indent=1) + "\n", "utf-8")


def plain(measured: Measured) -> dict[str, dict[str, int]]:
    """The counts in the order of the steps, as they are stored."""
    return {step: dict(sorted(measured.counts[step].items())) for step in STEPS}


def measure() -> Measured:
    """Each step once, on a new storage account and a new Data Map."""
    with _stack() as (universe, ports):
        counts: dict[str, Counter[str]] = {}
        milliseconds: dict[str, float] = {}
        for step, work in _steps(universe):
            began = time.perf_counter()
            with counted(ports) as requests, counted_lines(requests):
                work()
            if step:
                milliseconds[step] = 1000 * (time.perf_counter() - began)
                counts[step] = requests
        return Measured(counts, milliseconds)


def measure_recording() -> Counter[str]:
    """The requests of a whole recording that is sent a second time, as new runs: what the steps must add up to."""
    with _stack() as (universe, ports):
        universe.deliver_all(recording(0))
        with counted(ports) as requests:
            universe.deliver_all(recording(1))
    return requests


def measure_mix(recording: str) -> dict[str, int]:
    """What a recording is like: how many events, how many of these are kept, of how many runs, in bytes together."""
    sent = [body for name in scenarios() if name.startswith(f"{recording}/") for body in bodies(name)]
    read = [(read_envelope(body), len(body)) for body in sent]
    kept = [(envelope.run_key, size) for envelope, size in read if accept(envelope, ReceiverRules()).kept]
    sizes = [size for _, size in kept]
    return {"events": len(sent), "kept": len(kept), "runs": len({run for run, _ in kept}), "kept bytes": sum(sizes)}


@contextmanager
def _stack() -> Iterator[tuple[Universe, Mapping[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log") as azurite, running() as url:
        connection = StorageConnection(connection_string=azurite.connection_string)
        settings = Settings(lineage_storage=connection, purview_endpoint=url, purview_auth="none")
        # One upload slot, made once: which of several is taken is a matter of chance.
        services = build(replace(settings, max_concurrent_uploads=1))
        with UploadSlots(services.locks, 1).hold(0, lambda: None):
            pass
        clients = services.clients
        urls = (clients.blobs.url, clients.tables.url, clients.queues.primary_endpoint, url)
        ports = {urlsplit(each).netloc: kind for each, kind in zip(urls, (BLOB, TABLE, QUEUE, DATA_MAP), strict=True)}
        with services.catalog:
            yield Universe("bench", services), ports


@dataclass(frozen=True)
class _Way:
    """Receives and processes events, all in one hour, so that no row falls into the next one."""

    universe: Universe
    now: datetime

    def post(self, body: bytes) -> Callable[[], object]:
        known, own = self.universe.services, self.universe.own(body)
        return lambda: receive(own, {}, known.receiver, self.now)

    def process(self, body: bytes) -> Callable[[], object]:
        return lambda: retries.stored(self.universe.blob(body), self.universe.services)


Steps = Iterator[tuple[str, Callable[[], object]]]
"""Steps with the work of each; what only prepares the next one has no name."""


def _steps(universe: Universe) -> Steps:
    way = _Way(universe, datetime.now(UTC).replace(minute=30))
    ignored, *_, start, complete, _ = bodies(TUTORIAL)
    yield "ignored", way.post(ignored)
    yield from _first_run(way, start, complete)
    yield from _runs_after_it(way, start, complete)
    yield from _failures(way, complete)
    yield "", lambda: _sweep(universe.services, way.now)
    yield "sweep", lambda: _sweep(universe.services, way.now)


def _first_run(way: _Way, start: bytes, complete: bytes) -> Steps:
    yield "received", way.post(start)
    yield "received again", way.post(start)
    yield "waiting", way.process(start)
    yield "", way.post(complete)
    yield "first", way.process(complete)
    yield "late", way.process(start)


def _runs_after_it(way: _Way, start: bytes, complete: bytes) -> Steps:
    weekly = replace(way, universe=_with_every_upload_out_of_date(way.universe))
    runs: Mapping[str, Callable[[bytes], bytes]] = {
        "first, known assets": lambda body: _another(body, 1).replace(b"customer_master_sparkpool", b"other_sparkpool"),
        "unchanged": lambda body: _another(body, 2),
        "refreshed": lambda body: _another(body, 3),
        "changed": _reading_from_elsewhere,
    }
    for step, again in runs.items():
        yield "", way.post(again(start))
        yield "", way.process(again(start))
        yield "", way.post(again(complete))
        yield step, (weekly if step == "refreshed" else way).process(again(complete))


def _failures(way: _Way, complete: bytes) -> Steps:
    taken_back = _reading_from_elsewhere(complete).replace(b"COMPLETE", b"FAIL")
    yield "", way.post(taken_back)
    yield "retracted", way.process(taken_back)
    _, _, start, _, fail, *_ = bodies(FAILING)
    yield "", way.post(start)
    yield "", way.process(start)
    yield "", way.post(fail)
    yield "failed", way.process(fail)


def _with_every_upload_out_of_date(universe: Universe) -> Universe:
    services = universe.services
    settings = replace(services.settings, upload_refresh_days=0)
    return replace(universe, services=replace(services, settings=settings))


def _reading_from_elsewhere(body: bytes) -> bytes:
    return _another(body, 4).replace(_SOURCE, _SOURCE + b"_2024")


def _another(body: bytes, number: int) -> bytes:
    """The same event of another run of its notebook."""
    event = json.loads(body)
    event["run"]["runId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event['run']['runId']}/{number}"))
    return json.dumps(event).encode()


def recording(number: int) -> Iterator[bytes]:
    """All events of agent 1.53 on Spark 3.5.1, as new runs: different ones for each number."""
    for scenario in scenarios():
        if scenario.startswith(f"{SPARK_35}/"):
            for body in bodies(scenario):
                yield _UUID.sub(lambda found: b'"runId":"%s"' % _run_id(found[1], number), body)


def _run_id(recorded: bytes, number: int) -> bytes:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{recorded.decode()}/{number}")).encode()


def _sweep(services: Services, now: datetime) -> None:
    """What ``retries.sweep`` does at half past; it looks back only one day, because all earlier hours are closed."""
    for task, after in (
        (services.lost, timedelta(minutes=services.settings.sweep_after_minutes)),
        (services.unended, timedelta(minutes=services.settings.settle_after_minutes)),
        (services.retrying, retries.RETRY_OVERDUE),
    ):
        list(task.waiting(now - timedelta(hours=26), now, after))
    poison_messages(services.clients)


if __name__ == "__main__":
    main()
