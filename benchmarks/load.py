"""How the local stack bears a steady stream of recorded events.

.venv/bin/python -m benchmarks.load [--rate 20] [--seconds 60] [--hosts 1] [--write]

All applications of one recording are sent once and worked off; then they are sent over and over, each time as new runs,
so that most lineage is unchanged. It prints the receiver's answer times, how many events were left at the end, how fast
these were worked off, and how much memory the host took. ``--write`` keeps this in benchmarks/measured.json, by rate.
"""

import argparse
import itertools
import json
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from benchmarks.calls import MEASURED, keep, recording
from core.storage_connection import StorageConnection
from local.stack.lifecycle import Stack
from storage.clients import connect
from storage.event_rows import Status
from storage.event_store import EventStore

_SENDERS = 32


@dataclass(frozen=True)
class Answer:
    """Of one event: status of the answer, milliseconds it took."""

    status: int
    milliseconds: float


def main() -> None:
    """Run the load and print the measurements."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=20, help="events a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--hosts", type=int, default=1, help="hosts that share the work; the first one receives")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/measured.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), hosts=options.hosts) as stack:
        found = under_load(stack, options.rate, options.seconds)
    print(json.dumps(found, indent=1))
    if options.write:
        known = json.loads(MEASURED.read_text("utf-8")).get("load", {})
        keep("load", dict(sorted({**known, f"{options.rate:g}": found}.items(), key=lambda item: float(item[0]))))


def under_load(stack: Stack, rate: float, seconds: float) -> dict[str, float]:
    """Measurements of ``stack`` while it received ``rate`` events a second for some seconds, and afterwards."""
    store = EventStore(connect(StorageConnection(connection_string=stack.azurite.connection_string)))
    before = round(os.getloadavg()[0], 1)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=_SENDERS))
        for body in recording(0):
            _post(session, stack, body)
        _worked_off(store)
        answers, took = _send(session, stack, rate, seconds)
    waiting = _unprocessed(store)
    drained = _worked_off(store)
    statuses = Counter(answer.status for answer in answers)
    times = [answer.milliseconds for answer in answers]
    return {
        "cpus": os.cpu_count() or 0,
        "load average before": before,
        "seconds": round(took, 1),
        "sent": len(answers),
        "kept": statuses[202],
        "ignored": statuses[200],
        "failed": len(answers) - statuses[202] - statuses[200],
        "sent a second": round(len(answers) / took, 1),
        "median ms": round(statistics.median(times), 1),
        "p95 ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "unprocessed at the end": waiting,
        "seconds until all were processed": round(drained, 1),
        "kept events processed a second": round(statuses[202] / (took + drained), 1),
        "host MB": round(_peak_memory(stack)),
    }


def _send(session: requests.Session, stack: Stack, rate: float, seconds: float) -> tuple[list[Answer], float]:
    """The answers, and how many seconds it took: more than asked for if the answers did not keep up."""
    stream = itertools.islice(_stream(), int(rate * seconds))
    began = time.monotonic()
    with ThreadPoolExecutor(_SENDERS) as senders:
        sent = []
        for number, body in enumerate(stream):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            sent.append(senders.submit(_post, session, stack, body))
        answers = [each.result() for each in sent]
    return answers, time.monotonic() - began


def _stream() -> Iterator[bytes]:
    return (body for number in itertools.count(1) for body in recording(number))


def _post(session: requests.Session, stack: Stack, body: bytes) -> Answer:
    headers = {**stack.key_header, "Content-Type": "application/json"}
    began = time.perf_counter()
    status = session.post(f"{stack.receiver}/api/v1/lineage", data=body, headers=headers, timeout=30).status_code
    return Answer(status, 1000 * (time.perf_counter() - began))


def _worked_off(store: EventStore) -> float:
    """Wait until no event waits to be processed: the seconds that took."""
    began = time.monotonic()
    while _unprocessed(store):
        time.sleep(2)  # To look costs the storage a good deal, too.
    return time.monotonic() - began


def _unprocessed(store: EventStore) -> int:
    now = datetime.now(UTC)
    return sum(1 for _ in store.rows(now - timedelta(hours=2), now, [Status.RECEIVED]))


def _peak_memory(stack: Stack) -> float:
    """Megabytes of the host's process at its peak (Linux)."""
    started = stack.host.started
    if started is None:
        raise RuntimeError("the host has not been started")
    status = Path(f"/proc/{started.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


if __name__ == "__main__":
    main()
