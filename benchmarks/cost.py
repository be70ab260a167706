"""What a number of events a day asks of Azure, what that costs, and which limit is the nearest.

python -m benchmarks.cost --events 2e6 [--kept 0.5] [--peak 20] [--price "capacity unit hours=0.5"] …

Worked out from what was measured (benchmarks/measured.json) and from list prices (benchmarks/prices.json).
"""

import argparse
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from core.events import read_envelope
from receiver.accept import ReceiverRules, accept
from tests.support.corpus import SPARK_35, bodies, scenarios

_HERE = Path(__file__).parent
_DAY, _MONTH = 86_400, 30

Prices = Mapping[str, Mapping[str, Any]]
"""By what is paid for: ``price`` for ``per`` of it, after ``free`` ones a month."""

#: What the Functions host itself does for an event that is kept, by its sources: the notification becomes a message,
#: which is taken and deleted; the blob is looked at and read for the trigger. Event Grid counts the event and its
#: delivery. Not measured, and without the polling of empty queues.
HOST = {"queue operations": 3, "blob other": 1, "blob read": 1, "Event Grid operations": 2}
#: Records that the host writes to the log for an execution: its begin, its end, the request.
HOST_RECORDS = 3
SWEEPS = 24 * 12


@dataclass(frozen=True)
class Mix:
    """What a day's events are like. Shares of runs are of all that end; the rest of them is unchanged."""

    kept: float = 0.5
    """Share of events that are kept."""
    kept_a_run: float = 2.6
    """Events that are kept, a run."""
    kept_kilobytes: float = 6.5
    """Average body that is kept."""
    first: float = 0.01
    """Share of runs that are the first of their process, with assets that are new."""
    refreshed: float = 1 / 7
    """Share of unchanged runs that are uploaded as a week has passed: one in seven for a daily run."""
    changed: float = 0.02
    """Share of runs that bring something new."""
    failed: float = 0.01
    """Share of runs that fail."""
    peak: float = 10
    """How much more than on average comes in while events come; else nothing does."""
    memory: float = 2
    """GB of an instance."""
    http_at_once: float = 16
    """Requests that an instance takes at once."""
    blobs_at_once: float = 2
    """Blobs that an instance processes at once, as host.json says."""
    log_kilobytes: float = 1
    """What a record of the log takes."""
    retention_days: float = 90
    """How long events are kept."""

    def steps(self) -> dict[str, float]:
        """How often each step is taken, for one event that comes in."""
        runs = self.kept / self.kept_a_run
        settled = 1 - self.first - self.changed - self.failed
        return {
            "ignored": 1 - self.kept,
            "received": self.kept,
            "waiting": self.kept - runs,
            "first": runs * self.first,
            "changed": runs * self.changed,
            "failed": runs * self.failed,
            "refreshed": runs * settled * self.refreshed,
            "unchanged": runs * settled * (1 - self.refreshed),
        }


@dataclass(frozen=True)
class Limit:
    """A limit of Azure: what of (a key of ``Load.event``) it counts, and how much of it a second it allows."""

    name: str
    counts: str
    a_second: float
    source: str
    remedy: str


@dataclass(frozen=True)
class Load:
    """What ``events`` a day ask for: ``event`` for one of them, ``day`` and ``month`` in units of the prices."""

    events: float
    mix: Mix
    event: Mapping[str, float]
    day: Mapping[str, float]

    @property
    def peak_rate(self) -> float:
        """Events a second while they come."""
        return self.events / _DAY * self.mix.peak

    def used(self, limit: Limit) -> float:
        """The share of a limit that is used while events come."""
        return self.peak_rate * self.event[limit.counts] / limit.a_second

    @property
    def apps(self) -> int:
        """How many function apps with a storage account each keep the limits of one to four fifths."""
        return max(1, math.ceil(max(self.used(limit) for limit in LIMITS if _SPLIT in limit.remedy) / 0.8))

    def month(self, prices: Prices) -> dict[str, float]:
        """The price of a month, by what is paid for."""
        asked = {name: _MONTH * self.day[name] for name in prices if name != "stored GB-months"}
        asked["stored GB-months"] = self.day["stored GB"] * self.mix.retention_days
        return {
            name: max(0.0, asked[name] - price["free"]) / price["per"] * price["price"]
            for name, price in prices.items()
        }


@cache
def measured() -> Mapping[str, Any]:
    """What was measured; see benchmarks/measured.json."""
    found: Mapping[str, Any] = json.loads((_HERE / "measured.json").read_text("utf-8"))
    return found


@cache
def price_list() -> Mapping[str, Any]:
    """The prices with their sources; see benchmarks/prices.json."""
    found: Mapping[str, Any] = json.loads((_HERE / "prices.json").read_text("utf-8"))
    return found


@cache
def recorded_mix(folder: str = SPARK_35) -> Mix:
    """The mix with what the recorded applications in a folder of the corpus tell of it."""
    envelopes = [
        (read_envelope(body), len(body))
        for name in scenarios()
        if name.startswith(f"{folder}/")
        for body in bodies(name)
    ]
    kept = [(envelope, size) for envelope, size in envelopes if accept(envelope, ReceiverRules()).kept]
    runs = {envelope.run_key for envelope, _ in kept}
    size = sum(size for _, size in kept) / len(kept) / 1000
    return Mix(len(kept) / len(envelopes), len(kept) / len(runs), size)


def load(events: float, mix: Mix) -> Load:
    """What so many events a day ask for."""
    event = _for_an_event(mix)
    rate = events / _DAY * mix.peak
    busy = _busy(rate, event["receiver seconds"], mix.http_at_once) + _busy(
        rate * mix.kept, event["parser seconds"] / mix.kept, mix.blobs_at_once
    )
    units = rate * event["Data Map operations"] / 25
    sweeps = SWEEPS * measured()["calls"]["counts"]["sweep"]["table query"]
    day = {name: events * count for name, count in event.items()}
    more = {
        "table operations": day["table operations"] + sweeps,
        "executions": day["executions"] + SWEEPS,
        "GB-seconds": mix.memory * (busy * _DAY / mix.peak + SWEEPS),
        "logged GB": day["log records"] * mix.log_kilobytes / 1e6,
        "stored GB": events * mix.kept * mix.kept_kilobytes / 1e6,
        "instances": math.ceil(rate * event["receiver seconds"] / mix.http_at_once)
        + math.ceil(rate * event["parser seconds"] / mix.blobs_at_once),
        "capacity units": max(1, math.ceil(units)),
        "capacity unit hours": max(1, math.ceil(units)) * 24 / mix.peak + 24 * (1 - 1 / mix.peak),
    }
    return Load(events, mix, event, {**day, **more})


def _busy(rate: float, seconds: float, at_once: float) -> float:
    """Instances that are paid for on average: one is for at least a second each time it is woken up."""
    return max(1 - math.exp(-rate * max(1.0, seconds)), rate * seconds / at_once)


def _for_an_event(mix: Mix) -> dict[str, float]:
    """What one event asks for, on average."""
    calls, often = measured()["calls"], mix.steps()
    counts: dict[str, float] = {name: mix.kept * count for name, count in HOST.items()}
    for step, share in often.items():
        for kind, count in calls["counts"][step].items():
            name = _BILLED.get(kind, kind)
            counts[name] = counts.get(name, 0) + share * count
    seconds = {step: share * calls["milliseconds"][step] / 1000 for step, share in often.items()}
    return {
        **counts,
        "executions": 1 + mix.kept,
        "log records": counts["log lines"] + HOST_RECORDS * (1 + mix.kept),
        "storage requests": storage_requests(counts),
        "kept events": mix.kept,
        "receiver seconds": seconds["ignored"] + seconds["received"],
        "parser seconds": sum(each for step, each in seconds.items() if step not in ("ignored", "received")),
    }


def storage_requests(counts: Mapping[str, float]) -> float:
    """All requests to storage, however they are named."""
    kinds = ("blob ", "table ", "queue ")
    return sum(count for name, count in counts.items() if name.startswith(kinds))


def checked() -> tuple[float, float]:
    """Requests to storage for an event of a recording that is sent again: by the steps, and as they were counted.

    Without what the Functions host does.
    """
    mix = replace(recorded_mix(), first=0, changed=0, refreshed=0)
    by_steps = _for_an_event(mix)["storage requests"] - mix.kept * storage_requests(HOST)
    events = sum(len(bodies(name)) for name in scenarios() if name.startswith(f"{SPARK_35}/"))
    return by_steps, storage_requests(measured()["calls"]["recording"]) / events


_BILLED = {
    "blob lease": "blob other",
    "blob properties": "blob other",
    "table read": "table operations",
    "table query": "table operations",
    "table write": "table operations",
    "table transaction": "table operations",
}

_SPLIT = "a second function app with a storage account of its own; send each workspace to one of them"
_TARGETS = "https://learn.microsoft.com/azure/storage"
LIMITS = (
    Limit("storage account: requests", "storage requests", 20_000, f"{_TARGETS}/tables/scalability-targets", _SPLIT),
    Limit(
        "queue of the blob trigger: put, take, delete",
        "queue operations",
        2_000,
        f"{_TARGETS}/queues/scalability-targets",
        f"the host has one queue for an app: {_SPLIT}",
    ),
    Limit(
        "table EventMetadata: rows in the 16 partitions of an hour",
        "rows of EventMetadata",
        16 * 2_000,
        f"{_TARGETS}/tables/scalability-targets",
        f"{_SPLIT}; more shards need a change of the code",
    ),
    Limit(
        "table RunProcesses: rows in 16 partitions",
        "rows of RunProcesses",
        16 * 2_000,
        f"{_TARGETS}/tables/scalability-targets",
        f"{_SPLIT}; more shards need a change of the code",
    ),
    Limit(
        "Event Grid: events",
        "kept events",
        5_000,
        "https://learn.microsoft.com/azure/event-grid/quotas-limits (told for custom topics)",
        _SPLIT,
    ),
    Limit(
        "instances of the parser: 100, the default",
        "parser seconds",
        100 * Mix.blobs_at_once,
        "https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to",
        "raise `maximumInstanceCount`, up to 1,000",
    ),
    Limit(
        "Purview: 10 capacity units, the default window",
        "Data Map operations",
        10 * 25,
        "https://learn.microsoft.com/purview/concept-elastic-data-map",
        "ask for a larger window, up to 100 units; raise `UPLOAD_REFRESH_DAYS`; retries spread what is too much",
    ),
)


def table(loads: Iterable[Load], prices: Prices) -> list[str]:
    """The lines of a Markdown table: what is asked for a day, the nearest limit, the price of a month."""
    found = list(loads)
    lines = ["| events a day | " + " | ".join(f"{each.events:,.0f}" for each in found) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    lines.append(_row("events a second while they come", (each.peak_rate for each in found)))
    lines += [_row(name, (each.day[name] for each in found)) for name in _SHOWN]
    nearest = [max(LIMITS, key=each.used) for each in found]
    lines.append("| nearest limit | " + " | ".join(limit.name.partition(":")[0] for limit in nearest) + " |")
    shares = (percent(each.used(limit)) for each, limit in zip(found, nearest, strict=True))
    lines.append("| … is used to | " + " | ".join(shares) + " |")
    lines.append(_row("function apps, each with an account", (each.apps for each in found)))
    months = [each.month(prices) for each in found]
    lines += [_row(f"$ a month: {title}", (sum(m[n] for n in names) for m in months)) for title, names in _PAID.items()]
    lines.append(_row("**$ a month**", (sum(month.values()) for month in months)))
    return lines


_SHOWN = (
    "blob write",
    "blob list",
    "blob read",
    "blob other",
    "table operations",
    "queue operations",
    "Event Grid operations",
    "executions",
    "GB-seconds",
    "instances",
    "Data Map operations",
    "capacity units",
    "log records",
    "stored GB",
)
_PAID = {
    "storage": (
        "blob write",
        "blob list",
        "blob read",
        "blob other",
        "table operations",
        "queue operations",
        "stored GB-months",
    ),
    "functions, Event Grid": ("executions", "GB-seconds", "Event Grid operations"),
    "log": ("logged GB",),
    "Purview": ("capacity unit hours",),
}


def _row(name: str, values: Iterable[float]) -> str:
    return f"| {name} | " + " | ".join(number(value) for value in values) + " |"


def number(value: float) -> str:
    """Three digits that count, in words where it is large."""
    for size, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{float(f'{value / size:.3g}'):g}{word}"
    return f"{float(f'{value:.3g}'):g}" if value >= 0.01 or value == 0 else "< 0.01"


def percent(share: float) -> str:
    """A share in percent, with two digits where it is small."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:,.0f} %"


def main() -> None:
    """Print the table for what was asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=float, action="append", required=True, help="events a day; several times")
    for field in fields(Mix):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float)
    parser.add_argument("--price", action="append", default=[], metavar="NAME=PRICE", help="instead of the list's")
    options = parser.parse_args()
    given = {field.name: getattr(options, field.name) for field in fields(Mix)}
    mix = replace(recorded_mix(), **{name: value for name, value in given.items() if value is not None})
    prices = dict(price_list()["prices"])
    for name, _, price in (each.partition("=") for each in options.price):
        if name not in prices:
            parser.error(f"--price: there is no {name!r}; there are {', '.join(prices)}")
        prices[name] = {**prices[name], "price": float(price)}
    print("\n".join(table((load(events, mix) for events in options.events), prices)))


if __name__ == "__main__":
    main()
