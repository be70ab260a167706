"""What Azure's trigger engine asks of storage, and how long queues take, with the values of host.json.

.venv/bin/python -m benchmarks.triggers [--write]

The engine runs the sample app of the tests on Azurite behind a proxy that counts its requests; SPARKLIN_TRIGGER_ENGINE
names it. The counts are exact, the seconds are this machine's. Takes about ten minutes. ``--write`` puts both into
benchmarks/measured.json, from which docs/cost-and-scale.md is made.
"""

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.calls import keep
from local.azurite import Azurite
from local.stack.parts import ROOT
from tests.engine.hosts import ENGINE, TriggerApp
from tests.local.host.sample import encoded, eventually, prepared
from tests.support.storage_proxy import Sent, StorageProxy, storage_proxy

_PIECES = 20
_IDLE_SECONDS = 120.0
_PATIENCE_SECONDS = 900.0
_LATE_MESSAGES = 4
#: Long enough that the polls of an idle queue have slowed down.
_DELAY_SECONDS = 45


def main() -> None:
    """Print what was measured as JSON."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Azurite(Path(folder) / "azurite.log") as azurite,
        storage_proxy(azurite.connection_string) as proxy,
    ):
        app = prepared(TriggerApp(azurite, Path(folder), runs_on=ENGINE, through=proxy.connection_string))
        found = _measure(app, proxy)
    print(json.dumps(found, indent=2))
    if "--write" in sys.argv:
        keep("triggers", found)


def _measure(app: TriggerApp, proxy: StorageProxy) -> dict[str, Any]:
    queues = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]["queues"]
    values = {f"queues__{name}": str(value) for name, value in queues.items()}
    with app.runner("on_blob", "on_message", "on_poison", **values) as runner:
        app.put(runner, "runs/first", "x")
        app.send_plain("first")
        app.until_reported("on_message", 1)
        with _requests(app, proxy) as blobs:
            for number in range(_PIECES):
                app.put(runner, f"runs/{number}", "x")
                app.until_reported("on_blob", number + 2)
            eventually(lambda: app.count(app.blob_queue) == 0, "the end of the blobs")
        late = [_seconds_late(app) for _ in range(_LATE_MESSAGES)]
        with _requests(app, proxy) as messages:
            for number in range(_PIECES):
                app.send_plain(str(number))
            app.until_reported("on_message", 1 + _LATE_MESSAGES + _PIECES)
            eventually(lambda: app.count(app.queue("work")) == 0, "the end of the messages")
        time.sleep(_DELAY_SECONDS)
        with _requests(app, proxy) as idle:
            time.sleep(_IDLE_SECONDS)
        gaps = _gaps(app)
    return {
        "maxPollingInterval": queues.get("maxPollingInterval", "00:01:00"),
        "a blob": _each(blobs, _PIECES),
        "a message": _each(messages, _PIECES),
        "an idle queue, requests an hour": {
            kind: round(count * 3600 / _IDLE_SECONDS) for kind, count in sorted(idle.items())
        },
        "seconds after a message was due": sorted(late),
        "seconds between attempts": gaps,
        "median seconds between attempts": statistics.median(gaps),
    }


@contextmanager
def _requests(app: TriggerApp, proxy: StorageProxy) -> Iterator[Counter[str]]:
    """Counts the engine's requests while it lasts, without those of the functions themselves."""
    counts: Counter[str] = Counter()
    start = len(proxy.sent)
    yield counts
    counts.update(_kind(app, sent) for sent in proxy.sent[start:] if "seen-" not in sent.path)


def _kind(app: TriggerApp, sent: Sent) -> str:
    """A request by service, method and what it is for: ``queue DELETE messages work``."""
    names = {app.blob_queue: "blob queue", app.queue("work"): "work queue", f"{app.queue('work')}-poison": "poison"}
    found = next((name for queue, name in names.items() if queue in sent.path.split("/")), "")
    what = "messages" if "/messages" in sent.path else sent.query.get("comp", "")
    return " ".join(each for each in (sent.service, sent.method, what, found) if each)


def _each(counts: Mapping[str, int], pieces: int) -> dict[str, float]:
    return {kind: round(count / pieces, 2) for kind, count in sorted(counts.items())}


def _seconds_late(app: TriggerApp) -> float:
    """How long after it became visible a message ran, on a queue that had been idle until then."""
    before = len(app.reports("on_message"))
    app.queues.get_queue_client(app.queue("work")).send_message(encoded("late"), visibility_timeout=_DELAY_SECONDS)
    due = time.monotonic() + _DELAY_SECONDS
    eventually(lambda: len(app.reports("on_message")) > before, "the message", _PATIENCE_SECONDS)
    return round(time.monotonic() - due, 1)


def _gaps(app: TriggerApp) -> list[float]:
    """Seconds between the attempts of a message whose function fails each time."""
    before, times = len(app.reports("on_message")), [time.monotonic()]
    app.send_plain("fail")
    poison = f"{app.queue('work')}-poison"
    while not app.bodies("on_poison") and time.monotonic() - times[0] < _PATIENCE_SECONDS:
        if len(app.reports("on_message")) - before == len(times):
            times.append(time.monotonic())
        time.sleep(0.1)
    eventually(lambda: app.count(poison) == 0, "the end of the poison message")
    return [round(later - earlier, 1) for earlier, later in pairwise(times[1:])]


if __name__ == "__main__":
    main()
